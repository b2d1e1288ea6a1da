import {compareVersions} from '../version.ts'

/** What can be known of the place where the file is used. */
export interface Surroundings {
  /** `X.Y.Z`. */
  version: string
  /** Variables that the file itself has set so far. */
  isSet(name: string): boolean
}

/**
 * What a condition of `.if` or `.elif` says (configuration manual, section 2.4, since 2.4); `undefined` when it depends on the environment
 * or on how the binary was built.
 */
export function holds(words: readonly string[], surroundings: Surroundings): boolean | undefined {
  const text = words.join(' ').trim()
  if (text === '') return false
  const reader = {text, at: 0}
  const value = either(reader, surroundings)
  return reader.at >= text.length ? value : undefined
}

interface Reader {
  text: string
  at: number
}

function either(reader: Reader, surroundings: Surroundings): boolean | undefined {
  let value = both(reader, surroundings)
  while (skip(reader, '||')) {
    const other = both(reader, surroundings)
    value = value === true || other === true ? true : value === false && other === false ? false : undefined
  }
  return value
}

function both(reader: Reader, surroundings: Surroundings): boolean | undefined {
  let value = term(reader, surroundings)
  while (skip(reader, '&&')) {
    const other = term(reader, surroundings)
    value = value === false || other === false ? false : value === true && other === true ? true : undefined
  }
  return value
}

function term(reader: Reader, surroundings: Surroundings): boolean | undefined {
  if (skip(reader, '!')) {
    const value = term(reader, surroundings)
    return value === undefined ? undefined : !value
  }
  if (skip(reader, '(')) {
    const value = either(reader, surroundings)
    skip(reader, ')')
    return value
  }
  const [whole = '', name = '', args] = /^([A-Za-z0-9_]+)\s*(?:\(([^)]*)\))?\s*/.exec(reader.text.slice(reader.at)) ?? []
  reader.at += whole === '' ? reader.text.length : whole.length
  if (args === undefined) return /^\d+$/.test(name) ? Number(name) !== 0 : undefined
  return predicate(name, args.split(',').map(unquoted), surroundings)
}

function predicate(name: string, args: readonly string[], {version, isSet}: Surroundings): boolean | undefined {
  const [first = '', second = ''] = args
  const numbers = first.replace(/-.*$/, '')
  switch (name) {
    case 'version_atleast':
      return compareVersions(version, numbers) >= 0
    case 'version_before':
      return compareVersions(version, numbers) < 0
    case 'defined':
      return isSet(first) || undefined
    case 'streq':
    case 'strneq':
      // a dollar sign that is left over is a variable that nobody here knows
      return /\$/.test(first + second) ? undefined : (first === second) === (name === 'streq')
    case 'strstr':
      return /\$/.test(first + second) ? undefined : first.includes(second)
    case 'feature':
      return first === 'OPENSSL' || first === 'THREAD' ? true : undefined
    default:
      return undefined
  }
}

function skip(reader: Reader, sign: string): boolean {
  while (reader.text[reader.at] === ' ') reader.at++
  if (!reader.text.startsWith(sign, reader.at)) return false
  reader.at += sign.length
  while (reader.text[reader.at] === ' ') reader.at++
  return true
}

function unquoted(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2')
}
