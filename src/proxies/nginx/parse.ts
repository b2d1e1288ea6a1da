import type {ConfigBundle} from '../../model/bundle.ts'
import type {Argument, Comment, Directive, ParsedConfig, SyntaxProblem} from '../syntax.ts'
import {includedFiles} from './certificates.ts'
import {DATA_BLOCKS, includedFrom, withinBundle} from './tree.ts'

const WHITE = new Set([' ', '\t', '\r', '\n'])
const ESCAPES: Readonly<Record<string, string>> = {'"': '"', "'": "'", '\\': '\\', t: '\t', r: '\r', n: '\n'}

/** Blocks within blocks; nginx knows a handful, and the stack of this process is not endless. */
const DEEPEST = 200

/** Reads every file of a bundle, certificates and the like without directives. Bad text becomes `problems`, never an exception. */
export function parse(bundle: ConfigBundle): ParsedConfig {
  const read = bundle.files.map(({path, text}) => {
    const problems: SyntaxProblem[] = []
    const comments: Comment[] = []
    const directives = new Reader(path, text, problems, comments).directives(0)
    return {path, directives, comments, problems}
  })
  const data = dataFiles(bundle, read)
  const files = read.map(file => (data.has(file.path) ? {path: file.path, directives: [], comments: [], problems: []} : file))
  return {
    bundle,
    files: files.map(({path, directives, comments}) => ({path, directives, comments})),
    problems: files.flatMap(({problems}) => problems),
  }
}

/** Files that only hold what a directive reads: certificates, keys, passwords. */
function dataFiles(bundle: ConfigBundle, files: readonly {directives: readonly Directive[]}[]): ReadonlySet<string> {
  const named = files.flatMap(({directives}) => includedFiles(directives))
  const included = new Set(named.flatMap(({pattern, data}) => (data === true ? [] : includedFrom(bundle, pattern))))
  return new Set(
    named.flatMap(({pattern, data}) => {
      const path = data === true ? withinBundle(bundle, pattern) : undefined
      return path === undefined || path === bundle.entry || included.has(path) ? [] : [path]
    }),
  )
}

type Stop = ';' | '{' | '}' | 'end' | 'error'

/**
 * Cuts text into words the way nginx 1.22 does (measured against its own test): a quote opens a string only at the start of a word, `#` a
 * comment only there too, `${` never opens a block, a backslash keeps the next character out of the grammar wherever it stands.
 */
class Reader {
  private at = 0
  private line = 1
  private lineStart = 0
  private scanned = 0

  constructor(
    private readonly file: string,
    private readonly text: string,
    private readonly problems: SyntaxProblem[],
    private readonly comments: Comment[],
  ) {
    // Said where meanings are judged: nginx takes a byte order mark for a part of the first word.
    if (text.startsWith('\uFEFF')) this.at = 1
  }

  /** Directives up to the brace that closes the block of `depth` (0 is the file itself). */
  directives(depth: number, parent = ''): Directive[] {
    const found: Directive[] = []
    for (;;) {
      const {words, stop} = this.words()
      const [name, ...args] = words
      if (stop === '}' || stop === 'end') {
        if (name && stop === '}') this.problem('unexpected "}"', this.at - 1)
        else if (name) this.problem('unexpected end of file, expecting ";" or "}"', this.at)
        else if (stop === 'end' && depth > 0) this.problem('unexpected end of file, expecting "}"', this.at)
        else if (stop === '}' && depth === 0) {
          this.problem('unexpected "}"', this.at - 1)
          continue
        }
        return found
      }
      if (!name) continue
      if (stop === 'error') continue
      if (stop === '{' && DATA_BLOCKS.has(parent)) this.problem('unexpected "{"', this.at - 1)
      const isCode = stop === '{' && /_by_lua_block$/.test(name.value)
      if (isCode) this.skipCode()
      if (depth >= DEEPEST) {
        this.problem('blocks are nested too deeply', name.span.start)
        this.at = this.text.length
        return found
      }
      const block = stop === '{' && !isCode ? this.directives(depth + 1, name.value) : undefined
      found.push({name: name.value, args, nameSpan: name.span, span: {...name.span, end: this.at}, ...(block ? {block} : {})})
    }
  }

  private words(): {words: Argument[]; stop: Stop} {
    const words: Argument[] = []
    for (;;) {
      const before = this.at
      while (WHITE.has(this.peek())) this.at++
      const character = this.peek()
      if (character === '') return {words, stop: 'end'}
      const afterQuote = words.at(-1)?.quote !== undefined && before === words.at(-1)?.span.end && before === this.at
      if (afterQuote && !';{})'.includes(character)) this.problem(`unexpected "${character}"`, this.at)
      if (character === '#') {
        const newline = this.text.indexOf('\n', this.at)
        const end = newline < 0 ? this.text.length : newline
        const written = this.text.slice(this.at, end).trimEnd()
        this.comments.push({text: written.replace(/^#+/, '').trim(), span: this.span(this.at, this.at + written.length)})
        this.at = end
      } else if (character === ';' || character === '{') {
        this.at++
        if (words.length > 0) return {words, stop: character}
        this.problem(`unexpected "${character}"`, this.at - 1)
        return {words, stop: 'error'}
      } else if (character === '}') {
        this.at++
        return {words, stop: '}'}
      } else {
        words.push(this.word())
      }
    }
  }

  /** One word; `at` stands on its first character. */
  private word(): Argument {
    const start = this.at
    const opening = this.peek()
    const quote = opening === '"' || opening === "'" ? opening : undefined
    let afterDollar = false
    if (quote) this.at++
    for (; this.at < this.text.length; this.at++) {
      const character = this.peek()
      if (character === '\\') {
        this.at++
        afterDollar = false
      } else if (quote) {
        if (character === quote) break
      } else if (character === '{' && afterDollar) continue
      else if (WHITE.has(character) || character === ';' || character === '{') break
      else afterDollar = character === '$'
    }
    this.at = Math.min(this.at, this.text.length)
    const inner = this.text.slice(quote ? start + 1 : start, this.at)
    if (quote && this.peek() === quote) this.at++
    else if (quote) this.problem('unexpected end of file, a quote is not closed', start)
    const value = inner.replace(/\\(["'\\trn])/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped)
    return {value, raw: this.text.slice(start, this.at), span: this.span(start, this.at), ...(quote ? {quote} : {})}
  }

  /** A block of Lua: braces in its strings and comments do not count. `at` stands behind the opening brace. */
  private skipCode(): void {
    const token = /--\[(=*)\[[\s\S]*?\]\1\]|--[^\n]*|\[(=*)\[[\s\S]*?\]\2\]|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[{}]/g
    token.lastIndex = this.at
    let depth = 1
    for (let match = token.exec(this.text); match; match = token.exec(this.text)) {
      if (match[0] === '{') depth++
      else if (match[0] === '}' && --depth === 0) {
        this.at = token.lastIndex
        return
      }
    }
    this.problem('unexpected end of file, a block of code is not closed', this.at)
    this.at = this.text.length
  }

  private peek(): string {
    return this.text.charAt(this.at)
  }

  private problem(message: string, at: number): void {
    this.problems.push({message, span: this.span(Math.min(at, this.text.length), Math.min(at + 1, this.text.length))})
  }

  private span(start: number, end: number) {
    if (start < this.scanned) {
      this.scanned = this.lineStart = 0
      this.line = 1
    }
    for (let next = this.text.indexOf('\n', this.scanned); next >= 0 && next < start; next = this.text.indexOf('\n', next + 1)) {
      this.line++
      this.lineStart = next + 1
    }
    this.scanned = Math.max(this.lineStart, start)
    return {file: this.file, start, end, line: this.line, column: start - this.lineStart + 1}
  }
}
