import type {Promises} from '../model/report.ts'
import type {Compression} from '../proxies/compressed.ts'
import {compress} from '../proxies/compressed.ts'
import type {Proxy} from '../proxies/proxy.ts'
import type {Check} from './check.ts'
import type {Prepared} from './subject.ts'

/** Why a check that waits has no compressed time. */
const NO_MOMENTS = 'it waits for what proxies do at a pace of their own'

/** How a configuration is run in compressed time, for these checks. */
export function compressionFor(
  proxy: Proxy,
  {config}: Prepared,
  {version, promises, checks}: {version: string; promises: Promises; checks: readonly Check[]},
): Compression {
  const timed = checks.flatMap(({meta: {id}, timed: own}) => (own ? [{id, feels: own.feels, moments: own.moments(promises)}] : []))
  const durations = proxy.durations?.(config, version) ?? {
    found: [],
    unclear: [{directive: proxy.title, because: 'its durations are not known'}],
  }
  const compression = compress(durations, timed)
  const patient = checks.filter(({timed: own, longestWaitMs}) => longestWaitMs !== undefined && !own)
  return {...compression, realTime: new Map([...compression.realTime, ...patient.map(({meta: {id}}) => [id, NO_MOMENTS] as const)])}
}

/** Says whether a check runs in compressed time. */
export function isPaced({meta: {id}, timed}: Check, compression: Compression | undefined): boolean {
  return compression !== undefined && compression.factor > 1 && timed !== undefined && !compression.realTime.has(id)
}

/** Promises of production as they are kept to at a pace. */
export function atThatPace(promises: Promises, pace: number): Promises {
  if (pace === 1) return promises
  const {headerTimeoutMs, stallMs, dnsTtlMs, drainMs} = promises
  return {
    ...promises,
    holdMs: promises.holdMs / pace,
    upgradeIdleMs: promises.upgradeIdleMs / pace,
    ...(headerTimeoutMs === undefined ? {} : {headerTimeoutMs: headerTimeoutMs / pace}),
    ...(stallMs === undefined ? {} : {stallMs: stallMs / pace}),
    ...(dnsTtlMs === undefined ? {} : {dnsTtlMs: dnsTtlMs / pace}),
    ...(drainMs === undefined ? {} : {drainMs: drainMs / pace}),
  }
}
