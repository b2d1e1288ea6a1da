import type {Edit, Span} from '../model/bundle.ts'
import type {Directive, ParsedConfig} from '../proxies/syntax.ts'

/** The directive that begins where `span` begins. */
export function findDirective({files}: ParsedConfig, {file, start}: Span): Directive | undefined {
  return everyDirective(files.flatMap(({directives}) => directives)).find(({span}) => span.file === file && span.start === start)
}

/** Directives at every depth, in order. */
export function everyDirective(directives: readonly Directive[]): readonly Directive[] {
  return directives.flatMap(directive => [directive, ...everyDirective(directive.block ?? [])])
}

/** Adds a flag to a RewriteRule or a RewriteCond, as the first of those it has. */
export function flagged({args: [, second, flags]}: Directive, flag: string): readonly Edit[] {
  const last = flags ?? second
  if (!last) return []
  const why = `the flag [${flag}]`
  if (!flags) return [{span: {...last.span, start: last.span.end}, text: ` [${flag}]`, why}]
  const own = flags.value.replace(/^\[|\]$/g, '').split(',')
  return own.includes(flag) ? [] : [{span: flags.span, text: `[${[flag, ...own].join(',')}]`, why}]
}
