import {DEFAULT_CERTIFICATE} from '../default-certificate.ts'
import type {Parameters} from '../../parameters/schema.ts'
import {STATUS_PATH} from '../../wire/chat.ts'
import type {Caveat, RenderTarget} from '../proxy.ts'
import {certificateKeys, lostKeys} from './keys.ts'
import {strayingSnippets} from './snippets.ts'
import {has, SINCE} from './versions.ts'
import {capacity} from './view-limits.ts'
import {bindsOf} from './view-listeners.ts'
import {isAddress} from './view-upstream.ts'

/** What HAProxy, or this version of it, cannot do: each with the parameter and the way out. */
export function unsupported(parameters: Parameters, target: RenderTarget): readonly Caveat[] {
  return [...ofTls(parameters, target), ...ofNodes(parameters), ...ofRest(parameters), ...strayingSnippets(parameters, target)]
}

function ofTls(parameters: Parameters, {version}: RenderTarget): readonly Caveat[] {
  const {tls = []} = parameters
  const found: Caveat[] = [...lostKeys(parameters, version)]
  tls.forEach((own, index) => {
    if (own.ocspStapling && !has(version, 'ocspUpdate'))
      found.push({
        path: `tls.${index}.ocspStapling`,
        because: `before ${SINCE.ocspUpdate.since} HAProxy does not fetch OCSP answers: it staples what somebody else writes to <certificate>.ocsp`,
      })
  })
  for (const {address, port, tls: entries} of bindsOf(parameters))
    for (const key of ['profile', 'http2', 'clientCertificates', 'ocspStapling'] as const)
      if (new Set(entries.map(entry => JSON.stringify(entry[key]))).size > 1) {
        const last = entries.at(-1)
        found.push({
          path: `tls.${last ? tls.indexOf(last) : 0}.${key}`,
          because: `HAProxy has one for all certificates of ${address}:${port}: make them equal, or use another port`,
        })
      }
  return found
}

function ofNodes({upstream, health}: Parameters): readonly Caveat[] {
  const found: Caveat[] = []
  const {tls, nodes} = upstream
  if (tls?.verify && tls.serverName === undefined)
    for (const {host} of nodes)
      if (isAddress(host)) {
        found.push({
          path: 'upstream.tls',
          because: `HAProxy compares names, not addresses: upstream.tls.serverName has to say what the certificate of ${host} is for`,
        })
        break
      }
  if (health.mode === 'passive')
    found.push({path: 'health.mode', because: 'HAProxy brings a node back by active checks only: use tcp, or none'})
  return found
}

function ofRest(parameters: Parameters): readonly Caveat[] {
  const {limits} = parameters
  const {fits} = capacity(parameters)
  if (limits.chats <= fits) return []
  return [
    {
      path: 'limits.chats',
      because: `${number(limits.chats)} chats need more than ${number(limits.openFiles)} file descriptors (limits.openFiles), two each: ${number(fits)} fit; where the system allows more (ulimit -Hn), raise limits.openFiles`,
    },
  ]
}

/** What is honoured in a weaker or another way than its name says. */
export function caveats(parameters: Parameters, target: RenderTarget): readonly Caveat[] {
  const {tls = [], upstream, affinity, health, logging, limits, forwarding, upload} = parameters
  const found: Caveat[] = []
  tls.forEach(({certificate}, index) => {
    if (certificate === undefined)
      found.push({
        path: `tls.${index}.certificate`,
        because: `none is named, so ${DEFAULT_CERTIFICATE} is written: name yours (chain and key in one file)`,
      })
  })
  for (const {address, port, tls: entries} of bindsOf(parameters))
    if (entries.length > 1)
      found.push({
        path: 'tls',
        because: `HAProxy chooses between the certificates of ${address}:${port} by the names they hold, not by serverNames`,
      })
  if (upstream.keepAlive !== undefined && upstream.keepAlive > 0)
    found.push({
      path: 'upstream.keepAlive',
      because: 'HAProxy closes unused connections by halves, in several purges that end at about this time',
    })
  if (upstream.resolvers) found.push({path: 'upstream.dnsTtl', because: 'HAProxy asks again after this time whatever TTL the answer had'})
  if (upstream.nodes.length > 1 && target.fragment && (affinity.mode === 'application-cookie' || affinity.mode === 'source-address'))
    found.push({
      path: 'affinity.mode',
      because: 'a reload forgets where sessions are: a fragment has no global section for the localpeer that takes them over',
    })
  if (upstream.nodes.length > 1 && affinity.mode === 'application-cookie') {
    found.push({
      path: 'affinity.cookie',
      because: 'GMS sets no cookie with the 101 of a WebSocket: such a chat has affinity only after an answer over HTTP',
    })
  }
  if (health.mode === 'http' && health.expect !== 'ONLINE')
    found.push({
      path: 'health.path',
      because: 'a node that answers 503 gets no new chats and keeps its own; one that fails it in another way is down and loses its chats',
    })
  if (health.path === STATUS_PATH && health.auth === undefined)
    found.push({path: 'health.auth', because: 'GMS tells its status to nobody without credentials: without them every node counts as down'})
  if (health.auth !== undefined)
    found.push({path: 'health.auth', because: `without ${health.auth} in its environment HAProxy asks as none:none, and GMS refuses`})
  if (logging.format === 'json' && !has(target.version, 'errorLogFormat'))
    found.push({
      path: 'logging.format',
      because: `before ${SINCE.errorLogFormat.since} lines of connections that fail before a request (TLS, PROXY protocol) are text`,
    })
  if (limits.connectionsPerClient !== undefined && forwarding.trustedProxies.length > 0)
    found.push({
      path: 'limits.connectionsPerClient',
      because: 'behind trusted proxies the connections are theirs: requests under way of one client are counted',
    })
  if (upload.stallTimeout < parameters.access.headerTimeout)
    found.push({path: 'upload.stallTimeout', because: 'HAProxy has one limit for silent clients: access.headerTimeout is the longer one'})
  if (target.fragment)
    for (const [path, given, directive] of [
      ['upstream.drainTimeout', upstream.drainTimeout !== undefined, 'hard-stop-after'],
      ['tls', certificateKeys(parameters, target.version).withoutExtension, 'ssl-load-extra-del-ext'],
      ['tls.0.ocspStapling', tls.some(({ocspStapling}) => ocspStapling), 'ocsp-update.mode'],
    ] as const)
      if (given) found.push({path, because: `${directive} belongs to the global section of the file around the fragment`})
  return found
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
