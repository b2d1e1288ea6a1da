import {setTimeout as delay} from 'node:timers/promises'

/** Deadlines of the runtime, ms: what a healthy machine never reaches even with busy cores. */
export const PATIENCE = {
  /** A question to a binary (`-v`, `-V`) or to the docker command line. */
  answer: 20_000,
  /** The proxy's own configuration test, container start included. */
  configTest: 60_000,
  /** From the start of the proxy until it answers. */
  ready: 60_000,
  /** One request while waiting for it; a listener that accepts but says nothing counts as started after that. */
  readyAnswer: 2_000,
  /** From the stop signal until the processes are gone; then SIGKILL. */
  stop: 4_000,
  /** The same when a person has interrupted us: httpd waits for its open tunnels as long as we let it. */
  hurriedStop: 1_000,
  /** The same in a container: as its first process a proxy without a handler of its own ignores the signal (HAProxy without a master). */
  containerStop: 800,
  /** From SIGKILL until they are gone. */
  kill: 5_000,
  /** Download of an image. */
  pull: 600_000,
} as const

/**
 * Asks until the answer is not `undefined`, or until `budgetMs` passed (then `undefined`).
 * @throws the signal's reason when it aborts.
 */
export async function askUntil<T>(
  question: () => Promise<T | undefined> | T | undefined,
  {budgetMs, everyMs = 20, signal}: {budgetMs: number; everyMs?: number; signal?: AbortSignal},
): Promise<T | undefined> {
  const deadline = Date.now() + budgetMs
  for (;;) {
    signal?.throwIfAborted()
    const answer = await question()
    if (answer !== undefined) return answer
    if (Date.now() >= deadline) return undefined
    await delay(everyMs)
  }
}
