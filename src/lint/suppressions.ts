import type {Span} from '../model/bundle.ts'
import {redact} from '../model/redact.ts'
import {didYouMean} from '../parameters/suggest.ts'
import type {Directive, ParsedConfig} from '../proxies/syntax.ts'

/** A comment that switches rules off. */
export interface SuppressingComment {
  ids: readonly string[]
  reason: string
  span: Span
  /** Lines of its file that it speaks of, from and to; absent: all. */
  lines?: readonly [number, number]
}

export interface Suppressions {
  comments: readonly SuppressingComment[]
  /** `file:line:column: …` of comments that are not written as they must be. */
  problems: readonly string[]
}

const WORD = /^gms-proxy-ignore(-file)?(?![\w-])(.*)$/s
const AS_WRITTEN = 'write # gms-proxy-ignore RULE: REASON'

/**
 * Comments of the form `gms-proxy-ignore ID[, ID]: REASON`. One behind a directive speaks of its line; one on a line of its own speaks of the
 * directive below, all of its lines, but not of what stands in its block; `gms-proxy-ignore-file` speaks of its whole file.
 */
export function suppressionsOf(
  config: ParsedConfig,
  {ids: known, nameOf}: {ids: readonly string[]; nameOf(file: string): string},
): Suppressions {
  const comments: SuppressingComment[] = []
  const problems: string[] = []
  for (const file of config.files) {
    const text = config.bundle.files.find(({path}) => path === file.path)?.text ?? ''
    const own = file.comments ?? []
    const alone = new Set(own.filter(({span}) => isAlone(text, span)).map(({span}) => span.line))
    for (const {text: said, span} of own) {
      const [, whole, rest = ''] = WORD.exec(said.trim()) ?? []
      if (!said.trim().startsWith('gms-proxy-ignore')) continue
      const [, list = '', reason = ''] = /^\s*([^:]*?)\s*(?::(.*))?$/s.exec(rest) ?? []
      const ids = list.split(/[\s,]+/).filter(id => id !== '')
      const problem = (what: string) => problems.push(`${nameOf(span.file)}:${span.line}:${span.column}: ${what}`)
      const unknown = ids.filter(id => !known.includes(id))
      if (!WORD.test(said.trim())) problem(`${said.trim().split(/\s/)[0] ?? ''} is not known; ${AS_WRITTEN}`)
      else if (ids.length === 0) problem(`gms-proxy-ignore names no rule; ${AS_WRITTEN}`)
      else if (unknown.length > 0)
        for (const id of unknown) problem(`gms-proxy-ignore: ${JSON.stringify(id)} is not the id of a rule${didYouMean(id, known)}`)
      else if (reason.trim() === '') problem(`gms-proxy-ignore gives no reason; ${AS_WRITTEN}`)
      else {
        const range = whole === undefined ? {lines: linesBelow(file.directives, span.line, alone)} : {}
        comments.push({ids, reason: redact(reason.trim()), span, ...range})
      }
    }
  }
  return {comments, problems}
}

function isAlone(text: string, {start}: Span): boolean {
  return text.slice(text.lastIndexOf('\n', start - 1) + 1, start).trim() === ''
}

/** Lines that a comment on `line` speaks of: its own, or, where it stands alone, those of the simple directive below it and below further comments. */
function linesBelow(directives: readonly Directive[], line: number, alone: ReadonlySet<number>): readonly [number, number] {
  if (!alone.has(line)) return [line, line]
  let first = line + 1
  while (alone.has(first)) first += 1
  const last = startingOn(directives, first).reduce((most, directive) => Math.max(most, lastLine(directive)), first)
  return [first, last]
}

function startingOn(directives: readonly Directive[], line: number): readonly Directive[] {
  return directives.flatMap(directive => [
    ...(directive.span.line === line && directive.block === undefined ? [directive] : []),
    ...startingOn(directive.block ?? [], line),
  ])
}

/** Arguments may stand on further lines. */
function lastLine({span, args}: Directive): number {
  return args.reduce((most, {span: of}) => Math.max(most, of.line), span.line)
}
