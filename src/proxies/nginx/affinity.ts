import type {Parameters} from '../../parameters/schema.ts'
import type {RenderTarget} from '../proxy.ts'
import {has} from './versions.ts'

/** How the nodes of one session are found again. */
export type Plan =
  | {kind: 'none'}
  /** A random key in a cookie of ours, or the address of the client, is hashed to a node. */
  | {kind: 'key'; key: string; cookie: boolean}
  /** What the cookie of the application ends with is the name of the node. */
  | {kind: 'route'}
  /** Which node set the cookie of the application is remembered. */
  | {kind: 'learn'}

export function affinityPlan({affinity: {mode}, upstream: {nodes}}: Parameters): Plan {
  if (nodes.length === 1 || mode === 'none') return {kind: 'none'}
  if (mode === 'cookie') return {kind: 'key', key: '$gms_affinity_key', cookie: true}
  if (mode === 'source-address') return {kind: 'key', key: '$remote_addr', cookie: false}
  return {kind: nodes.every(({route}) => route !== undefined) ? 'route' : 'learn'}
}

/** Names that the partials of this concern ask for outside the upstreams. */
export function affinityView(parameters: Parameters, {version}: RenderTarget, scheme: string): Record<string, unknown> {
  const {affinity, upstream, tls, listener} = parameters
  const plan = affinityPlan(parameters)
  const inserted = plan.kind === 'key' && plan.cookie
  const cookie = inserted ? affinity.cookie : ''
  const httpOnly = affinity.httpOnly ? '; HttpOnly' : ''
  const sameSite = affinity.sameSite === undefined ? '' : `; SameSite=${capitalised(affinity.sameSite)}`
  // Browsers drop SameSite=None and Partitioned without Secure: a client that came in plain text gets neither.
  const plain = affinity.sameSite === 'none' ? httpOnly : httpOnly + sameSite
  const secure = `${httpOnly}; Secure${sameSite}${affinity.partitioned ? '; Partitioned' : ''}`
  const varies = scheme !== '$scheme' || (tls !== undefined && listener.length > 0)
  const routed = plan.kind === 'route'
  return {
    affinityCookie: cookie,
    affinityCookiePattern: cookiePattern(affinity.cookie, '(?<gms_key>[0-9a-f]{32})'),
    affinityCookiePresent: cookiePattern(affinity.cookie, '[0-9a-f]{32}'),
    affinityScheme: scheme,
    affinitySecure: varies ? secure : '',
    affinityPlain: plain,
    affinityAttributes: varies ? '$gms_affinity_attributes' : tls === undefined ? plain : secure,
    routeCookie: affinity.cookie,
    routeVariable: has(version, 'sticky') ? '$gms_route' : '$gms_upstream',
    routeDefault: has(version, 'sticky') ? '""' : 'gms_nodes',
    affinityRoutes: routed
      ? upstream.nodes.map(({route = ''}, index) => ({
          pattern: cookiePattern(affinity.cookie, `[^;]*\\.${route}`),
          value: has(version, 'sticky') ? route : `gms_route_${index + 1}`,
        }))
      : [],
  }
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

/** Finds a cookie in the whole header: `$cookie_name` cannot spell a name with a hyphen and ignores case. */
function cookiePattern(name: string, value: string): string {
  return `~(^|;)\\s*${name}=${value}\\s*(;|$)`
}
