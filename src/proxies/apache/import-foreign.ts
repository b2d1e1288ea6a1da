import type {Draft} from '../import-draft.ts'
import type {ParsedConfig} from '../syntax.ts'
import {foreignAccess} from './import-foreign-access.ts'
import {foreignListeners} from './import-foreign-listeners.ts'
import {foreignTimes} from './import-foreign-times.ts'
import {foreignUpstream} from './import-foreign-upstream.ts'
import {foreignLeftovers} from './import-leftovers.ts'
import {sourceOf} from './import-source.ts'
import type {Line} from './site-lines.ts'

/** What a configuration that others wrote says in the words of the parameters. */
export function importForeign(config: ParsedConfig, version: string, lines: readonly Line[], draft: Draft): void {
  const source = sourceOf(config, version, lines)
  if (!source) return
  const redirectors = foreignListeners(source, draft)
  foreignUpstream(source, draft)
  foreignTimes(source, draft)
  foreignAccess(source, draft)
  foreignLeftovers({...source, others: source.others.filter(listener => !redirectors.includes(listener))}, draft)
}
