import type {ConfigBundle, Span} from '../../model/bundle.ts'
import type {Argument, Comment, Directive, ParsedConfig, SyntaxProblem} from '../syntax.ts'

/** First words that begin a section, wherever they stand on the line (configuration manual 2.4 to 3.2). */
export const SECTIONS: ReadonlySet<string> = new Set([
  'global',
  'defaults',
  'frontend',
  'backend',
  'listen',
  'resolvers',
  'peers',
  'userlist',
  'mailers',
  'program',
  'cache',
  'http-errors',
  'ring',
  'log-forward',
  'log-profile',
  'fcgi-app',
  'crt-store',
  'acme',
  'traces',
  'dynamic-update',
  'namespace_list',
  'healthcheck',
])

/** What follows a backslash outside single quotes; every other pair stays as it is, but `\$` in double quotes (measured on 2.6.12). */
const ESCAPES: Readonly<Record<string, string>> = {' ': ' ', '\\': '\\', '#': '#', '"': '"', "'": "'", n: '\n', r: '\r', t: '\t'}

/** Reads the HAProxy files of a bundle: the entry and other `.cfg` files (maps and error pages are data). Never throws. */
export function parse(bundle: ConfigBundle): ParsedConfig {
  const problems: SyntaxProblem[] = []
  const files = bundle.files
    .filter(file => file.path === bundle.entry || file.path.endsWith('.cfg'))
    .map(file => {
      const comments: Comment[] = []
      return {path: file.path, directives: parseText(file.path, file.text, problems, comments), comments}
    })
  return {bundle, files, problems}
}

function parseText(file: string, text: string, problems: SyntaxProblem[], comments: Comment[]): readonly Directive[] {
  const top: Directive[] = []
  let block: Directive[] | undefined
  let start = 0
  for (let line = 1; start < text.length; line++) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    const words = readLine(file, text.slice(start, end), start, line, problems, comments)
    const nul = text.slice(start, end).indexOf('\0')
    if (nul !== -1)
      problems.push({
        message: 'a NUL character in the middle of the text',
        span: {file, start: start + nul, end: start + nul + 1, line, column: nul + 1},
      })
    start = end + 1
    const [first, ...args] = words
    if (!first) continue
    problems.push(...unreadable(words))
    const span = {...first.span, end: (words.at(-1) ?? first).span.end}
    const directive = {name: first.value, args, span, nameSpan: first.span}
    if (SECTIONS.has(first.value)) {
      block = []
      top.push({...directive, block})
    } else (block ?? top).push(directive)
  }
  problems.push(...unbalanced(top.flatMap(section => [section, ...(section.block ?? [])])))
  return top.map(section => {
    const last = section.block?.at(-1)
    return last ? {...section, span: {...section.span, end: last.span.end}} : section
  })
}

/** Longest line, in words (measured on 2.6.12: "too many words, truncating after word 64"). */
const MOST_WORDS = 64

/** What ends a line before its end: HAProxy refuses the file. */
function unreadable(words: readonly Argument[]): readonly SyntaxProblem[] {
  const beyond = words[MOST_WORDS]
  const variable = words.find(word => usesEnvironment(word) && hasWrongVariable(word))
  return [
    ...(beyond ? [{message: `too many words: ${MOST_WORDS} are read`, span: beyond.span}] : []),
    ...(variable ? [{message: `the name of a variable cannot be read in ${variable.raw}`, span: variable.span}] : []),
  ]
}

/** A dollar sign between double quotes that no name follows. */
function hasWrongVariable({raw}: {raw: string}): boolean {
  let quote = ''
  for (let at = 0; at < raw.length; at++) {
    const character = raw[at] ?? ''
    if (character === '\\' && quote !== "'") at++
    else if (quote === character) quote = ''
    else if (quote === '' && (character === '"' || character === "'")) quote = character
    else if (character === '$' && quote === '"' && !/^\$(?:[A-Za-z_]|\{[A-Za-z_]\w*(?:\[\*\])?(?:-[^}]*)?\})/.test(raw.slice(at)))
      return true
  }
  return false
}

/** `.if` without `.endif` and the other way round; words behind `.else` and `.endif`, in a branch that is not taken too (2.6.12). */
function unbalanced(lines: readonly Directive[]): readonly SyntaxProblem[] {
  const found: SyntaxProblem[] = []
  const open: {directive: Directive; otherwise: boolean}[] = []
  for (const directive of lines) {
    const {nameSpan} = directive
    // a variable that nobody sets is empty
    const name = directive.name.replace(/\$(?:[A-Za-z_]\w*|\{\w*\})/g, '')
    const last = open.at(-1)
    const [more] = directive.args
    if (more && (name === '.else' || name === '.endif')) found.push({message: `${name} takes no words`, span: more.span})
    if (name === '.if') open.push({directive, otherwise: false})
    else if (name === '.elif' || name === '.else' || name === '.endif') {
      if (!last) found.push({message: `${name} without .if`, span: nameSpan})
      else if (name === '.endif') open.pop()
      else if (last.otherwise) found.push({message: `${name} after .else`, span: nameSpan})
      if (last && name === '.else') last.otherwise = true
    }
  }
  return [...found, ...open.map(({directive}) => ({message: '.if without .endif', span: directive.nameSpan}))]
}

/** One line → its words. Quotes may open anywhere in a word; nothing continues a line. */
function readLine(
  file: string,
  line: string,
  offset: number,
  number: number,
  problems: SyntaxProblem[],
  comments: Comment[],
): readonly Argument[] {
  const words: Argument[] = []
  const spanOf = (from: number, to: number): Span => ({file, start: offset + from, end: offset + to, line: number, column: from + 1})
  let at = 0
  while (at < line.length) {
    if (isSpace(line[at])) {
      at++
      continue
    }
    if (line[at] === '#') {
      comments.push({text: line.slice(at + 1).trim(), span: spanOf(at, line.trimEnd().length)})
      break
    }
    const from = at
    let value = ''
    let quote: '"' | "'" | undefined
    let opened = at
    for (; at < line.length; at++) {
      const character = line[at] ?? ''
      if (quote === undefined && (isSpace(character) || character === '#')) break
      if (character === quote) quote = undefined
      else if (quote === undefined && (character === '"' || character === "'")) {
        quote = character
        opened = at
      } else if (character === '\\' && quote !== "'") {
        const escape = readEscape(line, at, quote === '"')
        if (escape.value === undefined) problems.push({message: 'truncated or invalid hexadecimal sequence', span: spanOf(at, at + 2)})
        value += escape.value ?? ''
        at = escape.last
      } else value += character
    }
    if (quote !== undefined) problems.push({message: `unmatched quote ${quote}`, span: spanOf(opened, line.length)})
    const raw = line.slice(from, at)
    const outer = raw[0]
    words.push({value, raw, ...(outer === '"' || outer === "'" ? {quote: outer} : {}), span: spanOf(from, at)})
  }
  return words
}

/** What a backslash and its successors stand for; `last` is the place of the last character of it. */
function readEscape(line: string, at: number, inDouble: boolean): {value: string | undefined; last: number} {
  const next = line[at + 1] ?? ''
  if (next === 'x') {
    const hex = /^[0-9A-Fa-f]{2}/.exec(line.slice(at + 2, at + 4))?.[0]
    return hex === undefined ? {value: undefined, last: at + 1} : {value: String.fromCharCode(Number.parseInt(hex, 16)), last: at + 3}
  }
  if (next === '$' && inDouble) return {value: '$', last: at + 1}
  const value = ESCAPES[next]
  return value === undefined ? {value: '\\', last: at} : {value, last: at + 1}
}

/** C's isspace. */
function isSpace(character: string | undefined): boolean {
  return character !== undefined && /^[ \t\r\v\f\n]$/.test(character)
}

/** Variables are put in between double quotes only, as `$NAME` or `${NAME}` (manual, section 2.3; measured on 2.6.12). */
export function usesEnvironment(argument: {raw: string}): boolean {
  let quote = ''
  for (let at = 0; at < argument.raw.length; at++) {
    const character = argument.raw[at] ?? ''
    if (character === '\\' && quote !== "'") at++
    else if (quote === character) quote = ''
    else if (quote === '' && (character === '"' || character === "'")) quote = character
    else if (character === '$' && quote === '"') return true
  }
  return false
}

/** `value` as one word that HAProxy reads back unchanged. */
export function quoteWord(value: string): string {
  return /^[A-Za-z0-9_@%+=:,./[\]*!-]+$/.test(value) ? value : `'${value.replaceAll("'", `'"'"'`)}'`
}

/** A directive of a section, or of no section in a fragment. */
export interface Statement {
  section: string
  /** Section directive; absent in a fragment. */
  owner?: Directive
  directive: Directive
  /** Name and arguments with `no` and `default` in front removed. */
  words: readonly string[]
}

/** Every directive with the section it stands in, in order of appearance. */
export function statements(config: ParsedConfig): readonly Statement[] {
  return config.files.flatMap(file => statementsOf(file.directives))
}

/** The same for the directives of one file. */
export function statementsOf(directives: readonly Directive[]): readonly Statement[] {
  return directives.flatMap(top =>
    SECTIONS.has(top.name)
      ? (top.block ?? []).map(directive => ({section: top.name, owner: top, directive, words: wordsOf(directive)}))
      : [{section: '', directive: top, words: wordsOf(top)}],
  )
}

function wordsOf(directive: Directive): readonly string[] {
  const words = [directive.name, ...directive.args.map(argument => argument.value)]
  return (words[0] === 'no' || words[0] === 'default') && words.length > 1 ? words.slice(1) : words
}
