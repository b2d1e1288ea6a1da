import type {Promises} from '../model/report.ts'
import type {End, Listener, Node, Request, Site, Upstream, Way} from '../proxies/site.ts'
import {CALLBACK, HANDSHAKE, POLL, PUBLISH, UPLOAD, waysOf, WEBSOCKET} from './requests.ts'

const SLASHED: Request = {...PUBLISH, path: `${PUBLISH.path}/`}

/** Requests of each kind that a chat consists of. */
export const CHAT: readonly Request[] = [HANDSHAKE, POLL, PUBLISH, CALLBACK, WEBSOCKET, UPLOAD]

/** What becomes of a request, in words. */
export function fateOf({end}: Pick<Way, 'end'>): string {
  switch (end.kind) {
    case 'upstream':
      return `${end.upstream.name} is asked${end.path === undefined ? '' : ` for ${end.path}`}`
    case 'redirect':
      return `${end.status} to ${end.to}`
    case 'answer':
      return `${end.status === undefined ? 'an answer' : `${end.status}`} of the proxy itself (${end.of})`
    case 'unknown':
      return `not to be told: ${end.because}`
  }
}

/** True when the deployment promises that GMS is reached under `path`. */
export function isPromised({paths}: Pick<Promises, 'paths'>, path: string): boolean {
  return paths.some(prefix => path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`))
}

/** Upstreams that requests of a chat reach, each once, with the first way that leads there. */
export function chatUpstreams(site: Site, ...requests: readonly Request[]): readonly {upstream: Upstream; way: Way}[] {
  const found = new Map<Upstream | string, {upstream: Upstream; way: Way}>()
  for (const way of waysOf(site, ...(requests.length === 0 ? CHAT : requests)))
    if (way.end.kind === 'upstream' && !found.has(way.end.upstream.name))
      found.set(way.end.upstream.name, {upstream: way.end.upstream, way})
  return [...found.values()]
}

/** Nodes that requests of a chat reach. */
export function chatNodes(site: Site): readonly (Node & {upstream: Upstream})[] {
  return chatUpstreams(site).flatMap(({upstream}) => upstream.nodes.map(node => ({...node, upstream})))
}

/** True for a name that has to be looked up: neither an address nor this machine. */
export function isHostName(host: string): boolean {
  return !/^(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f]*:[0-9a-f:.]*\]?|localhost|unix:.*|\/.*)$/i.test(host)
}

/**
 * What happens to one path that GMS answers under: `arrives`; `method`: another method would arrive; `host`: under another host name it would;
 * `swallowed`: somebody else answers as if nothing was wrong, or leads elsewhere; `refused`; `other`: another rule, or nobody, can tell.
 */
export type Fate = 'arrives' | 'method' | 'host' | 'swallowed' | 'refused' | 'other'

export interface PathFate {
  fate: Fate
  way: Way
}

/** The fate of the paths at one chat listener: `/genesys/cometd`, what clients append to it, and files. */
export interface RouteFates {
  listener: Listener
  bare: PathFate
  suffixed: PathFate
  /** Messages: the type that is appended is empty, the slash before it is there. */
  slashed: PathFate
  files: PathFate
  /** An upgrade arrives: when nothing else does, the path was made for WebSocket alone. */
  upgraded: boolean
}

/** The routes of all chat listeners, for the rules that tell missing, narrow and swallowed ones apart. */
export function routesOf(site: Site): readonly RouteFates[] {
  return site.listeners
    .filter(({chat}) => chat)
    .map(listener => ({
      listener,
      bare: fateAt(site, listener, PUBLISH),
      suffixed: fateAt(site, listener, HANDSHAKE),
      slashed: fateAt(site, listener, SLASHED),
      files: fateAt(site, listener, UPLOAD),
      upgraded: site.trace(listener, WEBSOCKET).end.kind === 'upstream',
    }))
}

function fateAt(site: Site, listener: Listener, request: Request): PathFate {
  const way = site.trace(listener, request)
  const {end} = way
  if (end.kind === 'upstream') return {fate: 'arrives', way}
  if (end.kind === 'unknown') return {fate: 'other', way}
  if (end.kind === 'answer' && (end.of === 'no-handler' || way.credentials.value)) return {fate: 'other', way}
  if (end.kind === 'answer' && end.of === 'other-host') return {fate: 'host', way}
  if (site.trace(listener, {...request, method: 'GET'}).end.kind === 'upstream') return {fate: 'method', way}
  return {fate: isSwallowed(end, listener) ? 'swallowed' : 'refused', way}
}

/** A file that nobody asked for by a line of its own (the folder that every site has) is no more than a 404. */
function isSwallowed(end: Exclude<End, {kind: 'upstream' | 'unknown'}>, {span}: Listener): boolean {
  if (end.kind === 'redirect' || (end.status !== undefined && end.status < 400)) return true
  return end.of === 'files' && !(end.span.file === span.file && end.span.start === span.start)
}
