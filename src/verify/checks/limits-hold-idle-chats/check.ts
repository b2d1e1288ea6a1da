import {handshake} from '../../../flows/handshake.ts'
import {openChats} from '../../../flows/open-chats.ts'
import type {HandshakeResult} from '../../../flows/handshake.ts'
import type {Check} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'

/** Time in which a proxy at its limit shows that it drops or starves somebody. */
const HOLD_MS = 2000

export const check: Check = {
  meta: {
    id: 'limits-hold-idle-chats',
    title: 'The promised number of chats is held at once',
    concern: 'limits',
    severity: 'error',
    requirement: 'As many idle WebSocket chats as promised stay open together, and a plain poll is still answered at once.',
    remediation: {
      nginx: 'worker_connections: two for each chat, over all workers, plus room; worker_rlimit_nofile above it',
      apache: 'MaxRequestWorkers above the number of chats (a WebSocket holds a thread): ServerLimit × ThreadsPerChild',
      haproxy: 'maxconn in global and in the frontend above the number of chats; the smaller of the two counts',
    },
    directives: {
      nginx: ['worker_connections', 'limit_conn', 'events'],
      apache: ['MaxRequestWorkers', 'ServerLimit', 'ThreadsPerChild'],
      haproxy: ['maxconn', 'fullconn', 'global'],
    },
    references: [
      'nginx: worker_connections',
      'Apache httpd: event MPM',
      'HAProxy: maxconn',
      'Measured: published samples hold 241 to 722, 150 to 397 and 2000',
    ],
  },
  transport: 'websocket',
  needs: ['intrusive'],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake'],
  isolation: 'own-proxy',
  heavy: true,
  budgetMs: ({chats}) => 180_000 + chats * 30,
  async run({flow, promises, upstream, mostChats}) {
    const chats = Math.min(promises.chats, mostChats)
    let poll: HandshakeResult | undefined
    const result = await flow(openChats, {
      chats,
      holdMs: HOLD_MS,
      whileOpen: async () => {
        poll = await flow(handshake, {transport: 'long-polling'})
      },
    })
    const polls = poll?.clientId !== undefined
    if (result.held >= chats && polls) {
      if (chats === promises.chats) return {status: 'passed', detail: `${chats} held, opened in ${time(result.openingMs)}`}
      return {
        status: 'skipped',
        because: `this host has file descriptors for ${chats} of the ${promises.chats} promised chats; these ${chats} were held`,
      }
    }
    if (result.hostLimit)
      return {
        status: 'skipped',
        because: `this host itself cannot: ${result.held} of ${chats} chats were held (${result.failure ?? 'a limit of the machine'})`,
      }
    return {
      status: 'failed',
      findings: [
        {
          message: `Expected ${chats} idle chats to be held at once, and a poll beside them to be answered`,
          expected: `${chats} chats held, a plain poll answered`,
          actual: `${result.held} chats held${result.failure === undefined ? '' : `; the next one: ${result.failure}`}${result.loss === undefined ? '' : `; one was lost: ${result.loss}`}; ${polls ? 'a plain poll was answered' : `a plain poll was not answered (${poll?.stoppedAt ?? 'no answer'})`}`,
          evidence: evidence(poll ? [result, poll] : [result], upstream?.recorder),
        },
      ],
    }
  },
}
