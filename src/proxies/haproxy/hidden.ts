import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import type {Statement} from './parse.ts'
import {SECTIONS, usesEnvironment} from './parse.ts'

/** Something that keeps a reader from saying what a line does, although HAProxy takes it. */
interface Hidden {
  directive: Directive
  because: string
}

/** Second words that decide what a line does. */
const SECOND_WORD: ReadonlySet<string> = new Set([
  'stats',
  'option',
  'filter',
  'http-request',
  'http-response',
  'http-after-response',
  'tcp-request',
  'tcp-response',
  'no',
  'default',
])

/** A directive whose meaning comes out of the environment cannot be judged before it is run. */
export function hiddenWord({directive, words}: Statement): string | undefined {
  const {name, args} = directive
  if (args.some(argument => usesEnvironment(argument) && argument.raw.includes('[*]')))
    return 'a variable that becomes several words hides what the line does'
  if (name.includes('$')) return 'a variable hides the name of the directive'
  const first = args[0]
  return first && (SECOND_WORD.has(name) || SECOND_WORD.has(words[0] ?? '')) && usesEnvironment(first)
    ? 'a variable hides what the line does'
    : undefined
}

/**
 * Words that end for HAProxy before they end for a reader (`\x00`), and lines of which `.if` decides whose section they stand in. Neither
 * has an honest use.
 */
export function hiddenMeaning(config: ParsedConfig): readonly Hidden[] {
  return config.files.flatMap(({directives}) => {
    const lines = directives.flatMap(top => (SECTIONS.has(top.name) ? [top, ...(top.block ?? [])] : [top]))
    return [...cutWords(lines), ...unclearSections(lines)]
  })
}

function cutWords(lines: readonly Directive[]): readonly Hidden[] {
  const isCut = ({value}: Pick<Argument, 'value'>) => value.includes('\0')
  return lines
    .filter(({name, args}) => isCut({value: name}) || args.some(isCut))
    .map(directive => ({directive, because: 'it hides a part of a word behind a NUL character'}))
}

/** A section that begins in one branch of `.if` and goes on behind that branch. */
function unclearSections(lines: readonly Directive[]): readonly Hidden[] {
  const found: Hidden[] = []
  let depth = 0
  let began = false
  let unclear = false
  for (const directive of lines) {
    if (directive.name === '.if') depth++
    else if (/^\.(?:elif|elifn|else|endif)$/.test(directive.name)) {
      if (directive.name === '.endif') depth = Math.max(0, depth - 1)
      if (began) unclear = true
      if (depth === 0 && directive.name === '.endif') began = false
    } else if (SECTIONS.has(directive.name)) {
      began = depth > 0
      unclear = false
    } else if (unclear && !directive.name.startsWith('.')) {
      found.push({directive, because: 'it depends on .if which section the line belongs to: write the section again'})
      unclear = false
    }
  }
  return found
}
