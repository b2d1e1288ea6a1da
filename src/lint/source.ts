import type {Edit, Span} from '../model/bundle.ts'
import type {Directive, ParsedConfig} from '../proxies/syntax.ts'
import {Lines} from './lines.ts'

/** The directive that begins where `span` begins, whole: a span may be of its head alone. */
export function directiveAt({files}: ParsedConfig, {file, start}: Span): Directive | undefined {
  const find = (directives: readonly Directive[]): Directive | undefined => {
    for (const directive of directives) {
      if (directive.span.start === start) return directive
      if (directive.block && directive.span.start < start && start < directive.span.end) return find(directive.block)
    }
    return undefined
  }
  return find(files.find(({path}) => path === file)?.directives ?? [])
}

/** Directives at every depth, in order. */
function everyDirective(directives: readonly Directive[]): readonly Directive[] {
  return directives.flatMap(directive => [directive, ...everyDirective(directive.block ?? [])])
}

const everywhere = new WeakMap<ParsedConfig, readonly Directive[]>()

/** Directives of all files at every depth; made once, for several rules ask at every listener. */
export function directivesOf(config: ParsedConfig): readonly Directive[] {
  const known = everywhere.get(config)
  if (known) return known
  const found = everyDirective(config.files.flatMap(({directives}) => directives))
  everywhere.set(config, found)
  return found
}

/** Every directive of that name, however deep. */
export function allOf(config: ParsedConfig, name: RegExp): readonly Directive[] {
  return directivesOf(config).filter(directive => name.test(directive.name))
}

/** The blocks around `span`, outermost first. */
export function blocksAround({files}: ParsedConfig, {file, start}: Span): readonly Directive[] {
  const found: Directive[] = []
  let level = files.find(({path}) => path === file)?.directives ?? []
  for (;;) {
    const around = level.find(({block, span}) => block && span.start < start && start < span.end)
    if (!around?.block) return found
    found.push(around)
    level = around.block
  }
}

/** Replaces all that `pattern` (with the flag g) matches in the text of `span`; each is an edit of its own. */
export function replacedIn({bundle}: ParsedConfig, span: Span, pattern: RegExp, text: string, why: string): readonly Edit[] {
  const source = bundle.files.find(({path}) => path === span.file)?.text ?? ''
  const lines = new Lines(source)
  return [...source.slice(span.start, span.end).matchAll(pattern)].map(match => {
    const start = span.start + match.index
    return {span: {file: span.file, start, end: start + match[0].length, ...lines.at(start)}, text, why}
  })
}

/** Puts lines before the one on which `span` begins, indented like it. */
export function insertedBefore({bundle}: ParsedConfig, span: Span, lines: readonly string[], why: string): readonly Edit[] {
  const source = bundle.files.find(({path}) => path === span.file)?.text ?? ''
  const before = source.slice(source.lastIndexOf('\n', span.start - 1) + 1, span.start)
  const indent = /^\s*$/.test(before) ? before : ' '
  const eol = source.includes('\r\n') ? '\r\n' : '\n'
  return [{span: {...span, end: span.start}, text: lines.map(line => `${line}${eol}${indent}`).join(''), why}]
}
