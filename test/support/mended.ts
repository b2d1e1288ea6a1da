import {Mending} from '../../src/diagnose/mending.ts'
import {RULES} from '../../src/lint/rules/index.ts'
import type {Rule} from '../../src/lint/rule.ts'
import type {ConfigBundle} from '../../src/model/bundle.ts'
import type {Promises} from '../../src/model/report.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {findingsIn, MEASURED} from './rule-files.ts'

/** More rounds than rules that one mend calls. */
const ROUNDS = 6

/** A configuration after all edits that one rule offers for it; the same when it offers none. */
export function mendedBy(bundle: ConfigBundle, rule: Rule, promises: Promises): ConfigBundle {
  const mending = new Mending(bundle)
  mending.mendWith([rule], judgedOf(bundle, promises))
  return mending.bundle
}

/** The same, and whatever else rules find in it mended too, until nothing changes. */
export function mendedByAll(bundle: ConfigBundle, rule: Rule, promises: Promises): ConfigBundle {
  const mending = new Mending(mendedBy(bundle, rule, promises))
  for (let round = 0; round < ROUNDS; round += 1) {
    const firing = new Set(findingsIn(mending.bundle, RULES, {promises}).map(found => found.rule))
    if (
      !mending.mendWith(
        RULES.filter(({meta}) => firing.has(meta.id)),
        judgedOf(bundle, promises),
      )
    )
      break
  }
  return mending.bundle
}

function judgedOf({proxy}: ConfigBundle, promises: Promises) {
  return {proxy: PROXIES[proxy], version: MEASURED[proxy], promises}
}
