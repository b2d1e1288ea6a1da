import type {Edit} from '../model/bundle.ts'
import type {Directive} from '../proxies/syntax.ts'

/** Adds a flag to a RewriteRule or a RewriteCond, as the first of those it has. */
export function flagged({args: [, second, flags]}: Directive, flag: string): readonly Edit[] {
  const last = flags ?? second
  if (!last) return []
  const why = `the flag [${flag}]`
  if (!flags) return [{span: {...last.span, start: last.span.end}, text: ` [${flag}]`, why}]
  const own = flags.value.replace(/^\[|\]$/g, '').split(',')
  return own.includes(flag) ? [] : [{span: flags.span, text: `[${[flag, ...own].join(',')}]`, why}]
}
