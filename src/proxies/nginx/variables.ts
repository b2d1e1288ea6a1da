import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import type {Placed} from './tree.ts'
import {includedFrom, isData} from './tree.ts'

/** Lines of a block of values that are settings of the block. */
export const SETTINGS: Readonly<Record<string, RegExp>> = {
  map: /^(?:hostnames|volatile)$/,
  geo: /^(?:delete|proxy|proxy_recursive|ranges)$/,
  split_clients: /^$/,
}

/**
 * Everything that `variable` (`$name`) is ever set to by `set`, `map`, `geo` and `split_clients`, with what these include; `undefined` when a
 * directive of another module computes it.
 */
export function valuesOf(variable: string, places: readonly Placed[], config: ParsedConfig): readonly Argument[] | undefined {
  const found: Argument[] = []
  for (const place of places) {
    const {name, args, block} = place.directive
    if (isData(place)) continue
    if (/^(?:set|auth_request_set)$/.test(name)) {
      if (args[0]?.value === variable && args[1]) found.push(args[1])
    } else if (SETTINGS[name] && block) {
      if (args.at(-1)?.value === variable) found.push(...rows(name, block, config, 0))
    } else if (/^set_|_set$/.test(name) && args.some(({value}) => value === variable)) return undefined
  }
  return found
}

function rows(kind: string, lines: readonly Directive[], config: ParsedConfig, depth: number): readonly Argument[] {
  if (depth > 8) return []
  return lines.flatMap(({name, args: [value]}) => {
    if (name === 'include')
      return includedFrom(config.bundle, value?.value ?? '').flatMap(path =>
        rows(kind, config.files.find(file => file.path === path)?.directives ?? [], config, depth + 1),
      )
    return value && SETTINGS[kind]?.test(name) !== true ? [value] : []
  })
}

/** Names in a text: `$a` and `${b}`. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)].map(([, braced, plain]) => braced ?? plain ?? '')
}
