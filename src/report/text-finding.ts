import type {Finding, Location, Outcome} from '../model/report.ts'
import type {Canvas} from './canvas.ts'
import {harmless, oneLine, wrap} from './plain.ts'
import type {Styles} from './text-styles.ts'

const LABEL = 11
const INDENT = 4
/** Lines of one witness; more are counted, `--verbose` and the JSON report have all. */
const WITNESS_LINES = 6
/** Of one such line, as many rows of the terminal: enough to see the answer's status and its error. */
const WITNESS_ROWS = 2

/** One failed check in full: what was expected, what each end of the proxy saw, the mend, and the failures that most likely go with it. */
export function findingLines(outcome: Outcome, canvas: Canvas, style: Styles, explains: readonly Outcome[] = []): readonly string[] {
  const head = `${style.mark('failed')} ${style.of('failed', outcome.id)}  ${harmless(outcome.title)}${outcome.severity === 'error' ? '' : style.dim(` (${outcome.severity})`)}`
  // The proxy's log and the mend are the same for every finding of a check: said once.
  const log = [...new Set(outcome.findings.flatMap(({evidence}) => evidence.proxyLog ?? []))]
  const findings = outcome.findings.flatMap((finding, index) => [
    ...(index === 0 ? [] : ['']),
    // One finding says it all in Expected and Actual; several are told apart by their messages.
    ...(outcome.findings.length > 1 ? message(finding, canvas, style) : []),
    ...one(finding, index === 0 ? log : [], canvas, style),
  ])
  const mends = [...new Set(outcome.findings.map(({remediation}) => remediation))]
  return [
    head,
    ...findings,
    ...mends.flatMap(mend => row('Mend', mend, canvas, style)),
    ...row('More', `gms-proxy explain ${outcome.id}`, canvas, style),
    ...(explains.length === 0
      ? []
      : row('Explains', `${explains.map(({id}) => id).join(', ')}${canvas.verbose ? '' : ' (--verbose shows them)'}`, canvas, style)),
  ]
}

/** One check that was not judged, and why. */
export function reasonLines(outcome: Outcome, canvas: Canvas, style: Styles): readonly string[] {
  const head = `${style.mark(outcome.status)} ${style.of(outcome.status, outcome.id)}  ${outcome.status}`
  const because = harmless(outcome.because ?? 'no reason was given')
  const [first = '', ...more] = wrap(because, canvas.width - INDENT - 2)
  const onOneLine = more.length === 0 && outcome.id.length + outcome.status.length + first.length + 8 <= canvas.width
  return onOneLine ? [`${head}: ${first}`] : [`${head}:`, ...[first, ...more].map(line => ' '.repeat(INDENT) + line)]
}

function message(finding: Finding, {width}: Canvas, style: Styles): readonly string[] {
  return wrap(harmless(finding.message), width - INDENT).map(line => ' '.repeat(INDENT) + style.bold(line))
}

function one(finding: Finding, log: readonly string[], canvas: Canvas, style: Styles): readonly string[] {
  const {expected, actual, evidence, location} = finding
  return [
    ...row('Expected', expected, canvas, style),
    ...row('Actual', actual, canvas, style),
    ...witness('Client', evidence.client, canvas, style),
    ...witness('GMS', evidence.upstream, canvas, style),
    ...witness('Proxy log', log, canvas, style),
    ...(location ? row('Where', placeOf(location), canvas, style) : []),
  ]
}

/** `file:line:column` and the text of the line. */
export function placeOf({file, line, column, text}: Location): string {
  return `${oneLine(file)}:${line}${column === undefined ? '' : `:${column}`}${text === undefined ? '' : `    ${text}`}`
}

/** What one end saw. Without `--verbose` only as much as tells the story; the JSON report has all. */
export function witness(label: string, lines: readonly string[], canvas: Canvas, style: Styles): readonly string[] {
  const most = canvas.verbose ? lines.length : WITNESS_LINES
  const rows = lines
    .slice(0, most)
    .flatMap((line, index) => row(index === 0 ? label : '', line, canvas, style, canvas.verbose ? undefined : WITNESS_ROWS))
  return lines.length > most ? [...rows, ...row('', `… ${lines.length - most} more (--verbose)`, canvas, style)] : rows
}

/** A value behind its label, as many rows as it needs, or `most`. */
export function row(label: string, value: string, {width}: Canvas, style: Styles, most = Number.POSITIVE_INFINITY): readonly string[] {
  const lines = wrap(harmless(value), width - INDENT - LABEL)
  return lines.slice(0, most).map((line, index) => {
    const text = index === most - 1 && lines.length > most ? `${line.slice(0, width - INDENT - LABEL - 1)}…` : line
    return `${' '.repeat(INDENT)}${style.dim((index === 0 ? label : '').padEnd(LABEL))}${text}`.trimEnd()
  })
}
