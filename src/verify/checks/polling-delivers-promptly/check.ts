import type {HeldPollInput} from '../../../flows/held-poll.ts'
import {heldPoll} from '../../../flows/held-poll.ts'
import type {Check} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'

/** A buffered answer comes when the hold ends, or never; a healthy one within milliseconds, even on a busy machine within this. */
const limitFor = (holdMs: number) => Math.min(5000, holdMs / 2)

export const check: Check = {
  meta: {
    id: 'polling-delivers-promptly',
    title: 'A message reaches a held poll at once',
    concern: 'polling',
    severity: 'error',
    requirement:
      'What an agent says while the poll is held ends the hold at once: the answer is not kept back by buffering or compression.',
    remediation: {
      nginx: 'proxy_buffering off; and no gzip, no limit_rate and no proxy_limit_rate for /genesys/cometd, however deep the location',
      apache: 'Remove DEFLATE, mod_buffer and mod_substitute from the chat paths; set no flushpackets=off on them',
      haproxy: 'Remove option http-buffer-request, compression and response filters from the chat paths',
    },
    directives: {
      nginx: ['limit_rate', 'proxy_limit_rate', 'proxy_buffering', 'proxy_cache', 'gzip', 'proxy_pass'],
      apache: ['SetOutputFilter', 'AddOutputFilterByType', 'ProxyPass'],
      haproxy: ['http-response wait-for-body', 'http-request wait-for-body', 'compression', 'filter', 'backend'],
    },
    references: ['Bayeux 1.0, 2.2.2: messages are delivered as soon as possible', 'GMS Chat API V2 over CometD, "Receive notifications"'],
  },
  transport: 'long-polling',
  needs: [],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat'],
  isolation: 'shared',
  budgetMs: ({holdMs}) => 2 * holdMs + 120_000,
  async run({flow, promises, upstream}) {
    const limit = limitFor(promises.holdMs)
    const control = upstream?.control
    const delivers: NonNullable<HeldPollInput['delivers']> =
      upstream && control
        ? {
            held: probe => upstream.recorder.waitFor(request => request.probe === probe, limit),
            speak: key => control.agentSays('Is anybody there?', key),
          }
        : {}
    const result = await flow(heldPoll, {transport: 'long-polling', delivers})
    const {deliveredAfterMs} = result
    // Behind a URL only a customer can make an agent speak, and GMS may hand the answer over at once: then no held poll was ended by it.
    if (!control && result.deliveredBy === 'publish')
      return {
        status: 'skipped',
        because: "GMS gave the agent's words with its answer to the customer's message; no held poll had to carry them",
      }
    if (deliveredAfterMs !== undefined && deliveredAfterMs <= limit)
      return {status: 'passed', detail: `delivered in ${time(deliveredAfterMs)}`}
    if (upstream && deliveredAfterMs !== undefined) {
      const control = await flow(heldPoll, {transport: 'long-polling', delivers}, upstream.direct)
      if ((control.deliveredAfterMs ?? Infinity) > limit / 2)
        return {
          status: 'errored',
          because: `this machine is too busy to judge: without the proxy the message took ${control.deliveredAfterMs === undefined ? 'for ever' : time(control.deliveredAfterMs)}`,
        }
    }
    return {
      status: 'failed',
      findings: [
        {
          message: "Expected the agent's words to end the held poll at once",
          expected: `delivered within ${time(limit)}`,
          actual: deliveredAfterMs === undefined ? (result.stoppedAt ?? 'not delivered') : `delivered after ${time(deliveredAfterMs)}`,
          evidence: evidence(result, upstream?.recorder),
        },
      ],
    }
  },
}
