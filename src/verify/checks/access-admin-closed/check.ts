import {plainRequest} from '../../../flows/plain-request.ts'
import {ADMIN_PATHS} from '../../../wire/chat.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import type {ListenerStage} from '../../chat-listeners.ts'
import {chatListeners, from} from '../../chat-listeners.ts'
import type {Draft, WitnessedStage} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {isWithin, pathAtGms} from '../../gms-path.ts'
import {neighbourAddress} from '../../ways-in.ts'

/** Nothing of them changes the state of a node: the real orders are `…/changestatus/OFFLINE` and the forms of the administration. */
const OF_GMS = [
  {target: '/genesys/admin'},
  {target: '/genesys/admin/'},
  {target: '/genesys/1/admin/node/status'},
  {target: '/genesys/1/admin/node/changestatus/gms-proxy', method: 'POST'},
  {target: '/genesys/1/%61dmin/node/status'},
  {target: '/genesys/1/admin;x/node/status'},
]
/** The same for whoever was promised that nothing leads out of the paths of the chat; else `access-paths-only` speaks of it. */
const CLIMBING = [
  {target: `${COMETD_PATH}/../1/admin/node/status`},
  {target: `${COMETD_PATH}/%2e%2e/1/admin/node/status`},
  {target: `${COMETD_PATH}/..;/1/admin/node/status`},
  {target: `${COMETD_PATH}/..%2f1/admin/node/status`},
]

/** Where the three keep their own pages by default or by habit, and how each page is recognised. */
const OF_PROXY = [
  '/nginx_status',
  '/stub_status',
  '/basic_status',
  '/status',
  '/server-status',
  '/server-status?auto',
  '/server-info',
  '/balancer-manager',
  '/haproxy?stats',
  '/haproxy?stats;csv',
  '/haproxy-status',
  '/admin?stats',
  '/stats',
  '/stats;csv',
  '/metrics',
]
const PAGES = [
  {name: 'nginx stub_status', sign: /^Active connections: \d+/},
  {name: 'the status page of Apache', sign: /<title>Apache Status|\bBusyWorkers:|^Total Accesses:|\bServerMPM:/},
  {name: 'the server-info of Apache', sign: /<title>Server Information/},
  {name: 'the balancer-manager of Apache', sign: /<title>Balancer Manager|Load Balancer Manager for/},
  {name: 'the statistics of HAProxy', sign: /Statistics Report for HAProxy|^# pxname,svname/},
  {name: 'metrics', sign: /^# (?:HELP|TYPE) \w+/},
] as const

export const check = withWitnesses({
  meta: {
    id: 'access-admin-closed',
    title: 'No customer reaches the administration of GMS or of the proxy',
    concern: 'access',
    severity: 'warning',
    requirement: `Requests for ${ADMIN_PATHS.join(' and ')} do not reach GMS, and the listeners of the chat serve no status page, statistics or metrics of the proxy to strangers.`,
    remediation: {
      nginx: 'Pass on the paths of the chat only; stub_status in a server of its own that listens on 127.0.0.1',
      apache:
        'ProxyPass the paths of the chat only; SetHandler server-status, server-info and balancer-manager with Require local,\nin a VirtualHost of 127.0.0.1',
      haproxy: 'http-request deny unless the path is one of the chat; stats and prometheus-exporter in a frontend that binds 127.0.0.1',
    },
    directives: {
      nginx: ['stub_status', 'location /genesys/', 'location /', 'proxy_pass'],
      apache: ['SetHandler', 'ProxyPass', 'RewriteRule'],
      haproxy: ['stats', 'http-request use-service', 'default_backend', 'frontend'],
    },
    references: [
      'GMS: Node API, changestatus takes a node out of the load balancing of everybody',
      'nginx: stub_status; Apache: mod_status, mod_info, mod_proxy_balancer; HAProxy: stats enable, prometheus-exporter',
    ],
  },
  presupposes: ['upstream-path-intact'],
  isolation: 'shared',
  budgetMs: () => 120_000,
  async run(stage) {
    const {promises, configuration, upstream} = stage
    const chats = await chatListeners(stage)
    if (chats.length === 0) return {status: 'skipped', because: 'no request for the chat reaches GMS (see listener-reaches-gms)'}
    const {metricsPort} = promises
    const metrics = metricsPort === undefined ? undefined : configuration?.listeners.find(({address}) => portOf(address) === metricsPort)
    if (metrics && !isLoopback(metrics.address))
      return failed({
        message: 'Expected the counters of the proxy to be for this machine alone',
        expected: `127.0.0.1:${metricsPort ?? ''}`,
        actual: metrics.address,
        evidence: {client: [`the file listens on ${metrics.address}`], upstream: ['not concerned']},
      })
    const stranger = await strangerAt(chats, upstream)
    const findings = await Promise.all([
      ...(promises.adminAllow ? [] : [reachesGms(chats, promises.onlyPaths ? [...OF_GMS, ...CLIMBING] : OF_GMS)]),
      ...(stranger ? [reachesProxy(chats, stranger)] : []),
    ])
    const found = findings.flat()
    if (found.length > 0) return {status: 'failed', findings: found}
    const notSeen = [
      ...(promises.adminAllow ? [`that of GMS is open to ${promises.adminAllow.join(', ')}`] : []),
      ...(stranger ? [] : ['that of the proxy cannot be judged: all users of this machine are its neighbours']),
    ]
    if (notSeen.length === 2) return {status: 'skipped', because: notSeen.join('; ')}
    return {status: 'passed', detail: notSeen[0] ?? (chats.length === 1 ? 'one listener' : `${chats.length} listeners`)}
  },
})

function failed(finding: Draft) {
  return {status: 'failed', findings: [finding]} as const
}

async function reachesGms(
  chats: readonly ListenerStage[],
  requests: readonly {target: string; method?: string}[],
): Promise<readonly Draft[]> {
  const asked = await Promise.all(
    chats.flatMap(({stage: {flow, upstream}}) =>
      requests.map(async request => {
        const transcript = await flow(plainRequest, request)
        const arrived = upstream.recorder.byProbe(transcript.probe)
        const admitted = arrived !== undefined && isWithin(pathAtGms(arrived.target).replace(/^\/+/, '/'), ADMIN_PATHS)
        return {...request, transcript, admitted, recorder: upstream.recorder}
      }),
    ),
  )
  const admitted = asked.filter(each => each.admitted)
  const [first] = admitted
  if (!first) return []
  const shown = [...new Set(admitted.map(({target, method = 'GET'}) => `${method} ${target}`))]
  return [
    {
      message: 'Expected the administration of GMS to be out of reach for customers',
      expected: 'no request for it at GMS',
      actual: `${shown.slice(0, 3).join(', ')}${shown.length > 3 ? ` and ${shown.length - 3} more` : ''} reached GMS`,
      evidence: evidence(
        admitted.slice(0, 3).map(({transcript}) => transcript),
        first.recorder,
      ),
    },
  ]
}

async function reachesProxy(chats: readonly ListenerStage[], stranger: string): Promise<readonly Draft[]> {
  const asked = await Promise.all(
    chats.flatMap(({stage}) =>
      OF_PROXY.map(async path => {
        const own = from(stage, stranger)
        const transcript = await own.flow(plainRequest, {target: path})
        // What GMS answered is no page of the proxy.
        const byProxy = own.upstream.recorder.byProbe(transcript.probe) === undefined && transcript.status === 200
        return {path, transcript, page: byProxy ? PAGES.find(({sign}) => sign.test(transcript.answer)) : undefined}
      }),
    ),
  )
  const open = asked.filter(({page}) => page !== undefined)
  if (open.length === 0) return []
  return [
    {
      message: 'Expected the pages of the proxy itself to be closed to customers',
      expected: 'no status, statistics or metrics on a listener of the chat',
      actual: [...new Set(open.map(({path, page}) => `${path} gives ${page?.name ?? ''}`))].slice(0, 3).join('; '),
      evidence: {
        client: evidence(open.slice(0, 3).map(({transcript}) => transcript)).client,
        upstream: ['none of these requests reached GMS: the proxy answered them itself'],
      },
    },
  ]
}

/**
 * An address that is no neighbour of the proxy, from which the chat is reached: a page that is open to its own machine alone (`Require local`)
 * must not look open to everybody.
 */
async function strangerAt(chats: readonly ListenerStage[], upstream: WitnessedStage['upstream']): Promise<string | undefined> {
  const address = neighbourAddress()
  const [first] = chats
  if (!first || address.startsWith('127.')) return undefined
  const seen = await from(first.stage, address).flow(plainRequest, {target: COMETD_PATH})
  return upstream.recorder.byProbe(seen.probe) ? address : undefined
}

function portOf(address: string): number | undefined {
  const port = /(?:^|:)(\d+)$/.exec(address)?.[1]
  return port === undefined ? undefined : Number(port)
}

function isLoopback(address: string): boolean {
  return /^(?:\w+@)?(?:127(?:\.\d+){3}|\[::1\]|localhost):\d+$/.test(address)
}
