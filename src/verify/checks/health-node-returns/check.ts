import type {HandoverResult, Newcomer} from '../../../flows/handover.ts'
import {handover} from '../../../flows/handover.ts'
import {ownAddresses} from '../../../flows/own-addresses.ts'
import type {Recorder} from '../../../simulator/recorder.ts'
import type {Draft} from '../../check.ts'
import {notPromised, withSimulator} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'
import {
  ADDRESSES,
  BACK_WITHIN_MS,
  busiest,
  CHATS,
  DOWN_MS,
  gotThrough,
  kindsOf,
  lossIn,
  newcomerEveryMs,
  nodeOf,
  sufferingIn,
  wereOn,
  noChatBefore,
} from '../../outage.ts'

/**
 * A chat that is led back over polling learns it with its next poll; the one that is held at the other node has its time first. Until then its
 * messages are refused with 402. ms beyond the hold: seconds are enough, and the rest is for a machine whose cores are busy.
 */
const AFTER_HOLD_MS = 60_000
/** What the chats are watched for after the return even if newcomers found the node at once, ms. */
const SETTLE_MS = 4000
const AGENT_SAYS = ['Are you still there?', 'The other system is back.'] as const

export const check = withSimulator({
  meta: {
    id: 'health-node-returns',
    title: 'A node that was restarted gets new chats again',
    concern: 'health',
    severity: 'warning',
    requirement:
      'Within 30 s after a node has come back, newcomers are led to it; chats that were on the other node all the time do not notice, and no chat loses anything.',
    remediation: {
      nginx: 'fail_timeout=10s on each server: it is also the time for which a node is left out',
      apache: 'retry=1 on each BalancerMember (default 60 s), or ProxyHCTemplate with hcinterval=3 and hcpasses=2',
      haproxy: 'default-server check inter 3s rise 2 fall 3; no downinter of minutes',
    },
    directives: {
      nginx: ['server', 'upstream', 'proxy_pass'],
      apache: ['BalancerMember', 'ProxySet', 'ProxyPass'],
      haproxy: ['default-server', 'server', 'backend'],
    },
    references: [
      'nginx: fail_timeout; Apache: ProxyPass retry (default 60 s), mod_proxy_hcheck; HAProxy: inter, downinter, rise',
      'GMS Chat API V2 over CometD, "Receive Notifications"',
    ],
  },
  presupposes: [
    'upstream-path-intact',
    'listener-reaches-gms',
    'polling-chat',
    'polling-callback-chat',
    'affinity-same-node',
    'upgrade-chat',
    'health-dead-node-leaves',
  ],
  isolation: 'own-proxy',
  budgetMs: () => 240_000,
  longestWaitMs: () => DOWN_MS + BACK_WITHIN_MS / 3,
  async run({flow, upstream, gms, target, promises}) {
    const chatsWithinMs = promises.holdMs + AFTER_HOLD_MS
    const {recorder, nodes} = upstream
    if (nodes.length < 2) return notPromised('one node: nobody but it can be used')
    let node: string | undefined
    let kinds: readonly Newcomer['transport'][] = []
    const foundBy = (newcomers: readonly Newcomer[]) =>
      new Set(newcomers.flatMap(({transport, clientId}) => (nodeOf(clientId, recorder) === node ? [transport] : [])))
    const result = await flow(handover, {
      chats: CHATS,
      from: await ownAddresses(target.url, ADDRESSES),
      newcomerEveryMs: newcomerEveryMs(nodes.length),
      blows: [
        {
          least: DOWN_MS,
          most: DOWN_MS,
          strike: async chats => {
            node = busiest(chats, recorder)
            if (node === undefined) return
            const there = chats.filter(({clientId}) => nodeOf(clientId, recorder) === node)
            // Where WebSocket always goes to the other node, that is another check's matter.
            kinds = kindsOf(there)
            await gms.stopNode(node)
            gms.agentSays(AGENT_SAYS[0])
          },
        },
        {
          least: SETTLE_MS,
          most: Math.max(BACK_WITHIN_MS, chatsWithinMs),
          enough: newcomers => kinds.every(kind => foundBy(newcomers).has(kind)),
          strike: async () => {
            if (node === undefined) return
            await gms.startNode(node)
            gms.agentSays(AGENT_SAYS[1])
          },
        },
      ],
    })
    const [diedAt, returnedAt] = result.struckAt
    if (node === undefined || diedAt === undefined || returnedAt === undefined) return noChatBefore('a node is restarted', result, recorder)
    const after = result.newcomers.filter(({blow, cameAfterMs}) => blow === 1 && cameAfterMs <= BACK_WITHIN_MS)
    const missing = kinds.filter(kind => !foundBy(after).has(kind))
    const findings = [
      missing.length === 0 ? undefined : unused({node, missing, after, recorder}),
      disturbed(result, {node, diedAt, chatsWithinMs, recorder}),
    ].flatMap(draft => draft ?? [])
    if (findings.length > 0) return {status: 'failed', findings}
    const first = after.find(({clientId}) => nodeOf(clientId, recorder) === node)
    return {status: 'passed', detail: `${node} was used again ${time(first?.cameAfterMs ?? 0)} after its return`}
  },
})

function unused(seen: {node: string; missing: readonly Newcomer['transport'][]; after: readonly Newcomer[]; recorder: Recorder}): Draft {
  const {node, missing, after, recorder} = seen
  const own = after.filter(({transport}) => missing.includes(transport))
  const elsewhere = own.filter(newcomer => gotThrough(newcomer, recorder)).length
  return {
    message: 'Expected a node that was restarted to be used again',
    expected: `a newcomer at ${node} within ${time(BACK_WITHIN_MS)} after its return, over ${missing.join(' and ')}`,
    actual: `none of ${own.length} newcomers: ${elsewhere} were led to other nodes, ${own.length - elsewhere} met an error`,
    evidence: evidence(own.at(-1) ?? [], recorder),
  }
}

function disturbed(
  result: HandoverResult,
  {node, diedAt, chatsWithinMs, recorder}: {node: string; diedAt: number; chatsWithinMs: number; recorder: Recorder},
): Draft | undefined {
  const moved = wereOn(node, result, diedAt, recorder)
  const finding = {
    message: 'Expected no chat to suffer when a node comes back',
    expected: 'chats on the other node keep their session, and nothing is lost or doubled in any',
  }
  return sufferingIn(result, recorder, finding, chat => {
    const {said, sessions, failures} = chat
    const before = sessions.filter(({at}) => at <= diedAt)
    if (said[1]?.answered === undefined)
      return `did not go on within ${time(chatsWithinMs)} after the return (${failures.at(-1)?.what ?? 'no answer'})`
    if (!moved.includes(chat) && sessions.length > before.length) return 'lost its session although its node lived all the time'
    return lossIn(chat, AGENT_SAYS)
  })
}
