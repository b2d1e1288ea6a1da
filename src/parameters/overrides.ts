import type {ParameterDocument, Problem} from './document.ts'
import {allows, alternatives, keysOf, shapeAt, wantsList} from './shape.ts'
import type {Shape} from './shape.ts'
import {didYouMean} from './suggest.ts'

/**
 * Applies `--set dotted.path=value` to a document, in order. A comma separates items where the schema wants a list; JSON is taken
 * where the value begins with `[` or `{`. What cannot be applied is added to `document.problems`, named by the flag's own text.
 */
export function applyOverrides(document: ParameterDocument, overrides: readonly string[], schema: Shape): void {
  for (const override of overrides) {
    const problem = applyOne(document, override, schema)
    if (problem) document.problems.push(problem)
  }
}

function applyOne(document: ParameterDocument, override: string, schema: Shape): Problem | undefined {
  const flag = `--set ${override}`
  const equals = override.indexOf('=')
  const dotted = override.slice(0, equals < 0 ? undefined : equals).trim()
  const refuse = (message: string): Problem => ({path: dotted, message, origin: {flag}})
  if (equals < 0 || dotted === '') return refuse('expected KEY=VALUE, such as polling.hold=45s')
  const path = dotted.split('.')
  const unknown = path.findIndex((_, index) => !shapeAt(schema, path.slice(0, index + 1)))
  if (unknown >= 0) {
    const parent = shapeAt(schema, path.slice(0, unknown))
    return refuse(`unknown key "${path[unknown] ?? ''}"${didYouMean(path[unknown] ?? '', parent ? keysOf(parent) : [])}`)
  }
  const shape = shapeAt(schema, path) ?? {}
  const read = readValue(override.slice(equals + 1), shape)
  if ('problem' in read) return refuse(read.problem)
  return assign(document, path, read.value, flag, refuse)
}

function readValue(text: string, shape: Shape): {value: unknown} | {problem: string} {
  const trimmed = text.trim()
  if (/^[[{]/.test(trimmed)) {
    // An IPv6 node such as [::1]:8080 also begins with a bracket.
    const address = /^\[[0-9a-f:.]+\](:\d+)?(,|$)/i.test(trimmed)
    if (!address) {
      try {
        return {value: JSON.parse(trimmed) as unknown}
      } catch (error) {
        return {problem: `the value begins like JSON but is not: ${error instanceof Error ? error.message : String(error)}`}
      }
    }
  }
  if (wantsList(shape)) {
    const items = alternatives(shape).find(({type}) => type === 'array')?.items ?? {}
    if (!allows(items, 'object') || allows(items, 'string'))
      return {value: trimmed === '' ? [] : trimmed.split(',').map(item => scalar(item.trim(), items))}
    if (!allows(shape, 'string')) return {problem: `expected JSON, such as ${JSON.stringify({[keysOf(shape)[0] ?? 'key']: '…'})}`}
  }
  if (allows(shape, 'object') && !allows(shape, 'string', 'number', 'integer', 'boolean'))
    return {
      problem: `${keysOf(shape).length > 0 ? `set one of its keys (${keysOf(shape).join(', ')})` : 'set one of its keys'}, or give JSON`,
    }
  return {value: scalar(trimmed, shape)}
}

function scalar(text: string, shape: Shape): unknown {
  if (allows(shape, 'boolean') && /^(true|false)$/.test(text)) return text === 'true'
  if (allows(shape, 'number', 'integer') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  return text
}

function assign(
  document: ParameterDocument,
  path: readonly string[],
  value: unknown,
  flag: string,
  refuse: (message: string) => Problem,
): Problem | undefined {
  if (typeof document.value !== 'object' || document.value === null) document.value = {}
  let here = document.value as Record<string, unknown>
  const real: string[] = []
  for (const [index, key] of path.entries()) {
    const last = index === path.length - 1
    if (Array.isArray(here) && !/^\d+$/.test(key)) {
      if (here.length !== 1)
        return refuse(
          `${real.join('.')} is a list of ${here.length}: name the item, such as ${[...real, '0', ...path.slice(index)].join('.')}`,
        )
      real.push('0')
      here = here[0] as Record<string, unknown>
    }
    if (Array.isArray(here) && Number(key) > here.length)
      return refuse(`${real.join('.')} is a list of ${here.length}: there is no item ${key}`)
    real.push(key)
    if (last) here[key] = value
    else {
      const inner = here[key]
      if (typeof inner !== 'object' || inner === null) here[key] = {}
      here = here[key] as Record<string, unknown>
    }
  }
  const dotted = real.join('.')
  for (const known of [...document.origins.keys()]) if (known.startsWith(`${dotted}.`)) document.origins.delete(known)
  document.written.delete(dotted)
  for (let length = 1; length <= real.length; length++) {
    const prefix = real.slice(0, length).join('.')
    if (length === real.length || !document.origins.has(prefix)) document.origins.set(prefix, {flag})
  }
  noteKeys(document, value, dotted, flag)
  return undefined
}

/** Every key inside a JSON value was written by a person too. */
function noteKeys(document: ParameterDocument, value: unknown, dotted: string, flag: string): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    document.origins.set(`${dotted}.${key}`, {flag})
    noteKeys(document, inner, `${dotted}.${key}`, flag)
  }
}
