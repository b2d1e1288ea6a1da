import type {Finding, Location, Outcome, SubjectReport} from '../model/report.ts'
import type {Told} from './joined.ts'
import {evidenceBlock} from './html-evidence.ts'
import {mark} from './html-marks.ts'
import {markup, NOTHING} from './html-markup.ts'
import type {Markup} from './html-markup.ts'
import {diffBlock, excerptBlock} from './html-source.ts'
import type {Page, Pages} from './pages.ts'

/** One card of the page: what a check found, or one finding of a rule. */
export interface Card {
  subject: SubjectReport
  outcome: Outcome
  findings: readonly Finding[]
  /** Id of its place on the page. */
  anchor: string
  /** Failures that follow from it. */
  explains: readonly Outcome[]
  /** The failure that it most likely follows from. */
  cause?: Outcome
  /** What explains it, the best first. */
  causes: readonly Told[]
}

/** What was expected, what happened, what both ends saw, the lines, and what to change. */
export function cardBlock(
  {subject, outcome, findings, anchor, explains, cause, causes}: Card,
  {open, several, pages}: {open: boolean; several: boolean; pages: Pages},
): Markup {
  const {id, severity, title} = outcome
  const [first] = findings
  const place = first?.location ? markup`<code class="place">${placeOf(first.location)}</code>` : NOTHING
  const log = [...new Set(findings.flatMap(({evidence}) => evidence.proxyLog ?? []))]
  // The lines, the log and the mend are most often the same for all findings of a check: said once.
  const blocks = findings.map((finding, index) => findingBlock(finding, {before: findings[index - 1], log: index === 0 ? log : [], title}))
  return markup`<details class="finding ${severity}"${open ? markup` open` : NOTHING}>
<summary>${mark(severity, severity)}<span class="what"><h3>${title}</h3><span class="facts"><code>${id}</code>${place}${several ? markup`<span>${subject.name}</span>` : NOTHING}</span></span></summary>
<div class="body" id="${anchor}">
${causes.map(({cause: {id: of, title: said, confidence}, anchor: at}) => markup`<p class="follows">${confidence} cause: <a href="#${at}"><code>${of}</code></a> ${said}</p>`)}
${cause && causes.length === 0 ? markup`<p class="follows">Most likely follows from <code>${cause.id}</code> (${cause.title}): mend that first.</p>` : NOTHING}
${blocks}
${mends(findings)}
${explains.length > 0 ? markup`<p class="quiet">Explains ${listed(explains.map(outcome => outcome.id))}</p>` : NOTHING}
${why(pages(id), id)}
</div>
</details>
`
}

function findingBlock(
  finding: Finding,
  {before, log, title}: {before: Finding | undefined; log: readonly string[]; title: string},
): Markup {
  const {message, expected, actual, evidence, location} = finding
  const shown = before !== undefined && location !== undefined && JSON.stringify(before.location) === JSON.stringify(location)
  return markup`<div class="found">
${message === title ? NOTHING : markup`<p class="message">${message}</p>`}
<dl class="versus"><div><dt>Expected</dt><dd>${expected}</dd></div><div class="actual"><dt>Actual</dt><dd>${actual}</dd></div></dl>
${shown ? NOTHING : excerptBlock(finding)}
${evidenceBlock({...evidence, proxyLog: log})}
</div>`
}

/** Each mend once, with the change where it is known. */
function mends(findings: readonly Finding[]): Markup {
  const texts = [...new Set(findings.map(({remediation}) => remediation).filter(text => text !== ''))]
  const patches = [...new Set(findings.flatMap(({patch}) => patch ?? []))]
  if (texts.length + patches.length === 0) return NOTHING
  return markup`<div class="mend"><h4>Mend</h4>${texts.map(text => markup`<p>${text}</p>`)}${patches.map(patch => diffBlock(patch, 'The change'))}</div>`
}

function why(page: Page | undefined, id: string): Markup {
  const command = markup`<code class="command">gms-proxy explain ${id}</code>`
  return page ? markup`<p class="why"><span>${page.requirement}</span> ${command}</p>` : markup`<p class="why">${command}</p>`
}

/** Ids, one after the other. */
export function listed(ids: readonly string[]): Markup {
  return markup`${ids.map((id, index) => markup`${index === 0 ? '' : ', '}<code>${id}</code>`)}`
}

/** `nginx.conf:14:5` */
export function placeOf({file, line, column}: Location): string {
  return `${file}:${line}${column === undefined ? '' : `:${column}`}`
}
