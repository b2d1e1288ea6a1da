import {DEFAULT_CERTIFICATE} from '../default-certificate.ts'
import type {Parameters} from '../../parameters/schema.ts'
import {ADMIN_PATHS} from '../../wire/chat.ts'
import {FORM_BYTES, pollPatience} from '../margins.ts'
import {MOZILLA_GUIDELINES} from '../mozilla-guidelines.ts'
import type {RenderTarget} from '../proxy.ts'
import {affinityPlan} from './affinity.ts'
import {hopsOf} from './hops.ts'
import {LAYOUTS} from './layouts.ts'
import {networksOf} from './networks.ts'
import {parse} from './parse.ts'
import {snippetsOf} from './snippets.ts'
import {proxyPassOf, resolverOf} from './upstreams.ts'
import {has} from './versions.ts'

type Tls = NonNullable<Parameters['tls']>[number]
interface Header {
  name: string
  value: string
}

const MIB = 1_048_576
/** What GMS says to browsers of other origins (Fetch standard, "CORS protocol"). */
const CORS_HEADERS = [
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Credentials',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Headers',
  'Access-Control-Expose-Headers',
  'Access-Control-Max-Age',
] as const

export interface ServerView {
  serverName: string
  listens: readonly string[]
  [name: string]: unknown
}

/** One `server {}` for the plain listeners of the same names, and one for each certificate. */
export function serversView(parameters: Parameters, target: RenderTarget): readonly ServerView[] {
  const {listener, tls = []} = parameters
  const common = commonView(parameters, target)
  const plain = grouped(listener, ({serverNames, proxyProtocol}) => ({serverNames, proxyProtocol})).map((group): ServerView => {
    const {serverNames, proxyProtocol} = group[0]
    const server = {
      ...common,
      ...forwardingView(parameters, proxyProtocol),
      encrypted: false,
      http2: false,
      listens: group.map(({address, port}) => listenOf(address, port, proxyProtocol ? ['proxy_protocol'] : [])),
      serverName: serverNames.join(' '),
      redirect: redirectOf(tls, serverNames),
    }
    return {...server, ...locationsView(parameters, target, server, undefined)}
  })
  const names = listener[0]?.serverNames ?? []
  const encrypted = grouped(tls, ({address: _, port: __, ...own}) => own).map((group): ServerView => {
    const [own] = group
    const directive = has(target.version, 'http2Directive')
    const options = [...(own.http2 && !directive ? ['http2'] : []), ...(own.proxyProtocol ? ['proxy_protocol'] : [])]
    const server = {
      ...common,
      ...forwardingView(parameters, own.proxyProtocol),
      ...tlsView(own, parameters, target),
      encrypted: true,
      http2: own.http2 && directive,
      listens: group.map(({address, port}) => listenOf(address, port, ['ssl', ...options])),
      serverName: (own.serverNames.length > 0 ? own.serverNames : names).join(' '),
      redirect: '',
    }
    return {...server, ...locationsView(parameters, target, server, own.hsts)}
  })
  return [...plain, ...encrypted]
}

/** Names that a redirect may lead to, as regular expressions: keys of a `map` in plain text are limited in length. */
export function redirectNames({listener, tls = []}: Parameters): readonly string[] {
  const several = listener.filter(({serverNames}) => serverNames.length > 1).flatMap(({serverNames}) => serverNames)
  if (!tls.some(({redirect}) => redirect)) return []
  return [...new Set(several.map(name => `~*^${name.replaceAll('.', String.raw`\.`)}$`))]
}

/** Entries whose `key` is the same, in the order they first appear. */
function grouped<T>(entries: readonly T[], key: (entry: T) => unknown): readonly (readonly [T, ...T[]])[] {
  const groups = new Map<string, [T, ...T[]]>()
  for (const entry of entries) {
    const id = JSON.stringify(key(entry))
    const group = groups.get(id)
    if (group) group.push(entry)
    else groups.set(id, [entry])
  }
  return [...groups.values()]
}

/** `listen` of an address and port. `*` is every IPv4 address: `[::]` would keep nginx from starting where IPv6 is switched off. */
function listenOf(address: string, port: number, options: readonly string[]): string {
  return [address === '*' ? String(port) : `${address}:${port}`, ...options].join(' ')
}

/**
 * Where plain requests for other paths are sent: the encrypted listener of the same names, else the first that asks for it. The first
 * server answers for hosts that nobody named as well: a client must not choose where it is sent.
 */
export function redirectOf(tls: readonly Pick<Tls, 'redirect' | 'serverNames' | 'port'>[], serverNames: readonly string[]): string {
  const asking = tls.filter(({redirect}) => redirect)
  const chosen = asking.find(own => own.serverNames.some(name => serverNames.includes(name))) ?? asking[0]
  if (!chosen) return ''
  const host = serverNames.length === 0 ? '$host' : serverNames.length === 1 ? '$server_name' : '$gms_public_host'
  return `https://${host}${chosen.port === 443 ? '' : `:${chosen.port}`}$request_uri`
}

function commonView(parameters: Parameters, target: RenderTarget): Record<string, unknown> {
  const {upgrade, polling, upload, access, limits, upstream} = parameters
  const place = LAYOUTS[target.layout]
  const snippets = snippetsOf(parameters)
  const [only] = upstream.nodes.length === 1 ? upstream.nodes : []
  const sslName = upstream.tls?.serverName ?? only?.host ?? ''
  return {
    fragment: target.fragment,
    accessLog: place.accessLog,
    clientHeaderTimeout: access.headerTimeout,
    hold: polling.hold,
    pollReadTimeout: pollPatience(polling.hold),
    upgradeReadTimeout: upgrade.idleTimeout,
    maxFileSize: sizeOf(upload.maxFileSize),
    clientMaxBodySize: sizeOf(upload.maxFileSize + FORM_BYTES),
    clientBodyTimeout: upload.stallTimeout,
    outside: access.allow.length > 0,
    limitConn: limits.connectionsPerClient ?? 0,
    limitReqBurst: (limits.requestsPerSecond ?? 0) * 5,
    hiddenHeaders: access.cors === 'proxy' ? CORS_HEADERS : [],
    resolver: resolverOf(parameters),
    serverSnippet: snippets.server,
    proxySsl: upstream.tls !== undefined,
    proxySslServerName: sslName === '' ? 'off' : 'on',
    proxySslName: sslName,
    proxySslVerify: upstream.tls?.verify ?? false,
    proxySslTrustedCertificate: upstream.tls?.authority ?? place.systemAuthorities,
    proxySslCertificate: upstream.tls?.certificate ?? '',
    proxySslCertificateKey: upstream.tls?.key ?? upstream.tls?.certificate ?? '',
  }
}

function tlsView(own: Tls, parameters: Parameters, {version, layout}: RenderTarget): Record<string, unknown> {
  const profile = MOZILLA_GUIDELINES.profiles[own.profile]
  // OpenSSL 3 offers nothing below TLS 1.2 at its default security level.
  const level = profile.protocols.includes('TLSv1') ? ['@SECLEVEL=0'] : []
  const {clientCertificates} = own
  return {
    profile: own.profile,
    guidelines: `${MOZILLA_GUIDELINES.version}, ${MOZILLA_GUIDELINES.url}`,
    sslCertificate: own.certificate ?? DEFAULT_CERTIFICATE,
    sslCertificateKey: own.key ?? own.certificate ?? DEFAULT_CERTIFICATE,
    sslProtocols: profile.protocols.join(' '),
    sslCiphers: profile.ciphers.length === 0 ? '' : [...level, ...profile.ciphers].join(':'),
    sslPreferServerCiphers: profile.serverPreferredOrder ? 'on' : 'off',
    sslEcdhCurve: profile.groups.join(':'),
    sslSessionTimeout: MOZILLA_GUIDELINES.sessionTimeout,
    sslSessionTicketsOff: !has(version, 'rotatedTickets'),
    sslClientCertificate: clientCertificates?.authority ?? '',
    sslVerifyClient: clientCertificates?.required === false ? 'optional' : 'on',
    sslStapling: own.ocspStapling,
    sslTrustedCertificate: LAYOUTS[layout].systemAuthorities,
    resolver: resolverOf(parameters),
  }
}

function forwardingView(parameters: Parameters, proxyProtocol: boolean): Record<string, unknown> {
  const {forwarding, logging} = parameters
  const believed = !proxyProtocol && hopsOf(parameters).length > 0
  const headers: Record<string, string> = {
    Host: '$http_host',
    'X-Forwarded-For': believed ? '$gms_forwarded_for' : '$remote_addr',
    'X-Real-IP': '$remote_addr',
    'X-Forwarded-Proto': believed ? '$gms_scheme' : '$scheme',
    'X-Forwarded-Host': '$http_host',
    'X-Forwarded-Port': believed ? '$gms_port' : '$server_port',
    'X-Forwarded-Server': '""',
    'X-Forwarded-Scheme': '""',
    'X-Forwarded-Ssl': '""',
    'Front-End-Https': '""',
    'X-Proxied-Https': '""',
    Forwarded: forwarding.rfc7239
      ? `"${believed ? '$gms_forwarded_chain' : ''}$gms_forwarded_element;proto=${believed ? '$gms_scheme' : '$scheme'}$gms_forwarded_host"`
      : '""',
    ...(logging.requestId ? {'X-Request-ID': '$request_id'} : {}),
    Upgrade: '$gms_upgrade',
    Connection: '$gms_connection',
    'HTTP2-Settings': '""',
  }
  const width = Math.max(...Object.keys(headers).map(({length}) => length))
  const trusted = networksOf(forwarding.trustedProxies)
  return {
    realIpHeader: trusted.length === 0 ? '' : proxyProtocol ? 'proxy_protocol' : 'X-Forwarded-For',
    setRealIpFrom: trusted,
    proxySetHeaders: Object.entries(headers).map(([name, value]): Header => ({name: name.padEnd(width), value})),
  }
}

/**
 * nginx forgets every inherited `add_header` or `proxy_set_header` where a block has one of its own: headers of answers stand in each location,
 * those that the operator adds to the server too, and those of requests do as soon as the operator adds one to the locations.
 */
function locationsView(
  parameters: Parameters,
  target: RenderTarget,
  server: Record<string, unknown>,
  hsts: number | undefined,
): Record<string, unknown> {
  const {access, upload, polling} = parameters
  const snippets = snippetsOf(parameters)
  const plan = affinityPlan(parameters)
  const cors = access.cors === 'proxy'
  const addHeaders: readonly Header[] = [
    ...(plan.kind === 'key' && plan.cookie ? [{name: 'Set-Cookie', value: '$gms_affinity_cookie always'}] : []),
    ...(hsts === undefined ? [] : [{name: 'Strict-Transport-Security', value: `"max-age=${Math.floor(hsts / 1000)}" always`}]),
    ...(cors
      ? [
          {name: 'Access-Control-Allow-Origin', value: '$gms_cors_origin always'},
          {name: 'Access-Control-Allow-Credentials', value: '$gms_cors_credentials always'},
          {name: 'Access-Control-Allow-Methods', value: '$gms_cors_methods always'},
          {name: 'Access-Control-Allow-Headers', value: '$gms_cors_headers always'},
          {name: 'Access-Control-Max-Age', value: '$gms_cors_max_age always'},
          {name: 'Vary', value: 'Origin always'},
        ]
      : []),
    ...directivesOf(snippets.server, 'add_header'),
  ]
  const own = {
    addHeaders,
    ownProxySetHeaders: directivesOf(snippets.location, 'proxy_set_header').length > 0 ? server['proxySetHeaders'] : [],
    locationSnippet: snippets.location,
    proxyPass: proxyPassOf(parameters, target),
  }
  const paths = access.paths.map(trimmed)
  // GMS may scan a file before it answers; where a poll may take as long, all locations do.
  const late = pollPatience(polling.hold) >= upload.answerWithin ? 0 : upload.answerWithin
  return {
    ...own,
    adminLocations: adminPaths(paths).map(path => ({...own, pattern: patternOf(path), open: access.adminAllow.length > 0})),
    locations: paths
      .filter(path => !ADMIN_PATHS.some(admin => covers(admin, path)))
      .map(path => ({
        ...own,
        pattern: patternOf(path),
        checksOrigin: access.origins.length > 0,
        answersPreflight: cors,
        upgrade: !path.endsWith('/chat-ntf'),
        readTimeout: path.endsWith('/cometd') ? 0 : late,
        withQuery: path.endsWith('/cometd') || late === 0 ? 419 : 420,
      })),
    innerLocations: [
      {code: 418, name: '@gms_websocket', readTimeout: parameters.upgrade.idleTimeout, because: 'silence in both directions', quiet: false},
      {
        code: 430,
        name: '@gms_websocket_query',
        readTimeout: parameters.upgrade.idleTimeout,
        because: 'silence in both directions',
        quiet: true,
      },
      {code: 419, name: '@gms_query', readTimeout: 0, because: '', quiet: true},
      ...(late === 0 ? [] : [{code: 420, name: '@gms_files_query', readTimeout: late, because: 'as without a query', quiet: true}]),
    ].map(inner => ({...own, ...inner, errorLog: LAYOUTS[target.layout].errorLog})),
  }
}

/** Parts of the administration of GMS that the paths cover. */
function adminPaths(paths: readonly string[]): readonly string[] {
  return [
    ...ADMIN_PATHS.filter(admin => paths.some(path => covers(path, admin))),
    ...paths.filter(path => ADMIN_PATHS.some(admin => covers(admin, path) && admin !== path)),
  ]
}

/** `inner` is `outer`, or lies below it. */
function covers(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`)
}

/** The lines of one directive in a snippet, at its top level. */
function directivesOf(snippet: string, name: string): readonly Header[] {
  const {files} = parse({proxy: 'nginx', entry: 'snippet', origin: 'rendered', files: [{path: 'snippet', text: snippet}]})
  return files.flatMap(({directives}) =>
    directives
      .filter(directive => directive.name === name)
      .map(({args: [first, ...rest]}) => ({name: first?.raw ?? '', value: rest.map(({raw}) => raw).join(' ')})),
  )
}

/** A path by whole segments, as a regular expression. */
function patternOf(path: string): string {
  return `^${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(/[^;]*)?$`
}

/** A path prefix by segments: no slash at the end, none doubled (nginx merges them before it compares). */
function trimmed(path: string): string {
  return path.replace(/\/{2,}/g, '/').replace(/\/$/, '')
}

/** Bytes in nginx's spelling: `11m`, `500k`, `1500`. */
function sizeOf(bytes: number): string {
  if (bytes % MIB === 0) return `${bytes / MIB}m`
  return bytes % 1024 === 0 ? `${bytes / 1024}k` : String(bytes)
}
