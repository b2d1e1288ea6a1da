import {Ansis} from 'ansis'
import {wrap} from '../report/plain.ts'

/** A page of the catalogue for a terminal: Markdown with its marks turned into type, or dropped. Code keeps its lines. */
export function page(markdown: string, {colour, width}: {colour: boolean; width: number}): string {
  const ansis = new Ansis(colour ? 1 : 0)
  const inline = (text: string) =>
    text
      .replace(/\*\*([^*]+)\*\*/g, (_, word: string) => ansis.bold(word))
      .replace(/`([^`]+)`/g, (_, word: string) => (colour ? ansis.cyan(word) : word))
  const lines: string[] = []
  let code = false
  for (const paragraph of paragraphs(markdown.replace(/<!--[\s\S]*?-->\n?/g, ''))) {
    if (paragraph.startsWith('```')) {
      code = !code
      continue
    }
    const [, hashes, title] = /^(#+) (.*)$/.exec(paragraph) ?? []
    if (code) lines.push(`    ${ansis.dim(paragraph)}`)
    else if (title !== undefined) lines.push(hashes === '#' ? ansis.bold.underline(title) : ansis.bold(title))
    else {
      const [, mark = '', text = ''] = /^(\s*(?:[-*]|\d+\.|>) )?(.*)$/s.exec(paragraph) ?? []
      const bullet = mark.replace(/[-*]/, '•').replace('>', '│')
      const indent = mark.trim() === '>' ? bullet : ' '.repeat(bullet.length)
      lines.push(
        ...wrap(unbroken(text), Math.min(width, 100) - bullet.length).map((line, index) => (index === 0 ? bullet : indent) + inline(line)),
      )
    }
  }
  return lines
    .join('\n')
    .replaceAll(NO_BREAK, ' ')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

const NO_BREAK = '\u00A0'
/** Longer code than this may break, and then goes without its marks. */
const LONGEST_CODE = 48

/** Keeps a piece of code on one line: its marks are read line by line. */
function unbroken(text: string): string {
  return text.replace(/`([^`]+)`/g, (marked, code: string) => (code.length > LONGEST_CODE ? code : marked.replaceAll(' ', NO_BREAK)))
}

/** Lines of one paragraph joined, so that it can be broken anew; headings, list items and code stay as they are. */
function paragraphs(markdown: string): readonly string[] {
  const result: string[] = []
  let code = false
  for (const line of markdown.split('\n')) {
    const fence = line.startsWith('```')
    const previous = result.at(-1) ?? ''
    const joins =
      !code && !fence && /^\s*[^\s#>*|-]/.test(line) && !/^\s*\d+\. /.test(line) && previous !== '' && !/^(#|```|\|)/.test(previous)
    if (fence) code = !code
    if (joins) result[result.length - 1] = `${previous} ${line.trim()}`
    else result.push(line)
  }
  return result
}
