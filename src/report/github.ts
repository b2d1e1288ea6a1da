import {SEVERITIES} from '../model/catalogue.ts'
import type {Severity} from '../model/catalogue.ts'
import type {Finding, Location, Outcome, Report} from '../model/report.ts'
import {harmless} from './plain.ts'
import {plural} from './plural.ts'

/*
 * Workflow commands of GitHub Actions, one a line:
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */

const LEVELS: Readonly<Record<Severity, string>> = {error: 'error', warning: 'warning', note: 'notice'}

/** Annotations beside the lines of a pull request, worst first (GitHub shows ten of a kind and step), and one line for the log. */
export function github({subjects, verdict, command}: Report): string {
  const outcomes = subjects.flatMap(subject => subject.outcomes.map(outcome => ({subject: subject.name, outcome})))
  const errored = outcomes
    .filter(({outcome}) => outcome.status === 'errored')
    .map(({subject, outcome}) => line('error', {title: `${outcome.id}: not judged`}, `${subject}: ${outcome.because ?? ''}`))
  const findings = SEVERITIES.flatMap(severity =>
    outcomes
      .filter(({outcome}) => outcome.status === 'failed' && outcome.severity === severity)
      .flatMap(({subject, outcome}) => outcome.findings.map(finding => annotation(subject, outcome, finding))),
  )
  const sum = `gms-proxy ${command}: ${verdict}, ${plural(findings.length, 'finding')}`
  return `${[...errored, ...findings, sum].join('\n')}\n`
}

function annotation(subject: string, {id, severity, title}: Outcome, {message, expected, actual, remediation, location}: Finding): string {
  const text = [
    ...(location ? [] : [`${subject}: ${title}`]),
    message,
    `Expected: ${expected}`,
    `Actual: ${actual}`,
    `Mend: ${remediation}`,
    `gms-proxy explain ${id}`,
  ].join('\n')
  return line(LEVELS[severity], {...(location ? placeOf(location) : {}), title: id}, text)
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
