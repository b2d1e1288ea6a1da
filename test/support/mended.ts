import {Mending} from '../../src/diagnose/mending.ts'
import type {Rule} from '../../src/lint/rule.ts'
import type {ConfigBundle} from '../../src/model/bundle.ts'
import type {Promises} from '../../src/model/report.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {MEASURED} from './rule-files.ts'

/** A configuration after all edits that one rule offers for it; the same when it offers none. */
export function mendedBy(bundle: ConfigBundle, rule: Rule, promises: Promises): ConfigBundle {
  const mending = new Mending(bundle)
  mending.mendWith([rule], {proxy: PROXIES[bundle.proxy], version: MEASURED[bundle.proxy], promises})
  return mending.bundle
}
