import type {Notification, ReportingDescriptor, Run} from 'sarif'
import type {Severity} from '../model/catalogue.ts'
import type {Location, Outcome, Report, SubjectReport} from '../model/report.ts'
import {isHalf} from '../model/report.ts'
import type {Canvas} from './canvas.ts'
import type {Pages} from './pages.ts'
import {harmless} from './plain.ts'
import {causeOf, distinct, hunkOf, leftOver, placeOf, resultsOf, ROOT} from './sarif-results.ts'
import type {Judged} from './sarif-results.ts'

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json'
/** For code scanning and editors: OASIS SARIF 2.1.0, one run. Severities are SARIF's words already. */
export function sarif(report: Report, _: Canvas, pages: Pages): string {
  const judged = report.subjects.flatMap(subject => subject.outcomes.map(outcome => ({subject, outcome})))
  const causes = report.subjects.flatMap(subject => subject.causes.map(cause => ({subject, cause})))
  const hunks = report.subjects.flatMap(subject => leftOver(subject).map(hunk => ({subject, hunk})))
  const ids = [
    ...new Set([
      ...judged.map(({outcome}) => outcome.id),
      ...causes.map(({cause}) => cause.id),
      ...hunks.flatMap(({hunk}) => hunk.rules.slice(0, 1)),
    ]),
  ]
  const run: Run = {
    tool: {
      driver: {
        name: report.tool.name,
        version: report.tool.version,
        semanticVersion: report.tool.version,
        rules: ids.map(id => ruleOf(id, [...judged.map(({outcome}) => outcome), ...causes.map(({cause}) => cause)], pages)),
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
    results: distinct([
      ...judged.flatMap(each => resultsOf(each, ids)),
      ...causes.flatMap(({subject, cause}) => causeOf(subject, cause, ids)),
      ...hunks.flatMap(({subject, hunk}) => hunkOf(subject, hunk, ids)),
    ]),
  }
  return `${JSON.stringify({$schema: SCHEMA, version: '2.1.0', runs: [run]}, undefined, 2)}\n`
}

/** What is said of an id without its page: of a check, a rule, or a cause. */
type Known = Pick<Outcome, 'id' | 'title' | 'severity'> & Partial<Pick<Outcome, 'concern'>>

function ruleOf(id: string, known: readonly Known[], pages: Pages): ReportingDescriptor {
  const own = known.find(each => each.id === id)
  const page = pages(id)
  const title = page?.title ?? own?.title ?? id
  const severity: Severity = page?.severity ?? own?.severity ?? 'warning'
  const concern = page?.concern ?? own?.concern
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
