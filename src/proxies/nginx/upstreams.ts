import type {NodeParameters, Parameters} from '../../parameters/schema.ts'
import type {RenderTarget} from '../proxy.ts'
import {affinityPlan} from './affinity.ts'
import {snippetsOf} from './snippets.ts'
import {has} from './versions.ts'

const DAY = 86_400_000
/** Half of the 30 s that Jetty keeps an unused connection for, ms. */
const KEEP_ALIVE = 15_000
/** Sessions in 1 MiB of a zone of `sticky learn` (ngx_http_upstream_sticky_module.c). */
const SESSIONS_PER_MIB = 8000

/** One `upstream {}`. */
interface UpstreamView {
  name: string
  what: string
  guard: string
  balanced: boolean
  hash: string
  sticky: string
  stickyBecause: string
  nodes: readonly {address: string; parameters: string}[]
  [name: string]: unknown
}

/** The group of all nodes, and where the application names the node (before `sticky`), one more for each node, with the others behind it. */
export function upstreamsView(parameters: Parameters, {version}: RenderTarget): readonly UpstreamView[] {
  const {upstream, health, affinity, upgrade, limits} = parameters
  const {nodes} = upstream
  const plan = affinityPlan(parameters)
  const sticky = has(version, 'sticky')
  const keepAlive = upstream.keepAlive ?? KEEP_ALIVE
  const failTimeout = Math.max(1000, Math.ceil((health.fall * health.interval) / 1000) * 1000)
  const common = {
    resolver: resolverOf(parameters),
    maxFails: health.mode === 'none' ? 0 : health.fall,
    failTimeout,
    keepalive: keepAlive === 0 ? 0 : Math.max(64, nodes.length * 16),
    keepaliveTimeout: keepAlive,
    keepaliveOff: keepAlive === 0 && has(version, 'keepaliveByDefault'),
    snippet: snippetsOf(parameters).upstream,
  }
  const fails = health.mode === 'none' ? 'max_fails=0' : `max_fails=${health.fall} fail_timeout=${failTimeout / 1000}s`
  const server = ({host, port, weight, backup, maxConnections, drain, route}: NodeParameters, role: 'member' | 'first' | 'behind') => ({
    address: `${host}:${port}`,
    parameters: [
      ...(weight > 1 ? [`weight=${weight}`] : []),
      ...(maxConnections === undefined ? [] : [`max_conns=${maxConnections}`]),
      fails,
      ...(upstream.resolvers ? ['resolve'] : []),
      ...(plan.kind === 'route' && sticky && route !== undefined ? [`route=${route}`] : []),
      ...(role === 'behind' || (role === 'member' && backup) ? ['backup'] : []),
      ...(drain && role === 'member' ? [plan.kind === 'none' || !sticky ? 'down' : 'drain'] : []),
    ].join(' '),
  })
  const zone = `zone=gms_sticky:${Math.ceil((limits.chats * 4) / SESSIONS_PER_MIB)}m timeout=${Math.ceil(Math.max(DAY, upgrade.idleTimeout) / 1000)}s header`
  const learnt = (create: string, lookup: string) => `learn create=${create} lookup=${lookup} ${zone}`
  const backups = nodes.some(({backup}) => backup)
  const balance =
    plan.kind === 'key'
      ? {
          hash: backups ? '' : plan.key,
          sticky: sticky ? learnt(plan.key, plan.key) : '',
          stickyBecause: 'a chat that moved off a dead node stays where it is when that node returns',
        }
      : plan.kind === 'route'
        ? {hash: '', sticky: sticky ? 'route $gms_route' : '', stickyBecause: 'the node that the cookie names'}
        : plan.kind === 'learn'
          ? {
              hash: '',
              sticky: learnt(`$upstream_cookie_${affinity.cookie}`, `$cookie_${affinity.cookie}`),
              stickyBecause: 'the node that has set the cookie',
            }
          : {hash: '', sticky: '', stickyBecause: ''}
  const scheme = upstream.tls ? 'TLS' : 'plain HTTP'
  const all: UpstreamView = {
    ...common,
    ...balance,
    name: 'gms_nodes',
    what: `the GMS nodes, ${scheme}, the path untouched`,
    guard: 'upstream-path-intact',
    balanced: balance.hash !== '' || balance.sticky !== '',
    nodes: nodes.map(node => server(node, 'member')),
  }
  if (plan.kind !== 'route' || sticky) return [all]
  const each = nodes.map((first, index): UpstreamView => ({
    ...common,
    name: `gms_route_${index + 1}`,
    what: `sessions of ${first.route}; the others stand in when it is gone`,
    guard: 'affinity-same-node',
    balanced: false,
    hash: '',
    sticky: '',
    stickyBecause: '',
    nodes: [server(first, 'first'), ...nodes.filter(node => node !== first && !node.drain).map(node => server(node, 'behind'))],
  }))
  return [all, ...each]
}

/** Arguments of `resolver`; `''` without name servers. */
export function resolverOf({upstream: {resolvers, dnsTtl}}: Parameters): string {
  return resolvers ? `${resolvers.join(' ')} valid=${Math.max(1, Math.ceil(dnsTtl / 1000))}s` : ''
}

/** `proxy_pass` of every location. */
export function proxyPassOf(parameters: Parameters, {version}: RenderTarget): string {
  const name = affinityPlan(parameters).kind === 'route' && !has(version, 'sticky') ? '$gms_upstream' : 'gms_nodes'
  return `${parameters.upstream.tls ? 'https' : 'http'}://${name}`
}
