import type {Answer} from '../model/live.ts'
import type {SubjectReport} from '../model/report.ts'
import {mark} from './html-marks.ts'
import {markup, NOTHING} from './html-markup.ts'
import type {Markup} from './html-markup.ts'
import {answerWords, faredOf, inFront, tellingAnswers} from './live-lines.ts'
import type {Fared} from './live-lines.ts'
import {duration} from './plain.ts'

/** Longest body that is shown, characters. */
const LONGEST = 2000

/** What was seen of a proxy that runs: phases with their times, forced transports, and every answer that says no. */
export function liveBlock({live, name}: SubjectReport): Markup {
  if (!live) return NOTHING
  const {seen, direct} = live
  const telling = tellingAnswers(seen)
  return markup`<section class="live"><h2><span>Seen at ${name}</span></h2>
<p class="quiet">In front: ${inFront(seen)}</p>
${table(faredOf(live), `What was seen at ${name}`)}
${direct ? markup`<h4>GMS itself, at <code>${direct.seen.url}</code></h4>${table(faredOf(direct), 'What GMS itself showed')}` : NOTHING}
${telling.length === 0 ? NOTHING : markup`<details><summary>Answers that GMS did not give, or that say no: ${telling.length}</summary>${telling.map(answerBlock)}</details>`}
</section>`
}

function table(rows: readonly Fared[], label: string): Markup {
  return markup`<table class="fared" aria-label="${label}"><tbody>${rows.map(
    ({mark: tone, name, tookMs, text}) =>
      markup`<tr><th scope="row">${mark(tone, tone)}<span>${name === '' ? 'certificate' : name}</span></th><td class="took">${tookMs === undefined ? '' : duration(tookMs)}</td><td>${text}</td></tr>`,
  )}</tbody></table>`
}

function answerBlock(answer: Answer): Markup {
  const {what, headers, body} = answer
  const lines = [
    ...Object.entries(headers).flatMap(([name, values]) => values.map(value => `${name}: ${value}`)),
    '',
    body.slice(0, LONGEST),
  ]
  return markup`<div class="answer"><p><code>${what}</code> ${answerWords(answer)}</p><pre tabindex="0" aria-label="The answer">${lines.join('\n').trim()}</pre></div>`
}
