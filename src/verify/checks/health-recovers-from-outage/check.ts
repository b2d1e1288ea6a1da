import type {HandoverResult, Newcomer} from '../../../flows/handover.ts'
import {handover} from '../../../flows/handover.ts'
import {ownAddresses} from '../../../flows/own-addresses.ts'
import type {Draft} from '../../check.ts'
import {withSimulator} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'
import {ADDRESSES, BACK_WITHIN_MS, CHATS, DOWN_MS, fateOf, gotThrough, kindsOf, lossIn, sufferingIn, noChatBefore} from '../../outage.ts'
import type {Recorder} from '../../../simulator/recorder.ts'

/**
 * The stock client waits longer after each failure: after an outage of 12 s it tries again within 6 s, and once more 7 s later. The rest is for
 * a machine whose cores are busy. ms.
 */
const CHATS_BACK_WITHIN_MS = BACK_WITHIN_MS + 60_000
/** As many in a row on each transport, and the proxy is taken to serve. */
const IN_A_ROW = 3
const AGENT_SAYS = 'We are back.'

export const check = withSimulator({
  meta: {
    id: 'health-recovers-from-outage',
    title: 'After an outage of GMS the proxy serves again by itself',
    concern: 'health',
    severity: 'error',
    requirement:
      'All nodes (or the only one) are restarted: within 30 s after their return newcomers get a session over polling and WebSocket, and the chats that were open go on.',
    remediation: {
      nginx: 'fail_timeout=10s on each server: it is also the time for which a node is left out, even when there is no other',
      apache: 'retry=1 on each BalancerMember (default 60 s), and no forcerecovery=Off',
      haproxy: 'default-server check inter 3s rise 2 fall 3; no downinter of minutes, no rise of dozens',
    },
    directives: {
      nginx: ['server', 'upstream', 'proxy_pass'],
      apache: ['BalancerMember', 'ProxySet', 'ProxyPass'],
      haproxy: ['default-server', 'server', 'backend'],
    },
    references: [
      'nginx: fail_timeout; Apache: ProxyPass retry (default 60 s), forcerecovery; HAProxy: inter, downinter, rise',
      'GMS, "Starting and Stopping": a restart takes minutes, and is done for every change of most options',
    ],
  },
  presupposes: [
    'upstream-path-intact',
    'listener-reaches-gms',
    'polling-chat',
    'polling-callback-chat',
    'affinity-same-node',
    'upgrade-chat',
    'health-node-returns',
  ],
  isolation: 'own-proxy',
  budgetMs: () => 240_000,
  longestWaitMs: () => DOWN_MS + BACK_WITHIN_MS / 3,
  async run({flow, upstream, gms, target}) {
    const {recorder, nodes} = upstream
    let kinds: readonly Newcomer['transport'][] = []
    const serves = (newcomers: readonly Newcomer[]) =>
      kinds.every(kind => {
        const last = newcomers.filter(({transport}) => transport === kind).slice(-IN_A_ROW)
        return last.length === IN_A_ROW && last.every(newcomer => gotThrough(newcomer, recorder))
      })
    const result = await flow(handover, {
      chats: CHATS,
      from: await ownAddresses(target.url, ADDRESSES),
      blows: [
        {
          least: DOWN_MS,
          most: DOWN_MS,
          customersSpeak: false,
          strike: chats => {
            kinds = kindsOf(chats)
            return Promise.all(nodes.map(({name}) => gms.stopNode(name)))
          },
        },
        {
          least: 0,
          most: CHATS_BACK_WITHIN_MS,
          enough: serves,
          strike: async () => {
            await Promise.all(nodes.map(({name}) => gms.startNode(name)))
            gms.agentSays(AGENT_SAYS)
          },
        },
      ],
    })
    const [, returnedAt] = result.struckAt
    if (returnedAt === undefined) return noChatBefore('GMS is restarted', result, recorder)
    const after = result.newcomers.filter(({blow}) => blow === 1)
    const firstOf = (kind: Newcomer['transport']) => after.find(newcomer => newcomer.transport === kind && gotThrough(newcomer, recorder))
    const shutOut = kinds.filter(kind => (firstOf(kind)?.cameAfterMs ?? Number.POSITIVE_INFINITY) > BACK_WITHIN_MS)
    const findings = [...shutOut.map(kind => shut(kind, after, firstOf(kind), {result, recorder})), left(result, recorder)].flatMap(
      draft => draft ?? [],
    )
    if (findings.length > 0) return {status: 'failed', findings}
    const times = kinds.map(kind => `${kind} ${time(firstOf(kind)?.cameAfterMs ?? 0)}`)
    return {
      status: 'passed',
      detail: `newcomers after ${times.join(', ')}; ${result.chats.filter(({opened}) => opened).length} chats went on`,
    }
  },
})

function shut(
  kind: Newcomer['transport'],
  after: readonly Newcomer[],
  first: Newcomer | undefined,
  {result, recorder}: {result: HandoverResult; recorder: Recorder},
): Draft {
  const own = after.filter(({transport}) => transport === kind)
  const before = own.filter(({cameAfterMs}) => first === undefined || cameAfterMs < first.cameAfterMs)
  const shown = before.at(-1) ?? result.newcomers.at(-1)
  return {
    message: 'Expected newcomers to be served again after an outage of GMS',
    expected: `a session over ${kind} within ${time(BACK_WITHIN_MS)} after the nodes came back`,
    actual:
      first === undefined
        ? `none within ${time(own.at(-1)?.cameAfterMs ?? 0)}, ${own.length} newcomers met an error${shown ? ` (${fateOf(shown)})` : ''}`
        : `the first one after ${time(first.cameAfterMs)}; ${before.length} newcomers met an error before${shown ? ` (${fateOf(shown)})` : ''}`,
    evidence: evidence(shown ?? [], recorder),
  }
}

function left(result: HandoverResult, recorder: Recorder): Draft | undefined {
  const finding = {
    message: 'Expected the open chats to go on after an outage of GMS',
    expected: `every chat goes on within ${time(CHATS_BACK_WITHIN_MS)} after the nodes came back, and nothing is lost or doubled`,
  }
  return sufferingIn(result, recorder, finding, chat =>
    chat.said[0]?.answered === undefined ? `did not go on (${chat.failures.at(-1)?.what ?? 'no answer'})` : lossIn(chat, [AGENT_SAYS]),
  )
}
