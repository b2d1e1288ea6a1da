import type {Edit} from '../../model/bundle.ts'
import type {Refusal} from '../proxy.ts'
import type {Directive} from '../syntax.ts'

/** What the sandbox does to one directive. */
export interface Change {
  edits: Edit[]
  refused?: Refusal
}

/** Other arguments (as they are to be written) in the place of those that stand there; nothing when they are the same. */
export function replaceArguments(directive: Directive, values: readonly string[], why: string): Edit[] {
  const [first] = directive.args
  const last = directive.args.at(-1)
  if (!first || !last) return []
  if (directive.args.length === values.length && directive.args.every(({value}, index) => value === values[index])) return []
  return [{span: {...first.span, end: last.span.end}, text: values.join(' '), why}]
}

/** The whole directive goes; its line stays. */
export function removal({span}: Directive, why: string): Edit {
  return {span, text: '', why}
}

/** An argument as nginx must read it: in quotes when it holds more than plain characters. */
export function quoted(value: string): string {
  return /^[A-Za-z0-9_./:-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`
}

/** Puts a line first into a block, on a line that exists, so that the lines of the file keep their numbers. */
export function opening(block: Directive, line: string, why: string): Edit {
  const first = block.block?.[0]
  const at = first ? first.span.start : block.span.end - 1
  return {span: {...(first ?? block).span, start: at, end: at}, text: `${line} `, why}
}
