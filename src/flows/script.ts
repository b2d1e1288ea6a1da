import {setMaxListeners} from 'node:events'
import type {Failure} from '../client/failure.ts'
import type {RawExchange} from '../client/journal.ts'
import {Journal} from '../client/journal.ts'
import {User} from '../client/user.ts'
import {redact} from '../model/redact.ts'
import type {Budgets, Exchange, Target, Transcript} from './flow.ts'

/** Longest `answer` in a transcript, characters. */
const ANSWER = 300

/** Ends a script early; never leaves `play`. */
class Stopped extends Error {
  readonly ended: Failure['ended']
  constructor(ended: Failure['ended'], stoppedAt: string) {
    super(stoppedAt)
    this.ended = ended
  }
}

/** What a script works with. Everything it opens belongs to users, which are destroyed when the script ends. */
export interface Cast {
  readonly budgets: Budgets
  readonly signal: AbortSignal
  readonly journal: Journal
  /** A new simulated person. `headers` go with each of its requests; `jar` and `from` as for `User`. */
  user(headers?: Readonly<Record<string, string>>, more?: {jar?: User['jar']; from?: string}): User
  /** Ends the script: `step` did not complete because of `failure`. */
  stop(step: string, failure: Failure): never
}

/** Anything with a `failure` when it was not answered. */
type Answerable = {answered: true} | {answered: false; failure: Failure}

/** `answer` when it was answered; else the script ends at `step`. */
export function need<A extends Answerable>(cast: Cast, step: string, answer: A): Extract<A, {answered: true}> {
  if (!answer.answered) cast.stop(step, answer.failure)
  return answer as Extract<A, {answered: true}>
}

/** One line of text, redacted, of bounded length. */
export function oneLine(text: string): string {
  const line = redact(text).replace(/\s+/g, ' ').trim()
  return line.length > ANSWER ? `${line.slice(0, ANSWER - 1)}…` : line
}

/** What `promise` gives, or `late` when `ms` pass or `signal` aborts first. */
export function within<T>(signal: AbortSignal, ms: number, promise: Promise<T>): Promise<T | 'late'> {
  return new Promise((resolve, reject) => {
    const settle = (value: T | 'late') => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      resolve(value)
    }
    const giveUp = () => settle('late')
    const timer = setTimeout(giveUp, ms)
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp)
    promise.then(settle, reject)
  })
}

function shown(exchange: RawExchange, start: number, now: number): Exchange {
  const {at, tookMs, transport, what, status, answer, probe} = exchange
  return {
    at: Math.round(at - start),
    tookMs: Math.round(tookMs ?? now - at),
    transport,
    what,
    answer: tookMs === undefined ? 'no answer yet' : oneLine(answer),
    ...(status === undefined ? {} : {status}),
    ...(probe === undefined ? {} : {probe}),
  }
}

/**
 * Runs a script and gives its transcript together with `result`, which the script fills while it goes. Resolves whatever the peer
 * does; all connections are closed then. Rejects with the signal's reason when it aborts.
 */
export async function play<T extends object>(
  flow: string,
  target: Target,
  {budgets, signal: outer}: {budgets: Budgets; signal: AbortSignal},
  result: T,
  script: (cast: Cast) => Promise<void>,
): Promise<Transcript & T> {
  outer.throwIfAborted()
  // Many flows share one signal, and a flow has many waits: neither is a leak.
  const inner = new AbortController()
  const {signal} = inner
  setMaxListeners(0, outer, signal)
  const start = performance.now()
  const journal = new Journal()
  const users: User[] = []
  const end = () => {
    inner.abort(outer.reason)
    for (const user of users) user.destroy()
  }
  const cast: Cast = {
    budgets,
    signal,
    journal,
    user: (headers = {}, more = {}) => {
      const user = new User(target, {journal, headers, ...more})
      users.push(user)
      if (signal.aborted) user.destroy()
      return user
    },
    stop: (step, {ended, reason}) => {
      throw new Stopped(ended, `${step}: ${oneLine(reason)}`)
    },
  }
  outer.addEventListener('abort', end)
  let outcome: Pick<Transcript, 'ended' | 'stoppedAt'> = {ended: 'completed'}
  try {
    await script(cast)
  } catch (error) {
    if (!(error instanceof Stopped) && !outer.aborted) throw error
    if (error instanceof Stopped) outcome = {ended: error.ended, stoppedAt: error.message}
  } finally {
    outer.removeEventListener('abort', end)
    end()
  }
  outer.throwIfAborted()
  const now = performance.now()
  return {flow, ...outcome, exchanges: journal.exchanges.map(exchange => shown(exchange, start, now)), ...result}
}
