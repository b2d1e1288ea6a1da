import type {Report} from '../model/report.ts'

/** The report itself (CLI contract, section 5). JSON escapes control characters on its own. */
export function json(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`
}
