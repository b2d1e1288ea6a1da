import type {Draft} from '../import-draft.ts'
import type {Source} from './import-source.ts'

export function importLeftovers(source: Source, draft: Draft): void {
  void source
  void draft
}
