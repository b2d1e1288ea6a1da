import type {LostReply, LostSessionResult} from '../../../flows/lost-session.ts'
import {lostSession} from '../../../flows/lost-session.ts'
import type {Recorder} from '../../../simulator/recorder.ts'
import {BAYEUX_TRANSPORTS} from '../../../wire/bayeux.ts'
import {changedOnTheWay} from '../../answer-judgement.ts'
import type {Draft} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'

export const check = withWitnesses({
  meta: {
    id: 'polling-session-unknown-unchanged',
    title: 'A client learns that its session is gone',
    concern: 'polling',
    severity: 'error',
    requirement:
      'The answer to a session that GMS does not know (HTTP 200, 402::session_unknown, advice reconnect: handshake) reaches the client unchanged on every transport: it is how a client knows that it has to begin again.',
    remediation: {
      nginx: 'Take sub_filter, proxy_cache and rewriting of bodies out of the location of /genesys/cometd',
      apache: 'Take Substitute, SetOutputFilter and CacheEnable away from /genesys/cometd',
      haproxy: 'Remove http-response rules on res.body, and set-status, from /genesys/cometd',
    },
    directives: {
      nginx: ['sub_filter', 'proxy_cache', 'proxy_pass'],
      apache: ['Substitute', 'SetOutputFilter', 'CacheEnable', 'ProxyPass'],
      haproxy: ['http-response', 'http-request cache-use', 'backend'],
    },
    references: [
      'Bayeux 1.0, 2.2.1: advice reconnect "handshake"',
      'CometD reference: 402::session_unknown (402::Unknown client before 4.0)',
    ],
  },
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'polling-chat', 'polling-callback-chat', 'upgrade-handshake'],
  isolation: 'shared',
  budgetMs: () => 180_000,
  async run({flow, upstream: {recorder}}) {
    const results = await Promise.all(BAYEUX_TRANSPORTS.map(async transport => ({transport, result: await flow(lostSession, {transport})})))
    const findings = results.flatMap(({transport, result}): Draft[] => {
      const flaws = flawsOf(result, recorder)
      if (flaws.length === 0) return []
      return [
        {
          message: `Expected the end of a session to be told over ${transport}`,
          expected: '402 from GMS, with the advice to handshake after a connect, as GMS sent it',
          actual: flaws.join('; '),
          evidence: evidence(result, recorder),
        },
      ]
    })
    if (findings.length > 0) return {status: 'failed', findings}
    return {status: 'passed', detail: results.map(({transport}) => transport).join(', ')}
  },
})

function flawsOf({replies, ended, stoppedAt}: LostSessionResult, recorder: Recorder): readonly string[] {
  if (ended !== 'completed' || replies.length === 0) return [stoppedAt ?? ended]
  return replies.flatMap(reply => {
    const flaw = flawOf(reply, recorder)
    return flaw === undefined ? [] : [`${reply.step}: ${flaw}`]
  })
}

function flawOf(reply: LostReply, recorder: Recorder): string | undefined {
  const arrived = reply.probe === undefined ? undefined : recorder.byProbe(reply.probe)
  if (!arrived) return `${reply.error ?? reply.trouble ?? 'an answer'}, but GMS was not asked`
  // Frames of a WebSocket have no status of their own.
  const changed = reply.status === undefined ? reply.trouble : changedOnTheWay(reply, arrived)
  if (changed !== undefined) {
    const advice = reply.advice?.reconnect === undefined ? '' : `, advice reconnect: ${reply.advice.reconnect}`
    return `${changed}${reply.error === undefined ? '' : ` (${reply.error}${advice})`}`
  }
  if (reply.trouble !== undefined) return reply.trouble
  if (reply.successful !== false || reply.error?.startsWith('402') !== true) return reply.error ?? 'successful'
  if (reply.step === 'connect' && reply.advice?.reconnect !== 'handshake')
    return `advice reconnect: ${reply.advice?.reconnect ?? 'none given'}`
  return undefined
}
