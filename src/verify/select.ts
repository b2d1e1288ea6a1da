import {UsageError} from '../errors.ts'
import {CONCERNS} from '../model/catalogue.ts'
import {didYouMean} from '../parameters/suggest.ts'
import type {Check} from './check.ts'

/**
 * Checks in grid order, narrowed by `--only` and `--skip` (ids or prefixes).
 * @throws UsageError when a selector matches nothing.
 */
export function selectChecks(checks: readonly Check[], {only, skip}: {only: readonly string[]; skip: readonly string[]}): readonly Check[] {
  const matches = (selector: string) => (check: Check) => check.meta.id === selector || check.meta.id.startsWith(`${selector}-`)
  for (const [flag, selectors] of [
    ['--only', only],
    ['--skip', skip],
  ] as const)
    for (const selector of selectors)
      if (!checks.some(matches(selector)))
        throw new UsageError(
          `${flag} ${selector} matches no check${didYouMean(selector, [...CONCERNS, ...checks.map(({meta}) => meta.id)])}`,
          {
            suggestions: ['gms-proxy explain lists every check', 'a prefix such as upgrade or affinity selects a whole concern'],
          },
        )
  const chosen = checks.filter(
    check => (only.length === 0 || only.some(selector => matches(selector)(check))) && !skip.some(selector => matches(selector)(check)),
  )
  if (chosen.length === 0) throw new UsageError('--only and --skip together leave no check to run', {suggestions: ['drop one of them']})
  return [...chosen].sort((a, b) => CONCERNS.indexOf(a.meta.concern) - CONCERNS.indexOf(b.meta.concern))
}
