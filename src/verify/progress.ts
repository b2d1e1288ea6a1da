import type {Outcome, SubjectReport} from '../model/report.ts'
import type {Runtime} from '../runtime/runtime.ts'

/** What happens while it runs, for whoever shows progress. `longestWaitMs` is known when a check starts. */
export type Progress =
  | {event: 'subject-started'; subject: string; checks: readonly string[]; runtime?: Runtime}
  | {event: 'check-started'; subject: string; id: string; longestWaitMs: number}
  | {event: 'check-finished'; subject: string; outcome: Outcome}
  | {event: 'subject-finished'; subject: string; report: SubjectReport}
