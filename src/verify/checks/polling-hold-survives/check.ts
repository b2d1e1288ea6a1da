import {lasting} from '../../../model/pace.ts'
import type {HeldPollResult} from '../../../flows/held-poll.ts'
import {heldPoll} from '../../../flows/held-poll.ts'
import {MAX_NETWORK_DELAY_MS} from '../../../wire/bayeux.ts'
import type {Check, Draft} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'

const TRANSPORTS = ['long-polling', 'callback-polling'] as const
/** Clocks of two processes and a busy machine. */
const EARLY_MS = 1000

export const check: Check = {
  meta: {
    id: 'polling-hold-survives',
    title: 'A held poll is answered by GMS, not by the proxy',
    concern: 'polling',
    severity: 'error',
    requirement:
      'GMS holds a quiet /meta/connect for 30 s; the proxy waits longer than the hold plus the 10 s network delay the client allows.',
    remediation: {
      nginx: 'proxy_read_timeout {pollSeconds}s; or more: {holdSeconds} s hold + 10 s network delay + 5 s margin',
      apache: 'ProxyTimeout {pollSeconds} or more: {holdSeconds} s hold + 10 s network delay + 5 s margin',
      haproxy:
        'timeout server {pollSeconds}s and timeout client {pollSeconds}s or more: {holdSeconds} s hold + 10 s network delay + 5 s margin',
    },
    directives: {
      nginx: ['proxy_read_timeout', 'proxy_pass'],
      apache: ['ProxyTimeout', 'Timeout', 'ProxyPass'],
      haproxy: ['timeout server', 'timeout client', 'defaults'],
    },
    references: [
      'CometD reference: timeout 30000 ms, maxNetworkDelay 10000 ms',
      'Measured: published HAProxy sample answers 504 at 25.0 s',
    ],
  },
  transport: 'long-polling',
  needs: [],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat'],
  // A proxy that gives up may also mark the node as failed: nobody else may stand behind it then.
  isolation: 'own-proxy',
  budgetMs: ({holdMs}) => holdMs + 90_000,
  timed: {feels: ['traffic'], moments: ({holdMs}) => [holdMs, holdMs - EARLY_MS, holdMs + MAX_NETWORK_DELAY_MS]},
  longestWaitMs: ({holdMs}) => holdMs,
  async run({flow, promises, upstream, budgets}) {
    const {holdMs} = promises
    const results = await Promise.all(TRANSPORTS.map(transport => flow(heldPoll, {transport})))
    // The hold of a real GMS is its own: only a simulated one is known to end on time.
    const early = ({heldMs = 0}: HeldPollResult) => heldMs < holdMs - lasting(EARLY_MS)
    // The official client has given up by then.
    const late = ({heldMs = 0}: HeldPollResult) => heldMs > holdMs + budgets.networkDelay
    // The proxy gave up: GMS learns of it a moment later.
    for (const {probe, successful} of results)
      if (!successful) await upstream?.recorder.waitFor(request => request.probe === probe && request.ended !== 'open', 1000)
    const findings: Draft[] = results
      .map((result, index) => ({result, transport: TRANSPORTS[index]}))
      .filter(({result}) => !result.successful || (upstream?.control && (early(result) || late(result))))
      .map(({result, transport}) => ({
        message: `Expected a quiet ${transport} poll to be answered by GMS after its hold`,
        expected: `200 after ${time(holdMs)}: GMS holds a quiet poll that long`,
        actual:
          result.heldMs === undefined
            ? (result.stoppedAt ?? 'the poll was never sent')
            : `${result.status ?? 'no answer'} after ${time(result.heldMs)}${result.stoppedAt === undefined ? '' : ` (${result.stoppedAt})`}`,
        evidence: evidence(result, upstream?.recorder),
      }))
    if (findings.length > 0) return {status: 'failed', findings}
    const held = time(Math.max(...results.map(({heldMs = 0}) => heldMs)))
    if (results.some(early))
      return {status: 'skipped', because: `GMS itself ended the quiet poll after ${held}: a hold of ${time(holdMs)} was not seen`}
    return {status: 'passed', detail: `held ${held}`}
  },
}
