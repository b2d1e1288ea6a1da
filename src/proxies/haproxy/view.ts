import {formatSize} from '../../parameters/units.ts'
import type {Parameters} from '../../parameters/schema.ts'

/** What the official client allows the network beyond GMS's hold, and our margin on top, ms. */
const NETWORK_DELAY_MS = 10_000
const MARGIN_MS = 5000
/** GMS answers an upload after its virus scan; nothing shorter than a minute is patient enough, ms. */
const LATE_ANSWER_MS = 60_000
/** The multipart form around a file, bytes. */
const FORM_BYTES = 1_048_576
/** Connections for new handshakes, downloads and uploads beside the chats. */
const SPARE_CONNECTIONS = 100
/** Attempts to open a connection after the first; the last one goes to another node. */
const CONNECT_RETRIES = 3
/** HAProxy's own descriptors: measured on 2.6.12, `maxsock` is 2 × maxconn + 17 for one listener. */
const OWN_DESCRIPTORS = 50

/**
 * Parameters → the names that `templates/haproxy` prints. Every directive used exists from 2.4 to 3.2, so the version decides nothing.
 * Durations are ms.
 */
export function view(parameters: Parameters): Record<string, unknown> {
  const {listener, upstream, affinity, upgrade, polling, upload, health, access, limits} = parameters
  const first = listener[0] ?? {address: '*', port: 80, serverNames: []}
  const nodes = upstream.nodes
  const names = nodeNames(nodes.map(node => node.host))
  const cookie = affinity.mode === 'cookie' && nodes.length > 1 ? affinity.cookie : ''
  const widest = Math.max(...names.map(name => name.length))
  const addresses = nodes.map(node => `${node.host}:${node.port}`)
  const widestAddress = Math.max(...addresses.map(address => address.length))
  const patience = polling.hold + NETWORK_DELAY_MS + MARGIN_MS
  const maxconn = limits.chats * 2 + SPARE_CONNECTIONS
  return {
    title: `HAProxy (2.4 or newer) in front of ${nodes.length === 1 ? 'one GMS node' : `${nodes.length} GMS nodes`}, rendered by gms-proxy`,
    bind: `${first.address}:${first.port}`,
    serverNames: first.serverNames,
    severalNames: first.serverNames.length > 1,
    servers: nodes.map((_, i) => ({
      name: (names[i] ?? '').padEnd(widest),
      address: cookie ? (addresses[i] ?? '').padEnd(widestAddress) : addresses[i],
      cookie: cookie ? names[i] : '',
    })),
    oneNode: nodes.length === 1,
    cookie,
    timeoutTunnel: upgrade.idleTimeout,
    hold: polling.hold,
    networkDelay: NETWORK_DELAY_MS,
    margin: MARGIN_MS,
    patience,
    timeoutClient: patience,
    timeoutServer: Math.max(patience, LATE_ANSWER_MS),
    serverWaitsForPolls: patience >= LATE_ANSWER_MS,
    fileSize: formatSize(upload.maxFileSize),
    maxBody: upload.maxFileSize + FORM_BYTES,
    check: health.mode === 'tcp',
    retries: CONNECT_RETRIES,
    inter: health.interval,
    rise: health.rise,
    fall: health.fall,
    paths: access.paths.map(path => path.replace(/\/+$/, '') || '/'),
    chats: limits.chats,
    maxconn,
    descriptors: maxconn * 2 + OWN_DESCRIPTORS,
  }
}

/** First labels of the hosts (`gms1` of `gms1.network.local`) when they are names and differ, else `node1`, `node2`, … */
function nodeNames(hosts: readonly string[]): readonly string[] {
  const labels = hosts.map(host => host.split('.')[0] ?? '')
  const usable = new Set(labels).size === labels.length && labels.every(label => /^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(label))
  return usable ? labels : hosts.map((_, i) => `node${i + 1}`)
}
