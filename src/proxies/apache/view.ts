import type {Parameters} from '../../parameters/schema.ts'
import {formatSize} from '../../parameters/units.ts'
import {ADMIN_PATHS} from '../../wire/chat.ts'
import {FORM_BYTES, pollPatience} from '../margins.ts'
import {MOZILLA_GUIDELINES} from '../mozilla-guidelines.ts'
import type {RenderTarget} from '../proxy.ts'
import {APACHE_LAYOUTS} from './layouts.ts'
import {normalNetwork} from './networks.ts'
import {covers, looseTrees, originPattern, pathPattern, withoutSlash} from './patterns.ts'
import {snippetLines} from './snippets.ts'
import {threadsFor} from './threads.ts'
import {caveats} from './limitations.ts'
import {can} from './versions.ts'
import {listens, virtualHosts} from './view-listeners.ts'
import {addressRoutes, patience, upstreamView, wholeSeconds} from './view-upstream.ts'

const SAME_SITE = {lax: 'Lax', strict: 'Strict', none: 'None'} as const
/** What GMS may say of other origins, and must not say twice. */
const CORS_HEADERS = ['Origin', 'Credentials', 'Methods', 'Headers', 'Max-Age', 'Expose-Headers'].map(name =>
  name === 'Expose-Headers' ? `Access-Control-${name}` : name === 'Max-Age' ? 'Access-Control-Max-Age' : `Access-Control-Allow-${name}`,
)

/** Parameters → the names that the templates of this column print. */
export function view(parameters: Parameters, target: RenderTarget): Record<string, unknown> {
  const {version, layout: layoutName, fragment, header} = target
  const {tls = [], limits, logging} = parameters
  const layout = APACHE_LAYOUTS[layoutName]
  const needed = modulesFor(parameters, version)
  const loaded = needed.filter(module => !layout.builtIn.includes(module))
  const nameWidth = Math.max(...loaded.map(module => module.length)) + '_module'.length
  const threads = threadsFor(limits.chats, limits.openFiles)
  const hosts = virtualHosts(parameters)
  const staplingCache = tls.some(({ocspStapling}) => ocspStapling) ? 'shmcb:gms_stapling(131072)' : ''
  const logged = {
    errorLog: layout.errorLog,
    customLog: layout.customLog,
    json: logging.format === 'json',
    requestId: logging.requestId,
    metricsPort: logging.metricsPort ?? '',
  }
  return {
    header,
    versions: can('upgrade', version) ? '2.4.47 or newer' : '2.4.37 to 2.4.46',
    laidOut: fragment ? layout.fragmentPlace : layout.place,
    remarks: caveats(parameters, target),
    needs: [
      layout.enable(needed.filter(module => !layout.builtIn.includes(module) && !['mpm_event', 'unixd'].includes(module))),
      `Needs mpm_event with MaxRequestWorkers ${threads.maxRequestWorkers} or more beyond what the other sites need: ${limits.chats} chats hold a thread each,`,
      `such as StartServers ${threads.startServers}, ThreadsPerChild ${threads.threadsPerChild}, ServerLimit ${threads.serverLimit}, ThreadStackSize 262144; ${threads.filesPerChild} open files for a process.`,
      'httpd knows the site only after it has read the request, by the rules of the first VirtualHost of the port: where that is not the one below,',
      `write outside of every section: LimitRequestLine 16384, and RequestReadTimeout header=${wholeSeconds(parameters.access.headerTimeout)}.`,
      ...(logging.metricsPort === undefined ? [] : ['ExtendedStatus must be Off: the last requests that it shows carry keys of chats.']),
    ],
    serverRoot: layout.serverRoot,
    user: layout.user,
    group: layout.group,
    pidFile: layout.pidFile,
    systemdModule: layout.systemdModule,
    modules: loaded.map(module => ({name: `${module}_module`.padEnd(nameWidth), path: `${layout.modules}/mod_${module}.so`})),
    listens: listens(parameters, target),
    mainServerName: fragment ? '' : (hosts.find(({serverName}) => serverName !== '')?.serverName ?? 'localhost'),
    chats: limits.chats,
    openFiles: limits.openFiles,
    ...threads,
    gracefulShutdownTimeout: parameters.upstream.drainTimeout === undefined ? '' : wholeSeconds(parameters.upstream.drainTimeout),
    h2MinWorkers: Math.min(10, threads.threadsPerChild),
    h2MaxWorkers: tls.some(({http2}) => http2) ? threads.threadsPerChild : '',
    ...logged,
    extendedStatus: logging.metricsPort === undefined ? '' : 'Off',
    sslSessionCache: tls.length > 0 ? 'shmcb:gms_sessions(512000)' : '',
    sslSessionCacheTimeout: MOZILLA_GUIDELINES.sessionTimeout / 1000,
    staplingCache,
    mainSnippet: snippetLines(parameters.snippets?.apache?.main),
    ...upstreamView(parameters, target),
    virtualHosts: hosts.map(host => ({
      ...host,
      ...logged,
      ownLog: fragment,
      staplingCache,
      setCookies: setCookies(parameters, host.scheme, hopsOf(host, parameters)),
      ...requestView(parameters, target, hopsOf(host, parameters)),
      virtualHostSnippet: snippetLines(parameters.snippets?.apache?.virtualHost),
    })),
  }
}

/** Load balancers whose headers are believed. None where PROXY protocol is read: such a balancer passes headers of the client on as they are. */
function hopsOf({proxyProtocol}: {proxyProtocol: boolean}, {forwarding}: Parameters): readonly string[] {
  return proxyProtocol ? [] : forwarding.trustedProxies.map(normalNetwork)
}

/** What hardly differs between one `VirtualHost` and another. */
function requestView(parameters: Parameters, target: RenderTarget, hops: readonly string[]) {
  const {polling, upload, upgrade, access, forwarding, affinity} = parameters
  const pollTimeout = pollPatience(polling.hold)
  const proxyTimeout = wholeSeconds(patience(parameters))
  const adminTrees = ADMIN_PATHS.filter(tree => covers(access.paths, tree))
  const {newChatCookie} = upstreamView(parameters, target)
  return {
    pathPattern: pathPattern(access.paths),
    paths: access.paths.map(path => ({path: withoutSlash(path) || '/'})),
    originPattern: originPattern(access.origins),
    cors: access.cors === 'proxy' && access.origins.length > 0,
    corsHeaders: CORS_HEADERS,
    allow: access.allow.map(normalNetwork),
    adminPattern: adminTrees.length > 0 ? looseTrees(adminTrees) : '',
    adminAllow: access.adminAllow.length > 0 ? access.adminAllow.map(network => `ip ${normalNetwork(network)}`) : ['all denied'],
    headerTimeout: wholeSeconds(access.headerTimeout),
    handshakeTimeout: can('handshakeTimeout', target.version) ? `handshake=${wholeSeconds(access.headerTimeout)} ` : '',
    stallTimeout: wholeSeconds(upload.stallTimeout),
    trustedProxies: hops,
    rfc7239: forwarding.rfc7239,
    hold: polling.hold,
    pollTimeout,
    proxyTimeout,
    uploadDecides: proxyTimeout > wholeSeconds(pollTimeout),
    maxFileSize: formatSize(upload.maxFileSize),
    maxBodyBytes: upload.maxFileSize + FORM_BYTES,
    stickySession: affinity.mode === 'none' ? '' : affinity.cookie,
    addressRoutes: addressRoutes(parameters),
    idleTimeout: upgrade.idleTimeout,
    newChatCookie,
  }
}

/** `Set-Cookie` with the attributes that the way of the client allows: what must be Secure is only sent where it can be. */
function setCookies({affinity}: Parameters, scheme: string, hops: readonly string[]) {
  if (affinity.mode !== 'cookie') return []
  const cookie = (secure: boolean) =>
    [
      `${affinity.cookie}=.%{BALANCER_WORKER_ROUTE}e`,
      'Path=/',
      ...(affinity.httpOnly ? ['HttpOnly'] : []),
      ...(secure ? ['Secure'] : []),
      ...(affinity.sameSite === undefined || (affinity.sameSite === 'none' && !secure) ? [] : [`SameSite=${SAME_SITE[affinity.sameSite]}`]),
      ...(affinity.partitioned && secure ? ['Partitioned'] : []),
    ].join('; ')
  if (scheme === 'https') return [{cookie: cookie(true), condition: 'env=BALANCER_ROUTE_CHANGED'}]
  if (hops.length === 0) return [{cookie: cookie(false), condition: 'env=BALANCER_ROUTE_CHANGED'}]
  const changed = "-n reqenv('BALANCER_ROUTE_CHANGED')"
  return [
    {cookie: cookie(true), condition: `"expr=${changed} && -n reqenv('gms_https')"`},
    {cookie: cookie(false), condition: `"expr=${changed} && -z reqenv('gms_https')"`},
  ]
}

/** Modules without `mod_`, in the order in which they are loaded. */
function modulesFor(
  {tls = [], listener, upstream, health, forwarding, access, affinity, logging}: Parameters,
  version: string,
): readonly string[] {
  const admits = access.adminAllow.length > 0 && ADMIN_PATHS.some(tree => covers(access.paths, tree))
  const usesNetworks = access.allow.length > 0 || admits || logging.metricsPort !== undefined
  const usesEnvironment = forwarding.trustedProxies.length > 0 || access.cors === 'proxy' || affinity.mode === 'source-address'
  const believes = forwarding.trustedProxies.length > 0 || [...listener, ...tls].some(({proxyProtocol}) => proxyProtocol)
  return [
    'mpm_event',
    'unixd',
    'authz_core',
    ...(usesNetworks ? ['authz_host'] : []),
    'log_config',
    'reqtimeout',
    'headers',
    ...(usesEnvironment ? ['setenvif'] : []),
    'rewrite',
    ...(believes ? ['remoteip'] : []),
    ...(logging.requestId ? ['unique_id'] : []),
    ...(logging.metricsPort === undefined ? [] : ['status']),
    ...(tls.length > 0 ? ['socache_shmcb'] : []),
    ...(tls.length > 0 || upstream.tls ? ['ssl'] : []),
    ...(tls.some(({http2}) => http2) ? ['http2'] : []),
    'proxy',
    'proxy_http',
    'proxy_balancer',
    'slotmem_shm',
    'lbmethod_byrequests',
    ...(health.mode === 'tcp' || health.mode === 'http' ? ['watchdog', 'proxy_hcheck'] : []),
    ...(can('upgrade', version) ? [] : ['proxy_wstunnel']),
  ]
}
