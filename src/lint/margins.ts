import type {Promises} from '../model/report.ts'
import {MARGIN_MS} from '../proxies/margins.ts'

/** A tunnel that is cut after so much silence, or less, does not live until the next heartbeat; a shorter promise is all that is kept. ms. */
export function heartbeat({holdMs, upgradeIdleMs}: Promises): number {
  return Math.min(holdMs + MARGIN_MS, upgradeIdleMs)
}
