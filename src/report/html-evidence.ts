import type {Evidence, Moment} from '../model/report.ts'
import {markup, NOTHING} from './html-markup.ts'
import type {Markup} from './html-markup.ts'
import {duration} from './plain.ts'

/** One line of a witness, and when it was. */
interface Seen {
  text: string
  moment?: Moment
}

interface Span {
  from: number
  /** ms, never 0. */
  length: number
}

/** A client's line that was no good answer, a node's line that did not come to its end. */
const TROUBLE = {client: / → (?:\d{3} )?in \d[\d.]* m?s: /, upstream: /connection closed$|without an answer$|has not answered yet$/}

/** What both ends of the proxy saw: the client above, GMS below, on one time line where the times are known. */
export function evidenceBlock({client, upstream, proxyLog = [], moments = []}: Evidence): Markup {
  if (client.length + upstream.length + proxyLog.length === 0) return NOTHING
  const span = moments.length > 0 ? spanOf(moments) : undefined
  const timed = (end: Moment['end'], lines: readonly string[]) =>
    witness(
      end,
      withTimes(
        lines,
        moments.filter(moment => moment.end === end),
      ),
      span,
    )
  return markup`<div class="evidence${span ? ' timed' : ''}">
${timed('client', client)}
${timed('upstream', upstream)}
${span ? axis(span) : NOTHING}
${proxyLog.length > 0 ? markup`<div class="witness log"><h4>Proxy log</h4><ul>${proxyLog.map(line => markup`<li><code>${line}</code></li>`)}</ul></div>` : NOTHING}
</div>`
}

function spanOf(moments: readonly Moment[]): Span {
  const from = Math.min(...moments.map(({at}) => at))
  const until = Math.max(...moments.map(({at, tookMs = 0}) => at + tookMs))
  return {from, length: Math.max(1, until - from)}
}

/** Lines that say the same have their times in order. */
function withTimes(lines: readonly string[], moments: readonly Moment[]): readonly Seen[] {
  const left = [...moments]
  return lines.map(text => {
    const index = left.findIndex(moment => moment.text === text)
    const [moment] = index < 0 ? [] : left.splice(index, 1)
    return moment ? {text, moment} : {text}
  })
}

function witness(end: Moment['end'], lines: readonly Seen[], span: Span | undefined): Markup {
  if (lines.length === 0) return NOTHING
  const rows = lines.map(({text, moment}) => {
    const trouble = TROUBLE[end].test(text) ? ' trouble' : ''
    return markup`<li class="seen${trouble}"><code>${text}</code>${moment && span ? bar(moment, span) : NOTHING}</li>`
  })
  return markup`<div class="witness ${end}"><h4>${end === 'client' ? 'Client' : 'GMS'}</h4><ul>${rows}</ul></div>`
}

function bar({at, tookMs}: Moment, {from, length}: Span): Markup {
  const left = ((at - from) / length) * 100
  const width = tookMs === undefined ? 100 - left : (tookMs / length) * 100
  const said = `${duration(at - from)} after the first, ${tookMs === undefined ? 'no end yet' : `for ${duration(tookMs)}`}`
  return markup`<div class="track" title="${said}"><i${tookMs === undefined ? markup` class="open"` : NOTHING} style="left:${left.toFixed(2)}%;width:${width.toFixed(2)}%"></i></div>`
}

/** Five times at most, at round numbers. */
function axis({length}: Span): Markup {
  const rough = length / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = Math.max(1, [1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough) ?? rough)
  const ticks = Array.from({length: Math.floor(length / step) + 1}, (_, index) => index * step)
  return markup`<div class="axis" aria-hidden="true">${ticks.map(
    tick => markup`<span style="left:${((tick / length) * 100).toFixed(2)}%">${duration(tick)}</span>`,
  )}</div>`
}
