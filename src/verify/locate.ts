import {redact} from '../model/redact.ts'
import type {Location} from '../model/report.ts'
import type {Directive, ParsedConfig} from '../proxies/syntax.ts'

/**
 * First place in the configuration that names one of `directives` (`timeout server` matches the name and leading arguments, `backend > timeout server`
 * only inside such a block); the earliest name in the list wins.
 */
export function locate(config: ParsedConfig, directives: readonly string[]): Location | undefined {
  for (const wanted of directives) {
    const path = wanted
      .toLowerCase()
      .split(' > ')
      .map(step => step.split(' '))
    for (const {directives: top} of config.files) {
      const found = find(top, path)
      if (found) return placeOf(config, {file: found.span.file, line: found.span.line, column: found.span.column})
    }
  }
  return undefined
}

/** A place with the text of its line. */
export function placeOf({bundle}: ParsedConfig, place: Location): Location {
  const lines = bundle.files.find(({path}) => path === place.file)?.text.split('\n') ?? []
  const text = lines[place.line - 1]?.trim()
  return {...place, ...(text === undefined || text === '' ? {} : {text: redact(text)})}
}

function find(directives: readonly Directive[], path: readonly (readonly string[])[]): Directive | undefined {
  const [words = [], ...deeper] = path
  for (const directive of directives) {
    const head = [directive.name, ...directive.args.slice(0, words.length - 1).map(arg => arg.value)]
    if (words.every((word, index) => head[index]?.toLowerCase() === word)) {
      const found = deeper.length === 0 ? directive : directive.block && find(directive.block, deeper)
      if (found) return found
    }
    const inside = directive.block && find(directive.block, path)
    if (inside) return inside
  }
  return undefined
}
