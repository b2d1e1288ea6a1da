import {formatSize} from '../../parameters/units.ts'
import type {Parameters} from '../../parameters/schema.ts'
import {ADMIN_PATHS, FILES_PATH} from '../../wire/chat.ts'
import {FORM_BYTES, MARGIN_MS, NETWORK_DELAY_MS, pollPatience} from '../margins.ts'
import type {RenderTarget} from '../proxy.ts'
import {LAYOUTS} from './layouts.ts'
import {snippetLines} from './snippets.ts'
import {has} from './versions.ts'
import {capacity} from './view-limits.ts'
import {listenerView} from './view-listeners.ts'
import {upstreamView} from './view-upstream.ts'

/** Attempts to open a connection after the first; the last one goes to another node. */
const CONNECT_RETRIES = 3
/** Trusted hops that are looked through in X-Forwarded-For. */
const HOPS = [1, 2, 3, 4].map(at => ({at, after: at - 1}))
/** Seconds over which requests of a client are counted: a browser sends a burst when a chat begins. */
export const RATE_SECONDS = 10

/** Parameters → the names that `templates/haproxy` prints. Durations are ms. */
export function view(parameters: Parameters, target: RenderTarget): Record<string, unknown> {
  const {upstream, upgrade, polling, upload, access, forwarding, limits, logging} = parameters
  const {version, fragment, layout} = target
  const patience = pollPatience(polling.hold)
  const trusted = forwarding.trustedProxies.length > 0
  const client = trusted ? 'var(txn.client)' : 'src'
  const paths = access.paths.map(path => path.replace(/\/+$/, '') || '/')
  const timeoutFiles = Math.max(upload.answerWithin, upload.stallTimeout + MARGIN_MS)
  const files = filesPaths(paths)
  const installed = LAYOUTS[layout]
  const plain = parameters.listener.length > 0
  const schemeVaries = trusted || (plain && parameters.tls !== undefined)
  const {maxconn, spare, descriptors, own} = capacity(parameters)
  const nodes = upstream.nodes.length
  return {
    ...listenerView(parameters, version),
    ...upstreamView(parameters, target, client),
    header: target.header,
    title: `HAProxy in front of ${nodes === 1 ? 'one GMS node' : `${nodes} GMS nodes`}, rendered by gms-proxy`,
    fragment,
    frontend: fragment ? 'gms_chat' : 'chat',
    from: fragment ? ' from gms_defaults' : '',
    defaultsName: fragment ? ' gms_defaults' : '',
    folder: installed.folder,
    installed,
    trustedProxies: forwarding.trustedProxies,
    trusted,
    hops: HOPS,
    schemeVaries,
    scheme: plain ? 'http' : 'https',
    proto: schemeVaries ? '%[var(txn.scheme)]' : plain ? 'http' : 'https',
    hasTls: parameters.tls !== undefined,
    forwarded: forwarding.rfc7239,
    timeoutTunnel: upgrade.idleTimeout,
    hold: polling.hold,
    networkDelay: NETWORK_DELAY_MS,
    margin: MARGIN_MS,
    timeoutHttpRequest: access.headerTimeout,
    timeoutClient: Math.max(upload.stallTimeout, access.headerTimeout),
    timeoutServer: patience,
    timeoutFiles,
    filesPaths: files.map(withBelow),
    fileSize: formatSize(upload.maxFileSize),
    maxBody: upload.maxFileSize + FORM_BYTES,
    retries: CONNECT_RETRIES,
    idleCloseOnResponse: has(version, 'idleCloseOnResponse'),
    hardStopAfter: upstream.drainTimeout ?? 0,
    ocspUpdate: parameters.tls?.some(({ocspStapling}) => ocspStapling) ?? false,
    paths: paths.map(withBelow),
    allow: access.allow.map(network => ({network, client})),
    adminPaths: ADMIN_PATHS.filter(admin => paths.some(path => covers(path, admin) || covers(admin, path))),
    adminFor: access.adminAllow.length > 0 ? 'these networks' : 'nobody',
    adminDenied: access.adminAllow.length > 0 ? 'admin !admin_client' : 'admin',
    adminAllow: access.adminAllow.map(network => ({network, client})),
    origins: access.origins,
    cors: access.cors === 'proxy',
    chats: limits.chats,
    spare,
    maxconn,
    descriptors,
    ownDescriptors: own,
    trackConnections: !trusted && (limits.connectionsPerClient !== undefined || limits.requestsPerSecond !== undefined),
    clientTable: limits.connectionsPerClient !== undefined || limits.requestsPerSecond !== undefined,
    clientLimits: clientLimits(limits),
    clientRules: clientRules(limits, trusted),
    rateSeconds: RATE_SECONDS,
    json: logging.format === 'json',
    errorLogFormat: logging.format === 'json' && has(version, 'errorLogFormat'),
    requestId: logging.requestId,
    logClient: trusted ? '%[var(txn.client)]' : '%ci',
    metricsPort: logging.metricsPort ?? 0,
    globalSnippet: snippetLines(parameters, 'global'),
    defaultsSnippet: snippetLines(parameters, 'defaults'),
    frontendSnippet: snippetLines(parameters, 'frontend'),
    backendSnippet: snippetLines(parameters, 'backend'),
  }
}

/** True when a rule for `path` is one for `below`, too. */
function covers(path: string, below: string): boolean {
  return path === '/' || below === path || below.startsWith(`${path}/`)
}

/** Where uploads arrive, of all paths that are served; where none is known to be that of the files, each may be. */
function filesPaths(paths: readonly string[]): readonly string[] {
  if (paths.some(path => covers(path, FILES_PATH))) return [FILES_PATH]
  const below = paths.filter(path => covers(FILES_PATH, path))
  return below.length > 0 ? below : paths
}

/** A path, and what everything below it begins with. */
function withBelow(path: string): {path: string; below: string} {
  return {path, below: path === '/' ? path : `${path}/`}
}

function clientLimits({connectionsPerClient, requestsPerSecond}: Parameters['limits']): string {
  return [
    ...(connectionsPerClient === undefined ? [] : [`${connectionsPerClient} connections`]),
    ...(requestsPerSecond === undefined ? [] : [`${requestsPerSecond} requests a second, over ${RATE_SECONDS} s`]),
  ].join(' and ')
}

/** Behind trusted hops the client is known with its request; else the connection has been counted before (`limits-connections.hbs`). */
function clientRules({connectionsPerClient, requestsPerSecond}: Parameters['limits'], trusted: boolean): readonly string[] {
  return [
    ...(trusted ? ['track-sc0 var(txn.client) table gms_clients'] : []),
    ...(connectionsPerClient === undefined ? [] : [`deny deny_status 429 if { sc0_conn_cur gt ${connectionsPerClient} }`]),
    ...(requestsPerSecond === undefined ? [] : [`deny deny_status 429 if { sc0_http_req_rate gt ${requestsPerSecond * RATE_SECONDS} }`]),
  ]
}
