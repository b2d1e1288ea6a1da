import type {Cause, Confidence, Outcome, SubjectReport} from '../model/report.ts'
import type {Canvas} from './canvas.ts'
import {harmless, wrap} from './plain.ts'
import {placeOf, row, witness} from './text-finding.ts'
import {excerptLines, patchLines} from './text-lint.ts'
import type {Styles} from './text-styles.ts'

const INDENT = 4
const WORDS: Readonly<Record<Confidence, string>> = {certain: 'certain ', likely: 'likely  ', possible: 'possible'}

/** Every cause in full, best first: the place, what speaks for it, what both ends of the wire saw, the change. */
export function causeBlocks(subject: SubjectReport, canvas: Canvas, style: Styles): readonly (readonly string[])[] {
  const {causes, outcomes, unexplained} = subject
  const joined = causes.filter(({explains}) => explains.length > 0)
  const idle = causes.filter(({explains}) => explains.length === 0)
  const open = unexplained ?? []
  return [
    ...joined.map((cause, index) => causeBlock(cause, {number: index + 1, outcomes, shown: joined.slice(0, index)}, canvas, style)),
    open.length === 0
      ? []
      : wrap(`No cause is known for ${open.join(', ')}: nothing in the file or in the log of the proxy explains it.`, canvas.width).map(
          line => style.bold(line),
        ),
    idle.length === 0 ? [] : [style.dim('Also in the file, felt by no check:'), ...idle.flatMap(cause => brief(cause, canvas, style))],
  ]
}

/** What is left to be said of single checks: those that no cause explains. */
export function withoutExplained(subject: SubjectReport): SubjectReport {
  const explained = new Set(subject.causes.flatMap(({explains}) => explains))
  return {
    ...subject,
    outcomes: subject.outcomes
      .filter(({id, status}) => status !== 'failed' || !explained.has(id))
      .map(outcome => {
        const {followsFrom: _, ...root} = outcome
        return outcome.followsFrom !== undefined && explained.has(outcome.followsFrom) ? root : outcome
      }),
  }
}

/** Below the findings of `verify`: one line for each cause that explains something. */
export function causeSummary({causes, unexplained = []}: SubjectReport, canvas: Canvas, style: Styles): readonly string[] {
  if (causes.length === 0) return []
  return [
    style.bold('Why'),
    ...causes.flatMap(cause => brief(cause, canvas, style)),
    ...(unexplained.length === 0 ? [] : row('', `no cause is known for ${unexplained.join(', ')}`, canvas, style)),
  ]
}

/** A cause in a line or two: how sure, its place, what mends it. */
export function brief(cause: Cause, canvas: Canvas, style: Styles): readonly string[] {
  const {id, confidence, title, location, remediation} = cause
  const [first = '', ...more] = wrap(harmless(title), canvas.width - INDENT - WORDS.certain.length - id.length - 4)
  const margin = ' '.repeat(INDENT + WORDS.certain.length + 1)
  return [
    `  ${style.dim(WORDS[confidence])}  ${style.severity(cause.severity, id)}  ${first}`,
    ...more.map(line => margin + line),
    ...(location ? wrap(harmless(placeOf(location)), canvas.width - margin.length).map(line => margin + style.dim(line)) : []),
    ...wrap(harmless(remediation), canvas.width - margin.length).map(line => margin + style.dim(line)),
  ]
}

function causeBlock(
  cause: Cause,
  {number, outcomes, shown}: {number: number; outcomes: readonly Outcome[]; shown: readonly Cause[]},
  canvas: Canvas,
  style: Styles,
): readonly string[] {
  const {id, confidence, severity, title, because, location, excerpt, also = [], explains, remediation, patch} = cause
  const told = new Set(shown.flatMap(other => other.explains))
  const explained = outcomes.filter(outcome => outcome.status === 'failed' && explains.includes(outcome.id))
  // Of several failures the first that stands alone tells the story.
  const witnessed =
    explained.find(outcome => !told.has(outcome.id) && outcome.followsFrom === undefined) ??
    explained.find(outcome => !told.has(outcome.id))
  const [finding] = witnessed?.findings ?? []
  return [
    `${style.bold(`${number}. ${confidence}`)}  ${style.severity(severity, id)}  ${harmless(title)}`,
    ...(location ? row('Where', harmless(placeOf(excerpt ? withoutText(location) : location)), canvas, style) : []),
    ...(excerpt ? excerptLines(excerpt, severity, canvas, style) : []),
    ...(also.length > 0 ? row('Also', also.map(place => `${place.file}:${place.line}`).join(', '), canvas, style) : []),
    ...because.flatMap((line, index) => row(index === 0 ? 'Because' : '', line, canvas, style)),
    ...row('Explains', explains.join(', '), canvas, style),
    ...(witnessed && finding
      ? [
          ...row('Felt by', `${witnessed.id}: ${finding.message}`, canvas, style),
          ...row('Expected', finding.expected, canvas, style, 2),
          ...row('Actual', finding.actual, canvas, style, 2),
          ...witness('Client', finding.evidence.client, canvas, style),
          ...witness('GMS', finding.evidence.upstream, canvas, style),
          ...witness('Proxy log', finding.evidence.proxyLog ?? [], canvas, style),
        ]
      : []),
    ...row('Mend', remediation, canvas, style),
    ...(patch === undefined ? [] : patchLines(patch, canvas, style)),
  ]
}

const withoutText = ({text: _, ...place}: NonNullable<Cause['location']>) => place
