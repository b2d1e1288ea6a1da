import {SEVERITIES} from '../model/catalogue.ts'
import type {ProxyName, Severity} from '../model/catalogue.ts'
import type {Excerpt, Finding, Outcome, Report, SubjectReport, SuppressedFinding} from '../model/report.ts'
import {isHalf} from '../model/report.ts'
import type {Canvas} from './canvas.ts'
import {columns, duration, harmless, oneLine, withoutCommands, wrap} from './plain.ts'
import {plural} from './plural.ts'
import type {Styles} from './text-styles.ts'

const TITLES: Readonly<Record<ProxyName, string>> = {nginx: 'nginx', apache: 'Apache httpd', haproxy: 'HAProxy'}
const INDENT = 4
const LABEL = 10
/** Rows of one patch; more are counted. */
const PATCH_ROWS = 24

/** A finding with what its rule says of itself. */
interface Said {
  outcome: Outcome
  finding: Finding | SuppressedFinding
}

/** What was read: findings by file and line, each with its lines and its mend, and one line that sums them up. */
export function lintText(report: Report, canvas: Canvas, style: Styles): string {
  const blocks = report.subjects.flatMap(subject => [
    ...(canvas.verbose ? [heading(subject, canvas, style)] : []),
    ...findingsOf(subject).map((said, index, all) => findingBlock(said, all[index - 1], canvas, style)),
    erroredLines(subject, canvas, style),
    ...(canvas.verbose ? [suppressedLines(subject, style)] : []),
    skippedLines(subject, canvas, style),
    ...(canvas.verbose ? [unknownLines(subject, canvas, style)] : []),
    noteLines(subject, canvas, style),
  ])
  blocks.push(summary(report, style))
  const shown = blocks.filter(lines => lines.length > 0).map(lines => lines.join('\n'))
  return withoutCommands(`${shown.join('\n\n')}\n`)
}

function heading({name, proxy, proxyVersion, runtimeReason}: SubjectReport, {width}: Canvas, style: Styles): readonly string[] {
  const facts = runtimeReason ?? `${proxy === undefined ? '' : TITLES[proxy]} ${proxyVersion ?? ''}`
  return [style.bold(oneLine(name)), ...wrap(harmless(facts), width - 2).map(line => style.dim(`  ${line}`))]
}

/** By file, then line: the order in which somebody goes through them. */
function findingsOf({outcomes}: SubjectReport): readonly Said[] {
  return outcomes
    .flatMap(outcome => outcome.findings.map(finding => ({outcome, finding})))
    .sort(({finding: {location: a}}, {finding: {location: b}}) => {
      if (!a || !b) return a ? -1 : b ? 1 : 0
      return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || (a.column ?? 0) - (b.column ?? 0)
    })
}

/** Lines that the finding `before` has shown are not shown again. */
function findingBlock({outcome, finding}: Said, before: Said | undefined, canvas: Canvas, style: Styles): readonly string[] {
  const {message, expected, actual, remediation, patch, location} = finding
  const excerpt = finding.excerpt ?? (location?.text === undefined ? undefined : lineOf(location.line, location.text))
  const head = `${style.bold(placeOf(finding))} ${style.severity(outcome.severity, outcome.severity)} ${style.severity(outcome.severity, outcome.id)}`
  return [
    head,
    ...wrap(harmless(message), canvas.width - INDENT).map(line => ' '.repeat(INDENT) + style.bold(line)),
    ...(excerpt && (!before || placeOf(before.finding) !== placeOf(finding)) ? excerptLines(excerpt, outcome.severity, canvas, style) : []),
    // What the sentence above, or the mend below, says word for word is said once.
    ...(says(message, expected) || says(remediation, expected) ? [] : row('Expected', expected, canvas, style)),
    ...(says(message, actual) ? [] : row('Actual', actual, canvas, style)),
    ...row('Mend', remediation, canvas, style),
    ...(patch === undefined ? [] : patchLines(patch, canvas, style)),
  ]
}

/** True when `text` has these words in it, as whole words. */
function says(text: string, words: string): boolean {
  const index = text.indexOf(words)
  const isWord = (character: string | undefined) => character !== undefined && /\w/.test(character)
  return index >= 0 && !isWord(text[index - 1]) && !isWord(text[index + words.length])
}

/** One line, all of it meant. */
function lineOf(line: number, text: string): Excerpt {
  return {line, lines: [text], mark: {line, column: 1, endColumn: text.length + 1}}
}

function placeOf({location}: Finding): string {
  if (!location) return '-'
  return oneLine(`${location.file}:${location.line}${location.column === undefined ? '' : `:${location.column}`}`)
}

/** The lines, their numbers, and a caret under what is meant. */
export function excerptLines({line, lines, mark}: Excerpt, severity: Severity, {width}: Canvas, style: Styles): readonly string[] {
  const gutter = String(line + lines.length - 1).length
  const room = width - INDENT - gutter - 3
  const indent = Math.min(...lines.filter(text => text.trim() !== '').map(text => columns(/^\s*/.exec(untabbed(text))?.[0] ?? '')))
  const shown = (text: string) => untabbed(text).slice(Number.isFinite(indent) ? indent : 0)
  return lines.flatMap((text, index) => {
    const number = line + index
    const prefix = ' '.repeat(INDENT)
    const safe = harmless(shown(text))
    const row =
      `${prefix}${style.dim(`${String(number).padStart(gutter)} │`)} ${columns(safe) > room ? `${[...safe].slice(0, room - 1).join('')}…` : safe}`.trimEnd()
    if (number !== mark.line) return [row]
    const before = columns(harmless(shown(text.slice(0, mark.column - 1))))
    const length = Math.max(1, columns(harmless(untabbed(text.slice(mark.column - 1, mark.endColumn - 1)))))
    if (before >= room) return [row]
    const caret = '^'.repeat(Math.min(length, room - before))
    return [row, `${prefix}${style.dim(`${' '.repeat(gutter)} │`)} ${' '.repeat(before)}${style.severity(severity, caret)}`]
  })
}

const untabbed = (text: string) => text.replaceAll('\t', '    ')

function row(label: string, value: string, {width}: Canvas, style: Styles): readonly string[] {
  return wrap(harmless(value), width - INDENT - LABEL).map((line, index) =>
    `${' '.repeat(INDENT)}${style.dim((index === 0 ? label : '').padEnd(LABEL))}${line}`.trimEnd(),
  )
}

/** The change itself, with as little around it as tells where; of its head only what is not said already: several files, several places. */
export function patchLines(patch: string, canvas: Canvas, style: Styles): readonly string[] {
  const lines = nearby(harmless(patch).split('\n'))
  const several = (sign: string) => lines.filter(line => line.startsWith(sign)).length > 1
  const [files, hunks] = [several('+++ '), several('@@')]
  const shown = lines.filter(
    line => !line.startsWith('--- ') && (files || !line.startsWith('+++ ')) && (files || hunks || !line.startsWith('@@')),
  )
  const most = canvas.verbose ? shown.length : PATCH_ROWS
  const rows = dedented(shown.slice(0, most).map(untabbed)).map(line => ' '.repeat(INDENT + LABEL) + coloured(line, style))
  return shown.length > most ? [...rows, `${' '.repeat(INDENT + LABEL)}… ${shown.length - most} more lines (--verbose)`] : rows
}

/** Without the indentation that all lines of a patch share behind their sign. */
function dedented(lines: readonly string[]): readonly string[] {
  const isText = (line: string) => /^[ +-]\s*\S/.test(line) && !line.startsWith('+++ ')
  const least = Math.min(...lines.filter(isText).map(line => line.slice(1).search(/\S/)))
  return lines.map(line => (isText(line) ? `${line.charAt(0)} ${line.slice(1 + least)}` : line))
}

/** Of lines that stay, only those next to one that changes. */
function nearby(lines: readonly string[]): readonly string[] {
  const changes = (line: string | undefined) => line !== undefined && /^[-+](?![-+]{2} )/.test(line)
  return lines.filter(
    (line, index) => !line.startsWith(' ') || (line.trim() !== '' && (changes(lines[index - 1]) || changes(lines[index + 1]))),
  )
}

function coloured(line: string, style: Styles): string {
  if (line.startsWith('@@') || line.startsWith('+++ ')) return style.dim(line)
  if (line.startsWith('+')) return style.green(line)
  return line.startsWith('-') ? style.red(line) : line
}

function erroredLines({outcomes}: SubjectReport, {width}: Canvas, style: Styles): readonly string[] {
  return outcomes
    .filter(({status}) => status === 'errored')
    .flatMap(({id, because = ''}) => wrap(`! ${id}: ${harmless(because)}`, width).map(line => style.of('errored', line)))
}

function suppressedLines({outcomes}: SubjectReport, style: Styles): readonly string[] {
  return outcomes.flatMap(({id, suppressed = []}) =>
    suppressed.map(finding => {
      const {by, reason} = finding.suppression
      const why = by === 'baseline' ? 'in the baseline' : `suppressed: ${reason ?? ''}`
      return style.dim(`${placeOf(finding)} ${id} ${harmless(why)}`)
    }),
  )
}

/** What could not be judged here; with `--verbose` also what no file can show. */
function skippedLines({outcomes}: SubjectReport, {width, verbose}: Canvas, style: Styles): readonly string[] {
  const skipped = outcomes.filter(outcome => isHalf(outcome) || (verbose && outcome.status === 'skipped'))
  return [...new Set(skipped.map(({because = ''}) => because))].flatMap(because => {
    const ids = skipped.filter(outcome => (outcome.because ?? '') === because).map(({id}) => id)
    return wrap(`○ ${ids.join(', ')}: ${harmless(because)}`, width).map((line, index) => style.dim(index === 0 ? line : `  ${line}`))
  })
}

function unknownLines({reading}: SubjectReport, {width}: Canvas, style: Styles): readonly string[] {
  return (reading?.unknown ?? []).flatMap(({location, because}) =>
    wrap(`${oneLine(`${location.file}:${location.line}:${location.column ?? 1}`)} not understood: ${harmless(because)}`, width).map(line =>
      style.dim(line),
    ),
  )
}

/** What somebody has to clear up, although it is no finding. */
function noteLines({reading}: SubjectReport, {width}: Canvas, style: Styles): readonly string[] {
  if (!reading) return []
  const {unusedSuppressions, vanished} = reading
  const lines = [
    ...unusedSuppressions.map(
      ({location: {file, line, column = 1}, ids}) => `${file}:${line}:${column} gms-proxy-ignore ${ids.join(', ')} suppresses nothing`,
    ),
    ...vanished.map(({file, rule, text}) => `${file} ${rule} is in the baseline and gone: ${text}`),
    ...(vanished.length > 0 ? ['write the baseline anew with --write-baseline'] : []),
  ]
  return lines.flatMap(line => wrap(harmless(line), width)).map(line => style.dim(line))
}

function summary({subjects, durationMs}: Report, style: Styles): readonly string[] {
  const outcomes = subjects.flatMap(subject => subject.outcomes)
  const count = (severity: Severity) =>
    outcomes.filter(outcome => outcome.severity === severity).reduce((total, {findings}) => total + findings.length, 0)
  const [errors = 0, warnings = 0, notes = 0] = SEVERITIES.map(count)
  const suppressed = outcomes.reduce((total, outcome) => total + (outcome.suppressed?.length ?? 0), 0)
  const unknown = subjects.reduce((total, {reading}) => total + (reading?.unknown.length ?? 0), 0)
  const judged = new Set(outcomes.filter(({status}) => status !== 'skipped').map(({id}) => id)).size
  const versions = [
    ...new Set(subjects.map(({proxy, proxyVersion}) => `${proxy === undefined ? '' : TITLES[proxy]} ${proxyVersion ?? ''}`.trim())),
  ]
  const found = errors + warnings + notes
  const status = outcomes.some(outcome => outcome.status === 'errored') ? 'errored' : errors > 0 ? 'failed' : 'passed'
  const counts = [
    ...(errors > 0 ? [style.severity('error', plural(errors, 'error'))] : []),
    ...(warnings > 0 ? [style.severity('warning', plural(warnings, 'warning'))] : []),
    ...(notes > 0 ? [style.severity('note', plural(notes, 'note'))] : []),
    ...(suppressed > 0 ? [style.dim(`${suppressed} suppressed`)] : []),
    ...(unknown > 0 ? [style.dim(`${plural(unknown, 'place')} not understood${found === 0 ? ' (--verbose)' : ''}`)] : []),
  ]
  const head = found === 0 ? `${style.mark(status)} nothing found` : `${style.mark(status)} ${counts.shift() ?? ''}`
  const facts = style.dim(`${plural(judged, 'rule')} · ${versions.map(harmless).join(', ')} · ${duration(durationMs)}`)
  const worst = SEVERITIES.flatMap(severity => outcomes.filter(outcome => outcome.severity === severity && outcome.findings.length > 0))[0]
  return [`${[head, ...counts].join(' · ')}   ${facts}`, ...(worst ? [style.dim(`  gms-proxy explain ${worst.id}`)] : [])]
}
