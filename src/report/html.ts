import {SEVERITIES} from '../model/catalogue.ts'
import type {Outcome, Report, SubjectReport, Verdict} from '../model/report.ts'
import type {Canvas} from './canvas.ts'
import {causesBlock, fixBlock} from './html-causes.ts'
import {toldOf} from './joined.ts'
import type {Told} from './joined.ts'
import {cardBlock} from './html-finding.ts'
import type {Card} from './html-finding.ts'
import {gridBlock} from './html-grid.ts'
import {liveBlock} from './html-live.ts'
import {mark} from './html-marks.ts'
import {markup, NOTHING} from './html-markup.ts'
import type {Markup} from './html-markup.ts'
import {notJudgedBlock, readingBlock, subjectsBlock} from './html-rest.ts'
import {STYLE} from './html-style.ts'
import type {Pages} from './pages.ts'
import {duration} from './plain.ts'
import {plural} from './plural.ts'
import {verdictText} from './text.ts'

/** More findings than this: only errors are unfolded. */
const MOST_UNFOLDED = 12

/** For a person, with a browser: one page that needs nothing else, no script, no network. What is printed is escaped by `markup`. */
export function html(report: Report, _canvas: Canvas, pages: Pages): string {
  const {command, tool, subjects, durationMs, reproduce} = report
  const outcomes = subjects.flatMap(subject => subject.outcomes)
  const told = toldOf(report)
  const cards = cardsOf(report, told)
  const anchorOf = (subject: SubjectReport, outcome: Outcome) =>
    cards.find(card => card.subject === subject && card.outcome === outcome)?.anchor
  const {verdict, words} = headline(report, outcomes)
  const names = subjects.map(({name}) => name).join(', ')
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="${tool.name} ${tool.version}">
<title>${words} · ${tool.name} ${command} ${names}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#${told.length > 0 ? 'causes' : 'findings'}">To the ${told.length > 0 ? 'causes' : 'findings'}</a>
<header class="${verdict}">
<p class="tool">${tool.name} ${command}</p>
<h1>${mark(verdict)}<span>${words}</span></h1>
<p class="counts">${countsOf(report, outcomes)} · ${duration(durationMs)}</p>
</header>
<main>
${subjectsBlock(report)}
${causesBlock(report, told, pages, (subject, id) => cards.find(card => card.subject === subject && card.outcome.id === id)?.anchor)}
${subjects.map(fixBlock)}
${subjects.map(liveBlock)}
<section aria-label="Concerns">${gridBlock(report, anchorOf)}</section>
${findingsBlock(report, cards, pages)}
${notJudgedBlock(outcomes, command)}
${subjects.map(subject => readingBlock(subject))}
<section id="reproduce"><h2>Run it again</h2><pre class="command" tabindex="0">${reproduce}</pre></section>
</main>
<footer>${tool.name} ${tool.version}</footer>
</body>
</html>
`.text
}

/** The word for the whole, and the class that colours it. What only warns is no failure of a file that was read. */
function headline({command, verdict}: Report, outcomes: readonly Outcome[]): {verdict: Verdict; words: string} {
  if (command !== 'lint') return {verdict, words: verdictText(verdict, outcomes)}
  const found = foundWords(outcomes)
  const words = found.join(' · ') || 'nothing found'
  if (outcomes.some(({status}) => status === 'errored')) return {verdict: 'errored', words}
  return {verdict: outcomes.some(({status, severity}) => status === 'failed' && severity === 'error') ? 'failed' : 'passed', words}
}

function foundWords(outcomes: readonly Outcome[]): readonly string[] {
  return SEVERITIES.flatMap(severity => {
    const count = outcomes.filter(outcome => outcome.severity === severity).reduce((total, {findings}) => total + findings.length, 0)
    return count === 0 ? [] : [plural(count, severity)]
  })
}

function countsOf({command}: Report, outcomes: readonly Outcome[]): string {
  const of = (word: string, count: number) => (count === 0 ? [] : [`${count} ${word}`])
  const have = (status: Outcome['status']) => outcomes.filter(outcome => outcome.status === status)
  const suppressed = outcomes.reduce((total, {suppressed: own = []}) => total + own.length, 0)
  if (command === 'lint') {
    const rules = new Set(outcomes.filter(({status}) => status !== 'skipped').map(({id}) => id)).size
    return [plural(rules, 'rule'), ...of('suppressed', suppressed), ...of('not judged', have('errored').length)].join(' · ')
  }
  const skipped = have('skipped')
  return [
    ...of('errored', have('errored').length),
    `${have('failed').length} failed`,
    `${have('passed').length} passed`,
    ...of('skipped', skipped.filter(({notPromised, notInFile}) => !notPromised && !notInFile).length),
    ...of('not promised', skipped.filter(({notPromised}) => notPromised).length),
  ].join(' · ')
}

/** Of traffic: a card for each failed check, causes before what follows from them. Of files: one for each finding, by file and line. */
function cardsOf({subjects, command}: Report, told: readonly Told[]): readonly Card[] {
  const cards = subjects.flatMap(subject => {
    const failed = subject.outcomes.filter(({findings}) => findings.length > 0)
    const rootOf = ({id, followsFrom}: Outcome): string => {
      const cause = failed.find(outcome => outcome.id === followsFrom)
      return cause ? rootOf(cause) : id
    }
    const whole = failed.map(outcome => {
      const cause = failed.find(({id}) => id === rootOf(outcome) && id !== outcome.id)
      const explains = failed.filter(other => other !== outcome && rootOf(other) === outcome.id)
      const causes = told.filter(each => each.subject === subject && each.cause.explains.includes(outcome.id))
      return {subject, outcome, findings: outcome.findings, explains, causes, ...(cause ? {cause} : {})}
    })
    // What no cause explains comes first: everything else is told above.
    const later = ({cause, causes}: (typeof whole)[number]) => (causes.length > 0 ? 2 : 0) + (cause ? 1 : 0)
    if (command !== 'lint') return [...whole].sort((a, b) => later(a) - later(b))
    return whole.flatMap(card => card.findings.map(finding => ({...card, findings: [finding]}))).sort(byPlace)
  })
  return cards.map((card, index) => ({...card, anchor: `finding-${index + 1}`}))
}

function byPlace({findings: [first]}: Pick<Card, 'findings'>, {findings: [second]}: Pick<Card, 'findings'>): number {
  const [a, b] = [first?.location, second?.location]
  if (!a || !b) return a ? -1 : b ? 1 : 0
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || (a.column ?? 0) - (b.column ?? 0)
}

function findingsBlock({command, subjects}: Report, cards: readonly Card[], pages: Pages): Markup {
  if (cards.length === 0) return markup`<section id="findings" hidden></section>`
  const unfolded = ({outcome, cause, causes}: Card) =>
    !cause &&
    causes.every(({cause: {confidence}}) => confidence === 'possible') &&
    (cards.length <= MOST_UNFOLDED || outcome.severity === 'error')
  const heading = command === 'lint' ? plural(cards.length, 'finding') : `${cards.length} failed`
  return markup`<section id="findings"><div class="bar"><h2>${heading}</h2>${filters(cards)}</div>
${cards.map(card => cardBlock(card, {open: unfolded(card), several: subjects.length > 1, pages}))}
</section>`
}

/** Boxes that hide a severity; the style sheet does it. */
function filters(cards: readonly Card[]): Markup {
  const there = SEVERITIES.filter(severity => cards.some(({outcome}) => outcome.severity === severity))
  if (there.length < 2) return NOTHING
  return markup`<div class="filters" role="group" aria-label="Show">${there.map(severity => {
    const count = cards.filter(({outcome}) => outcome.severity === severity).length
    return markup`<label><input type="checkbox" id="show-${severity}" checked>${mark(severity)}${plural(count, severity)}</label>`
  })}</div>`
}
