import {harmless} from './plain.ts'

/** Shown on demand; `title` is Markdown. */
export function folded(title: string, text: string): string {
  return `<details><summary>${title}</summary>\n\n${text}\n\n</details>`
}

/** Text of a paragraph or a cell: nothing in it can break out, become a link, or call for somebody's attention. */
export function plain(text: string): string {
  return (
    unlinked(text)
      // GitHub looks for names in what is rendered: an entity does not hide them, the end of a text does.
      .replaceAll('&#64;', '&#64;<!-- -->')
  )
}

/** Words of a program, on one line. */
export function code(text: string): string {
  return `<code>${unlinked(text)}</code>`
}

function unlinked(text: string): string {
  return html(text)
    .replace(/[\\`*_[\]|~#@]/g, character => `&#${character.charCodeAt(0)};`)
    .replace(/:(?=\/\/)/g, '&#58;')
    .replace(/(?<=\bwww)\./gi, '&#46;')
    .replaceAll('\n', '<br>')
}

/** A block of code; its fence is longer than any in the text. */
export function fenced(text: string, language = ''): string {
  const safe = harmless(text)
  const longest = Math.max(2, ...[...safe.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${safe}\n${fence}`
}

function html(text: string): string {
  return harmless(text).replace(/[&<>]/g, character => ({'&': '&amp;', '<': '&lt;', '>': '&gt;'})[character] ?? '')
}
