import type {Exchange} from './exchange.ts'
import {isInNetwork, regex} from './patterns.ts'
import type {Sample, Touch} from './sample.ts'
import type {Step} from './converters.ts'
import {evaluateSteps, stepsOf, SUFFIXES} from './expressions.ts'
import {textOf} from './sample.ts'
import {all} from './sections.ts'
import type {Section} from './sections.ts'

/** What a condition comes to, and what that depended on. `undefined`: cannot be told. */
export interface Truth {
  value: boolean | undefined
  touches: ReadonlySet<Touch>
  /** Why it cannot be told. */
  because?: string
}

const truth = (value: boolean | undefined, touches: Iterable<Touch> = [], because?: string): Truth => ({
  value,
  touches: new Set(touches),
  ...(because === undefined ? {} : {because}),
})

/** ACLs that exist without being written (manual, section 7.4). */
const PREDEFINED: Readonly<Record<string, string>> = {
  FALSE: 'always_false',
  TRUE: 'always_true',
  HTTP: 'req.proto_http',
  'HTTP_1.0': 'req.ver 1.0',
  'HTTP_1.1': 'req.ver 1.1',
  'HTTP_2.0': 'req.ver 2.0',
  'HTTP_3.0': 'req.ver 3.0',
  HTTP_CONTENT: 'req.hdr_val(content-length) gt 0',
  HTTP_URL_ABS: 'url_reg ^[^/:]*://',
  HTTP_URL_SLASH: 'url_beg /',
  HTTP_URL_STAR: 'url *',
  LOCALHOST: 'src 127.0.0.1/8 ::1',
  METH_CONNECT: 'method CONNECT',
  METH_DELETE: 'method DELETE',
  METH_GET: 'method GET HEAD',
  METH_HEAD: 'method HEAD',
  METH_OPTIONS: 'method OPTIONS',
  METH_POST: 'method POST',
  METH_PUT: 'method PUT',
  METH_TRACE: 'method TRACE',
  REQ_CONTENT: 'req.body_size gt 0',
  WAIT_END: 'wait_end',
}

/** The condition behind `if` or `unless`: words joined by and, `||` or `or` between, `!` in front, `{ … }` in place. */
export function conditionHolds(keyword: string, words: readonly string[], exchange: Exchange): Truth {
  const [only = ''] = words
  // most conditions are one name, and a frontend may have thousands of them
  if (words.length === 1 && !only.startsWith('!')) return keyword === 'unless' ? not(named(only, exchange)) : named(only, exchange)
  let or: Truth = truth(false)
  let and: Truth = truth(true)
  let negate = false
  const terms: Truth[] = []
  for (let at = 0; at < words.length; at++) {
    let word = words[at] ?? ''
    if (word === '||' || word.toLowerCase() === 'or') {
      or = anyOf(or, and)
      and = truth(true)
      continue
    }
    while (word.startsWith('!')) {
      negate = !negate
      word = word.slice(1)
    }
    if (word === '') continue
    let result: Truth
    if (word === '{') {
      const end = words.indexOf('}', at)
      const inside = words.slice(at + 1, end === -1 ? undefined : end)
      result = perform(read(inside), exchange)
      at = end === -1 ? words.length : end
    } else result = named(word, exchange)
    terms.push(result)
    and = bothOf(and, negate ? not(result) : result)
    negate = false
  }
  const whole = anyOf(or, and)
  const touches = terms.flatMap(({touches: own}) => [...own])
  const value = {...whole, touches: new Set([...whole.touches, ...(whole.value === undefined ? touches : [])])}
  return keyword === 'unless' ? not(value) : value
}

function not(value: Truth): Truth {
  return {...value, value: value.value === undefined ? undefined : !value.value}
}

/** Only what decided counts as touched: a false term makes the whole false whatever the others are. */
function bothOf(a: Truth, b: Truth): Truth {
  for (const decided of [a, b]) if (decided.value === false && decided.touches.size === 0) return decided
  if (a.value === false && b.value === false)
    return truth(
      false,
      [...a.touches].filter(touch => b.touches.has(touch)),
    )
  if (a.value === false) return a
  if (b.value === false) return b
  const because = a.because ?? b.because
  return truth(a.value === true && b.value === true ? true : undefined, [...a.touches, ...b.touches], because)
}

function anyOf(a: Truth, b: Truth): Truth {
  return not(bothOf(not(a), not(b)))
}

function named(name: string, exchange: Exchange): Truth {
  const lines = aclsOf(exchange.section).get(name)
  if (!lines) {
    const predefined = PREDEFINED[name]
    return predefined === undefined ? truth(undefined, [], `no acl is called ${name}`) : perform(read(predefined.split(' ')), exchange)
  }
  return lines.map(own => (own ? perform(own, exchange) : truth(undefined, [], 'a variable'))).reduce(anyOf)
}

const acls = new WeakMap<Section, ReadonlyMap<string, readonly (Test | undefined)[]>>()

/** The tests of each ACL of a section, read once; `undefined`: a variable stands in it. */
function aclsOf(section: Section): ReadonlyMap<string, readonly (Test | undefined)[]> {
  const known = acls.get(section)
  if (known) return known
  const made = new Map<string, (Test | undefined)[]>()
  for (const {words, unclear} of all(section, 'acl')) {
    const own = unclear ? undefined : read(words.slice(2))
    const name = words[1] ?? ''
    made.set(name, [...(made.get(name) ?? []), own])
  }
  acls.set(section, made)
  return made
}

interface Test {
  /** As written. */
  words: readonly string[]
  expression: string
  steps: readonly Step[] | undefined
  match: string | undefined
  ignoreCase: boolean
  operator: string
  patterns: readonly string[]
  files: readonly string[]
}

/** `hdr_beg(host)` is `hdr(host) -m beg`. */
const SHORTHAND = new RegExp(`^([A-Za-z0-9_.]+?)_(${SUFFIXES.join('|')})((?:\\(.*)?)$`, 's')

/** `path_beg -i /genesys`, `req.hdr(host) -m str -i a b`, `src -f list`: words of one test. */
function read(words: readonly string[]): Test {
  const [first = '', ...rest] = words
  let expression = first
  let match: string | undefined
  const [, fetched = '', suffix, tail = ''] = SHORTHAND.exec(first) ?? []
  if (suffix !== undefined && stepsOf(first)?.length === 1) {
    expression = fetched + tail
    match = suffix
  }
  let ignoreCase = false
  let operator = 'eq'
  const patterns: string[] = []
  const files: string[] = []
  let flags = true
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? ''
    if (flags && word === '-i') ignoreCase = true
    else if (flags && word === '-m') match = rest[++at]
    else if (flags && word === '-f') files.push(rest[++at] ?? '')
    else if (flags && (word === '-u' || word === '-M')) at += word === '-u' ? 1 : 0
    else if (flags && word === '-n') continue
    else if (flags && word === '--') flags = false
    else if (patterns.length === 0 && /^(?:eq|ge|gt|le|lt)$/.test(word)) {
      operator = word
      flags = false
    } else {
      patterns.push(word)
      flags = false
    }
  }
  return {words, expression, steps: stepsOf(expression), match, ignoreCase, operator, patterns, files}
}

function perform(test: Test, exchange: Exchange): Truth {
  return evaluateSteps(test.steps, test.expression, exchange)
    .map(sample => testOf(sample, test, exchange))
    .reduce(anyOf)
}

function testOf(
  sample: Sample,
  {words, expression, match, ignoreCase, operator, patterns: written, files}: Test,
  exchange: Exchange,
): Truth {
  const {touches} = sample
  if (match === 'found') return sample.is === 'unknown' ? truth(undefined, touches, sample.because) : truth(sample.is !== 'none', touches)
  if (sample.is === 'unknown') return truth(undefined, touches, sample.because)
  if (sample.is === 'none') return truth(false, touches)
  const patterns = [...written]
  for (const path of files) {
    const content = exchange.fileText(path)
    if (content === undefined) {
      // a list of addresses or names somewhere else: whoever chats is not in it
      if (sample.touches.has('peer')) continue
      return truth(undefined, touches, `${path} is not at hand`)
    }
    patterns.push(...content.split('\n').flatMap(line => (/^\s*(?:#|$)/.test(line) ? [] : [line.trim()])))
  }
  if (patterns.length === 0 && files.length === 0) {
    const value = sample.is === 'bool' ? sample.bool : sample.is === 'number' ? sample.number !== 0 : undefined
    return truth(value, touches, value === undefined ? `${expression} is compared with nothing` : undefined)
  }
  const results = patterns.map(pattern => matches(sample, pattern, {match, ignoreCase, operator}))
  const value = results.includes(true) ? true : results.includes(undefined) ? undefined : false
  return truth(value, touches, value === undefined ? `${words.join(' ')} is not followed` : undefined)
}

function matches(
  sample: Sample,
  pattern: string,
  {match, ignoreCase, operator}: Pick<Test, 'match' | 'ignoreCase' | 'operator'>,
): boolean | undefined {
  const kind = match ?? (sample.is === 'number' ? 'int' : sample.is === 'address' ? 'ip' : sample.is === 'bool' ? 'bool' : 'str')
  const value = textOf(sample) ?? ''
  const [a, b] = ignoreCase ? [value.toLowerCase(), pattern.toLowerCase()] : [value, pattern]
  switch (kind) {
    case 'bool':
      return (value !== '0') === (pattern !== '0' && pattern !== 'false')
    case 'int':
    case 'len':
      return compare(kind === 'len' ? value.length : Number(value), pattern, operator)
    case 'ip':
      return isInNetwork(value, pattern)
    case 'str':
      return a === b
    case 'beg':
      return a.startsWith(b)
    case 'end':
      return a.endsWith(b)
    case 'sub':
      return a.includes(b)
    case 'dir':
      return within(a, b, '/?')
    case 'dom':
      return within(a, b, '/?.:')
    case 'reg':
      return regex(pattern, ignoreCase)?.test(value)
    default:
      return undefined
  }
}

/** The pattern stands between delimiters (or the ends) of the value; its own ones at its ends do not count. */
function within(value: string, pattern: string, delimiters: string): boolean {
  const isBorder = (sign: string | undefined) => sign === undefined || delimiters.includes(sign)
  let needle = pattern
  while (needle !== '' && isBorder(needle[0])) needle = needle.slice(1)
  while (needle !== '' && isBorder(needle.at(-1))) needle = needle.slice(0, -1)
  if (needle === '') return false
  for (let at = value.indexOf(needle); at !== -1; at = value.indexOf(needle, at + 1))
    if (isBorder(value[at - 1]) && isBorder(value[at + needle.length])) return true
  return false
}

function compare(value: number, pattern: string, operator: string): boolean | undefined {
  const [, low = '', colon, high = ''] = /^(-?\d*)(:?)(-?\d*)$/.exec(pattern) ?? []
  if (colon === ':') return (low === '' || value >= Number(low)) && (high === '' || value <= Number(high))
  if (low === '') return undefined
  const limit = Number(low)
  return {eq: value === limit, ge: value >= limit, gt: value > limit, le: value <= limit, lt: value < limit}[operator]
}

/** Numbers that conditions of a section compare with: sizes and rates at which something may change. */
export function numbersIn(words: readonly string[], exchange: Exchange): readonly number[] {
  const found: number[] = []
  const add = (list: readonly string[]) => {
    for (const word of list) for (const piece of word.split(':')) if (/^\d+$/.test(piece)) found.push(Number(piece))
  }
  add(words)
  for (const word of words) add(all(exchange.section, 'acl', word.replace(/^!+/, '')).flatMap(line => line.words.slice(2)))
  return [...new Set(found)].sort((a, b) => a - b)
}
