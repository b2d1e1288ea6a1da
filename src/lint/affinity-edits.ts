import type {Edit} from '../model/bundle.ts'
import {distinctEdits} from '../model/bundle.ts'
import type {Node, Site, Upstream} from '../proxies/site.ts'
import {loading} from './apache-modules.ts'
import type {Balanced} from './sessions.ts'
import {choosable} from './sessions.ts'
import {insertedBefore} from './source.ts'

const COOKIE = 'GMS_NODE'
const LINE = `${COOKIE} insert indirect nocache httponly`

/** Affinity by a cookie of the proxy, in the place of whatever chooses nodes now; empty where that stands in other words than its own line. */
export function cookieAffinity(site: Site, {upstream, ways}: Balanced): readonly Edit[] {
  const {proxy, config} = site
  const {setting} = upstream.affinity
  // Where bytes are passed on nobody reads a cookie.
  if (ways.some(({listener}) => listener.layer4.value)) return []
  if (proxy === 'nginx') {
    // Two keys would be two cookies of one name.
    const other = site.upstreams.find(({affinity}) => affinity.kind === 'inserted-cookie' && affinity.setting.directive === 'hash')
    const method = other?.affinity.setting.text ?? 'hash $gms_affinity_key consistent'
    return distinctEdits(ways.flatMap(({end}) => end.upstream.affinity.setting.put(method)))
  }
  const names = namesOf(upstream.nodes.length > 0 ? choosable(upstream) : [], proxy)
  if (proxy === 'apache') {
    const line = setting.put(COOKIE)
    return line.length === 0 ? [] : [...line, ...names, ...routeCookie(site, upstream, COOKIE)]
  }
  const [first] = upstream.nodes
  if (setting.directive === 'balance' && first)
    return [...setting.put('leastconn'), ...insertedBefore(config, first.span, [`cookie ${LINE}`], `cookie ${LINE}`), ...names]
  const line = setting.directive === 'cookie' ? setting.put(LINE) : []
  return line.length === 0 ? [] : [...line, ...names]
}

/** The line of httpd that gives the route of the chosen node to the browser; empty when something does already. */
export function routeCookie({config}: Site, {span}: Upstream, cookie: string): readonly Edit[] {
  if (config.bundle.files.some(({text}) => /BALANCER_WORKER_ROUTE\}e/.test(text))) return []
  const line = `Header add Set-Cookie "${cookie}=.%{BALANCER_WORKER_ROUTE}e; Path=/; HttpOnly" env=BALANCER_ROUTE_CHANGED`
  return [...loading(config, 'headers'), ...insertedBefore(config, span, [line], `the browser is told its node in ${cookie}`)]
}

/** A name for each node that has none, by which the cookie finds it. */
export function namesOf(nodes: readonly Node[], proxy: 'apache' | 'haproxy'): readonly Edit[] {
  const taken = new Set(nodes.flatMap(({key}) => key?.value ?? []))
  return nodes.flatMap(({key, host, span}, index) => {
    if (key) return []
    const label = /^[A-Za-z][\w-]*/.exec(host)?.[0] ?? `node${index + 1}`
    const name = taken.has(label) ? `${label}-${index + 1}` : label
    taken.add(name)
    const text = proxy === 'apache' ? ` route=${name}` : ` cookie ${name}`
    return [{span: {...span, start: span.end}, text, why: `the name of ${host} in the cookie`}]
  })
}
