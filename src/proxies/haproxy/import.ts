import type {Imported} from '../proxy.ts'
import {Draft} from '../import-draft.ts'
import type {ParsedConfig} from '../syntax.ts'
import {firstSpan} from './addresses.ts'
import {importForeign} from './import-foreign.ts'
import {importOwn} from './import-own.ts'
import {ownText} from './import-text.ts'

/** The parameters that a configuration of HAProxy was, or could have been, rendered from. Never throws for bad text. */
export function importFrom(config: ParsedConfig, version: string): Imported {
  const draft = new Draft()
  const own = ownText(config)
  if (own) importOwn(own, version, draft)
  else importForeign(config, version, draft)
  return draft.finish(firstSpan(config))
}
