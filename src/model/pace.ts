import {AsyncLocalStorage} from 'node:async_hooks'

/*
 * Compressed time: a check, and all that it sets going, runs at a pace. Durations of production are divided by it where they are used, and
 * what was measured is multiplied by it where it is told. Without a pace both are the same.
 */
const paces = new AsyncLocalStorage<number>()

/** Runs `act`, and whatever comes of it, so many times as fast as production. 1: in real time. */
export function atPace<T>(pace: number, act: () => T): T {
  return paces.run(pace, act)
}

/** What a duration of production, ms, lasts here, ms. */
export function lasting(ms: number): number {
  return ms / (paces.getStore() ?? 1)
}

/** What a duration that was measured, or is kept to, here, ms, would be in production, ms. */
export function inProduction(ms: number): number {
  return ms * (paces.getStore() ?? 1)
}
