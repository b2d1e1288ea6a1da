import type {Excerpt, Finding} from '../model/report.ts'
import {markup, NOTHING} from './html-markup.ts'
import type {Markup} from './html-markup.ts'

/** The lines of the user's file with their numbers; what is meant is marked. */
export function excerptBlock({excerpt, location}: Pick<Finding, 'excerpt' | 'location'>): Markup {
  if (excerpt) return linesOf(excerpt)
  if (location?.text === undefined) return NOTHING
  const {line, text} = location
  return linesOf({line, lines: [text], mark: {line, column: 1, endColumn: text.length + 1}})
}

function linesOf({line, lines, mark}: Excerpt): Markup {
  const rows = lines.map((text, index) => {
    const number = line + index
    const [from, to] = [mark.column - 1, Math.max(mark.column, mark.endColumn - 1)]
    const shown =
      number === mark.line ? markup`${text.slice(0, from)}<mark>${text.slice(from, to)}</mark>${text.slice(to)}` : markup`${text}`
    return markup`<span class="line${number === mark.line ? ' meant' : ''}"><b>${number}</b><span>${shown}
</span></span>`
  })
  return markup`<pre class="source" tabindex="0" aria-label="The lines of the file">${rows}</pre>`
}

/** A unified diff, its lines coloured by what becomes of them. */
export function diffBlock(diff: string, label: string): Markup {
  const rows = diff
    .trimEnd()
    .split('\n')
    .map(line => {
      const kind = /^(---|\+\+\+|@@)/.test(line) ? 'head' : line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : 'kept'
      return markup`<span class="${kind}">${line}
</span>`
    })
  return markup`<pre class="diff" tabindex="0" aria-label="${label}">${rows}</pre>`
}
