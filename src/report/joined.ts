import type {Cause, Outcome, Report, SubjectReport} from '../model/report.ts'

/** Causes that explain a failure, the best first. What was only read, and felt by no check, is not among them. */
export function explaining({causes}: SubjectReport): readonly Cause[] {
  return causes.filter(({explains}) => explains.length > 0)
}

/** Causes of one failure, the best first. */
export function causesOf({causes}: SubjectReport, {id}: Outcome): readonly Cause[] {
  return causes.filter(({explains}) => explains.includes(id))
}

/** True when a cause is told that explains this failure for sure or likely: the failure need not be told again by itself. */
export function isExplained(subject: SubjectReport, outcome: Outcome): boolean {
  return outcome.status === 'failed' && causesOf(subject, outcome).some(({confidence}) => confidence !== 'possible')
}

/** True when the patch of `fix` took it away: `mended` has all that it explains. */
export function isMended({fix}: SubjectReport, {explains}: Cause): boolean {
  return fix !== undefined && explains.length > 0 && explains.every(id => fix.mended.includes(id))
}

/** A cause with the subject that fails for it. */
export interface Told {
  subject: SubjectReport
  cause: Cause
  /** Id of its place on the page. */
  anchor: string
}

/** Causes that explain a failure, each with its place on the page. */
export function toldOf({subjects}: Report): readonly Told[] {
  return subjects
    .flatMap(subject => subject.causes.filter(({explains}) => explains.length > 0).map(cause => ({subject, cause})))
    .map((told, index) => ({...told, anchor: `cause-${index + 1}`}))
}
