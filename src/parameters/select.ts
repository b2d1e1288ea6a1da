import {UsageError} from '../errors.ts'
import {CONCERNS} from '../model/catalogue.ts'
import type {Concern} from '../model/catalogue.ts'
import {didYouMean} from './suggest.ts'

interface Selectable {
  meta: {id: string; concern: Concern}
}

/**
 * Checks or rules (`noun`) in grid order, narrowed by `--only` and `--skip` (ids or prefixes).
 * @throws UsageError when a selector matches nothing.
 */
export function select<T extends Selectable>(
  all: readonly T[],
  {only, skip}: {only: readonly string[]; skip: readonly string[]},
  noun: string,
): readonly T[] {
  const matches =
    (selector: string) =>
    ({meta}: T) =>
      meta.id === selector || meta.id.startsWith(`${selector}-`)
  for (const [flag, selectors] of [
    ['--only', only],
    ['--skip', skip],
  ] as const)
    for (const selector of selectors)
      if (!all.some(matches(selector)))
        throw new UsageError(
          `${flag} ${selector} matches no ${noun}${didYouMean(selector, [...CONCERNS, ...all.map(({meta}) => meta.id)])}`,
          {
            suggestions: [`gms-proxy explain lists every ${noun}`, 'a prefix such as upgrade or affinity selects a whole concern'],
          },
        )
  const chosen = all.filter(
    each => (only.length === 0 || only.some(selector => matches(selector)(each))) && !skip.some(selector => matches(selector)(each)),
  )
  if (chosen.length === 0) throw new UsageError(`--only and --skip together leave no ${noun} to run`, {suggestions: ['drop one of them']})
  return [...chosen].sort((a, b) => CONCERNS.indexOf(a.meta.concern) - CONCERNS.indexOf(b.meta.concern))
}
