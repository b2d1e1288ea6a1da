import type {Parameters} from '../../parameters/schema.ts'
import {formatSize} from '../../parameters/units.ts'

/** What the official client waits for the network beyond the hold (CometD maxNetworkDelay), and room for a busy machine; ms. */
const NETWORK_DELAY_MS = 10_000
const MARGIN_MS = 5_000
/** A virus scan answers an upload late: waited for at least this long, seconds. */
const LATE_ANSWER_SECONDS = 60
/** Room for the multipart form around the file, bytes. */
const FORM_BYTES = 1_048_576
/** Two descriptors a chat, and kept-alive clients, must fit into a process that may open 1024 files. */
const MAX_THREADS_PER_CHILD = 250
/** Above this one machine does not have the threads that httpd needs, one for each chat. */
const MAX_CHATS = 100_000
/** A worker is known by its URL, of which httpd keeps 255 characters (PROXY_WORKER_MAX_NAME_SIZE, mod_proxy.h). */
const MAX_HOST_LENGTH = 235

const MODULES = [
  'mpm_event',
  'unixd',
  'authz_core',
  'log_config',
  'reqtimeout',
  'headers',
  'rewrite',
  'proxy',
  'proxy_http',
  'proxy_balancer',
  'slotmem_shm',
  'lbmethod_byrequests',
] as const

/** `X.Y.Z` at or above 2.4.`patch`. */
function atLeast(version: string, patch: number): boolean {
  const [major = 0, minor = 0, own = 0] = version.split('.').map(Number)
  return major > 2 || (major === 2 && (minor > 4 || (minor === 4 && own >= patch)))
}

/** Processes and threads that hold `chats` open chats. */
function threadsFor(chats: number): {spareThreads: number; children: number; threadsPerChild: number; maxRequestWorkers: number} {
  const spareThreads = Math.max(50, Math.ceil(chats / 10))
  const children = Math.max(2, Math.ceil((chats + spareThreads) / MAX_THREADS_PER_CHILD))
  const threadsPerChild = Math.ceil((chats + spareThreads) / children)
  return {spareThreads, children, threadsPerChild, maxRequestWorkers: children * threadsPerChild}
}

/** Parameters that httpd cannot honour, with the reason. */
export function unsupported(parameters: Parameters): readonly {path: string; because: string}[] {
  const refused: {path: string; because: string}[] = []
  if (parameters.limits.chats > MAX_CHATS)
    refused.push({
      path: 'limits.chats',
      because: `httpd holds one thread for each open chat: ${MAX_CHATS} is the most that one machine is rendered for`,
    })
  parameters.upstream.nodes.forEach(({host}, index) => {
    if (host.length > MAX_HOST_LENGTH)
      refused.push({path: `upstream.nodes.${index}`, because: `httpd keeps at most ${MAX_HOST_LENGTH} characters of a node's host name`})
  })
  return refused
}

/** Parameters → the names that the templates of this column print. */
export function view(parameters: Parameters, version: string): Record<string, unknown> {
  const {upstream, affinity, upgrade, polling, upload, health, access, limits} = parameters
  const listener = parameters.listener[0] ?? {address: '*', port: 80, serverNames: []}
  const [serverName = 'localhost', ...aliases] = listener.serverNames
  const activeChecks = health.mode === 'tcp'
  // 2.4.47 tunnels an upgrade in mod_proxy_http; before, only mod_proxy_wstunnel does
  const upgradeParameter = atLeast(version, 47)
  const sticky = affinity.mode === 'cookie'
  const interval = Math.max(1, Math.ceil(health.interval / 1000))
  // at least 1: with retry=0 a refused node is tried again at once, and its clients get 503 instead of the next node
  const retry = health.mode === 'passive' ? interval : 1
  const checked = activeChecks ? ' hctemplate=tcp' : ''
  const pollTimeout = polling.hold + NETWORK_DELAY_MS + MARGIN_MS
  const proxyTimeout = Math.max(Math.ceil(pollTimeout / 1000), LATE_ANSWER_SECONDS)
  const longest = Math.max(...upstream.nodes.map(({host, port}) => `${host}:${port}`.length))
  const members = (scheme: string, settings: string) =>
    upstream.nodes.map(({host, port}, index) => ({
      // the quote closes after the padding's place, so the columns align without touching the URL
      url: `${scheme}://${host}:${port}`,
      settings: `${' '.repeat(longest - `${host}:${port}`.length)}${sticky ? `route=node${index + 1} ` : ''}${settings}`,
    }))
  const threads = threadsFor(limits.chats)
  const prefixes = access.paths.map(path => path.replace(/\/+$/, ''))
  const modules = [...MODULES, ...(activeChecks ? ['watchdog', 'proxy_hcheck'] : []), ...(upgradeParameter ? [] : ['proxy_wstunnel'])]
  const nameWidth = Math.max(...modules.map(module => module.length)) + '_module'.length
  return {
    versions: upgradeParameter ? '2.4.47 or newer' : '2.4.37 to 2.4.46',
    modules: modules.map(module => ({name: `${module}_module`.padEnd(nameWidth), path: `modules/mod_${module}.so`})),
    listen: listener.address === '*' ? String(listener.port) : `${listener.address}:${listener.port}`,
    virtualHost: `*:${listener.port}`,
    serverName,
    serverAliases: aliases.join(' '),
    chats: limits.chats,
    ...threads,
    minSpareThreads: Math.min(75, threads.maxRequestWorkers),
    serverLimit: 2 * threads.children,
    pathPattern: prefixes.includes('') ? '^/' : `^(${prefixes.map(prefix => prefix.replaceAll('.', '\\.')).join('|')})(/|$)`,
    hold: polling.hold,
    pollTimeout,
    proxyTimeout,
    uploadDecides: proxyTimeout > Math.ceil(pollTimeout / 1000),
    maxFileSize: formatSize(upload.maxFileSize),
    maxBodyBytes: upload.maxFileSize + FORM_BYTES,
    activeChecks,
    interval,
    rise: health.rise,
    fall: health.fall,
    retry,
    stickySession: sticky ? affinity.cookie : '',
    members: members('http', `connectiontimeout=3 retry=${retry} ttl=3${checked}`),
    webSocketMembers: members(
      upgradeParameter ? 'http' : 'ws',
      `${upgradeParameter ? 'upgrade=websocket ' : ''}timeout=${Math.ceil(upgrade.idleTimeout / 1000)} connectiontimeout=3 retry=${retry}${checked}`,
    ),
    idleTimeout: upgrade.idleTimeout,
    paths: prefixes.map(prefix => ({path: prefix || '/', target: prefix || '/'})),
  }
}
