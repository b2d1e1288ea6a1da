import {readFileSync} from 'node:fs'
import {performance} from 'node:perf_hooks'

/** Beyond this share of its time this process has no time left for what clients and simulated GMS have to do next. */
const WORKING = 0.75
/** Beyond this share of its time this process waits for a core: so do the proxies. */
const WAITING = 0.3

/**
 * From now until it is asked: was this machine too busy for an answer that came late to mean anything? Clients and simulated GMS share this
 * process. Time waited for a core is told by Linux alone (`/proc/self/schedstat`, ns); elsewhere the work of this process decides.
 */
export function watchBusyness(): () => boolean {
  const began = performance.now()
  const loop = performance.eventLoopUtilization()
  const waited = waitedMs()
  return () => {
    const tookMs = Math.max(1, performance.now() - began)
    const {utilization} = performance.eventLoopUtilization(loop)
    return utilization > WORKING || (waitedMs() - waited) / tookMs > WAITING
  }
}

function waitedMs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1] ?? 0) / 1e6
  } catch {
    return 0
  }
}
