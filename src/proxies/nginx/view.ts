import type {Parameters} from '../../parameters/schema.ts'
import type {RenderTarget} from '../proxy.ts'
import {affinityView} from './affinity.ts'
import {OTHER_FILES, kibPerChat, otherConnections, workerConnections} from './capacity.ts'
import {caveats} from './declared.ts'
import {LAYOUTS} from './layouts.ts'
import {redirectNames, serversView} from './servers.ts'
import {snippetsOf} from './snippets.ts'
import {upstreamsView} from './upstreams.ts'
import {networksOf} from './networks.ts'
import {hopsOf, schemeOf} from './hops.ts'

/** Parameters → the names that `templates/nginx` prints. Durations in ms (the template writes them with their unit). */
export function view(parameters: Parameters, target: RenderTarget): Record<string, unknown> {
  const {forwarding, access, limits, logging, upstream, tls} = parameters
  const {layout, fragment, header} = target
  const place = LAYOUTS[layout]
  const snippets = snippetsOf(parameters)
  const hops = hopsOf(parameters)
  const connections = workerConnections(limits.chats)
  const kib = kibPerChat(tls ? (upstream.tls ? 2 : 1) : upstream.tls ? 1 : 0)
  const allow = networksOf(access.allow)
  const adminAllow = networksOf(access.adminAllow)
  const origins = access.origins.map(originPattern)
  const servers = serversView(parameters, target)
  const redirects = redirectNames(parameters)

  return {
    header,
    layoutNote: place.note,
    caveats: caveats(parameters, target),
    whole: !fragment,
    user: place.user,
    pid: place.pid,
    errorLog: place.errorLog,
    clientHeaderTimeout: access.headerTimeout,
    workerShutdownTimeout: upstream.drainTimeout ?? 0,
    chats: limits.chats,
    memoryMib: Math.max(1, Math.round((limits.chats * kib) / 1024)),
    kibPerChat: kib,
    workerConnections: connections,
    otherConnections: otherConnections(limits.chats),
    otherFiles: OTHER_FILES,
    workerRlimitNofile: connections + OTHER_FILES,
    hashBucketSize: hashBucketSize(servers),
    mainSnippet: snippets.main,
    httpSnippet: snippets.http,
    json: logging.format === 'json',
    jsonEnd: logging.requestId ? ',"request_id":"$request_id"}' : '}',
    textRequestId: logging.requestId ? ' id=$request_id' : '',
    keepsConnections: upstream.keepAlive !== 0,
    forwardingMaps: hops.length > 0 || forwarding.rfc7239,
    hops,
    forwarded: forwarding.rfc7239,
    forwardedPeer: hops.length > 0 ? '$gms_forwarded_peer' : '$remote_addr',
    ...affinityView(parameters, target, schemeOf(hops)),
    redirectNames: redirects,
    accessMaps: redirects.length + allow.length + adminAllow.length + origins.length > 0,
    allow,
    adminAllow,
    origins,
    cors: access.cors === 'proxy',
    limitZones: limits.connectionsPerClient !== undefined || limits.requestsPerSecond !== undefined,
    limitConn: limits.connectionsPerClient ?? 0,
    limitReqRate: limits.requestsPerSecond ?? 0,
    upstreams: upstreamsView(parameters, target),
    servers: servers.map((server, index) => ({...server, spaced: index > 0})),
    metricsPort: logging.metricsPort ?? 0,
  }
}

/** An origin as a regular expression: keys of a `map` in plain text are limited in length by the size of a hash bucket. */
function originPattern(origin: string): string {
  return `~*^${origin.replace(/[.]/g, '\\.')}$`
}

/** Bytes of a bucket that the longest of the host names fits into; 0 where the 64 of nginx are enough. */
function hashBucketSize(servers: readonly {serverName: string}[]): number {
  const names = servers.flatMap(({serverName}) => serverName.split(' '))
  const longest = Math.max(...names.map(({length}) => length))
  return servers.length > 1 && (longest > 40 || names.length > 200) ? 512 : 0
}
