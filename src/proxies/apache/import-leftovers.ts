import type {Draft} from '../import-draft.ts'
import type {Rendered} from './import-rendered.ts'
export function importLeftovers(rendered: Rendered, draft: Draft): void {
  void [rendered, draft]
}
