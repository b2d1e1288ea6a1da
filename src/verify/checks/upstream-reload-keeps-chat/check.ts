import type {HandoverResult} from '../../../flows/handover.ts'
import {handover} from '../../../flows/handover.ts'
import {lasting} from '../../../model/pace.ts'
import {ownAddresses} from '../../../flows/own-addresses.ts'
import type {Recorder} from '../../../simulator/recorder.ts'
import type {Draft} from '../../check.ts'
import {withSimulator} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'
import {ADDRESSES, CHATS, fateOf, lossIn, metAnError, sufferingIn, noChatBefore} from '../../outage.ts'

/** Usual bounds on a reload (5 to 30 s) have struck by then, ms. */
const WATCH_MS = 32_000
/** A chat of the old configuration is watched no longer than was promised, less this, ms. */
const SHORT_OF_PROMISE_MS = 2000
/** A customer who speaks is heard within this time, ms: at once, and the rest is for a machine whose cores are busy. */
const HEARD_WITHIN_MS = 30_000
const NEWCOMER_EVERY_MS = 400
/** More newcomers than that would be a load of their own. */
const LEAST_BETWEEN_MS = 100
const AGENT_SAYS = ['Before.', 'Still there.'] as const

export const check = withSimulator({
  meta: {
    id: 'upstream-reload-keeps-chat',
    title: 'A reload of the proxy leaves open chats alone',
    concern: 'upstream',
    severity: 'warning',
    requirement:
      'Certificates are renewed and nodes are added while customers chat: after a reload the chats that were open go on in their session, WebSocket connections are not cut, and newcomers are served all the time.',
    remediation: {
      nginx: 'Remove worker_shutdown_timeout, or make it hours: it cuts every connection of the old workers',
      apache:
        'ServerLimit of at least twice MaxRequestWorkers / ThreadsPerChild, so that new processes start while old ones keep their chats; reload with graceful, never restart',
      haproxy: 'Remove hard-stop-after, or make it hours; run the master (-W), so that a reload leaves the old worker its connections',
    },
    directives: {
      nginx: ['worker_shutdown_timeout', 'worker_processes'],
      apache: ['ServerLimit', 'MaxRequestWorkers', 'ThreadsPerChild'],
      haproxy: ['hard-stop-after', 'global'],
    },
    references: [
      'nginx: worker_shutdown_timeout, "Controlling nginx"; Apache: apachectl graceful, mpm_event; HAProxy: management guide 4, hard-stop-after',
      'GMS Chat API V2 over CometD, "Receive Notifications": what is lost with a session has to be asked for again',
    ],
  },
  needs: ['configuration'],
  presupposes: [
    'listener-reaches-gms',
    'polling-chat',
    'polling-callback-chat',
    'polling-hold-survives',
    'affinity-same-node',
    'upgrade-chat',
  ],
  isolation: 'own-proxy',
  budgetMs: () => 180_000,
  timed: {feels: ['traffic', 'drain'], moments: ({drainMs}) => [watchFor(drainMs)]},
  longestWaitMs: ({drainMs}) => watchFor(drainMs),
  async run({flow, upstream, gms, target, promises, configuration}) {
    const {recorder} = upstream
    const watchMs = watchFor(promises.drainMs)
    if (!configuration) return {status: 'skipped', because: 'a proxy that was not started by us is not reloaded'}
    if (!configuration.accepted) return {status: 'skipped', because: 'the proxy did not accept the configuration'}
    const from = await ownAddresses(target.url, ADDRESSES)
    const result = await flow(handover, {
      chats: CHATS,
      from,
      newcomerEveryMs: Math.max(LEAST_BETWEEN_MS, lasting(NEWCOMER_EVERY_MS)),
      blows: [
        {
          least: watchMs,
          most: Math.max(watchMs, HEARD_WITHIN_MS),
          strike: async () => {
            await configuration.reload()
            gms.agentSays(AGENT_SAYS[0])
          },
        },
        {least: 0, most: HEARD_WITHIN_MS, strike: () => Promise.resolve(gms.agentSays(AGENT_SAYS[1]))},
      ],
    })
    const [reloadedAt] = result.struckAt
    if (reloadedAt === undefined) return noChatBefore('the proxy is reloaded', result, recorder)
    const findings = [chatsOf(result, {reloadedAt, recorder}), newcomersOf(result, recorder)].flatMap(draft => draft ?? [])
    if (findings.length > 0) return {status: 'failed', findings}
    const open = result.chats.filter(({opened}) => opened).length
    return {
      status: 'passed',
      detail: `${open} chats went on for ${time(watchMs)} after a reload, ${result.newcomers.length} newcomers came`,
    }
  },
})

function watchFor(drainMs = Number.POSITIVE_INFINITY): number {
  return Math.max(lasting(1000), Math.min(lasting(WATCH_MS), drainMs - lasting(SHORT_OF_PROMISE_MS)))
}

function chatsOf(result: HandoverResult, {reloadedAt, recorder}: {reloadedAt: number; recorder: Recorder}): Draft | undefined {
  const finding = {
    message: 'Expected open chats not to notice that the proxy is reloaded',
    expected: 'every chat goes on in its session and over its connection, nothing is lost or doubled',
  }
  return sufferingIn(result, recorder, finding, chat => {
    const {said, sessions, failures} = chat
    const [failed] = failures.filter(({at}) => at >= reloadedAt)
    if (sessions.some(({at}) => at >= reloadedAt)) return `lost its session (${failed?.what ?? 'it handshook again'})`
    if (failed) return `was cut ${time(failed.at - reloadedAt)} after the reload (${failed.what})`
    if (said.some(({answered}) => answered === undefined)) return `did not go on within ${HEARD_WITHIN_MS / 1000} s`
    return lossIn(chat, AGENT_SAYS)
  })
}

function newcomersOf({newcomers}: HandoverResult, recorder: Recorder): Draft | undefined {
  const failed = newcomers.filter(newcomer => metAnError(newcomer, recorder))
  const [first] = failed
  if (!first) return undefined
  return {
    message: 'Expected newcomers to be served while the proxy is reloaded',
    expected: 'a session for everybody who comes',
    actual: `${failed.length} of ${newcomers.length} newcomers met an error, the first one ${time(first.cameAfterMs)} after the reload (${fateOf(first)})`,
    evidence: evidence(first, recorder),
  }
}
