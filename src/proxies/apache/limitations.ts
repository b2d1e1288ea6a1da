import {DEFAULT_CERTIFICATE} from '../default-certificate.ts'
import type {Parameters} from '../../parameters/schema.ts'
import {STATUS_PATH} from '../../wire/chat.ts'
import type {Caveat, RenderTarget} from '../proxy.ts'
import {brokenSnippets} from './snippets.ts'
import {MAX_CHATS} from './threads.ts'
import {can, SINCE} from './versions.ts'
import {drainsByHealth, wholeSeconds} from './view-upstream.ts'

/** A worker is known by its URL, of which httpd keeps 255 characters (PROXY_WORKER_MAX_NAME_SIZE, mod_proxy.h). */
const MAX_HOST_LENGTH = 235
/** httpd keeps 63 characters of a route (PROXY_WORKER_MAX_ROUTE_SIZE, mod_proxy.h). */
const MAX_ROUTE_LENGTH = 63

/** Parameters that httpd cannot honour, with the reason. */
export function unsupported(parameters: Parameters, {version, fragment}: RenderTarget): readonly Caveat[] {
  const {limits, upstream, affinity, health} = parameters
  const refused: Caveat[] = []
  const refuse = (path: string, because: string) => refused.push({path, because})
  if (limits.chats > MAX_CHATS)
    refuse('limits.chats', `httpd holds one thread for each open chat: ${MAX_CHATS} are the most that fit on one machine`)
  upstream.nodes.forEach(({host, name, route, maxConnections}, index) => {
    const path = `upstream.nodes.${index}`
    if (host.length > MAX_HOST_LENGTH) refuse(path, `httpd keeps at most ${MAX_HOST_LENGTH} characters of a node's host name`)
    for (const [key, text] of [
      ['name', name],
      ['route', route],
    ] as const)
      if (text !== undefined && text.length > MAX_ROUTE_LENGTH)
        refuse(`${path}.${key}`, `httpd keeps at most ${MAX_ROUTE_LENGTH} characters of it`)
    if (maxConnections !== undefined)
      refuse(
        `${path}.maxConnections`,
        'httpd counts the connections of each of its processes, not those of a node, and takes a full node for a dead one: its chats would lose it',
      )
  })
  if (affinity.mode === 'application-cookie' && upstream.nodes.some(({route}) => route === undefined))
    refuse('affinity.mode', 'httpd finds the node at the end of the application cookie: give each node its route')
  if (health.auth !== undefined) refuse('health.auth', 'the health checks of httpd (mod_proxy_hcheck) send no Authorization header')
  else if (health.mode === 'http' && health.path === STATUS_PATH)
    refuse(
      'health.path',
      'GMS asks for a password there, and the health checks of httpd show none: name a path that needs none, such as /genesys/1/service/NAME',
    )
  if (upstream.tls?.key !== undefined)
    refuse('upstream.tls.key', 'httpd reads its own certificate and the key from one file: put both into upstream.tls.certificate')
  if (upstream.tls?.verify && !isPublicName(parameters))
    refuse(
      'upstream.tls.serverName',
      'httpd asks a node for the certificate of the name that the client asked for, because it passes the Host on: make it the public name, the only one of listener.serverNames; or set upstream.tls.verify: false',
    )
  else if (fragment && upstream.tls && health.mode === 'http')
    refuse('upstream.tls', 'the health checks of httpd read the TLS of the whole server, which a fragment does not change: tcp needs none')
  if (upstream.resolvers && !can('addressTtl', version))
    refuse('upstream.resolvers', `httpd looks a name up once, until ${SINCE.addressTtl.since} (${SINCE.addressTtl.what})`)
  if (limits.connectionsPerClient !== undefined)
    refuse('limits.connectionsPerClient', 'httpd has no limit for one client: the firewall has (nftables ct count)')
  if (limits.requestsPerSecond !== undefined)
    refuse('limits.requestsPerSecond', 'httpd has no limit for one client: mod_ratelimit slows answers down, it counts no requests')
  return [...refused, ...brokenSnippets(parameters, fragment)]
}

/** The name in the certificates of the nodes is the one name that clients use. */
function isPublicName({listener, tls = [], upstream}: Parameters): boolean {
  const names = new Set([...listener, ...tls].flatMap(({serverNames}) => serverNames.map(name => name.toLowerCase())))
  return names.size === 1 && names.has(upstream.tls?.serverName?.toLowerCase() ?? '')
}

/** Parameters that httpd honours in a weaker or another way than their names say. */
export function caveats(parameters: Parameters, {fragment}: RenderTarget): readonly Caveat[] {
  const {listener, tls = [], upstream, affinity, health} = parameters
  const said: Caveat[] = []
  const say = (path: string, because: string) => said.push({path, because})
  if (fragment && [...listener, ...tls].every(({serverNames}) => serverNames.length === 0))
    say('listener.serverNames', 'beside other sites a listener is found by its names: without one only the first site of the port is')
  tls.forEach(({certificate}, index) => {
    if (certificate === undefined) say(`tls.${index}.certificate`, `name your certificate; ${DEFAULT_CERTIFICATE} is expected until then`)
  })
  if (upstream.resolvers)
    say(
      'upstream.resolvers',
      `httpd asks the name servers of the system (/etc/resolv.conf), not ${upstream.resolvers.join(', ')}; their answers are used for upstream.dnsTtl`,
    )
  if (upstream.tls && !upstream.tls.verify && upstream.tls.serverName !== undefined)
    say('upstream.tls.serverName', `httpd asks a node for the name that the client asked for (SNI), not ${upstream.tls.serverName}`)
  if (upstream.drainTimeout !== undefined)
    say(
      'upstream.drainTimeout',
      fragment
        ? `GracefulShutdownTimeout ${wholeSeconds(upstream.drainTimeout)} in the configuration around bounds a graceful stop; a graceful reload always waits for the last open chat`
        : 'bounds a graceful stop; a graceful reload of httpd always waits for the last open chat',
    )
  if (affinity.mode === 'source-address') {
    say('affinity.mode', 'clients of a dead node all move to the next node, and return when it does: their chats begin anew twice')
    upstream.nodes.forEach(({drain}, index) => {
      if (drain) say(`upstream.nodes.${index}.drain`, 'new chats of the addresses that belong to this node still reach it')
    })
  }
  if (health.mode === 'http' && !drainsByHealth(parameters))
    say('health.mode', 'a node that is OFFLINE loses its chats at once: without an affinity cookie old ones cannot be told from new ones')
  if ((health.mode === 'tcp' || health.mode === 'http') && health.interval % 1000 !== 0)
    say('health.interval', 'httpd counts whole seconds: rounded up')
  if (health.mode === 'passive')
    say('health.mode', 'one refused connection rests a node for health.interval; health.rise and health.fall have no effect')
  return said
}
