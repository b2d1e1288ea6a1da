import {redact, REDACTED} from '../model/redact.ts'
import {lineStarts, placeIn} from '../model/bundle.ts'
import type {Edit, Span} from '../model/bundle.ts'
import type {Excerpt, Location, Replacement} from '../model/report.ts'

/** Lines above and below that are redacted together: a secret may be broken over lines. */
const TOGETHER = 10
/** The longest line that is shown, UTF-16 units. */
const LONGEST = 400

/** The text of one file, by lines. Lines and columns count from 1. */
export class Lines {
  readonly text: string
  private readonly starts: readonly number[]

  constructor(text: string) {
    this.text = text
    this.starts = lineStarts(text)
  }

  get count(): number {
    return this.starts.length
  }

  /** Without its line end; empty beyond the file. */
  line(number: number): string {
    const start = this.starts[number - 1]
    if (start === undefined) return ''
    return this.text.slice(start, (this.starts[number] ?? this.text.length + 1) - 1).replace(/\r$/, '')
  }

  /** Where the character at `offset` stands. */
  at(offset: number): {line: number; column: number} {
    return placeIn(this.starts, offset)
  }

  /** Where a line begins; the end of the file for those beyond it. */
  offset(number: number): number {
    return this.starts[number - 1] ?? this.text.length
  }

  /** One line, secrets hidden. */
  safe(number: number): string {
    return this.safeLines(number, number)[0] ?? ''
  }

  /** Lines `first` to `last`, secrets hidden, also those that span several lines. */
  safeLines(first: number, last: number): readonly string[] {
    const from = Math.max(1, first - TOGETHER)
    const to = Math.min(this.count, last + TOGETHER)
    const before = Array.from({length: to - from + 1}, (_, index) => this.line(from + index))
    const together = redact(before.join('\n')).split('\n')
    // A secret over several lines has taken some with it: only lines that stayed as they are can be shown.
    const after = together.length === before.length ? together : before.map(line => (together.includes(line) ? line : REDACTED))
    const inKey = linesOfKeys(before, this.isInKey(this.starts[from - 1] ?? 0))
    return Array.from({length: last - first + 1}, (_, index) => {
      const place = first + index - from
      return inKey[place] ? REDACTED : (after[place] ?? '')
    })
  }

  private isInKey(offset: number): boolean {
    const before = Math.max(0, offset - 1)
    return this.text.lastIndexOf('-----BEGIN', before) > this.text.lastIndexOf('-----END', before)
  }

  /** Lines around a place; points at `location`, or at the whole line where hiding secrets has moved its text. */
  excerpt(location: Location): Excerpt {
    const {line, column = 1, endColumn} = location
    const first = Math.max(1, line - 1)
    const last = Math.min(this.count, line + 1)
    const lines = this.safeLines(first, last).map(text => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text))
    const shown = lines[line - first] ?? ''
    const own = this.line(line)
    const same = shown === own
    const start = same ? column : shown.length - shown.trimStart().length + 1
    const end = same ? Math.min(endColumn ?? own.length + 1, own.length + 1) : shown.length + 1
    const [from, to] = trimmed(lines, line - first)
    return {
      line: first + from,
      lines: lines.slice(from, to),
      mark: {line, column: start, endColumn: Math.max(end, start + 1)},
    }
  }

  /** The place of a span in this file, the user's `file`; of a block, its first line. */
  locate(span: Span, file: string): Location {
    const {line, column} = this.at(span.start)
    const end = this.at(Math.max(span.start, span.end))
    const own = this.line(line)
    const endColumn = end.line === line ? end.column : own.trimEnd().length + 1
    const text = this.safe(line).trim()
    return {file, line, column, endLine: line, endColumn: Math.max(endColumn, column), ...(text === '' ? {} : {text})}
  }

  /** An edit of this file for a report. */
  replacement({span, text, why}: Edit, file: string): Replacement {
    const {line, column} = this.at(span.start)
    const end = this.at(span.end)
    return {file, line, column, endLine: end.line, endColumn: end.column, text, why}
  }
}

/** Which of `lines` stand between the markers of a key or a certificate; `inside`: the first one does. */
function linesOfKeys(lines: readonly string[], inside: boolean): readonly boolean[] {
  let within = inside
  return lines.map(line => {
    const ends = line.includes('-----END')
    const hidden = within && !ends
    within = (within || line.includes('-----BEGIN')) && !ends
    return hidden
  })
}

/** Empty lines at the edges say nothing. */
function trimmed(lines: readonly string[], middle: number): readonly [number, number] {
  const from = middle > 0 && (lines[0] ?? '').trim() === '' ? 1 : 0
  const to = lines.length - 1 > middle && (lines.at(-1) ?? '').trim() === '' ? lines.length - 1 : lines.length
  return [from, to]
}
