import type {HandoverResult} from '../../../flows/handover.ts'
import {handover} from '../../../flows/handover.ts'
import {ownAddresses} from '../../../flows/own-addresses.ts'
import type {Recorder} from '../../../simulator/recorder.ts'
import {SERVICES_PATH, STATUS_PATH} from '../../../wire/chat.ts'
import type {Draft} from '../../check.ts'
import {notPromised, withSimulator} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'
import {ADDRESSES, busiest, CHATS, lossIn, newcomerEveryMs, nodeOf, sufferingIn, wereOn, noChatBefore} from '../../outage.ts'

/** Three checks every five seconds have noticed by then, ms. */
const NOTICED_BY_MS = 18_000
const WATCH_MS = 28_000
/** A customer who speaks is heard within this time, ms: at once, and the rest is for a machine whose cores are busy. */
const HEARD_WITHIN_MS = 30_000
/** A proxy that asks nodes for their status has done so within this time after its start, ms. */
const ASKED_WITHIN_MS = 12_000
const AGENT_SAYS = 'We close soon.'

export const check = withSimulator({
  meta: {
    id: 'health-offline-drains',
    title: 'A node that goes OFFLINE gets no new chats and keeps its own',
    concern: 'health',
    severity: 'warning',
    requirement:
      'Before GMS stops, its node says OFFLINE: "the load balancer should stop sending" new chats to it. The chats that are open there go on until they end.',
    remediation: {
      nginx: 'Open-source nginx asks no node for its status: mark the server down or drain (1.29.6) and reload',
      apache:
        'ProxyHCExpr ONLINE {hc("body") =~ /ONLINE/} and ProxyHCTemplate with hcexpr=ONLINE, and let requests that carry the route of the node through',
      haproxy:
        'option httpchk GET /genesys/1/admin/node/status, http-check expect string ONLINE, and force-persist for clients whose cookie names the node',
    },
    directives: {
      nginx: ['upstream'],
      apache: ['ProxyHCTemplate', 'ProxyHCExpr', 'BalancerMember'],
      haproxy: ['http-check', 'option httpchk', 'default-server', 'backend'],
    },
    references: [
      'GMS, node API: GET /genesys/1/admin/node/status says ONLINE or OFFLINE; graceful stop with suspending-wait-timeout',
      'HAProxy: http-check expect, http-check disable-on-404, force-persist; Apache: mod_proxy_hcheck',
    ],
  },
  presupposes: ['listener-reaches-gms', 'polling-chat', 'polling-callback-chat', 'affinity-same-node', 'upgrade-chat'],
  isolation: 'own-proxy',
  budgetMs: () => 180_000,
  longestWaitMs: () => WATCH_MS,
  async run({flow, upstream, gms, target, promises}) {
    const {recorder, nodes} = upstream
    if (nodes.length < 2) return notPromised('one node: there is no other for new chats')
    const asked = await recorder.waitFor(
      ({target: path}) => asksForStatus(path),
      promises.asksStatus ? ASKED_WITHIN_MS : ASKED_WITHIN_MS / 3,
    )
    if (!asked && !promises.asksStatus) return notPromised('the proxy asks no node whether it is ONLINE, and nothing promises it')
    let offline: string | undefined
    const result = await flow(handover, {
      chats: CHATS,
      from: await ownAddresses(target.url, ADDRESSES),
      newcomerEveryMs: newcomerEveryMs(nodes.length),
      blows: [
        {
          least: WATCH_MS,
          most: Math.max(WATCH_MS, HEARD_WITHIN_MS),
          strike: chats => {
            offline = busiest(chats, recorder)
            if (offline !== undefined) gms.setStatus(offline, 'OFFLINE')
            return Promise.resolve()
          },
        },
        {least: 0, most: HEARD_WITHIN_MS, strike: () => Promise.resolve(gms.agentSays(AGENT_SAYS))},
      ],
    })
    const [struckAt] = result.struckAt
    if (offline === undefined || struckAt === undefined) return noChatBefore('a node goes OFFLINE', result, recorder)
    const findings = [newcomersOf(result, offline, recorder), chatsOf(result, {offline, struckAt, recorder})].flatMap(draft => draft ?? [])
    if (findings.length > 0) return {status: 'failed', findings}
    const stayed = wereOn(offline, result, struckAt, recorder).length
    return {status: 'passed', detail: `${offline} kept its ${stayed} chats and got no newcomer from ${time(NOTICED_BY_MS)} on`}
  },
})

function asksForStatus(path: string): boolean {
  return path.startsWith(STATUS_PATH) || path.startsWith(SERVICES_PATH)
}

function newcomersOf({newcomers}: HandoverResult, offline: string, recorder: Recorder): Draft | undefined {
  const late = newcomers.filter(({blow, cameAfterMs}) => blow === 0 && cameAfterMs >= NOTICED_BY_MS)
  const [first, ...others] = late.filter(({clientId}) => nodeOf(clientId, recorder) === offline)
  if (!first) return undefined
  return {
    message: 'Expected newcomers to be led to nodes that are ONLINE',
    expected: `no new session at ${offline} from ${time(NOTICED_BY_MS)} after it said OFFLINE`,
    actual: `${1 + others.length} of ${late.length} newcomers were led there, the last one ${time((others.at(-1) ?? first).cameAfterMs)} after it`,
    evidence: evidence(first, recorder),
  }
}

function chatsOf(
  result: HandoverResult,
  {offline, struckAt, recorder}: {offline: string; struckAt: number; recorder: Recorder},
): Draft | undefined {
  const finding = {
    message: 'Expected the chats of a node that goes OFFLINE to go on there',
    expected: 'every chat keeps its session, nothing is lost or doubled',
  }
  const there = wereOn(offline, result, struckAt, recorder)
  return sufferingIn(result, recorder, finding, chat => {
    const {said, sessions, failures} = chat
    if (sessions.some(({at}) => at >= struckAt))
      return `lost its session although its node ${there.includes(chat) ? 'still serves it' : 'is ONLINE'} (${failures.find(({at}) => at >= struckAt)?.what ?? 'it handshook again'})`
    if (said.some(({answered}) => answered === undefined)) return `did not go on within ${time(HEARD_WITHIN_MS)}`
    return lossIn(chat, [AGENT_SAYS])
  })
}
