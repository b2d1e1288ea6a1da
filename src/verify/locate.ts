import {redact} from '../model/redact.ts'
import type {Location} from '../model/report.ts'
import type {Directive, ParsedConfig} from '../proxies/proxy.ts'

/** First place in the configuration that names one of `directives` (`timeout server` matches the name and leading arguments); the earliest name in the list wins. */
export function locate(config: ParsedConfig, directives: readonly string[]): Location | undefined {
  for (const wanted of directives) {
    const words = wanted.toLowerCase().split(' ')
    for (const {directives: top} of config.files) {
      const found = find(top, words)
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

function find(directives: readonly Directive[], words: readonly string[]): Directive | undefined {
  for (const directive of directives) {
    const head = [directive.name, ...directive.args.slice(0, words.length - 1).map(arg => arg.value)]
    if (words.every((word, index) => head[index]?.toLowerCase() === word)) return directive
    const inside = directive.block && find(directive.block, words)
    if (inside) return inside
  }
  return undefined
}
