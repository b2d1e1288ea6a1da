import {Draft} from '../import-draft.ts'
import type {Imported} from '../proxy.ts'
import type {ParsedConfig} from '../syntax.ts'
import {importLeftovers} from './import-leftovers.ts'
import {importListeners} from './import-listeners.ts'
import {sourceOf} from './import-source.ts'
import {importAccess, importTraffic} from './import-traffic.ts'
import {importUpstream} from './import-upstream.ts'
import {startOf} from './tree.ts'

/** The parameters that a configuration of nginx was, or could have been, rendered from. Never throws for bad text. */
export function importFrom(config: ParsedConfig, version: string): Imported {
  const draft = new Draft()
  const source = sourceOf(config, version)
  if (source) {
    importListeners(source, draft)
    importUpstream(source, draft)
    importTraffic(source, draft)
    importAccess(source, draft)
    importLeftovers(source, draft)
  }
  return draft.finish(startOf(config))
}
