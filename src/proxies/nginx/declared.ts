import {DEFAULT_CERTIFICATE} from '../default-certificate.ts'
import {isIP} from 'node:net'
import type {Parameters} from '../../parameters/schema.ts'
import type {Caveat, RenderTarget} from '../proxy.ts'
import {affinityPlan} from './affinity.ts'
import {chatsThatFit, filesFor} from './capacity.ts'
import {refusedSnippets} from './snippets.ts'
import {SINCE, has} from './versions.ts'

/** Longest route that `server … route=` takes (NGX_HTTP_UPSTREAM_SID_LEN). */
const LONGEST_ROUTE = 32
/** Most that `limit_conn` takes (its counter has 16 bits). */
const MOST_CONNECTIONS = 65_535
const number = (value: number) => value.toLocaleString('en-US')

/** What open-source nginx, or this version of it, cannot do. */
export function unsupported(parameters: Parameters, target: RenderTarget): readonly Caveat[] {
  return [
    ...unsupportedNodes(parameters, target),
    ...unsupportedAffinity(parameters, target),
    ...unsupportedHealth(parameters),
    ...unsupportedLimits(parameters),
    ...refusedSnippets(parameters, target),
  ]
}

function unsupportedNodes(parameters: Parameters, {version}: RenderTarget): readonly Caveat[] {
  const {nodes, resolvers, tls} = parameters.upstream
  const plan = affinityPlan(parameters)
  const found: Caveat[] = []
  const sticky = has(version, 'sticky')
  if (resolvers && !has(version, 'resolve'))
    found.push({
      path: 'upstream.resolvers',
      because: `nginx follows the names of an upstream from ${SINCE.resolve.since} on (${SINCE.resolve.what})`,
    })
  nodes.forEach(({backup, drain}, index) => {
    if (backup && plan.kind === 'key' && !sticky)
      found.push({
        path: `upstream.nodes.${index}.backup`,
        because: `a hash over the nodes has no backup; from ${SINCE.sticky.since} on nginx has ${SINCE.sticky.what}`,
      })
    if (drain && plan.kind === 'key' && !sticky)
      found.push({
        path: `upstream.nodes.${index}.drain`,
        because: `the chats of the node would move: drain came with ${SINCE.sticky.since}`,
      })
  })
  if (tls?.verify === true && tls.serverName === undefined) {
    const [only] = nodes
    if (nodes.length > 1)
      found.push({
        path: 'upstream.tls.verify',
        because: 'nginx expects one name of all nodes: give upstream.tls.serverName, or verify: false',
      })
    else if (only && isIP(only.host.replace(/^\[|\]$/g, '')) !== 0)
      found.push({
        path: 'upstream.tls.verify',
        because: 'nginx compares certificates with a name, not with an address: give upstream.tls.serverName',
      })
  }
  return found
}

function unsupportedAffinity(parameters: Parameters, {version}: RenderTarget): readonly Caveat[] {
  const {nodes} = parameters.upstream
  const plan = affinityPlan(parameters)
  if (plan.kind === 'learn' && !has(version, 'sticky'))
    return [
      {
        path: 'affinity.mode',
        because: `which node has set a cookie can be learnt from ${SINCE.sticky.since} on (${SINCE.sticky.what}); before, give each node its route`,
      },
    ]
  if (plan.kind !== 'route' || !has(version, 'sticky')) return []
  return nodes.flatMap(({route = ''}, index) =>
    route.length > LONGEST_ROUTE
      ? [{path: `upstream.nodes.${index}.route`, because: `nginx takes routes of up to ${LONGEST_ROUTE} characters`}]
      : [],
  )
}

function unsupportedHealth({health}: Parameters): readonly Caveat[] {
  return health.mode === 'http'
    ? [
        {
          path: 'health.mode',
          because: 'open-source nginx sends no health checks of its own: write tcp or passive, and it judges by the requests of clients',
        },
      ]
    : []
}

function unsupportedLimits({limits: {chats, openFiles, connectionsPerClient = 0}}: Parameters): readonly Caveat[] {
  const files = filesFor(chats)
  const counted: readonly Caveat[] =
    connectionsPerClient > MOST_CONNECTIONS
      ? [{path: 'limits.connectionsPerClient', because: `nginx counts up to ${number(MOST_CONNECTIONS)}`}]
      : []
  return files > openFiles
    ? [
        ...counted,
        {
          path: 'limits.chats',
          because: `${number(chats)} chats need ${number(files)} file descriptors in one worker, and limits.openFiles allows ${number(openFiles)}: ${number(chatsThatFit(openFiles))} fit; where the system allows more (ulimit -Hn), raise limits.openFiles`,
        },
      ]
    : counted
}

/** What nginx does in a weaker or another way than the parameter says. */
export function caveats(parameters: Parameters, {version, fragment}: RenderTarget): readonly Caveat[] {
  const {upstream, health, listener, tls = []} = parameters
  const plan = affinityPlan(parameters)
  const found: Caveat[] = []
  if (health.mode === 'tcp')
    found.push({path: 'health.mode', because: 'open-source nginx sends no health checks: a node is judged by the requests of clients'})
  if (plan.kind === 'key' && !has(version, 'sticky'))
    found.push({
      path: 'affinity.mode',
      because: `chats that moved off a dead node move back when it returns, and begin anew there; from ${SINCE.sticky.since} on they stay`,
    })
  upstream.nodes.forEach(({maxConnections}, index) => {
    if (maxConnections !== undefined && plan.kind !== 'none')
      found.push({
        path: `upstream.nodes.${index}.maxConnections`,
        because: `requests beyond it go to another node, those of the chats of this node too: set it well above the chats that it holds${
          plan.kind === 'route' && !has(version, 'sticky') ? '; new chats are counted apart from those that have a route' : ''
        }`,
      })
  })
  if (upstream.tls?.verify === false && upstream.tls.serverName === undefined && upstream.nodes.length > 1)
    found.push({path: 'upstream.tls.serverName', because: 'nodes are asked for no name: nginx can ask all of them for one only'})
  tls.forEach(({certificate, ocspStapling}, index) => {
    if (certificate === undefined)
      found.push({path: `tls.${index}.certificate`, because: `name your certificate: ${DEFAULT_CERTIFICATE} is expected, with its key`})
    if (ocspStapling && !upstream.resolvers)
      found.push({
        path: `tls.${index}.ocspStapling`,
        because: 'without upstream.resolvers the responder is looked up once, when nginx starts',
      })
  })
  for (const path of mixedProfiles(tls))
    found.push({path, because: 'nginx takes the protocols of the first certificate of an address and port'})
  if (fragment) {
    if (listener.some(({serverNames}) => serverNames.length === 0))
      found.push({
        path: 'listener.serverNames',
        because: 'without names this fragment serves all that no other site does, if it is the only one on its port that has none',
      })
    if (upstream.drainTimeout !== undefined)
      found.push({
        path: 'upstream.drainTimeout',
        because: 'worker_shutdown_timeout stands outside http {}: put it into nginx.conf yourself',
      })
  }
  return found
}

function mixedProfiles(tls: NonNullable<Parameters['tls']>): readonly string[] {
  return tls.flatMap(({address, port, profile}, index) => {
    const first = tls.find(other => other.address === address && other.port === port)
    return first && first.profile !== profile ? [`tls.${index}.profile`] : []
  })
}
