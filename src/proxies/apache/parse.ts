import {lineStarts, placeIn} from '../../model/bundle.ts'
import type {ConfigBundle, Span} from '../../model/bundle.ts'
import type {Argument, Comment, Directive, ParsedConfig, SyntaxProblem} from '../syntax.ts'

/** One logical line: continuations joined as httpd joins them, with the way back to every character's place in the file. */
interface LogicalLine {
  text: string
  /** `places[i]` is the offset in the file of character i; one more entry for the end. */
  places: readonly number[]
}

/** Sections that are a condition at start: their content is read as if it stood outside of them. */
const DECIDED_AT_START = /^if(?:module|define|version|file|directive|section)$/i
const SPACE = /[ \t\n\v\f\r]/
/** Sections within sections that are read; whoever follows them goes one call deeper with each. */
const DEEPEST = 100

/**
 * Joins lines that end in a backslash, then drops a carriage return before the line's end, as httpd 2.4 reads its files
 * (ap_varbuf_cfg_getline, server/util.c): a comment is continued too, and a backslash before the end of the file is kept.
 */
function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = []
  let joined = ''
  let places: number[] = []
  let start = 0
  while (start < text.length) {
    const feed = text.indexOf('\n', start)
    const end = feed === -1 ? text.length : feed
    joined += text.slice(start, end)
    for (let place = start; place < end; place++) places.push(place)
    start = feed === -1 ? text.length : feed + 1
    // all that was joined so far is looked at: an empty line after `\\` continues once more
    if (feed !== -1 && joined.endsWith('\r')) joined = joined.slice(0, -1)
    const continued = feed !== -1 && joined.endsWith('\\')
    if (continued) joined = joined.slice(0, -1)
    places.length = joined.length
    if (continued && start < text.length) continue
    lines.push({text: joined, places: [...places, end]})
    joined = ''
    places = []
  }
  return lines
}

/** A word of a logical line: offsets within that line. */
interface Word {
  value: string
  start: number
  end: number
  quote?: '"' | "'"
}

/**
 * Splits as ap_getword_conf does: a word that begins with a quote ends at the next one that is not escaped (only the quote and the
 * backslash can be), even when no space follows; any other word ends at white space and may hold quotes. Two backslashes are one everywhere.
 */
export function splitWords(text: string, from = 0, to = text.length): Word[] {
  const words: Word[] = []
  let at = from
  for (;;) {
    while (at < to && SPACE.test(text[at] ?? '')) at += 1
    if (at >= to) return words
    const start = at
    const first = text[at]
    if (first === '"' || first === "'") {
      let value = ''
      at += 1
      while (at < to && text[at] !== first) {
        if (text[at] === '\\' && at + 1 < to && (text[at + 1] === first || text[at + 1] === '\\')) at += 1
        value += text[at] ?? ''
        at += 1
      }
      if (at < to) at += 1
      words.push({value, start, end: at, quote: first})
    } else {
      while (at < to && !SPACE.test(text[at] ?? '')) at += 1
      words.push({value: text.slice(start, at).replaceAll('\\\\', '\\'), start, end: at})
    }
  }
}

interface OpenDirective {
  name: string
  args: readonly Argument[]
  nameSpan: Span
  start: number
  block: Directive[]
}

/**
 * One file, read. `ignored` is the text behind the `>` of section lines, which httpd drops without a word; `unclosed` are the sections that
 * reach beyond its end, those too that httpd does not miss the end of.
 */
interface ParsedFile {
  directives: readonly Directive[]
  comments: readonly Comment[]
  ignored: readonly Comment[]
  unclosed: readonly SyntaxProblem[]
  problems: readonly SyntaxProblem[]
}

/** Reads one file. Never throws; what httpd would stumble over is a problem. */
export function parseFile(file: string, text: string): ParsedFile {
  const starts = lineStarts(text)
  const span = (start: number, end: number): Span => ({file, start, end, ...placeIn(starts, start)})
  const problems: SyntaxProblem[] = []
  const comments: Comment[] = []
  const ignored: Comment[] = []
  const unclosed: SyntaxProblem[] = []
  const top: Directive[] = []
  const open: OpenDirective[] = []
  const siblings = () => open.at(-1)?.block ?? top
  const close = (end: number) => {
    const section = open.pop()
    if (section)
      siblings().push({
        name: section.name,
        args: section.args,
        nameSpan: section.nameSpan,
        span: span(section.start, end),
        block: section.block,
      })
  }

  for (const line of logicalLines(text)) {
    const at = (offset: number) => line.places[offset] ?? text.length
    // an end is one past the last character, not the place of the next one: a continuation may lie between
    const endOf = (offset: number) => at(offset - 1) + 1
    const lineEnd = line.text.replace(/[ \t\n\v\f\r]+$/, '').length
    const [head] = splitWords(line.text, 0, lineEnd)
    if (!head) continue
    if (line.text[head.start] === '#') {
      const words = line.text.slice(head.start, lineEnd).replace(/^#+/, '').trim()
      comments.push({text: words, span: span(at(head.start), endOf(lineEnd))})
      continue
    }
    if (head.value.startsWith('\uFEFF'))
      problems.push({message: 'httpd takes the byte order mark for a part of the first word', span: span(at(head.start), endOf(head.end))})
    const argumentsOf = (from: number, to: number): Argument[] =>
      splitWords(line.text, from, to).map(word => ({
        value: word.value,
        raw: text.slice(at(word.start), endOf(word.end)),
        ...(word.quote ? {quote: word.quote} : {}),
        span: span(at(word.start), endOf(word.end)),
      }))
    const whole = span(at(head.start), endOf(lineEnd))
    if (text.slice(whole.start, whole.end).includes('\0'))
      problems.push({message: 'a NUL character hides the rest of the line', span: whole})

    if (head.value.startsWith('</')) {
      const name = head.value.slice(2).replace(/>$/, '')
      if (!head.value.endsWith('>')) problems.push({message: `${head.value} has no closing >`, span: whole})
      const depth = open.findLastIndex(section => section.name.toLowerCase() === name.toLowerCase())
      if (depth === -1) problems.push({message: `</${name}> closes a section that is not open`, span: whole})
      else {
        if (depth !== open.length - 1) problems.push({message: `expected </${open.at(-1)?.name ?? ''}> but saw </${name}>`, span: whole})
        while (open.length > depth) close(whole.end)
      }
    } else if (head.value.startsWith('<')) {
      // httpd takes everything up to the last > of the line and ignores what follows it without a word
      const bracket = line.text.lastIndexOf('>')
      if (bracket < head.start) problems.push({message: `${head.value} has no closing >`, span: whole})
      const inner = bracket < head.start ? lineEnd : bracket
      const behind = bracket < head.start ? [] : splitWords(line.text, bracket + 1, lineEnd)
      const [first] = behind
      if (first) ignored.push({text: line.text.slice(first.start, lineEnd), span: span(at(first.start), endOf(lineEnd))})
      const nameEnd = Math.min(head.end, inner)
      const nameStart = head.start + line.text.slice(head.start).indexOf('<') + 1
      if (open.length >= DEEPEST) {
        problems.push({message: 'sections are nested too deeply', span: whole})
        break
      }
      open.push({
        name: line.text.slice(nameStart, nameEnd),
        args: argumentsOf(nameEnd, inner),
        nameSpan: span(at(nameStart), nameEnd > nameStart ? endOf(nameEnd) : at(nameStart)),
        start: whole.start,
        block: [],
      })
    } else {
      siblings().push({
        name: head.value,
        args: argumentsOf(head.end, lineEnd),
        span: whole,
        nameSpan: span(at(head.start), endOf(head.end)),
      })
    }
  }
  while (open.length > 0) {
    const section = open.at(-1)
    if (section) {
      const problem = {message: `<${section.name}> was not closed`, span: span(section.start, section.start + 1)}
      unclosed.push(problem)
      // httpd misses nothing at the end of a section that is decided at start and holds (measured on 2.4.71)
      if (!DECIDED_AT_START.test(section.name)) problems.push(problem)
    }
    close(text.length)
  }
  return {directives: top, comments, ignored, unclosed, problems}
}

/** Reads every file of a bundle, the entry first. Never throws. */
export function parse(bundle: ConfigBundle): ParsedConfig {
  const ordered = [...bundle.files].sort((a, b) => Number(b.path === bundle.entry) - Number(a.path === bundle.entry))
  const read = ordered.map(({path, text}) => ({path, ...parseFile(path, text)}))
  return {
    bundle,
    files: read.map(({path, directives, comments}) => ({path, directives, comments})),
    problems: read.flatMap(({problems}) => problems),
  }
}

/** A directive with the sections it stands in, outermost first. */
export interface Placed {
  directive: Directive
  within: readonly Directive[]
}

/** Every directive and section of every file, in order. */
export function walk(config: ParsedConfig): Placed[] {
  const found: Placed[] = []
  const visit = (directives: readonly Directive[], within: readonly Directive[]) => {
    for (const directive of directives) {
      found.push({directive, within})
      if (directive.block) visit(directive.block, [...within, directive])
    }
  }
  for (const {directives} of config.files) visit(directives, [])
  return found
}

/** Directive names compare without regard to case. */
export function isNamed(directive: Directive, ...names: readonly string[]): boolean {
  const name = directive.name.toLowerCase()
  return names.some(other => other.toLowerCase() === name)
}
