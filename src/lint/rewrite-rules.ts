import type {Edit} from '../model/bundle.ts'
import type {Directive, ParsedConfig} from '../proxies/syntax.ts'
import {siblingsAt} from './source.ts'

/** Adds a flag to a RewriteRule or a RewriteCond, as the first of those it has. */
export function flagged({args: [, second, flags]}: Directive, flag: string): readonly Edit[] {
  const last = flags ?? second
  if (!last) return []
  const why = `the flag [${flag}]`
  if (!flags) return [{span: {...last.span, start: last.span.end}, text: ` [${flag}]`, why}]
  const own = flags.value.replace(/^\[|\]$/g, '').split(',')
  return own.includes(flag) ? [] : [{span: flags.span, text: `[${[flag, ...own].join(',')}]`, why}]
}

/** The conditions of a RewriteRule: the lines right before it. */
export function conditionsOf(config: ParsedConfig, rule: Directive): readonly Directive[] {
  const lines = siblingsAt(config, rule.span)
  const at = lines.findIndex(({span}) => span.start === rule.span.start)
  const first = lines.slice(0, Math.max(0, at)).findLastIndex(({name}) => name.toLowerCase() !== 'rewritecond')
  return lines.slice(first + 1, Math.max(0, at))
}
