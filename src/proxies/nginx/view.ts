import type {Parameters} from '../../parameters/schema.ts'

const MIB = 1_048_576
/** What a client adds to the hold before it gives up (CometD's `maxNetworkDelay`), and our margin on top, ms. */
const NETWORK_DELAY_MS = 10_000
const MARGIN_MS = 5_000
/** A file may be scanned for viruses before GMS answers, ms. */
const LATE_ANSWER_MS = 120_000
/** Descriptors of a worker beyond its connections. */
const OTHER_FILES = 1024

/** Parameters → the names that `templates/nginx` prints. Durations in ms (the template writes them with their unit). */
export function view(parameters: Parameters, version: string): Record<string, unknown> {
  const {listener, upstream, affinity, upgrade, polling, upload, health, access, limits} = parameters
  const [first] = listener
  const affine = affinity.mode === 'cookie' && upstream.nodes.length > 1
  const pollReadTimeout = polling.hold + NETWORK_DELAY_MS + MARGIN_MS
  const connectionsForOthers = roundUp(limits.chats / 2 + 512, 256)
  const workerConnections = limits.chats * 2 + connectionsForOthers
  const passiveHealth = health.mode !== 'none'
  const failTimeout = Math.max(1000, roundUp(health.fall * health.interval, 1000))
  const serverParameters = passiveHealth ? `max_fails=${health.fall} fail_timeout=${failTimeout / 1000}s` : 'max_fails=0'

  return {
    version: version.split('.').slice(0, 2).join('.'),
    listen: listenOf(first?.address ?? '*', first?.port ?? 80),
    serverName: (first?.serverNames ?? []).join(' '),
    chats: limits.chats,
    workerConnections,
    connectionsForOthers,
    otherFiles: OTHER_FILES,
    workerRlimitNofile: workerConnections + OTHER_FILES,
    affinity: affine,
    affinityCookie: affinity.cookie,
    affinityCookiePattern: cookiePattern(affinity.cookie, '(?<gms_key>[0-9a-f]{32})'),
    affinityCookiePresent: cookiePattern(affinity.cookie, '[0-9a-f]{32}'),
    upstreamKeepalive: Math.max(64, upstream.nodes.length * 4),
    passiveHealth,
    maxFails: health.fall,
    failTimeout,
    servers: upstream.nodes.map(({host, port}) => ({address: `${host}:${port}`, parameters: serverParameters})),
    hold: polling.hold,
    pollReadTimeout,
    upgradeReadTimeout: upgrade.idleTimeout,
    maxFileSize: sizeOf(upload.maxFileSize),
    clientMaxBodySize: sizeOf(upload.maxFileSize + MIB),
    locations: access.paths.map(path => {
      const carriesPolls = /\/cometd$/.test(trimmed(path))
      const onlyFiles = /\/chat-ntf$/.test(trimmed(path))
      return {
        pattern: `^${escaped(trimmed(path))}(/[^;]*)?$`,
        upgrade: !onlyFiles,
        readTimeout: carriesPolls || pollReadTimeout >= LATE_ANSWER_MS ? 0 : LATE_ANSWER_MS,
        setsCookie: affine,
      }
    }),
  }
}

/** `listen` of an address and port. `*` is every IPv4 address: `[::]` would keep nginx from starting where IPv6 is switched off. */
function listenOf(address: string, port: number): string {
  return address === '*' ? String(port) : `${address}:${port}`
}

/** Finds a cookie in the whole header: `$cookie_name` cannot spell a name with a hyphen and ignores case. */
function cookiePattern(name: string, value: string): string {
  return `~(^|;)\\s*${name}=${value}\\s*(;|$)`
}

/** A path prefix by segments: no slash at the end, none doubled (nginx merges them before it compares). */
function trimmed(path: string): string {
  return path.replace(/\/{2,}/g, '/').replace(/\/$/, '')
}

function escaped(path: string): string {
  return path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Bytes in nginx's spelling: `11m`, `500k`, `1500`. */
function sizeOf(bytes: number): string {
  if (bytes % MIB === 0) return `${bytes / MIB}m`
  return bytes % 1024 === 0 ? `${bytes / 1024}k` : String(bytes)
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}

/** nginx honours every parameter that this tool renders; what has another effect than elsewhere is said in the rendered file. */
export function unsupported(): readonly {path: string; because: string}[] {
  return []
}
