import type {Edit} from '../model/bundle.ts'
import type {Directive} from '../proxies/syntax.ts'

/** A line of HAProxy that goes for all requests it went for, but those of `condition` (`{ path_beg /genesys/ }`). */
export function sparing({args, nameSpan}: Directive, condition: string, why: string): readonly Edit[] {
  const at = args.findIndex(({value, quote}) => quote === undefined && (value === 'if' || value === 'unless'))
  const end = (args.at(-1) ?? {span: nameSpan}).span
  const behind = (text: string, {span} = {span: end}): Edit => ({span: {...span, start: span.end}, text: ` ${text}`, why})
  if (at === -1) return [behind(`unless ${condition}`)]
  if (args[at]?.value === 'unless') return [behind(`or ${condition}`)]
  // Every alternative of `if` has to spare them.
  return args.slice(at + 1).flatMap((argument, index, words) => {
    const next = words[index + 1]
    return next === undefined || isOr(next.value) ? [behind(`!${condition}`, argument)] : []
  })
}

/** Names of the lists that the condition of a line asks. */
export function listsOf({args}: Directive): readonly string[] {
  const at = args.findIndex(({value}) => value === 'if' || value === 'unless')
  return at === -1 ? [] : args.slice(at + 1).map(({value}) => value.replace(/^!/, ''))
}

function isOr(word: string): boolean {
  return word === 'or' || word === '||'
}
