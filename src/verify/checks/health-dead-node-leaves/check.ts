import type {HandoverResult} from '../../../flows/handover.ts'
import {handover} from '../../../flows/handover.ts'
import {ownAddresses} from '../../../flows/own-addresses.ts'
import type {Recorder} from '../../../simulator/recorder.ts'
import type {Draft} from '../../check.ts'
import {notPromised, withSimulator} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'
import {
  ADDRESSES,
  busiest,
  CHATS,
  fateOf,
  gotThrough,
  lossIn,
  metAnError,
  newcomerEveryMs,
  nodeOf,
  sufferingIn,
  wereOn,
  noChatBefore,
} from '../../outage.ts'

/** Later than this nobody may be sent to the dead node any more: two intervals of usual checks (10 s) have passed. ms. */
const NOTICED_BY_MS = 20_000
/**
 * Passive checks try the dead node again every 10 s at the least (nginx `fail_timeout`, default): 11 s in whole seconds, then some more until
 * a newcomer is led there, in each worker on its own. One such time lies after `NOTICED_BY_MS`. ms.
 */
const WATCH_MS = 36_000
/** A chat that has not gone on by now does not: seconds are enough, and the rest is for a machine whose cores are busy. ms. */
const CHATS_WITHIN_MS = 90_000
const AGENT_SAYS = 'Are you still there?'

export const check = withSimulator({
  meta: {
    id: 'health-dead-node-leaves',
    title: 'When a node dies, its chats go on at the other one',
    concern: 'health',
    severity: 'error',
    requirement:
      'GMS nodes share the chats, not the sessions: a customer whose node died handshakes again and asks for what he missed. The proxy must lead that handshake, and every new one, to a node that lives: nothing is lost, nothing comes twice.',
    remediation: {
      nginx:
        'Two servers in one upstream, proxy_next_upstream error timeout (a refused connection is tried elsewhere at once), max_fails above 0; no proxy_pass to a node that a cookie names',
      apache:
        'Remove nofailover=On and status=+I, and no retry=0; a BalancerMember for each node, so that a refused connection goes to the next one',
      haproxy: 'check on every server line (option redispatch with it), so that a cookie that names a dead server is given up',
    },
    directives: {
      nginx: ['proxy_next_upstream', 'upstream', 'proxy_pass'],
      apache: ['ProxySet', 'BalancerMember', 'ProxyPass'],
      haproxy: ['default-server', 'server', 'option redispatch', 'backend'],
    },
    references: [
      'GMS Chat API V2 over CometD, "Receive Notifications": after disconnection a new handshake, then requestNotifications with the latest position',
      'nginx: proxy_next_upstream, max_fails; Apache: mod_proxy_balancer nofailover; HAProxy: check, option redispatch',
    ],
  },
  presupposes: [
    'upstream-path-intact',
    'listener-reaches-gms',
    'polling-chat',
    'polling-callback-chat',
    'affinity-same-node',
    'upgrade-chat',
  ],
  isolation: 'own-proxy',
  budgetMs: () => 240_000,
  longestWaitMs: () => WATCH_MS,
  async run({flow, upstream, gms, target}) {
    const {recorder, nodes} = upstream
    if (nodes.length < 2) return notPromised('one node: when it dies there is no other')
    let dead: string | undefined
    const result = await flow(handover, {
      chats: CHATS,
      from: await ownAddresses(target.url, ADDRESSES),
      newcomerEveryMs: newcomerEveryMs(nodes.length),
      blows: [
        {
          least: WATCH_MS,
          most: CHATS_WITHIN_MS,
          strike: async chats => {
            dead = busiest(chats, recorder)
            if (dead === undefined) return
            await gms.stopNode(dead)
            gms.agentSays(AGENT_SAYS)
          },
        },
      ],
    })
    const [struckAt] = result.struckAt
    if (dead === undefined || struckAt === undefined) return noChatBefore('a node dies', result, recorder)
    const findings = [newcomersOf(result, recorder), chatsOf(result, {dead, struckAt, recorder})].flatMap(draft => draft ?? [])
    if (findings.length > 0) return {status: 'failed', findings}
    const moved = wereOn(dead, result, struckAt, recorder)
    const slowest = Math.max(...moved.flatMap(({said}) => (said[0]?.answeredAt ?? struckAt) - struckAt))
    const failed = result.newcomers.filter(newcomer => metAnError(newcomer, recorder))
    return {
      status: 'passed',
      detail: `${moved.length} chats went on at another node within ${time(slowest)}; ${failed.length === 0 ? 'no' : failed.length} of ${result.newcomers.length} newcomers met an error`,
    }
  },
})

function newcomersOf({newcomers}: HandoverResult, recorder: Recorder): Draft | undefined {
  const failed = newcomers.filter(newcomer => metAnError(newcomer, recorder))
  const late = failed.filter(({cameAfterMs}) => cameAfterMs >= NOTICED_BY_MS)
  const [first] = late
  if (first === undefined && newcomers.some(newcomer => gotThrough(newcomer, recorder))) return undefined
  const shown = first ?? failed[0] ?? newcomers[0]
  return {
    message: 'Expected newcomers to be spared the dead node',
    expected: `no error for newcomers from ${time(NOTICED_BY_MS)} after the death of one of the nodes`,
    actual: shown
      ? `${failed.length} of ${newcomers.length} newcomers met an error, the last one ${time(failed.at(-1)?.cameAfterMs ?? 0)} after it (${fateOf(shown)})`
      : 'no newcomer came through',
    evidence: evidence(shown ?? [], recorder),
  }
}

function chatsOf(
  result: HandoverResult,
  {dead, struckAt, recorder}: {dead: string; struckAt: number; recorder: Recorder},
): Draft | undefined {
  const moved = wereOn(dead, result, struckAt, recorder)
  const finding = {
    message: 'Expected every chat to go on when one of the nodes dies',
    expected: `${moved.length} chats of the dead node go on at another one, all others are not disturbed, nothing is lost or doubled`,
  }
  return sufferingIn(result, recorder, finding, chat => {
    const {said, sessions, failures} = chat
    const before = sessions.filter(({at}) => at <= struckAt)
    const wasThere = moved.includes(chat)
    if (said[0]?.answered === undefined) return `did not go on within ${time(CHATS_WITHIN_MS)} (${failures.at(-1)?.what ?? 'no answer'})`
    if (!wasThere && sessions.length > before.length) return 'lost its session although its node lives'
    if (wasThere && nodeOf(sessions.at(-1)?.clientId, recorder) === undefined) return 'goes on in a session that GMS does not know'
    return lossIn(chat, [AGENT_SAYS])
  })
}
