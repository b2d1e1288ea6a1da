import type {Cause, Finding, Outcome, Report, Status, SubjectReport} from '../model/report.ts'
import {causesOf} from './joined.ts'
import {fixLines} from './fix-lines.ts'
import {liveLines} from './live-lines.ts'
import {xml} from './xml.ts'
import type {Element} from './xml.ts'

/*
 * Written by hand, not with a JUnit library: the common one cannot say why a test was skipped, and the reason is half of what a
 * skip is worth.
 */

/** For a CI server: one test suite for each subject, one test case for each check or rule. */
export function junit({subjects, durationMs, command}: Report): string {
  const outcomes = subjects.flatMap(subject => subject.outcomes)
  return xml({
    name: 'testsuites',
    attributes: {name: `gms-proxy ${command}`, ...totals(outcomes), time: seconds(durationMs)},
    children: subjects.map(subject => suiteOf(subject)),
  })
}

function suiteOf(subject: SubjectReport): Element {
  const facts = {
    verdict: subject.verdict,
    proxy: subject.proxy ?? '',
    version: subject.proxyVersion ?? '',
    runtime: subject.runtime,
    source: subject.source,
  }
  const properties = Object.entries(facts).map(([name, value]) => ({name: 'property', attributes: {name, value}}))
  const lines = [...liveLines(subject), ...fixLines(subject)]
  const longest = Math.max(0, ...subject.outcomes.map(outcome => outcome.durationMs))
  return {
    name: 'testsuite',
    attributes: {name: subject.name, ...totals(subject.outcomes), time: seconds(longest)},
    children: [
      {name: 'properties', attributes: {}, children: properties},
      ...subject.outcomes.map(outcome => caseOf(subject, outcome)),
      ...(lines.length > 0 ? [{name: 'system-out', attributes: {}, text: lines.join('\n')}] : []),
    ],
  }
}

function totals(outcomes: readonly Outcome[]) {
  const count = (status: Status) => outcomes.filter(outcome => outcome.status === status).length
  return {tests: outcomes.length, failures: count('failed'), errors: count('errored'), skipped: count('skipped')}
}

function caseOf(subject: SubjectReport, outcome: Outcome): Element {
  return {
    name: 'testcase',
    attributes: {
      classname: `${subject.name}.${outcome.concern}`,
      name: `${outcome.id}: ${outcome.title}`,
      time: seconds(outcome.durationMs),
    },
    children: verdictOf(subject, outcome),
  }
}

function verdictOf(subject: SubjectReport, outcome: Outcome): readonly Element[] {
  const {status, because = '', findings, severity, id} = outcome
  if (status === 'skipped') return [{name: 'skipped', attributes: {message: because}}]
  if (status === 'errored') return [{name: 'error', attributes: {message: because, type: 'errored'}}]
  if (status === 'passed') return []
  const message = findings.map(finding => finding.message).join('; ')
  return [
    {
      name: 'failure',
      attributes: {message, type: severity},
      text: [...findings.map(detail), ...causesOf(subject, outcome).map(reason), `gms-proxy explain ${id}`].join('\n\n'),
    },
  ]
}

function detail({message, expected, actual, evidence, location, excerpt, remediation, patch}: Finding): string {
  return [
    message,
    `Expected: ${expected}`,
    `Actual: ${actual}`,
    ...evidence.client.map(line => `Client: ${line}`),
    ...evidence.upstream.map(line => `GMS: ${line}`),
    ...(evidence.proxyLog ?? []).map(line => `Proxy log: ${line}`),
    ...(location ? [`Where: ${location.file}:${location.line}${location.column === undefined ? '' : `:${location.column}`}`] : []),
    ...(excerpt?.lines ?? []).map((line, index) => `${String((excerpt?.line ?? 0) + index).padStart(6)} | ${line}`),
    `Mend: ${remediation}`,
    ...(patch === undefined ? [] : [patch]),
  ].join('\n')
}

function reason({id, confidence, title, because, location, also = [], remediation, patch}: Cause): string {
  return [
    `Cause (${confidence}): ${id}: ${title}`,
    ...[...(location ? [location] : []), ...also].map(
      place => `Where: ${place.file}:${place.line}${place.column === undefined ? '' : `:${place.column}`}`,
    ),
    ...because.map(line => `Because: ${line}`),
    `Mend: ${remediation}`,
    ...(patch === undefined ? [] : [patch]),
  ].join('\n')
}

const seconds = (ms: number) => (ms / 1000).toFixed(3)
