import {select} from '../parameters/select.ts'
import type {Check} from './check.ts'

/**
 * Checks in grid order, narrowed by `--only` and `--skip` (ids or prefixes).
 * @throws UsageError when a selector matches nothing.
 */
export function selectChecks(checks: readonly Check[], how: {only: readonly string[]; skip: readonly string[]}): readonly Check[] {
  return select(checks, how, 'check')
}
