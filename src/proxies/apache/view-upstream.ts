import type {Parameters} from '../../parameters/schema.ts'
import {pollPatience} from '../margins.ts'
import {nodeNames} from '../node-names.ts'
import type {RenderTarget} from '../proxy.ts'
import {APACHE_LAYOUTS} from './layouts.ts'
import {hexRange} from './patterns.ts'
import {snippetLines} from './snippets.ts'
import {can} from './versions.ts'

/** Half of what GMS (Jetty) keeps an idle connection for, ms: no request meets a connection that the node is just closing. */
const KEEP_ALIVE_MS = 15_000
/** Of 256 numbers that the first two digits of a hash can be. */
const SLOTS = 256

/** Whole seconds, at least one. */
export const wholeSeconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000))

/** How long the answer to any request is waited for, ms. */
export function patience({polling, upload}: Parameters): number {
  return Math.max(pollPatience(polling.hold), upload.answerWithin)
}

/** Sessions of this mode are found again by a cookie that reaches the client. */
export function keepsCookie({affinity}: Parameters): boolean {
  return affinity.mode === 'cookie' || affinity.mode === 'application-cookie'
}

/** An OFFLINE node can be drained: what tells new chats from old ones is the cookie. */
export function drainsByHealth(parameters: Parameters): boolean {
  return parameters.health.mode === 'http' && keepsCookie(parameters)
}

/** What each node is called in cookies, the application's own or ours. */
export function routes({upstream, affinity}: Parameters): readonly string[] {
  const names = nodeNames(upstream.nodes)
  return affinity.mode === 'application-cookie' ? upstream.nodes.map(({route}, index) => route ?? names[index] ?? '') : names
}

/** The fields of health, upstream, and of affinity where they belong to a balancer. */
export function upstreamView(parameters: Parameters, target: RenderTarget) {
  const {upstream, health, upgrade} = parameters
  const interval = wholeSeconds(health.interval)
  // at least 1: with retry=0 a refused node is tried again at once, and its clients get 503 instead of the next node
  const retry = health.mode === 'passive' ? interval : 1
  const keepAlive = upstream.keepAlive ?? KEEP_ALIVE_MS
  const ttl = keepAlive === 0 ? 0 : Math.max(1, Math.floor(keepAlive / 1000))
  const drains = drainsByHealth(parameters)
  const common = `connectiontimeout=3 retry=${retry}`
  const pool = ttl === 0 ? 'disablereuse=on' : `ttl=${ttl}`
  const idle = `timeout=${wholeSeconds(upgrade.idleTimeout)}`
  const tunnel = can('upgrade', target.version) ? `upgrade=websocket ${idle}` : idle
  const scheme = upstream.tls ? 'https' : 'http'
  const tunnelScheme = can('upgrade', target.version) ? scheme : scheme.replace('http', 'ws')
  const checked = (template: string) => (template === '' ? '' : ` hctemplate=${template}`)
  const old = health.mode === 'tcp' || drains ? 'gms-tcp' : health.mode === 'http' ? 'gms-http' : ''
  const balancer = (name: string, ofScheme: string, settings: string) => ({
    name,
    members: members(parameters, target, ofScheme, settings),
    stickySession: stickySession(parameters),
    sslProxy: upstream.tls !== undefined,
    ...upstreamTls(parameters, target),
    snippet: snippetLines(parameters.snippets?.apache?.balancer),
  })
  const intervals = `hcinterval=${interval} hcfails=${health.fall} hcpasses=${health.rise}`
  const expect = health.expect === undefined ? '' : ` && hc('body') =~ /${health.expect}/`
  return {
    balancers: [
      balancer('gms', scheme, `timeout=${wholeSeconds(patience(parameters))} ${common} ${pool}${checked(old)}`),
      balancer('gms-websocket', tunnelScheme, `${tunnel} ${common}${checked(old)}`),
      ...(drains
        ? [
            balancer('gms-new', scheme, `timeout=${wholeSeconds(patience(parameters))} ${common} ${pool}${checked('gms-http')}`),
            balancer('gms-websocket-new', tunnelScheme, `${tunnel} ${common}${checked('gms-http')}`),
          ]
        : []),
    ],
    ...upstreamTls(parameters, target),
    mainSslProxy: upstream.tls !== undefined && health.mode === 'http' && !target.fragment,
    ttl,
    interval,
    retry,
    rise: health.rise,
    fall: health.fall,
    expect: health.expect ?? 'answering',
    hcExpr: health.mode === 'http' ? `%{REQUEST_STATUS} =~ /^2/${expect}` : '',
    hcTemplates: [
      ...(old === 'gms-tcp' ? [`gms-tcp hcmethod=TCP ${intervals}`] : []),
      ...(health.mode === 'http' ? [`gms-http hcmethod=GET hcuri=${health.path ?? ''} hcexpr=gms_usable ${intervals}`] : []),
    ],
    newChatCookie: drains ? knownCookie(parameters) : '',
  }
}

function members(parameters: Parameters, {version}: RenderTarget, scheme: string, settings: string) {
  const {upstream, affinity} = parameters
  const {nodes} = upstream
  const names = routes(parameters)
  const weighted = nodes.some(({weight}) => weight !== 1)
  const longest = Math.max(...nodes.map(({host, port}) => `${host}:${port}`.length))
  const follow = upstream.resolvers && can('addressTtl', version) ? ` addressttl=${wholeSeconds(upstream.dnsTtl)}` : ''
  const neighbours = affinity.mode === 'source-address' ? successors(parameters) : undefined
  return nodes.map((node, index) => {
    const flags = `${node.drain ? 'N' : ''}${node.backup ? 'H' : ''}`
    const next = neighbours?.get(index)
    return {
      // the quote closes after the padding's place, so the columns align without touching the URL
      url: `${scheme}://${node.host}:${node.port}`,
      settings: [
        ' '.repeat(longest - `${node.host}:${node.port}`.length),
        affinity.mode === 'none' ? '' : `route=${names[index] ?? ''} `,
        next === undefined ? '' : `redirect=${names[next] ?? ''} `,
        weighted ? `loadfactor=${node.weight} ` : '',
        flags === '' ? '' : `status=+${flags} `,
        settings,
        follow,
      ].join(''),
    }
  })
}

/** Whose clients go where when a node is dead: round the ordinary nodes, then the ones in reserve. */
function successors({upstream: {nodes}}: Parameters): ReadonlyMap<number, number> {
  const order = [...nodes.keys()].sort((a, b) => Number(nodes[a]?.backup) - Number(nodes[b]?.backup))
  return new Map(order.length < 2 ? [] : order.map((own, at) => [own, order[(at + 1) % order.length] ?? own]))
}

function stickySession({affinity}: Parameters): string {
  if (affinity.mode === 'none') return ''
  return affinity.cookie
}

/** A cookie that names one of the nodes, for a `RewriteCond`. */
function knownCookie(parameters: Parameters): string {
  const {affinity} = parameters
  const before = affinity.mode === 'cookie' ? '' : '[^;]*'
  return `(^|;\\s*)${affinity.cookie}=${before}\\.(${routes(parameters).join('|')})\\W*(;|$)`
}

/** Which first digits of the hash of an address belong to which node: in proportion to the weights. */
export function addressRoutes(parameters: Parameters): readonly {digits: string; route: string}[] {
  if (parameters.affinity.mode !== 'source-address') return []
  const names = routes(parameters)
  const taking = parameters.upstream.nodes.flatMap(({weight, backup}, index) => (backup ? [] : [{weight, route: names[index] ?? ''}]))
  const total = taking.reduce((sum, {weight}) => sum + weight, 0)
  let before = 0
  return taking.flatMap(({weight, route}) => {
    const from = Math.round((before * SLOTS) / total)
    before += weight
    const to = Math.round((before * SLOTS) / total)
    return to > from ? [{digits: hexRange(from, to), route}] : []
  })
}

function upstreamTls({upstream: {tls}}: Parameters, {layout}: RenderTarget) {
  if (!tls) return {}
  return {
    sslProxyVerify: tls.verify ? 'require' : 'none',
    sslProxyCACertificateFile: tls.verify ? (tls.authority ?? APACHE_LAYOUTS[layout].authorities) : '',
    sslProxyCheckPeerName: tls.verify ? 'on' : 'off',
    sslProxyCheckPeerExpire: tls.verify ? 'on' : 'off',
    sslProxyMachineCertificateFile: tls.certificate ?? '',
  }
}
