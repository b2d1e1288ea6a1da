import type {z} from 'zod'
import type {Origin, ParameterDocument, Problem} from './document.ts'
import type {Contradiction} from './consistency.ts'
import {alternatives, exampleOf, fits, keysOf, shapeAt} from './shape.ts'
import type {Shape} from './shape.ts'
import {didYouMean} from './suggest.ts'

type Issue = z.core.$ZodIssue

/** The schema's complaints in our words: one problem per place, with the place where a person wrote it. */
export function problemsOf(issues: readonly Issue[], document: ParameterDocument, schema: Shape): readonly Problem[] {
  return issues.flatMap(issue => explain(issue, [], document, schema))
}

/** Contradictions between parameters, with the place where a person wrote the one to change. */
export function contradictoryAt(found: readonly Contradiction[], document: ParameterDocument, schema: Shape): readonly Problem[] {
  return found.map(({path, message}) => {
    const written = writtenPath(path.split('.'), document)
    return problemAt(written, message, document, shapeAt(schema, written)?.description)
  })
}

/** `listener.0.port` as it was written: one listener needs no list. */
function writtenPath(path: readonly string[], {origins}: ParameterDocument): readonly string[] {
  const [key, index, ...rest] = path
  const single = (key === 'listener' || key === 'tls') && index === '0' && !origins.has(`${key}.0`)
  return single ? [key, ...rest] : path
}

function explain(issue: Issue, above: readonly string[], document: ParameterDocument, schema: Shape): readonly Problem[] {
  const path = [...above, ...issue.path.map(String)]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => {
      const known = keysOf(shapeAt(schema, path) ?? {})
      return problemAt(
        [...path, key],
        `unknown key${didYouMean(key, known)}${known.length > 0 && known.length <= 6 && didYouMean(key, known) === '' ? ` (known: ${known.join(', ')})` : ''}`,
        document,
      )
    })
  if (issue.code === 'invalid_union') {
    const best = likeliest(issue.errors)
    if (best) return best.flatMap(inner => explain(inner, path, document, schema))
  }
  if (issue.code === 'invalid_key') return [problemAt(path, `unknown key "${path.at(-1) ?? ''}"`, document)]
  const shape = shapeAt(schema, path) ?? {}
  return [problemAt(path, sentence(issue, path, shape, document), document, shape.description)]
}

/** Of a union's branches the one that was meant: where the type fitted and something deeper did not. */
function likeliest(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find(issues => issues.length > 0 && !issues.some(issue => issue.path.length === 0 && issue.code === 'invalid_type'))
}

function sentence(issue: Issue, path: readonly string[], shape: Shape, document: ParameterDocument): string {
  const value = valueAt(document.value, path)
  const example = exampleOf(shape)
  const suchAs = example === undefined ? '' : `, such as ${typeof example === 'string' ? example : JSON.stringify(example)}`
  if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_union')) return `missing${suchAs}`
  switch (issue.code) {
    case 'invalid_type':
    case 'invalid_union': {
      const written = document.written.get(path.join('.'))
      if (typeof value === 'number' && written !== undefined && fits(shape, written))
        return `expected text: write it in quotes, "${written}"`
      return `expected ${expectedTypes(shape)}${suchAs}, not ${named(value)}`
    }
    case 'invalid_value':
      return `expected one of ${issue.values.map(String).join(', ')}, not ${named(value)}${didYouMean(String(value), issue.values.map(String))}`
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'set'
        ? `expected at least ${issue.minimum} ${Number(issue.minimum) === 1 ? 'item' : 'items'}`
        : `${named(value)} is too small: at least ${issue.minimum}`
    case 'too_big':
      return issue.origin === 'array' || issue.origin === 'set'
        ? `more than ${issue.maximum} items`
        : `${named(value)} is too big: at most ${issue.maximum}`
    case 'invalid_format':
      return `${issue.message}, not ${named(value)}`
    default:
      return issue.message
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
}

function expectedTypes(shape: Shape): string {
  const types = [...new Set(alternatives(shape).map(({type}) => TYPE_NAMES[type ?? ''] ?? 'another value'))]
  return types.join(' or ')
}

function named(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'keys with values'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined
    here = (here as Record<string, unknown>)[key]
  }
  return here
}

function problemAt(path: readonly string[], message: string, document: ParameterDocument, description?: string): Problem {
  const origin = originOf(path, document.origins)
  return {path: path.join('.'), message, ...(origin ? {origin} : {}), ...(description === undefined ? {} : {description})}
}

/** The place of the nearest key that a person wrote. */
function originOf(path: readonly string[], origins: ReadonlyMap<string, Origin>): Origin | undefined {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join('.'))
    if (origin) return origin
  }
  return undefined
}
