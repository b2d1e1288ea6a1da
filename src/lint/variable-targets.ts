import type {Edit, Span} from '../model/bundle.ts'
import type {ParsedConfig} from '../proxies/syntax.ts'
import {allOf, directiveAt} from './source.ts'

/** nginx: the name in the place of a variable that holds nothing else, in every route that has it; it is looked up at the start. */
export function named(config: ParsedConfig, route: Span): readonly Edit[] {
  const written = directiveAt(config, route)?.args[0]?.value ?? ''
  const variable = /^https?:\/\/(\$\w+)(?::\d+)?$/i.exec(written)?.[1]
  const sets = allOf(config, /^set$/).filter(({args}) => args[0]?.value === variable)
  const name = sets[0]?.args[1]?.value
  if (variable === undefined || name === undefined || sets.length > 1 || name.includes('$')) return []
  return allOf(config, /^proxy_pass$/).flatMap(({args: [target]}) =>
    target?.value === written ? [{span: target.span, text: written.replace(variable, name), why: `${name} is looked up at the start`}] : [],
  )
}
