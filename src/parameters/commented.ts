import {stringify} from 'yaml'
import {alternatives, exampleOf, keysOf} from './shape.ts'
import type {Shape} from './shape.ts'

/** Columns: where explanations begin, and where a line is too long to hold one. */
const EXPLAINED_AT = 34
const WIDEST = 120

/**
 * A parameters file for a person: what was chosen is active, everything else stands commented out with its default (or, where there is
 * none, an example), each with the schema's own description. Removing the `#` at the beginning of a line makes it active: explanations
 * have an odd number of spaces behind it, keys an even one.
 */
export function commentedParameters(schema: Shape, chosen: Readonly<Record<string, unknown>>, heading: readonly string[]): string {
  const concerns = Object.entries(schema.properties ?? {})
    .filter(([key]) => key !== '$schema')
    .map(([key, shape]) => entry(key, shape, chosen[key], 0))
  return [heading.map(line => (line === '' ? '' : `# ${line}`)), ...concerns].map(lines => `${lines.join('\n')}\n`).join('\n')
}

/** The lines of one key. `value` is what was chosen, `undefined` for nothing. */
function entry(key: string, shape: Shape, value: unknown, depth: number): readonly string[] {
  const object = alternatives(shape).find(({properties}) => properties !== undefined)
  const line = (text: string) => `${value === undefined ? '#' : ''}${'  '.repeat(depth)}${text}`
  const words = describe(shape, value === undefined)
  if (!object?.properties || Array.isArray(value) || (value !== undefined && !isObject(value)))
    return explained(line(`${key}: ${shown(value ?? usual(shape))}`), words, depth)
  const inner = isObject(value) ? value : {}
  // Every line below may be commented out, and then there would be no value.
  if (value !== undefined && Object.keys(inner).length === 0) return explained(line(`${key}: {}`), words, depth)
  return [
    ...(words === '' ? [] : above(words, depth)),
    line(`${key}:`),
    ...Object.entries(object.properties).flatMap(([name, property]) => entry(name, property, inner[name], depth + 1)),
  ]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Behind the line where there is room, above it otherwise. */
function explained(line: string, words: string, depth: number): readonly string[] {
  if (words === '') return [line]
  const beside = `${line.padEnd(EXPLAINED_AT)} # ${words}`
  return depth > 0 && beside.length <= WIDEST ? [beside] : [...above(words, depth), line]
}

function above(words: string, depth: number): readonly string[] {
  const lines: string[] = []
  for (const word of words.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < WIDEST) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`# ${'  '.repeat(depth)}${word}`)
  }
  return lines
}

function describe(shape: Shape, unchosen: boolean): string {
  const {description = '', default: usually} = shape
  const values = alternatives(shape).flatMap(each => each.enum ?? [])
  const nodeKeys = alternatives(shape).some(
    ({items}) => items && alternatives(items).some(({type}) => type === 'string') && keysOf(items).length > 0,
  )
  return [
    description,
    ...(values.length > 0 ? [`: ${values.join(', ')}`] : []),
    ...(nodeKeys ? [`: ${shape.items?.anyOf?.[0]?.description ?? 'text'}, or an object with ${keysOf(shape).join(', ')}`] : []),
    ...(unchosen && usually === undefined && !alternatives(shape).some(({properties}) => properties) && !nodeKeys ? [' (an example)'] : []),
  ].join('')
}

/** The default, else an example of what may stand here. */
function usual(shape: Shape): unknown {
  if (shape.default !== undefined) return shape.default
  const example = exampleOf(shape) ?? alternatives(shape).flatMap(each => each.enum ?? [])[0]
  if (example !== undefined) return example
  const {items} = alternatives(shape).find(each => each.items) ?? {}
  return items ? [exampleOf(items)] : ''
}

/** In one line, as YAML 1.2 and 1.1 both read it. Text of several lines becomes JSON, which YAML reads too. */
function shown(value: unknown): string {
  const options = {collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false, compat: 'yaml-1.1', blockQuote: false} as const
  const text = stringify(value, options).trimEnd()
  return text.includes('\n') ? JSON.stringify(value) : text
}
