import {CONCERNS, SEVERITIES} from '../model/catalogue.ts'
import type {Concern} from '../model/catalogue.ts'
import type {Outcome, Report, Status, SubjectReport} from '../model/report.ts'
import {isHalf} from '../model/report.ts'
import {mark} from './html-marks.ts'
import type {Tone} from './html-marks.ts'
import {markup, NOTHING} from './html-markup.ts'
import type {Markup} from './html-markup.ts'
import {duration} from './plain.ts'
import {plural} from './plural.ts'

/** The place of an outcome's details on the page; `undefined`: it has none. */
type AnchorOf = (subject: SubjectReport, outcome: Outcome) => string | undefined

/** Concerns × subjects; each concern unfolds into its checks (or rules). One that has something to say is open. */
export function gridBlock({subjects, command}: Report, anchorOf: AnchorOf): Markup {
  const columns = `--subjects:${Math.max(1, subjects.length)}`
  const rows = CONCERNS.flatMap(concern => {
    const fared = subjects.map(({outcomes}) => outcomes.filter(outcome => outcome.concern === concern))
    return fared.every(outcomes => outcomes.length === 0) ? [] : [concernRow(concern, fared, command, anchorOf, subjects)]
  })
  if (rows.length === 0) return NOTHING
  const names = subjects.map(subject => markup`<span class="cell name" title="${subject.name}">${shortName(subject)}</span>`)
  return markup`<div class="grid" style="${columns}">
<div class="row head" aria-hidden="true"><span>Concern</span>${names}</div>
${rows}
</div>`
}

/** The last part of a path. */
export function shortName({name}: SubjectReport): string {
  return name.replace(/\/+$/, '').split('/').at(-1) ?? name
}

function concernRow(
  concern: Concern,
  fared: readonly (readonly Outcome[])[],
  command: Report['command'],
  anchorOf: AnchorOf,
  subjects: readonly SubjectReport[],
): Markup {
  const cells = fared.map((outcomes, index) => {
    const {tone, words, said} = command === 'lint' ? readCell(outcomes) : judgedCell(outcomes)
    return markup`<span class="cell">${mark(tone)}<span aria-hidden="true">${words}</span><span class="hidden">${subjects[index]?.name}: ${said}. </span></span>`
  })
  const firsts = new Map(fared.flat().map(outcome => [outcome.id, outcome] as const))
  const anchor = (index: number, outcome: Outcome | undefined) => {
    const subject = subjects[index]
    return subject && outcome && anchorOf(subject, outcome)
  }
  const checks = [...firsts.values()].map(({id, title}) => {
    const own = fared.map(outcomes => outcomes.find(outcome => outcome.id === id))
    return markup`<tr><th scope="row"><span>${title}</span><code>${id}</code></th>${own.map((outcome, index) => outcomeCell(outcome, {command, anchor: anchor(index, outcome)}))}</tr>`
  })
  const open = fared.flat().some(({status, findings}) => status === 'errored' || findings.length > 0) ? markup` open` : NOTHING
  return markup`<details${open}><summary class="row"><span class="concern">${concern}</span>${cells}</summary>
<table><thead class="hidden"><tr><th scope="col">${command === 'lint' ? 'Rule' : 'Check'}</th>${subjects.map(({name}) => markup`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${checks}</tbody></table></details>
`
}

interface Cell {
  tone: Tone
  words: string
  said: string
}

function judgedCell(outcomes: readonly Outcome[]): Cell {
  const judged = outcomes.filter(outcome => outcome.status !== 'skipped' || isHalf(outcome))
  if (judged.length === 0) return {tone: 'none', words: '', said: 'nothing promised'}
  const count = (status: Status) => judged.filter(outcome => outcome.status === status).length
  const passed = count('passed')
  const tone = count('errored') > 0 ? 'errored' : count('failed') > 0 ? 'failed' : passed < judged.length ? 'partial' : 'passed'
  return {tone, words: `${passed}/${judged.length}`, said: `${passed} of ${judged.length} passed`}
}

function readCell(outcomes: readonly Outcome[]): Cell {
  if (outcomes.some(({status}) => status === 'errored')) return {tone: 'errored', words: '', said: 'not judged'}
  const found = SEVERITIES.flatMap(severity => {
    const count = outcomes.filter(outcome => outcome.severity === severity).reduce((total, {findings}) => total + findings.length, 0)
    return count === 0 ? [] : [{severity, count}]
  })
  const [worst] = found
  if (worst) {
    const total = found.reduce((sum, {count}) => sum + count, 0)
    return {tone: worst.severity, words: String(total), said: found.map(({severity, count}) => plural(count, severity)).join(', ')}
  }
  return outcomes.some(({status}) => status === 'passed')
    ? {tone: 'passed', words: '', said: 'nothing found'}
    : {tone: 'none', words: '', said: 'no file shows it'}
}

function outcomeCell(outcome: Outcome | undefined, {command, anchor}: {command: Report['command']; anchor: string | undefined}): Markup {
  if (!outcome) return markup`<td></td>`
  const {status, notPromised, notInFile, durationMs, detail, severity, findings} = outcome
  const tone: Tone = notPromised || notInFile ? 'none' : status === 'failed' ? severity : status
  const word = notPromised ? 'not promised' : notInFile ? 'not in a file' : status
  const time = status === 'skipped' ? '' : findings.length > 1 ? `×${findings.length}` : command === 'lint' ? '' : duration(durationMs)
  const inner = markup`${mark(tone, word)}<small>${time}</small>`
  const title = [word, detail ?? outcome.because ?? ''].filter(text => text !== '').join(': ')
  return markup`<td title="${title}">${anchor === undefined ? inner : markup`<a href="#${anchor}">${inner}</a>`}</td>`
}
