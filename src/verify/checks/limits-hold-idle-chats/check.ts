import type {HandshakeResult} from '../../../flows/handshake.ts'
import {handshake} from '../../../flows/handshake.ts'
import type {OpenChatsResult} from '../../../flows/open-chats.ts'
import {openChats} from '../../../flows/open-chats.ts'
import {ownAddresses} from '../../../flows/own-addresses.ts'
import type {Check, Stage} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'

/** Time in which a proxy at its limit shows that it drops or starves somebody. */
const HOLD_MS = 2000

/** Users who poll, one after the other, while the chats are open; the quickest of them shows what the proxy can do on a busy machine. */
const POLLING_USERS = 3
/** Longer than this beyond what GMS itself needs is not at once. */
const AT_ONCE_MS = 1000

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
  async run(stage) {
    const {flow, promises, upstream, configuration, mostChats} = stage
    const chats = Math.min(promises.chats, mostChats)
    const memoryBefore = await configuration?.memory()
    let memoryWith: number | undefined
    let polls: readonly Poll[] = []
    const result = await flow(openChats, {
      chats,
      ownAddresses: true,
      holdMs: HOLD_MS,
      whileOpen: async () => {
        memoryWith = await configuration?.memory()
        polls = await pollBeside(stage)
      },
    })
    const unanswered = polls.find(({answered}) => !answered)
    const lag = Math.min(...polls.map(({lagMs}) => lagMs))
    const polled = polls.length > 0 && unanswered === undefined
    if (result.held >= chats && polled && lag <= AT_ONCE_MS) {
      if (chats === promises.chats)
        return {
          status: 'passed',
          detail: `${chats} held, opened in ${time(result.openingMs)}${memoryOf(chats, memoryBefore, memoryWith)}`,
        }
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
    const crowded = whyCrowded(stage, chats, result)
    if (crowded !== undefined) return {status: 'skipped', because: crowded}
    const answered = polled
      ? `a plain poll was answered ${time(lag)} later than by GMS itself`
      : `a plain poll was not answered (${unanswered?.seen.stoppedAt ?? 'no answer'})`
    return {
      status: 'failed',
      findings: [
        {
          message: `Expected ${chats} idle chats to be held at once, and a poll beside them to be answered at once`,
          expected: `${chats} chats held, a plain poll answered`,
          actual: `${result.held} chats held${result.failure === undefined ? '' : `; the next one: ${result.failure}`}${result.loss === undefined ? '' : `; one was lost: ${result.loss}`}; ${polled && lag <= AT_ONCE_MS ? 'a plain poll was answered' : answered}`,
          evidence: evidence([result, ...polls.slice(-1).map(({seen}) => seen)], upstream?.recorder),
        },
      ],
    }
  },
}

/** Chats that a limit for one address lets in may be a few less: users before them still leave. */
const NEARLY = 0.9

/** Limits for each client cannot be told from those of the proxy where all customers look like one to it (a container, another host). */
function whyCrowded({promises, upstream}: Stage, chats: number, {opened, failure}: OpenChatsResult): string | undefined {
  const {connectionsPerClient = Infinity, requestsPerSecond} = promises
  const connections = connectionsPerClient < chats && opened >= connectionsPerClient * NEARLY
  const requests = requestsPerSecond !== undefined && failure?.includes('HTTP 429') === true
  if (!(connections || requests) || !isOneAddress(upstream)) return undefined
  const limit = connections ? `connectionsPerClient: ${connectionsPerClient}` : `requestsPerSecond: ${requestsPerSecond}`
  return `all users have one address for this proxy, and ${opened} of ${chats} chats is what limits.${limit} grants it`
}

/** The proxy names one and the same client in every upgrade that reached GMS; nobody tells behind a URL. */
function isOneAddress(upstream: Stage['upstream']): boolean {
  if (!upstream) return true
  const upgrades = upstream.recorder.requests.filter(({headers}) => headers['upgrade'] !== undefined)
  const clients = new Set(upgrades.map(({headers}) => headers['x-forwarded-for']?.at(-1)))
  return clients.size === 1 && !clients.has(undefined)
}

/** A new session that polls. */
interface Poll {
  seen: HandshakeResult
  answered: boolean
  /** Its slowest answer, beyond the slowest that GMS gave without the proxy, ms. */
  lagMs: number
}

/** New users who poll, until one of them is answered at once or one is not answered at all. */
async function pollBeside({flow, target, upstream}: Stage): Promise<readonly Poll[]> {
  const addresses = await ownAddresses(target.url, POLLING_USERS)
  const polls: Poll[] = []
  while (polls.length < POLLING_USERS) {
    const from = addresses[polls.length]
    const seen = await flow(handshake, {transport: 'long-polling', ...(from === undefined ? {} : {from})})
    const direct = upstream && (await flow(handshake, {transport: 'long-polling'}, upstream.direct))
    const poll = {
      seen,
      answered: seen.clientId !== undefined && seen.ended === 'completed',
      lagMs: slowest(seen) - (direct ? slowest(direct) : 0),
    }
    polls.push(poll)
    if (!poll.answered || poll.lagMs <= AT_ONCE_MS) break
  }
  return polls
}

function slowest({exchanges}: HandshakeResult): number {
  return Math.max(0, ...exchanges.map(({tookMs}) => tookMs))
}

/** `; 171 MB of memory more than without, 18 kB each` */
function memoryOf(chats: number, before: number | undefined, with_: number | undefined): string {
  if (before === undefined || with_ === undefined) return ''
  const more = Math.max(0, with_ - before)
  return `; ${Math.round(more / 1e6)} MB of memory more than without, ${(more / 1000 / chats).toFixed(1)} kB each`
}
