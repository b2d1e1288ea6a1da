import type {Cause, Excerpt, Location, SubjectReport} from '../model/report.ts'
import {fixSentence} from './fix-lines.ts'
import {answerWords, faredOf, inFront, tellingAnswers} from './live-lines.ts'
import type {Fared} from './live-lines.ts'
import {code, fenced, folded, plain} from './markdown-text.ts'
import {duration} from './plain.ts'
import {plural} from './plural.ts'

export const SEVERITY_MARKS = {error: '❌', warning: '⚠️', note: 'ℹ️'} as const
const FARED: Readonly<Record<Fared['mark'], string>> = {passed: '✅', failed: '❌', skipped: '⚪', errored: '⚠️'}

/** `nginx.conf:14:5` */
export function placeOf({file, line, column}: Location): string {
  return `${file}:${line}${column === undefined ? '' : `:${column}`}`
}

/** Numbered lines, `>` before the one that is meant. */
export function excerptLines(excerpt: Excerpt | undefined): readonly string[] {
  if (!excerpt) return []
  const {line, lines, mark} = excerpt
  return lines.map((text, index) => `${line + index === mark.line ? '>' : ' '} ${line + index} | ${text}`)
}

/** A cause in full: the place, what speaks for it, what it explains, the change (`diff`: unless it is shown elsewhere). */
export function causeBlock(
  {id, confidence, severity, title, because, location, excerpt, also = [], explains, remediation, patch}: Cause,
  {number, diff}: {number: number; diff: boolean},
): string {
  const lines = excerptLines(excerpt)
  return [
    `##### ${number}. ${SEVERITY_MARKS[severity]} ${plain(title)}`,
    `**${confidence}** · ${code(id)}${location ? ` · ${code(placeOf(location))}` : ''}`,
    ...(lines.length > 0 ? [fenced(lines.join('\n'))] : location?.text === undefined ? [] : [fenced(location.text)]),
    ...(also.length > 0 ? [`Also: ${also.map(place => code(`${place.file}:${place.line}`)).join(', ')}`] : []),
    because.map(line => `- ${plain(line)}`).join('\n'),
    `**Explains:** ${explains.map(code).join(', ')}`,
    `**Mend:** ${plain(remediation)}`,
    ...(patch === undefined || !diff ? [] : [folded('The change', fenced(patch, 'diff'))]),
  ]
    .filter(block => block !== '')
    .join('\n\n')
}

/** What `fix` changes, what each hunk mends, and what is left. */
export function fixBlocks(subject: SubjectReport): readonly string[] {
  const {fix} = subject
  if (!fix) return []
  const rows = fix.hunks.map(
    ({file, line, rules, mends}) => `| ${code(`${file}:${line}`)} | ${rules.map(code).join(', ')} | ${mends.map(code).join(', ')} |`,
  )
  return [
    '#### Fix',
    plain(fixSentence(subject)),
    ...(rows.length === 0 ? [] : [['| change | of rule | without it fail again |', '| --- | --- | --- |', ...rows].join('\n')]),
    ...(fix.patch === '' ? [] : [folded('The diff', fenced(fix.patch, 'diff'))]),
    ...(fix.left.length === 0
      ? []
      : [`**Left to be mended by hand:**\n\n${fix.left.map(({id, remediation}) => `- ${code(id)}: ${plain(remediation)}`).join('\n')}`]),
    ...(fix.unfelt.length === 0
      ? []
      : [
          folded(
            `${plural(fix.unfelt.length, 'line')} not changed, because no check felt it`,
            fix.unfelt
              .map(({rule, location, message}) => `- ${location ? `${code(placeOf(location))} ` : ''}${code(rule)}: ${plain(message)}`)
              .join('\n'),
          ),
        ]),
    ...(fix.written ?? []).map(({file, backup}) => `written ${code(file)}, before: ${code(backup)}`),
  ]
}

/** What was seen of a proxy that runs; empty for a file. */
export function liveBlock({live}: SubjectReport): string {
  if (!live) return ''
  const telling = tellingAnswers(live.seen)
  const answers = telling.map(
    answer =>
      `${plain(answer.what)}: ${plain(answerWords(answer))}\n\n${fenced(
        [
          ...Object.entries(answer.headers).flatMap(([name, values]) => values.map(value => `${name}: ${value}`)),
          '',
          answer.body.slice(0, 600),
        ]
          .join('\n')
          .trim(),
      )}`,
  )
  return [
    `In front: ${plain(inFront(live.seen))}`,
    table(faredOf(live)),
    ...(live.direct ? [`GMS itself at ${code(live.direct.seen.url)}:`, table(faredOf(live.direct))] : []),
    ...(answers.length === 0 ? [] : [folded('Answers that GMS did not give, or that say no', answers.join('\n\n'))]),
  ].join('\n\n')
}

function table(rows: readonly Fared[]): string {
  return [
    '| | | time | |',
    '| --- | --- | --: | --- |',
    ...rows.map(
      ({mark, name, tookMs, text}) =>
        `| ${FARED[mark]} | ${plain(name === '' ? 'certificate' : name)} | ${tookMs === undefined ? '' : duration(tookMs)} | ${plain(text)} |`,
    ),
  ].join('\n')
}
