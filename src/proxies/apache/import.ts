import type {Span} from '../../model/bundle.ts'
import {Draft} from '../import-draft.ts'
import type {Imported} from '../proxy.ts'
import type {ParsedConfig} from '../syntax.ts'
import {importForeign} from './import-foreign.ts'
import {importLeftovers} from './import-leftovers.ts'
import {importRendered} from './import-rendered.ts'
import {renderedFrom} from './import-text.ts'
import {effective} from './site-lines.ts'

/** The parameters that a configuration of httpd was, or could have been, rendered from. Never throws for bad text. */
export function importFrom(config: ParsedConfig, version: string): Imported {
  const draft = new Draft()
  const {lines} = effective(config, version)
  const rendered = renderedFrom(config, lines)
  if (rendered) {
    importRendered(rendered, draft)
    importLeftovers(rendered, draft)
  } else importForeign(config, version, lines, draft)
  return draft.finish(startOf(config))
}

function startOf({files, bundle}: ParsedConfig): Span {
  return {file: files[0]?.path ?? bundle.entry, start: 0, end: 0, line: 1, column: 1}
}
