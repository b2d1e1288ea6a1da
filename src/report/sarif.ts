import type {
  Location as Place,
  LogicalLocation,
  Notification,
  PhysicalLocation,
  ReportingDescriptor,
  Result,
  Run,
  Suppression as Suppressed,
} from 'sarif'
import type {Severity} from '../model/catalogue.ts'
import type {Finding, Location, Outcome, Report, SubjectReport, Suppression} from '../model/report.ts'
import {isHalf} from '../model/report.ts'
import type {Canvas} from './canvas.ts'
import type {Pages} from './pages.ts'
import {harmless} from './plain.ts'

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json'
/** The name that code scanning knows for the folder of the sources. */
const ROOT = '%SRCROOT%'

/** An outcome with the subject that it is about. */
interface Judged {
  subject: SubjectReport
  outcome: Outcome
}

/** For code scanning and editors: OASIS SARIF 2.1.0, one run. Severities are SARIF's words already. */
export function sarif(report: Report, _: Canvas, pages: Pages): string {
  const judged = report.subjects.flatMap(subject => subject.outcomes.map(outcome => ({subject, outcome})))
  const ids = [...new Set(judged.map(({outcome}) => outcome.id))]
  const run: Run = {
    tool: {
      driver: {
        name: report.tool.name,
        version: report.tool.version,
        semanticVersion: report.tool.version,
        rules: ids.map(id => ruleOf(id, judged, pages)),
      },
    },
    automationDetails: {id: `gms-proxy/${report.command}/`},
    invocations: [
      {
        commandLine: report.reproduce,
        executionSuccessful: report.verdict !== 'errored',
        toolExecutionNotifications: judged.flatMap(each => notificationsOf(each, ids)).concat(report.subjects.flatMap(notesOf)),
      },
    ],
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds: {[ROOT]: {description: {text: 'The folder in which gms-proxy was run.'}}},
    results: judged.flatMap(each => resultsOf(each, ids)),
  }
  return `${JSON.stringify({$schema: SCHEMA, version: '2.1.0', runs: [run]}, undefined, 2)}\n`
}

function ruleOf(id: string, judged: readonly Judged[], pages: Pages): ReportingDescriptor {
  const outcome = judged.find(each => each.outcome.id === id)?.outcome
  const page = pages(id)
  const title = page?.title ?? outcome?.title ?? id
  const severity: Severity = page?.severity ?? outcome?.severity ?? 'warning'
  const concern = page?.concern ?? outcome?.concern
  return {
    id,
    name: id,
    shortDescription: {text: title},
    ...(page
      ? {
          fullDescription: {text: page.requirement},
          help: {text: `${title}\n\n${page.requirement}\n\ngms-proxy explain ${id} says more.`, markdown: withoutComments(page.markdown)},
        }
      : {}),
    defaultConfiguration: {level: severity},
    properties: {tags: [...(concern === undefined ? [] : [concern]), ...(page ? [page.kind] : [])], 'problem.severity': PROBLEMS[severity]},
  }
}

/** What code scanning calls our severities. */
const PROBLEMS: Readonly<Record<Severity, string>> = {error: 'error', warning: 'warning', note: 'recommendation'}

function withoutComments(markdown: string): string {
  return markdown.replace(/<!--[\s\S]*?-->\n?/g, '').trim()
}

function resultsOf({subject, outcome}: Judged, ids: readonly string[]): readonly Result[] {
  const {findings, suppressed = [], status} = outcome
  return [
    ...(status === 'failed' ? findings.map((finding, index) => resultOf(subject, outcome, finding, {ids, index})) : []),
    ...suppressed.map((finding, index) => ({
      ...resultOf(subject, outcome, finding, {ids, index: findings.length + index}),
      suppressions: [suppressionOf(finding.suppression)],
    })),
  ]
}

function resultOf(
  subject: SubjectReport,
  outcome: Outcome,
  finding: Finding,
  {ids, index}: {ids: readonly string[]; index: number},
): Result {
  const {message, expected, actual, remediation, evidence, fingerprint, replacements = []} = finding
  const {id, severity, transport} = outcome
  const files = [...new Set(replacements.map(({file}) => file))].filter(() => subject.source !== 'rendered')
  return {
    ruleId: id,
    ruleIndex: ids.indexOf(id),
    level: severity,
    message: {text: harmless([message, `Expected: ${expected}`, `Actual: ${actual}`, `Mend: ${remediation}`].join('\n'))},
    locations: [placeOf(subject, finding.location, id)],
    partialFingerprints: {
      [fingerprint === undefined ? 'gmsProxyOutcome/v1' : 'gmsProxyLine/v1']: fingerprint ?? `${subject.name}:${id}:${index}`,
    },
    ...(files.length === 0
      ? {}
      : {
          fixes: [
            {
              description: {text: harmless(remediation)},
              artifactChanges: files.map(file => ({
                artifactLocation: artifactOf(file),
                replacements: replacements
                  .filter(replacement => replacement.file === file)
                  .map(({line, column, endLine, endColumn, text}) => ({
                    deletedRegion: {startLine: line, startColumn: column, endLine, endColumn},
                    insertedContent: {text},
                  })),
              })),
            },
          ],
        }),
    properties: {
      subject: subject.name,
      expected,
      actual,
      ...(transport === undefined ? {} : {transport}),
      ...(evidence.client.length + evidence.upstream.length > 0 ? {evidence} : {}),
    },
  }
}

/**
 * A place in a file, as a person, or a scanner, opens it. What failed without one is said of the whole file; behind a URL, and in what was
 * rendered and lies nowhere, there are names only.
 */
function placeOf({name, source, runtime}: SubjectReport, location: Location | undefined, id: string): Place {
  const isFile = source !== 'rendered' && runtime !== 'remote' && name !== '-'
  const logical: LogicalLocation = {
    name: location ? `${location.file}:${location.line}` : id,
    fullyQualifiedName: location ? `${name}/${location.file}:${location.line}:${location.column ?? 1}` : `${name}/${id}`,
    kind: 'module',
  }
  if (!isFile) return {logicalLocations: [logical]}
  return {physicalLocation: physicalOf(name, location), ...(location ? {} : {logicalLocations: [logical]})}
}

function physicalOf(subject: string, location: Location | undefined): PhysicalLocation {
  if (!location) return {artifactLocation: artifactOf(subject)}
  const {file, line, column, endLine, endColumn, text} = location
  return {
    artifactLocation: artifactOf(file),
    region: {
      startLine: line,
      ...(column === undefined ? {} : {startColumn: column}),
      ...(endLine === undefined || endColumn === undefined ? {} : {endLine, endColumn}),
      ...(text === undefined ? {} : {snippet: {text: harmless(text)}}),
    },
  }
}

/** Relative to the folder of the run; absolute paths as `file:` URIs. */
function artifactOf(file: string): {uri: string; uriBaseId?: string} {
  const path = file
    .replaceAll('\\', '/')
    .replace(/^(\.\/)+/, '')
    .replace(/\/+$/, '')
  const uri = path.split('/').map(encodeURIComponent).join('/')
  return path.startsWith('/') ? {uri: `file://${uri}`} : {uri, uriBaseId: ROOT}
}

function suppressionOf({by, reason}: Suppression): Suppressed {
  if (by === 'comment') return {kind: 'inSource', justification: reason ?? ''}
  return {kind: 'external', status: 'accepted', justification: 'it is in the baseline'}
}

/** What was not judged, and why. */
function notificationsOf({subject, outcome}: Judged, ids: readonly string[]): readonly Notification[] {
  const {id, status, because = ''} = outcome
  if (status !== 'errored' && !isHalf(outcome)) return []
  return [
    {
      level: status === 'errored' ? 'error' : 'note',
      message: {text: harmless(`${subject.name}: ${id} ${status}: ${because}`)},
      associatedRule: {id, index: ids.indexOf(id)},
    },
  ]
}

/** What was read without being understood, and comments that say nothing any more. */
function notesOf(subject: SubjectReport): readonly Notification[] {
  const {unknown = [], unusedSuppressions = [], vanished = []} = subject.reading ?? {}
  const note = (text: string, location?: Location): Notification => ({
    level: 'note',
    message: {text: harmless(text)},
    ...(location ? {locations: [placeOf(subject, location, '')]} : {}),
  })
  return [
    ...unknown.map(({location, because}) => note(`not understood: ${because}`, location)),
    ...unusedSuppressions.map(({location, ids}) => note(`gms-proxy-ignore ${ids.join(', ')} suppresses nothing`, location)),
    ...vanished.map(({file, rule, text}) => note(`${file}: ${rule} is in the baseline and gone: ${text}`)),
  ]
}
