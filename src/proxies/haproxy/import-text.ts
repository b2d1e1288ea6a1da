import type {Span} from '../../model/bundle.ts'
import type {ParsedConfig} from '../syntax.ts'
import type {Statement} from './parse.ts'
import {statementsOf} from './parse.ts'

const PLACES = ['global', 'defaults', 'frontend', 'backend'] as const
type Place = (typeof PLACES)[number]

/** The text of a file that this tool has rendered: what it says is meant exactly so. */
export interface OwnText {
  /** Lines that begin with these words, in a section such as `frontend chat`; snippets are left out. */
  all(section: string, ...words: readonly string[]): readonly Statement[]
  /** The first of them. */
  first(section: string, ...words: readonly string[]): Statement | undefined
  /** Every line outside the snippets. */
  lines: readonly (Statement & {place: string})[]
  snippets: readonly {place: Place; text: string; span: Span}[]
  /** Comments outside the snippets. */
  comments: readonly string[]
  /** Name of the frontend: a fragment has its own. */
  frontend: string
  fragment: boolean
}

/** `undefined` when it was written by somebody else. */
export function ownText(config: ParsedConfig): OwnText | undefined {
  const path = config.bundle.entry
  const file = config.files.find(own => own.path === path)
  const text = config.bundle.files.find(own => own.path === path)?.text
  if (!file || text === undefined) return undefined
  const snippets = snippetsOf(path, text)
  const inSnippet = (span: Span) => snippets.some(own => own.span.start <= span.start && span.start < own.span.end)
  const lines = statementsOf(file.directives)
    .filter(({directive}) => !inSnippet(directive.span))
    .map(statement => ({...statement, place: placeOf(statement)}))
  const all = (section: string, ...words: readonly string[]) =>
    lines.filter(({place, words: own}) => place === section && words.every((word, index) => own[index] === word))
  const [frontend] = ['chat', 'gms_chat'].filter(name => all(`frontend ${name}`, 'acl', 'gms_path').length > 0)
  if (frontend === undefined) return undefined
  if (all(`frontend ${frontend}`, 'http-request', 'set-var(txn.path)', 'path').length === 0) return undefined
  if (all('backend gms', 'balance').length === 0) return undefined
  return {
    all,
    first: (section, ...words) => all(section, ...words)[0],
    lines,
    snippets,
    comments: (file.comments ?? []).filter(({span}) => !inSnippet(span)).map(own => own.text),
    frontend: `frontend ${frontend}`,
    fragment: frontend === 'gms_chat',
  }
}

/** `frontend chat`, `global`, `defaults`. */
function placeOf({section, owner}: Statement): string {
  const name = owner?.args[0]?.value
  return name === undefined || section === 'defaults' ? section : `${section} ${name}`
}

/** Lines behind the comment of a snippet, up to the first blank one: a snippet has none. */
function snippetsOf(file: string, text: string): OwnText['snippets'] {
  const found: OwnText['snippets'][number][] = []
  for (let start = 0, number = 1; start < text.length; number++) {
    const end = endOfLine(text, start)
    const [, place] = /^ {4}# snippets\.haproxy\.(\w+) of the parameters/.exec(text.slice(start, end)) ?? []
    const own = PLACES.find(name => name === place)
    start = end + 1
    if (!own) continue
    const lines: string[] = []
    const first = start
    for (; start < text.length; start = endOfLine(text, start) + 1) {
      const line = text.slice(start, endOfLine(text, start)).trim()
      if (line === '') break
      lines.push(line)
    }
    found.push({place: own, text: lines.join('\n'), span: {file, start: first, end: start, line: number + 1, column: 1}})
    number += lines.length
  }
  return found
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}
