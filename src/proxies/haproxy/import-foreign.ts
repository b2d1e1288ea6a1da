import type {Draft} from '../import-draft.ts'
import type {ParsedConfig} from '../syntax.ts'

export function importForeign(config: ParsedConfig, version: string, draft: Draft): void {
  void [config, version, draft]
}
