import type {Promises} from '../model/report.ts'
import type {Affinity, Node, Request, Site, Upstream} from '../proxies/site.ts'
import {BROWSER_COOKIE} from '../wire/bayeux.ts'
import {CALLBACK, HANDSHAKE, POLL, PUBLISH} from './requests.ts'
import {waysToGms} from './settings.ts'
import type {WayToGms} from './settings.ts'

/** Requests of a session that does not travel over a WebSocket. */
export const OVER_HTTP: readonly Request[] = [HANDSHAKE, POLL, PUBLISH, CALLBACK]

/** An upstream where it matters which node gets a request, and the requests that it gets. */
export interface Balanced {
  upstream: Upstream
  ways: readonly WayToGms[]
}

/** Upstreams with several nodes that `requests` reach, each once; none where sessions need not stay on one node. */
export function balanced({site, promises}: {site: Site; promises: Promises}, ...requests: readonly Request[]): readonly Balanced[] {
  if (promises.affinity === 'none' || promises.nodes < 2) return []
  const found = new Map<string, {upstream: Upstream; ways: WayToGms[]}>()
  const chosen = variablesOf(site)
  for (const way of waysToGms(site, ...requests)) {
    const {upstream, target} = way.end
    // Another upstream for each client: which nodes are behind it together cannot be told from one.
    if (chosen.some(variable => target.text.includes(variable))) continue
    const known = found.get(upstream.name)
    if (known) known.ways.push(way)
    else if (choosable(upstream).length > 1) found.set(upstream.name, {upstream, ways: [way]})
  }
  return [...found.values()]
}

/** Variables whose value depends on the request: `map $cookie_… $upstream`, `split_clients`. */
function variablesOf({config}: Site): readonly string[] {
  return config.files
    .flatMap(({directives}) => directives)
    .flatMap(line => [line, ...(line.block ?? [])])
    .filter(({name}) => name === 'map' || name === 'split_clients')
    .flatMap(({args}) => args[1]?.value ?? [])
}

/** Nodes that new sessions are given to, each address once. */
export function choosable({nodes}: Upstream): readonly Node[] {
  const first = new Map(nodes.filter(({backup, down}) => !backup && !down).map(node => [node.address, node]))
  return [...first.values()]
}

/** Names of cookies that GMS sets of its own accord. */
export function isSetByGms(cookie: string): boolean {
  return cookie === BROWSER_COOKIE || cookie === 'JSESSIONID'
}

/** The proxy remembers which node set a cookie, whatever stands in it. */
export function isLearned({kind, setting}: Affinity): boolean {
  return kind === 'application-cookie' && /\b(learn|stick (on|match|store-\w+))\b/.test(`${setting.directive} ${setting.text}`)
}

/** The key is put through a hash: no node has to be named by it. */
export function isHashed({setting}: Affinity): boolean {
  return /^(hash|ip_hash|balance)\b/.test(setting.directive) || /^\s*(hash|balance)\b/.test(setting.text)
}

/** "gms1.network.local:8080 and gms2.network.local:8080". */
export function named(nodes: readonly Node[]): string {
  const addresses = [...new Set(nodes.map(({address}) => address))]
  return [addresses.slice(0, -1).join(', '), ...addresses.slice(-1)].filter(text => text !== '').join(' and ')
}
