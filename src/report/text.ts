import {CONCERNS, PROXY_NAMES} from '../model/catalogue.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {Outcome, Report, Status, SubjectReport, Verdict} from '../model/report.ts'
import type {Canvas} from './canvas.ts'
import {columns, duration, fit, harmless, oneLine, withoutCommands, wrap} from './plain.ts'
import {causeBlocks, causeSummary, withoutExplained} from './text-causes.ts'
import {findingLines, reasonLines} from './text-finding.ts'
import {fixBlocks, fixNext, sameWith} from './text-fix.ts'
import {lintText} from './text-lint.ts'
import {promiseLines} from './text-promises.ts'
import {styles} from './text-styles.ts'
import type {Styles} from './text-styles.ts'

export const TITLES: Readonly<Record<ProxyName, string>> = {nginx: 'nginx', apache: 'Apache httpd', haproxy: 'HAProxy'}
const CONCERN_WIDTH = Math.max(...CONCERNS.map(concern => concern.length)) + 2
/** More columns than this do not fit beside a title. */
const WIDEST_GRID = 4

/** For a person: does chat work, and if not, what has to change. */
export function text(report: Report, canvas: Canvas): string {
  const style = styles(canvas.colour)
  if (report.command === 'lint') return lintText(report, canvas, style)
  const several = report.subjects.length > 1
  const shared = several && new Set(report.subjects.map(({promises}) => JSON.stringify(promises))).size === 1
  const blocks = report.subjects.flatMap(subject => [
    heading(subject, {canvas, style, promises: !shared}),
    ...(several ? [] : [checkLines(subject, canvas, style)]),
    ...(report.command === 'diagnose' ? causeBlocks(subject, canvas, style) : []),
    troubles(report.command === 'diagnose' ? withoutExplained(subject) : subject, canvas, style),
    ...(report.command === 'verify' ? [causeSummary(subject, canvas, style)] : []),
    ...(report.command === 'fix' ? fixBlocks(subject, canvas, style) : []),
  ])
  const [first] = report.subjects
  if (shared && first) blocks.push(promiseLines(first.promises, canvas, style))
  if (several) blocks.push(report.subjects.length <= WIDEST_GRID ? grid(report, canvas, style) : table(report, style))
  blocks.push(summary(report, canvas, style))
  const shown = blocks.filter(lines => lines.length > 0).map(lines => lines.join('\n'))
  return withoutCommands(`${shown.join('\n\n')}\n`)
}

/** What was run, how, and (unless every subject shares them) what it is held to. */
function heading(subject: SubjectReport, {canvas, style, promises}: {canvas: Canvas; style: Styles; promises: boolean}): readonly string[] {
  const {width} = canvas
  const proxy = subject.proxy === undefined ? undefined : oneLine(`${TITLES[subject.proxy]} ${subject.proxyVersion ?? ''}`.trim())
  const nodes = `${subject.promises.nodes} ${subject.upstream === 'simulator' ? 'simulated ' : ''}GMS ${subject.promises.nodes === 1 ? 'node' : 'nodes'}${subject.upstream === 'simulator' || subject.upstream === 'remote' ? '' : `: ${harmless(subject.upstream)}`}`
  const name = oneLine(subject.name)
  const facts = [
    ...(proxy === undefined ? [] : [`${proxy} (${subject.runtime})`]),
    ...(subject.source === 'rendered'
      ? ['configuration rendered']
      : subject.source === subject.name || subject.runtime === 'remote'
        ? []
        : [harmless(subject.source)]),
    ...(subject.runtime === 'remote' ? ['running already'] : [nodes]),
  ].join(' · ')
  const fits = columns(name) + columns(facts) + 4 <= width
  const indented = (text: string) => wrap(text, width - 2).map(line => style.dim(`  ${line}`))
  const lines = [
    `${style.mark(subject.verdict)} ${style.bold(name)}${fits ? `  ${style.dim(facts)}` : ''}`,
    ...(fits ? [] : indented(facts)),
    ...(subject.runtimeReason === undefined ? [] : indented(harmless(subject.runtimeReason))),
    ...timingLines(subject, canvas, style),
    ...(promises ? promiseLines(subject.promises, canvas, style) : []),
  ]
  const diff = subject.sandboxDiff.trimEnd()
  if (diff !== '' && canvas.verbose)
    lines.push(
      '',
      ...harmless(diff)
        .split('\n')
        .map(line => `  ${diffLine(line, style)}`),
    )
  else if (diff !== '') lines.push(style.dim(`  ${changedLines(diff)} changed to run it here (--verbose shows the diff)`))
  if (subject.sandboxFolder !== undefined) lines.push(`  kept: ${harmless(subject.sandboxFolder)}`)
  return lines
}

/** What was compressed, and which checks were not, a line for each reason. */
function timingLines({timing, timingFactor = 1, outcomes}: SubjectReport, {width}: Canvas, style: Styles): readonly string[] {
  if (timing !== 'compressed') return []
  const reasons = [...new Set(outcomes.flatMap(({realTime}) => realTime ?? []))]
  const idsOf = (reason: string) => outcomes.flatMap(({id, realTime}) => (realTime === reason ? [id] : [])).join(', ')
  return [
    timingFactor > 1
      ? `long waits in compressed time, ${timingFactor} times as fast; times below are those of production`
      : 'nothing could be compressed',
    ...reasons.map(reason => `in real time: ${idsOf(reason)} (${harmless(reason)})`),
  ].flatMap(text => wrap(text, width - 2).map(line => style.dim(`  ${line}`)))
}

function diffLine(line: string, style: Styles): string {
  if (/^(---|\+\+\+|@@)/.test(line)) return style.dim(line)
  if (line.startsWith('+')) return style.green(line)
  return line.startsWith('-') ? style.red(line) : line
}

export function changedLines(diff: string): string {
  const count = diff.split('\n').filter(line => /^\+(?!\+\+ )/.test(line)).length
  return count === 1 ? '1 line' : `${count} lines`
}

/** Grouped by concern, one line for each check. */
function checkLines({outcomes}: SubjectReport, {width}: Canvas, style: Styles): readonly string[] {
  const TIME = 9
  return CONCERNS.flatMap(concern =>
    outcomes
      .filter(outcome => outcome.concern === concern)
      .map((outcome, index) => {
        const title = harmless(outcome.title)
        const room = width - 2 - CONCERN_WIDTH - 2 - TIME
        const detail = harmless(detailOf(outcome))
        const titleColumns = Math.min(columns(title), room - 2)
        const detailRoom = room - titleColumns - 2
        const right = detailRoom >= 8 ? fit(detail, detailRoom, 'right') : ' '.repeat(Math.max(0, detailRoom))
        const time = outcome.status === 'skipped' ? ' '.repeat(TIME) : fit(duration(outcome.durationMs), TIME, 'right')
        return `  ${style.dim(fit(index === 0 ? concern : '', CONCERN_WIDTH))}${style.mark(outcome.status)} ${style.of(outcome.status, fit(title, titleColumns))}  ${style.dim(right + time)}`.trimEnd()
      }),
  )
}

function detailOf(outcome: Outcome): string {
  const [finding] = outcome.findings
  return (
    (outcome.status === 'failed'
      ? finding?.actual
      : outcome.status === 'passed'
        ? outcome.detail
        : outcome.notPromised
          ? 'not promised'
          : outcome.status
    )?.split('\n')[0] ?? ''
  )
}

/** Everything that did not pass, in full. */
function troubles({outcomes}: SubjectReport, canvas: Canvas, style: Styles): readonly string[] {
  const of = (status: Status) => outcomes.filter(outcome => outcome.status === status)
  const rootOf = ({id, followsFrom}: Outcome): string => {
    const cause = followsFrom === undefined ? undefined : outcomes.find(outcome => outcome.id === followsFrom)
    return cause === undefined ? id : rootOf(cause)
  }
  const explainedBy = (root: Outcome) =>
    outcomes.filter(outcome => outcome !== root && outcome.followsFrom !== undefined && rootOf(outcome) === root.id)
  const blocks = [
    ...of('failed')
      .filter(({followsFrom}) => canvas.verbose || followsFrom === undefined)
      .map(outcome => findingLines(outcome, canvas, style, explainedBy(outcome))),
    ...of('errored').map(outcome => reasonLines(outcome, canvas, style)),
    ...(of('skipped').some(({notPromised}) => !notPromised)
      ? [
          skips(
            of('skipped').filter(({notPromised}) => !notPromised),
            canvas,
            style,
          ),
        ]
      : []),
    ...(canvas.verbose && of('skipped').some(({notPromised}) => notPromised)
      ? [
          skips(
            of('skipped').filter(({notPromised}) => notPromised),
            canvas,
            style,
          ),
        ]
      : []),
  ]
  return blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]))
}

/** What was not judged, each reason once. */
function skips(skipped: readonly Outcome[], canvas: Canvas, style: Styles): readonly string[] {
  return [...new Set(skipped.map(({because}) => because))].flatMap(because => {
    const alike = skipped.filter(outcome => outcome.because === because)
    const [first] = alike
    return first === undefined ? [] : reasonLines({...first, id: alike.map(({id}) => id).join(', ')}, canvas, style)
  })
}

/** Checks × subjects: the same promise felt through each proxy, side by side. */
function grid({subjects}: Report, {width}: Canvas, style: Styles): readonly string[] {
  const names = subjects.map(columnName)
  const cell = Math.max(10, ...names.map(name => columns(name) + 2))
  const room = Math.max(20, width - 2 - CONCERN_WIDTH - cell * subjects.length)
  const ids = new Map(subjects.flatMap(({outcomes}) => outcomes.map(outcome => [outcome.id, outcome] as const)))
  const rows = CONCERNS.flatMap(concern =>
    [...ids.values()]
      .filter(outcome => outcome.concern === concern)
      .map(({id, title}, index) => {
        const cells = subjects.map(({outcomes}) => {
          const outcome = outcomes.find(one => one.id === id)
          if (!outcome) return ' '.repeat(cell)
          const time = outcome.notPromised ? 'n/a' : outcome.status === 'skipped' ? 'skipped' : duration(outcome.durationMs)
          return `${style.mark(outcome.status)} ${style.dim(fit(time, cell - 3, 'right'))} `
        })
        return `  ${style.dim(fit(index === 0 ? concern : '', CONCERN_WIDTH))}${fit(harmless(title), room - 2)}  ${cells.join('')}`.trimEnd()
      }),
  )
  const head = `  ${' '.repeat(CONCERN_WIDTH + room)}${names.map(name => style.bold(fit(name, cell))).join('')}`.trimEnd()
  return [head, ...rows]
}

function columnName({name, proxy}: SubjectReport): string {
  if (PROXY_NAMES.some(known => known === name)) return name
  const short = oneLine(name).replace(/\/+$/, '').split('/').at(-1) ?? proxy ?? ''
  return columns(short) > 18 ? fit(short, 18) : short
}

/** One line for each subject, where a grid would be too wide. */
function table({subjects}: Report, style: Styles): readonly string[] {
  const names = subjects.map(({name}) => oneLine(name))
  const widest = Math.min(60, Math.max(...names.map(columns)))
  return subjects.map(
    (subject, index) => `  ${style.mark(subject.verdict)} ${fit(names[index] ?? '', widest)}  ${counts(subject.outcomes, style)}`,
  )
}

function counts(outcomes: readonly Outcome[], style: Styles): string {
  const count = (status: Status) => outcomes.filter(outcome => outcome.status === status).length
  return [
    ...(count('errored') > 0 ? [style.of('errored', `${count('errored')} errored`)] : []),
    count('failed') > 0 ? style.of('failed', `${count('failed')} failed`) : '0 failed',
    `${count('passed')} passed`,
    `${outcomes.filter(({status, notPromised}) => status === 'skipped' && !notPromised).length} skipped`,
    ...(outcomes.some(({notPromised}) => notPromised) ? [`${outcomes.filter(({notPromised}) => notPromised).length} not promised`] : []),
  ].join(' · ')
}

const WORDS: Readonly<Record<Verdict, string>> = {
  passed: 'chat works',
  partial: 'chat works, as far as it was judged',
  failed: 'chat does not work as promised',
  errored: 'not judged',
}

/** Without one whole chat among the checks (`--only`), no more is claimed than what was looked at. */
export function verdictText(verdict: Verdict, outcomes: readonly Outcome[]): string {
  if (!outcomes.some(({status}) => status === 'passed') && verdict === 'partial') return 'nothing was judged'
  const chatted = outcomes.some(({id, status}) => status === 'passed' && id.endsWith('-chat'))
  return (verdict === 'passed' || verdict === 'partial') && !chatted ? 'what was checked holds' : WORDS[verdict]
}

/** Verdict, counts, seconds, and what to do next. */
function summary(report: Report, {width}: Canvas, style: Styles): readonly string[] {
  const outcomes = report.subjects.flatMap(subject => subject.outcomes)
  const line = `${style.mark(report.verdict)} ${style.of(report.verdict, verdictText(report.verdict, outcomes))}   ${counts(outcomes, style)}   ${duration(report.durationMs)}`
  const next = nextStep(report, outcomes)
  return [style.dim('─'.repeat(Math.min(width, 100))), line, ...(next === '' ? [] : [style.dim(`  ${oneLine(next)}`)])]
}

function nextStep({command, verdict, subjects, reproduce}: Report, outcomes: readonly Outcome[]): string {
  const [only, ...others] = subjects
  if (command === 'fix' && only) return fixNext(only, reproduce)
  const [cause] = only && others.length === 0 ? only.causes : []
  if (verdict === 'failed' && only && cause && cause.confidence !== 'possible')
    return command === 'verify' && only.source === only.name
      ? sameWith('diagnose', reproduce, only.name)
      : only.source === only.name && cause.patch !== undefined
        ? sameWith('fix', reproduce, only.name)
        : `gms-proxy explain ${cause.id}`
  const failed = outcomes.filter(({status}) => status === 'failed')
  const worst = failed.find(({followsFrom}) => followsFrom === undefined) ?? failed[0]
  if (verdict === 'errored') return 'gms-proxy doctor says what this machine can run'
  if (worst) return `gms-proxy explain ${worst.id}`
  if (verdict === 'partial' && subjects.some(({runtime}) => runtime === 'remote'))
    return 'give the configuration file instead of the URL to judge everything'
  return ''
}
