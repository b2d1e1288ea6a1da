import type {Cause, Fix, Hunk, Report, SubjectReport} from '../model/report.ts'
import {fixSentence} from './fix-lines.ts'
import {listed, placeOf} from './html-finding.ts'
import {mark} from './html-marks.ts'
import {markup, NOTHING} from './html-markup.ts'
import type {Markup} from './html-markup.ts'
import {diffBlock, excerptBlock} from './html-source.ts'
import {isMended} from './joined.ts'
import type {Told} from './joined.ts'
import type {Pages} from './pages.ts'
import {plural} from './plural.ts'

/** The place of an outcome's details on the page; `undefined`: it has none. */
type AnchorOf = (subject: SubjectReport, id: string) => string | undefined

/** Why it fails, best explanation first; what nothing explains; and what was only read. */
export function causesBlock({subjects}: Report, told: readonly Told[], pages: Pages, anchorOf: AnchorOf): Markup {
  const open = subjects.flatMap(subject => (subject.unexplained ?? []).map(id => ({subject, id})))
  const idle = subjects.flatMap(({causes}) => causes.filter(({explains}) => explains.length === 0))
  if (told.length + open.length + idle.length === 0) return NOTHING
  const several = subjects.length > 1
  return markup`<section id="causes"><h2>${told.length === 0 ? 'Causes' : plural(told.length, 'cause')}</h2>
${told.map(each => causeBlock(each, {several, pages, anchorOf}))}
${
  open.length === 0
    ? NOTHING
    : markup`<p class="follows">No cause is known for ${linked(open.map(({subject, id}) => ({id, anchor: anchorOf(subject, id)})))}: nothing that was seen or read explains ${open.length === 1 ? 'it' : 'them'}.</p>`
}
${idle.length === 0 ? NOTHING : idleBlock(idle)}
</section>`
}

function causeBlock(
  {subject, cause, anchor}: Told,
  {several, pages, anchorOf}: {several: boolean; pages: Pages; anchorOf: AnchorOf},
): Markup {
  const {id, confidence, severity, title, because, location, excerpt, also = [], explains, remediation, patch} = cause
  const page = pages(id)
  const place = location ? markup`<code class="place">${placeOf(location)}</code>` : NOTHING
  return markup`<details class="finding cause ${severity}"${confidence === 'possible' ? NOTHING : markup` open`}>
<summary>${mark(severity, severity)}<span class="what"><h3>${title}</h3><span class="facts"><b class="sure ${confidence}">${confidence}</b><code>${id}</code>${place}${several ? markup`<span>${subject.name}</span>` : NOTHING}</span></span></summary>
<div class="body" id="${anchor}">
${excerptBlock({...(excerpt ? {excerpt} : {}), ...(location ? {location} : {})})}
${also.length === 0 ? NOTHING : markup`<p class="quiet">Also in ${listed(also.map(({file, line}) => `${file}:${line}`))}</p>`}
<ul class="because">${because.map(line => markup`<li>${line}</li>`)}</ul>
<p class="explains">Explains ${linked(explains.map(each => ({id: each, anchor: anchorOf(subject, each)})))}${isMended(subject, cause) ? markup` <span class="good">mended below</span>` : NOTHING}</p>
<div class="mend"><h4>Mend</h4><p>${remediation}</p>${patch === undefined || subject.fix ? NOTHING : diffBlock(patch, 'The change')}</div>
<p class="why">${page ? markup`<span>${page.requirement}</span> ` : NOTHING}<code class="command">gms-proxy explain ${id}</code></p>
</div>
</details>
`
}

/** Ids, each a link where its details are on the page. */
function linked(ids: readonly {id: string; anchor: string | undefined}[]): Markup {
  return markup`${ids.map(
    ({id, anchor}, index) =>
      markup`${index === 0 ? '' : ', '}${anchor === undefined ? markup`<code>${id}</code>` : markup`<a href="#${anchor}"><code>${id}</code></a>`}`,
  )}`
}

function idleBlock(causes: readonly Cause[]): Markup {
  return markup`<details class="idle"><summary>Also in the file, felt by no check: ${plural(causes.length, 'line')}</summary><ul class="notes">${causes.map(
    ({id, severity, title, location, remediation}) =>
      markup`<li>${mark(severity, severity)} ${location ? markup`<code>${placeOf(location)}</code> ` : NOTHING}${title} <code>${id}</code><p class="quiet">${remediation}</p></li>`,
  )}</ul></details>`
}

/** What `fix` found: each change with what it mends, what is left, and what rules still see. */
export function fixBlock(subject: SubjectReport): Markup {
  const {fix, name} = subject
  if (!fix) return NOTHING
  return markup`<section class="fix"><h2>${fix.hunks.length > 0 ? mark('passed') : NOTHING}<span>The fix of ${name}</span></h2>
<p>${fixSentence(subject)}.</p>
${fix.hunks.map(hunk => hunkBlock(hunk, fix))}
${(fix.written ?? []).map(({file, backup}) => markup`<p class="quiet">written <code>${file}</code>, before: <code>${backup}</code></p>`)}
${
  fix.left.length === 0
    ? NOTHING
    : markup`<h4>Left to be mended by hand</h4><ul class="notes">${fix.left.map(
        ({id, remediation}) => markup`<li>${mark('failed', 'failed')} <code>${id}</code><p>${remediation}</p></li>`,
      )}</ul>`
}
${
  fix.unfelt.length === 0
    ? NOTHING
    : markup`<details><summary>Not changed, because no check felt it: ${plural(fix.unfelt.length, 'line')}</summary><ul class="notes">${fix.unfelt.map(
        ({rule, location, message}) =>
          markup`<li>${location ? markup`<code>${placeOf(location)}</code> ` : NOTHING}<code>${rule}</code> ${message}</li>`,
      )}</ul></details>`
}
</section>`
}

function hunkBlock({file, line, patch, rules, why, mends}: Hunk, {mended}: Fix): Markup {
  const all = mended.length > 1 && mended.every(id => mends.includes(id))
  return markup`<div class="hunk"><p class="facts"><code class="place">${file}:${line}</code>${rules.map(rule => markup`<code>${rule}</code>`)}</p>
${diffBlock(patch, 'The change')}
<ul class="because">${[...new Set(why)].map(text => markup`<li>${text}</li>`)}</ul>
<p class="explains">Without it ${all ? markup`all ${mended.length} fail again` : markup`${listed(mends)} ${mends.length === 1 ? 'fails' : 'fail'} again`}</p></div>
`
}
