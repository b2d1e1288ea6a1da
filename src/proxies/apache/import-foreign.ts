import type {Draft} from '../import-draft.ts'
import type {ParsedConfig} from '../syntax.ts'
import type {Line} from './site-lines.ts'
export function importForeign(config: ParsedConfig, version: string, lines: readonly Line[], draft: Draft): void {
  void [config, version, lines, draft]
}
