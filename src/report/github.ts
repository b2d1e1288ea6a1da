import {SEVERITIES} from '../model/catalogue.ts'
import type {Severity} from '../model/catalogue.ts'
import type {Cause, Finding, Location, Outcome, Report, SubjectReport} from '../model/report.ts'
import {causesOf, explaining, isExplained, isMended} from './joined.ts'
import {harmless} from './plain.ts'
import {plural} from './plural.ts'

/*
 * Workflow commands of GitHub Actions, one a line:
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */

const LEVELS: Readonly<Record<Severity, string>> = {error: 'error', warning: 'warning', note: 'notice'}

/** One annotation, and how bad it is. */
interface Told {
  severity: Severity
  line: string
}

/**
 * Annotations beside the lines of a pull request, worst first (GitHub shows ten of a kind and step), and one line for the log. A cause stands
 * for the failures that it explains: what has one reason is annotated once.
 */
export function github({subjects, verdict, command}: Report): string {
  const errored = subjects.flatMap(({name, outcomes}) =>
    outcomes
      .filter(({status}) => status === 'errored')
      .map(({id, because = ''}) => line('error', {title: `${id}: not judged`}, `${name}: ${because}`)),
  )
  const causes = subjects.flatMap(subject =>
    explaining(subject)
      .filter(cause => cause.confidence !== 'possible' && !(subject.fix?.written && isMended(subject, cause)))
      .map(cause => causeOf(subject, cause)),
  )
  const findings = subjects.flatMap(subject =>
    subject.outcomes
      .filter(outcome => outcome.status === 'failed' && !isExplained(subject, outcome))
      .flatMap(outcome => outcome.findings.map(finding => annotation(subject, outcome, finding))),
  )
  const told = SEVERITIES.flatMap(severity => [...causes, ...findings].filter(each => each.severity === severity))
  const counts = [...(causes.length > 0 ? [plural(causes.length, 'cause')] : []), plural(findings.length, 'finding')]
  const sum = harmless(`gms-proxy ${command}: ${verdict}, ${counts.join(', ')}`)
  return `${[...errored, ...told.map(each => each.line), sum].join('\n')}\n`
}

function causeOf(
  subject: SubjectReport,
  {id, confidence, severity, title, because, location, also = [], explains, remediation}: Cause,
): Told {
  const hunks = (subject.fix?.hunks ?? []).filter(({rules}) => rules.includes(id))
  const text = [
    ...(location ? [] : [subject.name]),
    `${title} (${confidence})`,
    ...because,
    `Explains: ${explains.join(', ')}`,
    ...(also.length > 0 ? [`Also: ${also.map(place => `${place.file}:${place.line}`).join(', ')}`] : []),
    `Mend: ${remediation}`,
    ...(hunks.length > 0 ? [`Proven by gms-proxy fix: ${hunks.map(hunk => `${hunk.file}:${hunk.line}`).join(', ')}`] : []),
    `gms-proxy explain ${id}`,
  ].join('\n')
  return {severity, line: line(LEVELS[severity], {...(location ? placeOf(location) : {}), title: id}, text)}
}

function annotation(subject: SubjectReport, outcome: Outcome, {message, expected, actual, remediation, location}: Finding): Told {
  const {id, severity, title} = outcome
  const text = [
    ...(location ? [] : [`${subject.name}: ${title}`]),
    message,
    `Expected: ${expected}`,
    `Actual: ${actual}`,
    ...causesOf(subject, outcome).map(cause => `Perhaps: ${cause.id}, ${cause.title}`),
    `Mend: ${remediation}`,
    `gms-proxy explain ${id}`,
  ].join('\n')
  return {severity, line: line(LEVELS[severity], {...(location ? placeOf(location) : {}), title: id}, text)}
}

function placeOf({file, line: number, column, endLine, endColumn}: Location): Readonly<Record<string, string | number>> {
  return {
    file: file.replace(/^(\.\/)+/, ''),
    line: number,
    ...(endLine === undefined ? {} : {endLine}),
    ...(column === undefined ? {} : {col: column}),
    // Exact columns are for one line only. The last one belongs to it: theirs are closed ranges.
    ...(endColumn === undefined || (endLine !== undefined && endLine !== number) ? {} : {endColumn: Math.max(column ?? 1, endColumn - 1)}),
  }
}

function line(level: string, properties: Readonly<Record<string, string | number>>, message: string): string {
  const written = Object.entries(properties).map(([name, value]) => `${name}=${property(String(value))}`)
  return `::${level} ${written.join(',')}::${data(message)}`
}

/** `%` first: it begins the other escapes. */
function data(text: string): string {
  return harmless(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
