import {CONCERNS, SEVERITIES} from '../model/catalogue.ts'
import type {Finding, Outcome, Report, SubjectReport, Verdict} from '../model/report.ts'
import {isHalf} from '../model/report.ts'
import {explaining, isExplained} from './joined.ts'
import {causeBlock, excerptLines, fixBlocks, liveBlock, placeOf} from './markdown-causes.ts'
import {SEVERITY_MARKS} from './markdown-causes.ts'
import {code, fenced, folded, plain} from './markdown-text.ts'
import {duration, withoutCommands} from './plain.ts'
import {plural} from './plural.ts'

const MARKS: Readonly<Record<Verdict, string>> = {passed: '✅', partial: '⚪', failed: '❌', errored: '⚠️'}
/** A step summary of GitHub takes 1 MiB; what is beyond stands in the other formats. */
const MOST_FINDINGS = 100

/** A finding with its outcome. */
interface Said {
  outcome: Outcome
  finding: Finding
}

/** For a pull request or the summary of a step: verdict, what failed and why, the mends, and everything else folded. */
export function markdown(report: Report): string {
  const {subjects, command, verdict, durationMs, reproduce} = report
  const outcomes = subjects.flatMap(subject => subject.outcomes)
  const blocks = [
    // What only warns is no failure of a file that was read: it is the findings that are told.
    command === 'lint'
      ? `## ${MARKS[lintVerdict(outcomes)]} gms-proxy lint: ${found(outcomes).join(', ') || 'nothing found'}`
      : `## ${MARKS[verdict]} gms-proxy ${command}: ${verdict}`,
    ...subjects.flatMap(subject => subjectBlocks(subject, report)),
    `<sub>${code(reproduce)} · ${plain(duration(durationMs))}</sub>`,
  ]
  return withoutCommands(`${blocks.filter(block => block !== '').join('\n\n')}\n`)
}

function lintVerdict(outcomes: readonly Outcome[]): Verdict {
  if (outcomes.some(({status}) => status === 'errored')) return 'errored'
  return outcomes.some(({status, severity}) => status === 'failed' && severity === 'error') ? 'failed' : 'passed'
}

/** "2 errors", "1 note". */
function found(outcomes: readonly Outcome[]): readonly string[] {
  return SEVERITIES.flatMap(severity => {
    const count = outcomes.filter(outcome => outcome.severity === severity).reduce((total, {findings}) => total + findings.length, 0)
    return count === 0 ? [] : [plural(count, severity)]
  })
}

function subjectBlocks(subject: SubjectReport, {command}: Report): readonly string[] {
  const {name, outcomes, runtime, proxy, proxyVersion} = subject
  const verdict = command === 'lint' ? lintVerdict(outcomes) : subject.verdict
  const said = SEVERITIES.flatMap(severity =>
    outcomes
      .filter(outcome => outcome.severity === severity && outcome.status === 'failed')
      .flatMap(outcome => outcome.findings.map(finding => ({outcome, finding}))),
  )
  const causes = explaining(subject)
  const [told, open] = [true, false].map(explained => said.filter(({outcome}) => isExplained(subject, outcome) === explained)) as [
    Said[],
    Said[],
  ]
  const facts = [...(proxy === undefined ? [] : [`${proxy} ${proxyVersion ?? ''}`.trim()]), ...(runtime === 'none' ? [] : [runtime])]
  return [
    `### ${MARKS[verdict]} ${code(name)}${facts.length === 0 ? '' : ` <sub>${plain(facts.join(' · '))}</sub>`}`,
    counts(outcomes),
    command === 'lint' ? '' : grid(outcomes),
    liveBlock(subject),
    ...(causes.length > 0
      ? ['#### Causes', ...causes.map((cause, index) => causeBlock(cause, {number: index + 1, diff: !subject.fix}))]
      : []),
    unexplained(subject),
    ...fixBlocks(subject),
    ...findingBlocks(open),
    told.length === 0
      ? ''
      : folded(
          `${plural(new Set(told.map(({outcome}) => outcome.id)).size, 'failed check')} explained by the causes above`,
          findingBlocks(told).join('\n\n'),
        ),
    notJudged(outcomes),
  ]
}

function unexplained({unexplained: ids = []}: SubjectReport): string {
  return ids.length === 0 ? '' : `**No cause is known for** ${ids.map(code).join(', ')}`
}

function findingBlocks(said: readonly Said[]): readonly string[] {
  return [
    ...said.slice(0, MOST_FINDINGS).map(findingBlock),
    ...(said.length > MOST_FINDINGS ? [`… and ${plural(said.length - MOST_FINDINGS, 'finding')} more`] : []),
  ]
}

function counts(outcomes: readonly Outcome[]): string {
  const of = (word: string, count: number) => (count === 0 ? [] : [`${count} ${word}`])
  return [
    ...found(outcomes).map(words => `**${words}**`),
    ...of('passed', outcomes.filter(({status}) => status === 'passed').length),
    ...of('errored', outcomes.filter(({status}) => status === 'errored').length),
    ...of('skipped', outcomes.filter(isHalf).length),
    ...of(
      'suppressed',
      outcomes.reduce((total, {suppressed = []}) => total + suppressed.length, 0),
    ),
  ].join(' · ')
}

/** How each concern fared, on one line. */
function grid(outcomes: readonly Outcome[]): string {
  const cells = CONCERNS.flatMap(concern => {
    const own = outcomes.filter(outcome => outcome.concern === concern && (outcome.status !== 'skipped' || isHalf(outcome)))
    const passed = own.filter(({status}) => status === 'passed').length
    const worst = own.some(({status}) => status === 'errored')
      ? 'errored'
      : own.some(({status}) => status === 'failed')
        ? 'failed'
        : undefined
    return own.length === 0
      ? []
      : [{concern, mark: MARKS[worst ?? (passed < own.length ? 'partial' : 'passed')], share: `${passed}/${own.length}`}]
  })
  if (cells.length === 0) return ''
  const line = (values: readonly string[]) => `| ${values.join(' | ')} |`
  return [
    line(cells.map(({concern}) => concern)),
    line(cells.map(() => ':-:')),
    line(cells.map(({mark, share}) => `${mark} ${share}`)),
  ].join('\n')
}

function findingBlock({outcome: {id, severity, title}, finding}: Said): string {
  const {message, expected, actual, remediation, location, excerpt, patch, evidence} = finding
  const place = location ? ` ${code(placeOf(location))}` : ''
  const seen = [
    ...evidence.client.map(line => `client     ${line}`),
    ...evidence.upstream.map(line => `GMS        ${line}`),
    ...(evidence.proxyLog ?? []).map(line => `proxy log  ${line}`),
  ]
  const lines = excerptLines(excerpt)
  return [
    `#### ${SEVERITY_MARKS[severity]} ${code(id)}${place}`,
    `${plain(title)}. ${plain(message)}`,
    ...(lines.length > 0 ? [fenced(lines.join('\n'))] : location?.text === undefined ? [] : [fenced(location.text)]),
    `| expected | actual |\n| --- | --- |\n| ${code(expected)} | ${code(actual)} |`,
    patch === undefined ? `**Mend:** ${plain(remediation)}` : `**Mend:** ${plain(remediation)}\n\n${fenced(patch, 'diff')}`,
    ...(seen.length === 0 ? [] : [folded('What each end of the proxy saw', fenced(seen.join('\n')))]),
  ].join('\n\n')
}

function notJudged(outcomes: readonly Outcome[]): string {
  const rows = outcomes.filter(outcome => outcome.status === 'errored' || isHalf(outcome))
  if (rows.length === 0) return ''
  const lines = rows.map(({id, status, because = ''}) => `- ${code(id)} ${status}: ${plain(because)}`)
  return folded(`${plural(rows.length, 'check')} not judged`, lines.join('\n'))
}
