import type {Outcome, Report, SubjectReport} from '../model/report.ts'
import {isHalf} from '../model/report.ts'
import {listed, placeOf} from './html-finding.ts'
import {mark} from './html-marks.ts'
import {markup, NOTHING} from './html-markup.ts'
import type {Markup} from './html-markup.ts'
import {diffBlock} from './html-source.ts'
import {plural} from './plural.ts'
import {changedLines, TITLES} from './text.ts'
import {promiseWords} from './text-promises.ts'

/** What was judged: proxy, version, nodes, what it is held to, and what was changed to run it. */
export function subjectsBlock({subjects, command}: Report): Markup {
  return markup`<section class="subjects" aria-label="What was judged">${subjects.map(subject => subjectBlock(subject, command))}</section>`
}

function subjectBlock(subject: SubjectReport, command: Report['command']): Markup {
  const {name, verdict, proxy, proxyVersion, runtime, runtimeReason, source, upstream, promises, sandboxDiff, sandboxFolder} = subject
  const facts = [
    ...(proxy === undefined ? [] : [`${TITLES[proxy]} ${proxyVersion ?? ''}`.trim()]),
    ...(runtime === 'none' ? [] : [runtime === 'remote' ? 'running already' : runtime]),
    ...(source === 'rendered' ? ['configuration rendered'] : source === name || runtime === 'remote' ? [] : [source]),
    ...(upstream === 'simulator'
      ? [`${promises.nodes} simulated GMS ${promises.nodes === 1 ? 'node' : 'nodes'}`]
      : upstream === 'none' || upstream === 'remote'
        ? []
        : [`GMS: ${upstream}`]),
  ]
  const held = [...promiseWords(promises)].map(
    ([from, words]) => markup`<li>${words.map(word => markup`<span>${word}</span>`)}<em>${from}</em></li>`,
  )
  const diff = sandboxDiff.trimEnd()
  return markup`<div class="subject"><h2>${command === 'lint' ? NOTHING : mark(verdict, verdict)}<span>${name}</span></h2>
<p class="quiet">${facts.join(' · ')}</p>${runtimeReason === undefined ? NOTHING : markup`<p class="quiet">${runtimeReason}</p>`}
<details><summary>Held to</summary><ul class="promises">${held}</ul></details>
${diff === '' ? NOTHING : markup`<details><summary>${changedLines(diff)} changed to run it here</summary>${diffBlock(diff, 'What was changed to run it here')}</details>`}
${sandboxFolder === undefined ? NOTHING : markup`<p class="quiet">kept: <code>${sandboxFolder}</code></p>`}
</div>`
}

/** What has no verdict, each reason once; what nobody promised is folded. */
export function notJudgedBlock(outcomes: readonly Outcome[], command: Report['command']): Markup {
  const open = outcomes.filter(outcome => outcome.status === 'errored' || isHalf(outcome))
  const folded = outcomes.filter(outcome => outcome.status === 'skipped' && !isHalf(outcome))
  if (open.length + folded.length === 0) return NOTHING
  const label =
    command === 'lint' ? `${plural(folded.length, 'rule')} that no file shows` : `${plural(folded.length, 'check')} of what is not promised`
  return markup`<section id="not-judged">${open.length > 0 ? markup`<h2>Not judged</h2>${reasons(open)}` : NOTHING}
${folded.length > 0 ? markup`<details><summary>${label}</summary>${reasons(folded)}</details>` : NOTHING}</section>`
}

function reasons(outcomes: readonly Outcome[]): Markup {
  const keys = [...new Set(outcomes.map(({status, because = 'no reason was given'}) => JSON.stringify([status, because])))]
  const rows = keys.map(key => {
    const alike = outcomes.filter(({status, because = 'no reason was given'}) => JSON.stringify([status, because]) === key)
    const [first] = alike
    return markup`<li>${mark(first?.status ?? 'skipped', first?.status)}<div><p>${first?.because ?? 'no reason was given'}</p><p class="quiet">${listed([...new Set(alike.map(({id}) => id))])}</p></div></li>`
  })
  return markup`<ul class="reasons">${rows}</ul>`
}

/** What was read but not understood, what is suppressed, and what somebody has to clear up. */
export function readingBlock({outcomes, reading, name}: SubjectReport): Markup {
  const suppressed = outcomes.flatMap(({id, suppressed: own = []}) => own.map(finding => ({id, finding})))
  const {unknown = [], unusedSuppressions = [], vanished = []} = reading ?? {}
  const parts = [
    ...(unusedSuppressions.length + vanished.length === 0
      ? []
      : [
          markup`<ul class="notes">${unusedSuppressions.map(
            ({location, ids}) => markup`<li><code>${placeOf(location)}</code> gms-proxy-ignore ${listed(ids)} suppresses nothing</li>`,
          )}${vanished.map(
            ({file, rule, text}) =>
              markup`<li><code>${file}</code> <code>${rule}</code> is in the baseline and gone: <code>${text}</code></li>`,
          )}</ul>`,
        ]),
    ...(suppressed.length === 0
      ? []
      : [
          markup`<details><summary>${suppressed.length} suppressed</summary><ul class="notes">${suppressed.map(
            ({id, finding: {location, suppression}}) =>
              markup`<li>${location ? markup`<code>${placeOf(location)}</code> ` : NOTHING}<code>${id}</code> ${suppression.by === 'baseline' ? 'in the baseline' : (suppression.reason ?? 'by a comment')}</li>`,
          )}</ul></details>`,
        ]),
    ...(unknown.length === 0
      ? []
      : [
          markup`<details><summary>${plural(unknown.length, 'place')} not understood: rules are silent about them</summary><ul class="notes">${unknown.map(
            ({location, because}) => markup`<li><code>${placeOf(location)}</code> ${because}</li>`,
          )}</ul></details>`,
        ]),
  ]
  return parts.length === 0 ? NOTHING : markup`<section class="reading"><h2>Notes on ${name}</h2>${parts}</section>`
}
