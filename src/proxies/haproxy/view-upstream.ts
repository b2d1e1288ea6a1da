import type {Parameters} from '../../parameters/schema.ts'
import {nodeNames} from '../node-names.ts'
import type {RenderTarget} from '../proxy.ts'
import {certificateKeys} from './keys.ts'
import {LAYOUTS} from './layouts.ts'
import {has} from './versions.ts'

/** An unused connection is closed by the first or a later one of so many purges, each of which takes half of them. */
export const PURGES = 5
/** Entries of a table of sessions or clients: about 200 bytes each, taken when they are needed. */
const TABLE_ENTRIES = 100_000
/** What a table keeps of a session that sends no request, such as one on a WebSocket, at least; ms. */
const SHORTEST_MEMORY_MS = 86_400_000

/** `verifyhost` and `sni` compare names; addresses in certificates are not looked at. */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || /^\d+(\.\d+){3}$/.test(host)
}

/** The names that `upstream.hbs`, `affinity.hbs` and `health.hbs` print. `client` is the expression of the real client's address. */
export function upstreamView(parameters: Parameters, {version, layout, fragment}: RenderTarget, client: string) {
  const {upstream, affinity, health, upgrade, listener, tls} = parameters
  const {nodes} = upstream
  const names = nodeNames(nodes)
  const several = nodes.length > 1
  const mode = several ? affinity.mode : 'none'
  const cookie = mode === 'cookie' ? affinity.cookie : ''
  const widest = Math.max(...names.map(name => name.length))
  const weighted = nodes.some(({weight}) => weight !== 1)
  const serverOf = (index: number): string => {
    const node = nodes[index]
    if (!node) return ''
    const name = names[index] ?? ''
    const serverName = upstream.tls?.serverName ?? (isAddress(node.host) ? undefined : node.host)
    const tlsName =
      upstream.tls && serverName !== undefined
        ? [`sni str(${serverName})`, `check-sni ${serverName}`, ...(upstream.tls.verify ? [`verifyhost ${serverName}`] : [])]
        : []
    return [
      `server ${name.padEnd(widest)} ${node.host}:${node.port}`,
      ...(cookie === '' ? [] : [`cookie ${name}`]),
      ...(node.drain ? ['weight 0'] : weighted ? [`weight ${node.weight}`] : []),
      ...(node.maxConnections === undefined ? [] : [`maxconn ${node.maxConnections}`]),
      ...(node.backup ? ['backup'] : []),
      ...tlsName,
    ].join(' ')
  }
  const nodeTls = upstream.tls
    ? [
        'ssl',
        upstream.tls.verify
          ? `verify required ca-file ${upstream.tls.authority ?? (has(version, 'systemAuthorities') ? '@system-ca' : LAYOUTS[layout].authorities)}`
          : 'verify none',
        ...(upstream.tls.certificate === undefined
          ? []
          : [`crt ${certificateKeys(parameters, version).reference(upstream.tls.certificate, upstream.tls.key)}`]),
      ].join(' ')
    : ''
  const plain = listener.length > 0
  const secure = tls !== undefined
  const overTls = parameters.forwarding.trustedProxies.length > 0 || (plain && secure)
  const sameSite = {lax: 'SameSite=Lax', strict: 'SameSite=Strict', none: 'SameSite=None'}
  const site = affinity.sameSite === undefined ? [] : [sameSite[affinity.sameSite]]
  // A browser drops SameSite=None and Partitioned without Secure: where a client may come over plain HTTP, they depend on how it came.
  const tlsOnly = [...(affinity.sameSite === 'none' ? site : []), ...(affinity.partitioned ? ['Partitioned'] : [])]
  const always = affinity.sameSite === 'none' ? [] : site
  const attributes = [...always, ...(secure && !overTls ? tlsOnly : [])]
  return {
    servers: nodes.map((_, index) => serverOf(index)),
    oneNode: !several,
    backups: nodes.some(({backup}) => backup),
    drained: nodes.flatMap(({drain}, index) => (drain ? [names[index]] : [])).join(', '),
    nodeTls,
    nodeTlsVerified: upstream.tls?.verify ?? false,
    nameservers: (upstream.resolvers ?? []).map((address, index) => ({name: `dns${index + 1}`, address})),
    holdValid: upstream.dnsTtl,
    keepAlive: upstream.keepAlive !== 0,
    poolPurgeDelay: upstream.keepAlive === undefined ? 0 : Math.max(1000, Math.round(upstream.keepAlive / PURGES)),
    keepAliveGiven: upstream.keepAlive !== undefined && upstream.keepAlive !== 0,
    cookie,
    cookieWords: [
      ...(affinity.httpOnly ? ['httponly'] : []),
      ...(secure && !overTls ? ['secure'] : []),
      ...attributes.map(attribute => `attr "${attribute}"`),
    ].join(' '),
    /** Attributes of the cookie for clients that came over TLS, where not all do. */
    secureCookie: cookie !== '' && overTls ? ['', 'Secure', ...tlsOnly].join('; ') : '',
    applicationCookie: mode === 'application-cookie' ? affinity.cookie : '',
    routes: nodes.flatMap(({route}, index) =>
      mode === 'application-cookie' && route !== undefined ? [{route, server: names[index] ?? '', cookie: affinity.cookie}] : [],
    ),
    sourceAddress: mode === 'source-address',
    affinityNone: mode === 'none',
    /** `localpeer` stands in the global section, which a fragment does not have. */
    handsOver: !fragment && (mode === 'application-cookie' || mode === 'source-address'),
    tableSize: TABLE_ENTRIES,
    tableExpire: Math.max(SHORTEST_MEMORY_MS, upgrade.idleTimeout),
    client,
    checkTcp: health.mode === 'tcp',
    checkHttp: health.mode === 'http',
    checkNone: health.mode === 'none' || health.mode === 'passive',
    checkPath: health.path ?? '',
    checkHost: [...listener, ...(tls ?? [])].flatMap(({serverNames}) => serverNames)[0] ?? 'gms',
    checkAuthorization: health.auth ?? '',
    checkDrains: health.expect === 'ONLINE' ? 'says OFFLINE' : 'answers 503',
    checkRules: checkRules(health),
    inter: health.interval,
    rise: health.rise,
    fall: health.fall,
  }
}

/**
 * What a healthy answer is. `L7OKC` is the state of a server that gets nothing new and keeps its sessions (manual, "http-check expect":
 * error-status): a node that says OFFLINE, or a service of GMS that answers 503 meanwhile.
 */
function checkRules({expect}: Parameters['health']): readonly string[] {
  if (expect === 'ONLINE') return ['status 200', 'rstring (ONLINE|OFFLINE)', 'error-status L7OKC string ONLINE']
  return ['rstatus ^([23]|503)', 'error-status L7OKC rstatus ^[23]', ...(expect === undefined ? [] : [`string "${expect}"`])]
}
