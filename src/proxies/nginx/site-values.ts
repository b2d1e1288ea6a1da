import type {Directive, ParsedConfig} from '../syntax.ts'
import type {HeaderSource, Request} from '../site.ts'
import {expanded} from './site-scope.ts'
import type {Scope} from './site-scope.ts'
import {SETTINGS} from './variables.ts'

/** Where a piece of a text comes from. `text`: it stands in the file. */
type Origin = Exclude<HeaderSource, 'nothing'> | 'random' | 'request'

interface Part {
  /** Absent: only a running proxy knows. */
  text?: string
  origin: Origin
  /** Variable that it came from, for what cannot be told. */
  name?: string
}

/** Networks with every address in them. */
export const TRUSTED = /^(?:0\.0\.0\.0\/0|::\/0)$/

/** A text put together from pieces. `sure` is false where it holds for a stranger, and clients of some addresses get another. */
export interface Value {
  parts: readonly Part[]
  sure: boolean
}

/** Everything that variables are made from, at one moment of one request. */
export interface Moment {
  request: Request
  host?: string
  tls: boolean
  port?: number
  serverName?: string
  uri: string
  args: string
  /** Set by `set`, and by named groups. */
  variables: ReadonlyMap<string, Value>
  captures: readonly (string | undefined)[]
  /** Where `proxy_pass` leads, for `$proxy_host`. */
  node?: string
  /** `$remote_addr` is what a header of the client says: every address is trusted. */
  addressOfClient: boolean
}

const DEEPEST = 12
const EMPTY: Value = {parts: [], sure: true}
export const valueOf = (text: string, origin: Origin = 'text'): Value => ({parts: [{text, origin}], sure: true})
const unknown = (origin: Origin = 'unknown'): Value => ({parts: [{origin}], sure: true})

function named({parts, sure}: Value, name: string): Value {
  return {parts: parts.map(part => (part.text === undefined ? {...part, name} : part)), sure}
}

/** The text, when all of it can be told. */
export function textIn({parts}: Value): string | undefined {
  return parts.some(({text}) => text === undefined) ? undefined : parts.map(({text}) => text).join('')
}

/** The text as far as it can be told; what cannot stands as its variable. */
export function shownIn({parts}: Value): string {
  return parts.map(({text, name = '?'}) => text ?? `$${name}`).join('')
}

/** What a value is made from, in the words of the contract. */
export function sourceOf(value: Value): HeaderSource {
  const parts = value.parts.filter(({text, origin}) => text !== '' || origin === 'client')
  if (parts.length === 0) return 'nothing'
  const origins = new Set<Origin>(parts.map(({origin}) => origin))
  const has = (origin: Origin) => origins.has(origin)
  if (has('unknown') || has('random')) return has('unknown') ? 'unknown' : 'text'
  if (has('client-and-peer') || (has('client') && has('peer'))) return 'client-and-peer'
  if (has('client')) return 'client'
  if (has('peer')) return 'peer'
  if (has('host')) return 'host'
  // `$host:$server_port`
  if (has('host-without-port')) return parts.length > 1 && has('request') ? 'host' : 'host-without-port'
  if (has('node')) return 'node'
  if (has('scheme')) return 'scheme'
  return 'text'
}

/** A regular expression of PCRE for this engine; `undefined` when it has what this one does not know. */
export function regexOf(pattern: string, ignoreCase: boolean): RegExp | undefined {
  let source = pattern
  let flags = ignoreCase ? 'i' : ''
  const [inline] = /^\(\?([is]+)\)/.exec(source) ?? []
  if (inline !== undefined) {
    source = source.slice(inline.length)
    flags = [...new Set(flags + inline.slice(2, -1))].join('')
  }
  source = source
    .replace(/\(\?P</g, '(?<')
    .replace(/\(\?'(\w+)'/g, '(?<$1>')
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$')
    .replace(/\\h/g, '[ \\t]')
    .replace(/\[\[:(\w+):\]\]/g, (_, name: string) => POSIX[name] ?? '(?>')
  try {
    return new RegExp(source, flags)
  } catch {
    return undefined
  }
}

const POSIX: Readonly<Record<string, string>> = {alpha: '[A-Za-z]', digit: '\\d', alnum: '[A-Za-z0-9]', space: '\\s', xdigit: '[0-9A-Fa-f]'}

interface Table {
  kind: 'map' | 'geo' | 'split_clients'
  line: Directive
  rows: readonly Directive[]
}

/** Variables of a configuration: those that the file makes, and nginx's own. */
export class Variables {
  private readonly tables = new Map<string, Table>()
  private readonly assigned = new Set<string>()
  private readonly computed = new Set<string>()

  constructor(config: ParsedConfig, http: Scope, lines: readonly Directive[]) {
    for (const kind of ['map', 'geo', 'split_clients'] as const)
      for (const line of http.all(kind)) {
        const name = line.args.at(-1)?.value ?? ''
        if (line.block) this.tables.set(name.replace(/^\$/, '').toLowerCase(), {kind, line, rows: expanded(config, line.block)})
      }
    for (const {name, args} of lines) {
      const [first] = args
      if (name === 'set' && first) this.assigned.add(first.value.replace(/^\$/, '').toLowerCase())
      else if (/_set$|^set_/.test(name))
        for (const {value} of args) if (/^\$\w+$/.test(value)) this.computed.add(value.slice(1).toLowerCase())
    }
  }

  /** The table that makes `name` (without `$`). */
  table(name: string): Table | undefined {
    return this.tables.get(name.toLowerCase())
  }

  /** The file says how the variable is made. */
  isMade(name: string): boolean {
    const key = name.toLowerCase()
    return this.tables.has(key) || this.assigned.has(key) || this.computed.has(key)
  }

  /** A text with variables in it. */
  evaluate(text: string, moment: Moment, depth = 0): Value {
    if (!text.includes('$')) return valueOf(text)
    const parts: Part[] = []
    let sure = true
    let from = 0
    for (const match of text.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)) {
      if (match.index > from) parts.push({text: text.slice(from, match.index), origin: 'text'})
      const value = depth > DEEPEST ? unknown() : this.variable(match[1] ?? match[2] ?? '', moment, depth + 1)
      parts.push(...value.parts)
      sure &&= value.sure
      from = match.index + match[0].length
    }
    if (from < text.length) parts.push({text: text.slice(from), origin: 'text'})
    return {parts, sure}
  }

  private variable(written: string, moment: Moment, depth: number): Value {
    const name = written.toLowerCase()
    if (/^\d$/.test(name)) return valueOf(moment.captures[Number(name)] ?? '', 'request')
    const set = moment.variables.get(name)
    if (set) return set
    const table = this.tables.get(name)
    if (table) return this.looked(table, moment, depth)
    if (this.computed.has(name)) return named(unknown(), name)
    return named(builtIn(name, moment) ?? (this.assigned.has(name) ? EMPTY : unknown()), name)
  }

  private looked(table: Table, moment: Moment, depth: number): Value {
    const values = table.rows.filter(({name}) => SETTINGS[table.kind]?.test(name) !== true)
    const result = (text: string, at: Moment, sure: boolean): Value => {
      const value = this.evaluate(text, at, depth)
      return {parts: value.parts, sure: sure && value.sure}
    }
    const fallback = values.find(({name}) => name === 'default')?.args[0]?.value ?? ''
    if (table.kind === 'split_clients') return unknown()
    if (table.kind === 'geo')
      return result(
        fallback,
        moment,
        values.every(({args}) => args[0]?.value === fallback),
      )
    const key = this.evaluate(table.line.args[0]?.value ?? '', moment, depth)
    const text = textIn(key)
    if (text === undefined) {
      const results = new Set([fallback, ...values.map(({args}) => args[0]?.value ?? '')])
      if (results.size === 1) return result(fallback, moment, true)
      // An address is that of a stranger: no row names it.
      return sourceOf(key) === 'peer' && values.every(({name}) => !name.startsWith('~')) ? result(fallback, moment, false) : unknown()
    }
    const found = row(
      values,
      text,
      table.rows.some(({name}) => name === 'hostnames'),
    )
    if (found === 'unknown') return unknown()
    if (found === undefined) return result(fallback, moment, key.sure)
    const at = found.match ? withGroups(moment, found.match, sourceOf(key) === 'client' ? 'client' : 'request') : moment
    return result(found.value, at, key.sure)
  }
}

/** Groups of a match, numbered and named. */
export function withGroups(moment: Moment, match: RegExpExecArray, origin: Origin = 'request'): Moment {
  const variables = new Map(moment.variables)
  for (const [name, text] of Object.entries(match.groups ?? {})) variables.set(name.toLowerCase(), valueOf(text ?? '', origin))
  return {...moment, variables, captures: [...match]}
}

/** The row of a map for a text: exact, then by mask of a host name, then the first expression that matches. */
function row(
  rows: readonly Directive[],
  text: string,
  hostnames: boolean,
): {value: string; match?: RegExpExecArray} | 'unknown' | undefined {
  const folded = text.toLowerCase()
  const valueIn = ({args}: Directive) => args[0]?.value ?? ''
  const plain = rows.filter(({name}) => name !== 'default' && !name.startsWith('~'))
  const exact = plain.find(({name}) => name.replace(/^\\/, '').toLowerCase() === folded)
  if (exact) return {value: valueIn(exact)}
  if (hostnames) {
    const masks = plain.filter(({name}) => maskMatches(name.toLowerCase(), folded)).sort((a, b) => b.name.length - a.name.length)
    const best = masks.find(({name}) => !name.endsWith('.*')) ?? masks[0]
    if (best) return {value: valueIn(best)}
  }
  for (const line of rows.filter(({name}) => name.startsWith('~'))) {
    const regex = regexOf(line.name.replace(/^~\*?/, ''), line.name.startsWith('~*'))
    if (!regex) return 'unknown'
    const match = regex.exec(text)
    if (match) return {value: valueIn(line), match}
  }
  return undefined
}

/** `*.example.com`, `.example.com`, `www.*` against a name in lower case. */
export function maskMatches(mask: string, name: string): boolean {
  if (mask.startsWith('*.')) return name.endsWith(mask.slice(1)) && name.length > mask.length - 1
  if (mask.startsWith('.')) return name === mask.slice(1) || name.endsWith(mask)
  return mask.endsWith('.*') && name.startsWith(mask.slice(0, -1))
}

/** nginx's own variables (https://nginx.org/en/docs/varindex.html) as far as the request tells them; `undefined`: it has none of this name. */
function builtIn(name: string, moment: Moment): Value | undefined {
  const {request, uri, args} = moment
  const header = (key: string) => valueOf(request.headers[key] ?? '', 'client')
  const query = request.query === undefined ? '' : `?${request.query}`
  if (name.startsWith('http_') && name !== 'http_host') return header(name.slice(5).replaceAll('_', '-'))
  if (name.startsWith('arg_')) return valueOf(new URLSearchParams(args).get(name.slice(4)) ?? '', 'client')
  if (name.startsWith('cookie_')) return valueOf(cookieOf(request.headers['cookie'] ?? '', name.slice(7)), 'client')
  switch (name) {
    case 'uri':
    case 'document_uri':
      return valueOf(uri, 'request')
    case 'request_uri':
      return valueOf(request.path + query, 'request')
    case 'args':
    case 'query_string':
      return valueOf(args, 'request')
    case 'is_args':
      return valueOf(args === '' ? '' : '?', 'request')
    case 'request_method':
      return valueOf(request.method, 'request')
    case 'request':
      return valueOf(`${request.method} ${request.path}${query} HTTP/1.1`, 'request')
    case 'server_protocol':
      return valueOf('HTTP/1.1', 'request')
    case 'scheme':
      return valueOf(moment.tls ? 'https' : 'http', 'scheme')
    case 'https':
      return valueOf(moment.tls ? 'on' : '', 'scheme')
    case 'server_port':
      return moment.port === undefined ? unknown('request') : valueOf(String(moment.port), 'request')
    case 'server_name':
      return valueOf(moment.serverName ?? '', 'text')
    case 'host':
      return moment.host === undefined
        ? unknown('host-without-port')
        : valueOf(moment.host.replace(/:\d+$/, '').toLowerCase(), 'host-without-port')
    case 'http_host':
      return moment.host === undefined ? unknown('host') : valueOf(moment.host, 'host')
    case 'content_type':
      return header('content-type')
    case 'content_length':
      return request.headers['content-length'] === undefined ? unknown('client') : header('content-length')
    case 'remote_user':
      return valueOf('', 'client')
    case 'proxy_host':
      return moment.node === undefined ? unknown('node') : valueOf(moment.node, 'node')
    case 'proxy_port':
      return unknown('node')
    case 'remote_addr':
    case 'binary_remote_addr':
      return unknown(moment.addressOfClient ? 'client' : 'peer')
    case 'realip_remote_addr':
    case 'proxy_protocol_addr':
      return unknown('peer')
    case 'proxy_add_x_forwarded_for':
      return unknown('client-and-peer')
    case 'request_id':
      return unknown('random')
    default:
      return undefined
  }
}

function cookieOf(header: string, name: string): string {
  return (
    header
      .split(';')
      .map(pair => pair.trim().split('='))
      .find(([key = '']) => key.toLowerCase().replaceAll('-', '_') === name)?.[1] ?? ''
  )
}
