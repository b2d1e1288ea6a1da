import type {Edit, Span} from '../../model/bundle.ts'
import type {Directive} from '../syntax.ts'
import type {Setting} from '../site.ts'
import {defaultOf} from './defaults.ts'
import {headOf} from './site-scope.ts'
import type {Level, Scope} from './site-scope.ts'

/** A setting by its parts; `span` and `put` may be missing. */
export function setting<T>(parts: {
  value: T
  directive: string
  text: string
  home: Span
  span?: Span | undefined
  put?: ((argument: string) => readonly Edit[]) | undefined
}): Setting<T> {
  const {value, directive, text, home, span, put = () => []} = parts
  return {value, directive, text, home, put, ...(span ? {span} : {})}
}

/** A directive as written, in one line: `proxy_read_timeout 60s`. */
export function textOf({name, args}: Directive): string {
  return [name, ...args.map(({raw}) => raw)].join(' ')
}

/** The value in force of a directive that an inner block inherits unless it has its own. `read` gets the arguments, of the default too. */
export function inForce<T>(
  scope: Scope,
  name: string,
  version: string,
  read: (words: readonly string[], line?: Directive) => T,
): Setting<T> {
  const at = scope.holder(name)
  const line = at?.first(name)
  const own = defaultOf(name, version, ['upstream', 'events', 'main'].includes(scope.level) ? scope.level : undefined)
  const home = homeFor(scope, own?.contexts ?? ['http', 'server', 'location'])
  const words = line ? line.args.map(({value}) => value) : (own?.argument ?? '').split(' ').filter(word => word !== '')
  return setting({
    value: read(words, line),
    directive: name,
    text: line ? textOf(line) : [name, ...words].join(' '),
    span: line?.span,
    home: home.home,
    put: argument => (line && at && mayChange(at) ? replaced(line, argument) : inserted(home, `${name} ${argument};`)),
  })
}

/** The innermost block in which the directive may stand. */
export function homeFor(scope: Scope, contexts: readonly Level[]): Scope {
  return scope.chain().find(({level}) => contexts.includes(level)) ?? scope
}

/** A line further out belongs to other sites too, unless there are none. */
export function mayChange(at: Scope): boolean {
  return !['http', 'stream'].includes(at.level) || at.all('server').length <= 1
}

/** Other arguments for a line that is written. */
export function replaced(line: Directive, argument: string): readonly Edit[] {
  const [first] = line.args
  const last = line.args.at(-1)
  const why = `${line.name} ${argument}`
  if (!first || !last) return [{span: {...line.nameSpan, start: line.nameSpan.end}, text: ` ${argument}`, why}]
  return [{span: {...first.span, end: last.span.end}, text: argument, why}]
}

/** The line goes, with the white space before it when nothing else stands there. */
export function dropped(scope: Scope, line: Directive, why: string): readonly Edit[] {
  const text = fileText(scope, line.span.file)
  const lineStart = text.lastIndexOf('\n', line.span.start - 1) + 1
  const lineEnd = endOfLine(text, line.span.end)
  const alone = text.slice(lineStart, line.span.start).trim() === '' && text.slice(line.span.end, lineEnd).trim() === ''
  const start = alone ? Math.max(0, lineStart - 1) : line.span.start
  return [{span: {...line.span, start, end: alone ? lineEnd - (text.charAt(lineEnd - 1) === '\r' ? 1 : 0) : line.span.end}, text: '', why}]
}

/**
 * Puts lines into a block, below the last plain line of it and above the blocks in it, with the indentation of their neighbours; a comment behind
 * that line stays where it is. Empty when the block stands in no file (what a fragment is put into).
 */
export function inserted(scope: Scope, ...lines: readonly string[]): readonly Edit[] {
  const file = scope.block?.span.file ?? scope.lines[0]?.span.file
  if (file === undefined || (scope.block === undefined && scope.lines.length === 0)) return []
  const text = fileText(scope, file)
  const why = lines.join(' ').replace(/;$/, '')
  const own = ownLines(scope, file)
  const before = own.findLast(({block}) => !block)
  if (before) return [below(text, before.span, indentAt(text, before.span.start), lines, why)]
  if (!scope.block) {
    const first = own[0]
    if (!first) return []
    return [above(text, first.span, lines, why)]
  }
  const brace = text.indexOf('{', headOf(scope.block).end)
  const outer = indentAt(text, scope.block.span.start)
  const inner = own[0] ? indentAt(text, own[0].span.start) : `${outer}${outer.includes('\t') ? '\t' : '    '}`
  const rest = text.slice(brace + 1, endOfLine(text, brace + 1))
  const span = {...scope.block.span, start: brace + 1, end: brace + 1}
  // `location / { }`: the closing brace goes to a line of its own.
  if (rest.includes('}')) return [{span, text: ` ${lines.join(' ')}`, why}]
  return [below(text, {...scope.block.span, end: brace + 1}, inner, lines, why)]
}

/** Puts lines above a line or block, at its indentation. */
export function insertedAbove(scope: Scope, line: Directive, ...lines: readonly string[]): readonly Edit[] {
  return [above(fileText(scope, line.span.file), line.span, lines, lines.join(' ').replace(/;$/, ''))]
}

/** First lines of a block: load balancing methods must stand above `keepalive`. */
export function insertedFirst(scope: Scope, ...lines: readonly string[]): readonly Edit[] {
  const [first] = scope.block ? ownLines(scope, scope.block.span.file) : []
  return first ? insertedAbove(scope, first, ...lines) : inserted(scope, ...lines)
}

/** Lines that stand between the braces of the block itself, not in an included file. */
function ownLines(scope: Scope, file: string): readonly Directive[] {
  const {block} = scope
  return scope.lines.filter(({span}) => span.file === file && (!block || (span.start > block.span.start && span.end <= block.span.end)))
}

function below(text: string, after: Span, indent: string, lines: readonly string[], why: string): Edit {
  const end = endOfLine(text, after.end)
  const rest = text.slice(after.end, end)
  // Something else than a comment follows on the line: stay on it.
  if (rest.trim() !== '' && !rest.trim().startsWith('#'))
    return {span: {...after, start: after.end, end: after.end}, text: ` ${lines.join(' ')}`, why}
  const newline = newlineOf(text)
  const at = text.charAt(end - 1) === '\r' ? end - 1 : end
  return {span: {...after, start: at, end: at}, text: lines.map(line => `${newline}${indent}${line}`).join(''), why}
}

function above(text: string, before: Span, lines: readonly string[], why: string): Edit {
  const indent = indentAt(text, before.start)
  const separator =
    text
      .slice(text.lastIndexOf('\n', before.start - 1) + 1, before.start)
      .replace('\uFEFF', '')
      .trim() === ''
      ? `${newlineOf(text)}${indent}`
      : ' '
  return {span: {...before, end: before.start}, text: lines.map(line => `${line}${separator}`).join(''), why}
}

function indentAt(text: string, at: number): string {
  const start = text.lastIndexOf('\n', at - 1) + 1
  return /^[ \t]*/.exec(text.slice(start, at))?.[0] ?? ''
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}

function newlineOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

function fileText(scope: Scope, path: string): string {
  return scope.config.bundle.files.find(file => file.path === path)?.text ?? ''
}
