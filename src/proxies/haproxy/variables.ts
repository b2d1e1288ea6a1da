import type {Argument, ParsedConfig} from '../syntax.ts'
import type {Statement} from './parse.ts'
import {statements, usesEnvironment} from './parse.ts'

/** A statement with its environment variables put in, as HAProxy does before it looks at the words. */
export interface Written {
  statement: Statement
  /** Arguments that held variables, with the value they take; `raw` and `span` are still those of the file. */
  replaced: readonly Argument[]
  /** A variable that cannot be followed. */
  unclear: boolean
  /** Those of `replaced` with a variable that the file neither sets nor gives a default. */
  unset: readonly Argument[]
}

/** `NAME`, `{NAME}` or `{NAME-default}` behind a dollar sign (manual, section 2.3). */
const VARIABLE = /^(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:\[\*\])?(?:-([^}]*))?\})/

/**
 * Every statement of the configuration, its variables written out. The environment of the sandbox holds nothing but what the file itself
 * sets (`setenv`, `presetenv`, `localpeer`, in the order of its lines), so a variable is either one of these, its default, or empty.
 */
export function writtenOut(config: ParsedConfig): readonly Written[] {
  const environment = new Map<string, string>()
  return statements(config).map(original => {
    const replaced: Argument[] = []
    const unset: Argument[] = []
    let unclear = false
    const args = original.directive.args.map(argument => {
      if (!usesEnvironment(argument)) return argument
      const missing: string[] = []
      const value = expand(argument, environment, missing)
      if (value === undefined) unclear = true
      const known = {...argument, value: value ?? argument.value}
      replaced.push(known)
      if (missing.length > 0) unset.push(known)
      return known
    })
    const statement: Statement = {
      ...original,
      directive: {...original.directive, args},
      words: wordsLike(original, args),
    }
    remember(statement, environment)
    return {statement, replaced, unclear, unset}
  })
}

function remember({words}: Statement, environment: Map<string, string>): void {
  const [name, first = '', second = ''] = words
  if (name === 'setenv' || (name === 'presetenv' && !environment.has(first))) environment.set(first, second)
  else if (name === 'unsetenv') for (const variable of words.slice(1)) environment.delete(variable)
  else if (name === 'localpeer') environment.set('HAPROXY_LOCALPEER', first)
}

function wordsLike({words, directive}: Statement, args: readonly Argument[]): readonly string[] {
  const all = [directive.name, ...args.map(({value}) => value)]
  return all.slice(all.length - words.length)
}

/** The value with quotes, escapes and variables resolved; `undefined` when a variable is written in a way that HAProxy refuses. */
function expand({raw}: Argument, environment: ReadonlyMap<string, string>, missing: string[]): string | undefined {
  let value = ''
  let quote = ''
  for (let at = 0; at < raw.length; at++) {
    const character = raw[at] ?? ''
    if (character === '\\' && quote !== "'") {
      const escape = /^\\(?:x([0-9A-Fa-f]{2})|([ \\#"'nrt])|(\$))/.exec(raw.slice(at))
      const [whole = '\\', hex, plain, dollar] = escape ?? []
      const inDouble = dollar === undefined || quote === '"'
      if (hex !== undefined) value += String.fromCharCode(Number.parseInt(hex, 16))
      else if (plain !== undefined) value += ({n: '\n', r: '\r', t: '\t'} as Readonly<Record<string, string>>)[plain] ?? plain
      else value += dollar !== undefined && inDouble ? '$' : '\\'
      at += escape && inDouble ? whole.length - 1 : 0
    } else if (quote === character) quote = ''
    else if (quote === '' && (character === '"' || character === "'")) quote = character
    else if (character === '$' && quote === '"') {
      const [whole, bare, braced, otherwise] = VARIABLE.exec(raw.slice(at + 1)) ?? []
      if (whole === undefined) return undefined
      const name = bare ?? braced ?? ''
      const known = environment.get(name) ?? otherwise
      if (known === undefined) missing.push(name)
      value += known ?? ''
      at += whole.length
    } else value += character
  }
  return value
}
