import {UsageError} from '../errors.ts'
import {didYouMean} from '../parameters/suggest.ts'
import {parseDuration, parseSize} from '../parameters/units.ts'
import type {SimulatorOptions} from '../simulator/simulator.ts'

/** What a person decides about GMS; where it listens and what it tells us has flags of its own. */
type Decisions = Omit<SimulatorOptions, 'nodes' | 'host' | 'ports' | 'tls' | 'keptRequests' | 'log' | 'beside' | 'pages' | 'logger'>

interface Option<T> {
  /** What may be written, for the message when something else was. */
  expected: string
  /** `undefined` for what is no value of it. */
  parse(text: string): T | undefined
}

/** A timer takes no more, ms: a longer one would go off at once. */
const LONGEST_MS = 2 ** 31 - 1

const duration: Option<number> = {
  expected: 'a duration such as 30s, at most 24d',
  parse(text) {
    const ms = parseDuration(text)
    return ms !== undefined && ms <= LONGEST_MS ? ms : undefined
  },
}
const size: Option<number> = {expected: 'a size such as 10MiB', parse: parseSize}
const sizeFromOne: Option<number> = {...size, parse: text => parseSize(text) || undefined}
const count: Option<number> = {expected: 'a whole number', parse: text => (/^\d{1,9}$/.test(text) ? Number(text) : undefined)}
const yesNo: Option<boolean> = {expected: 'true or false', parse: text => (text === 'true' ? true : text === 'false' ? false : undefined)}
const word: Option<string> = {expected: 'a name', parse: text => (/^[\w.-]+$/.test(text) ? text : undefined)}
const words: Option<readonly string[]> = {
  expected: 'names with commas between them',
  parse: text => (/^[\w.-]+(,[\w.-]+)*$/.test(text) ? text.split(',') : undefined),
}
const credentials: Option<NonNullable<Decisions['auth']>> = {
  expected: 'USER:PASSWORD',
  parse(text) {
    const colon = text.indexOf(':')
    return colon > 0 ? {username: text.slice(0, colon), password: text.slice(colon + 1)} : undefined
  },
}

/** `JSESSIONID`, `JSESSIONID:gms1,gms2`. */
const sessionCookie: Option<NonNullable<Decisions['sessionCookie']>> = {
  expected: 'NAME, or NAME:ROUTE,ROUTE with a route for each node',
  parse(text) {
    const [name = '', routes, ...more] = text.split(':')
    const named = routes === undefined ? [] : words.parse(routes)
    if (word.parse(name) === undefined || named === undefined || more.length > 0) return undefined
    return {name, ...(named.length > 0 ? {routes: named} : {})}
  },
}

function oneOf<const T extends string>(...values: readonly T[]): Option<T> {
  return {expected: values.join(', '), parse: text => values.find(value => value === text)}
}

/** Every decision of the simulator and how it is written in `--option NAME=VALUE`. Said of each: SimulatorOptions and SIMULATOR.md. */
export const SIMULATOR_OPTIONS: {[Name in keyof Required<Decisions>]: Option<NonNullable<Decisions[Name]>>} = {
  holdMs: duration,
  maxIntervalMs: duration,
  maxMessageSize: sizeFromOne,
  deflate: yesNo,
  commonSessions: yesNo,
  sessionCookie,
  chatService: word,
  agent: oneOf('answers', 'silent', 'absent'),
  agentTypes: yesNo,
  auth: credentials,
  enableNotificationMode: yesNo,
  indexGaps: yesNo,
  secureKeyRotation: oneOf('answers', 'files', 'never'),
  secureKeyGraceMs: duration,
  idleAlertMs: duration,
  idleCloseMs: duration,
  pushToActiveClient: yesNo,
  pushOwnEvents: yesNo,
  pushMismatch: oneOf('stops', 'goes-on', 'refused'),
  maxFileSize: size,
  maxTotalSize: size,
  maxFiles: count,
  maxDownloads: count,
  fileTypes: {expected: 'extensions with commas between them', parse: text => words.parse(text.toLowerCase())},
  uploadNeedsAgent: yesNo,
  fileDeletion: oneOf('frees-nothing', 'frees-limits', 'refused'),
  uploadsTo: oneOf('any-node', 'session-node'),
  adminAuth: {
    expected: 'USER:PASSWORD, any or false',
    parse: text => (text === 'false' ? false : text === 'any' ? text : credentials.parse(text)),
  },
  statusServices: {expected: 'names with commas between them, or any', parse: text => (text === 'any' ? text : words.parse(text))},
  flavour: oneOf('cometd-5', 'cometd-8'),
}

/** `holdMs` → `hold`, `maxFileSize` → `max-file-size`: units are in the value. */
export function optionName(key: string): string {
  return key.replace(/Ms$/, '').replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

const BY_NAME = new Map(Object.entries(SIMULATOR_OPTIONS).map(([key, option]) => [optionName(key), {key, option: option}]))

/** Names that `--option` knows. */
export const OPTION_NAMES: readonly string[] = [...BY_NAME.keys()]

/** @throws UsageError naming every pair that is not understood. */
export function simulatorOptions(pairs: readonly string[]): Decisions {
  const problems: string[] = []
  const decided: Record<string, unknown> = {}
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = equals < 0 ? pair : pair.slice(0, equals)
    const known = BY_NAME.get(name)
    const value = known?.option.parse(pair.slice(equals + 1))
    if (!known) problems.push(`--option ${name}: there is no such option${didYouMean(name, OPTION_NAMES)}`)
    else if (equals < 0 || value === undefined) problems.push(`--option ${pair}: expected ${name}= and ${known.option.expected}`)
    else decided[known.key] = value
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'), {suggestions: [`Options are ${OPTION_NAMES.join(', ')}.`]})
  return decided
}
