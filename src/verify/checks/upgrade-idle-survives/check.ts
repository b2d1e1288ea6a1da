import {idleWebSocket} from '../../../flows/idle-websocket.ts'
import {inProduction, lasting} from '../../../model/pace.ts'
import type {Promises} from '../../../model/report.ts'
import type {Check} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'

/** Beyond the hold: a proxy that cuts at the hold itself is seen too. */
const MARGIN_MS = 5000

/** A promise shorter than the hold is kept for as long as it was given. */
const silence = ({holdMs, upgradeIdleMs}: Promises) =>
  Math.min(holdMs + lasting(MARGIN_MS), Math.max(lasting(1000), upgradeIdleMs - lasting(1000)))

export const check: Check = {
  meta: {
    id: 'upgrade-idle-survives',
    title: 'A silent WebSocket stays open',
    concern: 'upgrade',
    severity: 'error',
    requirement: 'A WebSocket on which nothing is said for longer than the hold of GMS (30 s) stays open, as long as was promised.',
    remediation: {
      nginx: 'proxy_read_timeout {idleSeconds}s; and proxy_send_timeout {idleSeconds}s; in the location of /genesys/cometd',
      apache: 'ProxyTimeout {idleSeconds} (the idle limit of a WebSocket is the larger of Timeout and ProxyTimeout)',
      haproxy: 'timeout tunnel {idleSeconds}s',
    },
    directives: {
      nginx: ['proxy_read_timeout', 'proxy_send_timeout', 'proxy_pass'],
      apache: ['ProxyTimeout', 'Timeout', 'ProxyPass'],
      haproxy: ['timeout tunnel', 'timeout server', 'timeout client'],
    },
    references: [
      'CometD reference: ws.idleTimeout 300 s',
      'Measured: HAProxy without timeout tunnel cuts at the smaller of client and server',
    ],
  },
  transport: 'websocket',
  needs: [],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake'],
  isolation: 'shared',
  budgetMs: promises => silence(promises) + 90_000,
  timed: {feels: ['traffic'], moments: promises => [silence(promises)]},
  longestWaitMs: silence,
  async run({flow, promises, upstream}) {
    const silenceMs = silence(promises)
    const result = await flow(idleWebSocket, {silenceMs})
    const promised = `${Math.round(inProduction(promises.upgradeIdleMs) / 1000)} s promised`
    if (result.alive) return {status: 'passed', detail: `${Math.round(inProduction(result.silentMs) / 1000)} s of ${promised}`}
    return {
      status: 'failed',
      findings: [
        {
          message: `Expected a WebSocket that is silent for ${time(silenceMs)} to stay open`,
          expected: `open after ${time(silenceMs)} of silence (${promised})`,
          actual: result.cut
            ? `cut after ${time(result.cut.afterMs)} of silence, close code ${result.cut.code}`
            : (result.stoppedAt ?? 'no sign of life after the silence'),
          evidence: evidence(result, upstream?.recorder),
        },
      ],
    }
  },
}
