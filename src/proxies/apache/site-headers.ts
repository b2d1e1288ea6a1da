import type {HeaderSource, SentHeader, Setting} from '../site.ts'
import type {Exchange, HeaderState} from './site-exchange.ts'
import {variable} from './site-exchange.ts'
import type {Held} from './site-expression.ts'
import {judge} from './site-expression.ts'
import type {Line} from './site-lines.ts'
import {pcre} from './site-patterns.ts'
import {all} from './site-servers.ts'
import type {Server} from './site-servers.ts'
import type {Settings} from './site-settings.ts'

/** Headers of a connection, which mod_proxy does not pass on (ap_proxy_clear_connection). */
const OF_CONNECTION = ['connection', 'keep-alive', 'proxy-authorization', 'te', 'trailer', 'upgrade', 'http2-settings', 'proxy-connection']
const WORDS = ['set', 'append', 'merge', 'add', 'unset', 'echo', 'edit', 'edit*', 'setifempty', 'note']

/** A `Header` or `RequestHeader`, read. */
export interface HeaderLine {
  line: Line
  action: string
  /** Lower case. */
  name: string
  /** What it is given, or the pattern of an edit. */
  value: string
  replacement?: string
  /** `env=…`, `env=!…` or `expr=…` at its end. */
  condition?: string
  early: boolean
  /** `always`: answers of the proxy itself too. */
  always: boolean
}

/** Reads a header directive; `undefined` for what httpd would refuse. */
export function headerLine(line: Line): HeaderLine | undefined {
  const words = [...line.values]
  const table = /^(?:always|onsuccess)$/i.test(words[0] ?? '') ? words.shift()?.toLowerCase() : undefined
  const action = (words.shift() ?? '').toLowerCase()
  const name = words.shift()
  if (!WORDS.includes(action) || name === undefined) return undefined
  const takes = action === 'unset' || action === 'echo' ? 0 : action.startsWith('edit') ? 2 : 1
  const [value = '', replacement] = words.splice(0, takes)
  const [last] = words
  return {
    line,
    action,
    name: name.replace(/:$/, '').toLowerCase(),
    value,
    ...(replacement === undefined ? {} : {replacement}),
    ...(last === undefined || /^early$/i.test(last) ? {} : {condition: last}),
    early: /^early$/i.test(last ?? ''),
    always: table === 'always',
  }
}

/** Whether the condition of a header directive holds. */
export function conditionHolds(condition: string | undefined, exchange: Exchange): Held {
  if (condition === undefined) return true
  const env = /^env=(!?)(.*)$/i.exec(condition)
  if (env) {
    const [, not, name = ''] = env
    const value = exchange.env.get(name)
    const isSet: Held = exchange.env.has(name) ? (value === undefined ? undefined : true) : false
    return isSet === undefined ? undefined : isSet !== (not === '!')
  }
  const expression = /^expr=([^]*)$/i.exec(condition)
  return expression ? judge(expression[1] ?? '', exchange) : undefined
}

/** What a value is made from: `%{REMOTE_ADDR}s`, `expr=%{REQUEST_SCHEME}`, a text. */
function valueOf(text: string, exchange: Exchange): HeaderState {
  const isExpression = /^expr=/i.test(text)
  const bare = isExpression ? text.slice('expr='.length) : text
  const pattern = isExpression ? /%\{([^}]*)\}/g : /%(?:\{([^}]*)\}([esn])|([tDlibc%]))/g
  const names = [...bare.matchAll(pattern)].map(([, name, kind, other]) => ({name: name ?? '', kind, other}))
  if (names.length === 0) return {source: 'text', sends: bare.replaceAll('%%', '%')}
  const [first] = names
  const whole = names.length === 1 && bare.replace(pattern, '') === '' ? first : undefined
  const value = (name: string, kind: string | undefined) =>
    kind === 'e'
      ? exchange.env.has(name)
        ? exchange.env.get(name)
        : variable(name, exchange)
      : kind === 'n'
        ? undefined
        : variable(name, exchange)
  let known = true
  const sends = bare.replace(pattern, (_, name?: string, kind?: string) => {
    const part = name === undefined ? undefined : value(name, isExpression ? undefined : kind)
    if (part === undefined) known = false
    return part ?? ''
  })
  const source = whole === undefined ? (known ? 'text' : 'unknown') : sourceOf(whole.name)
  return known ? {source, sends} : {source}
}

function sourceOf(name: string): HeaderSource {
  const upper = name.toUpperCase()
  if (upper === 'REMOTE_ADDR' || upper === 'CONN_REMOTE_ADDR' || upper === 'REMOTE_HOST') return 'peer'
  if (upper === 'REQUEST_SCHEME') return 'scheme'
  if (upper === 'HTTP_HOST' || upper === 'HTTP:HOST') return 'host'
  return upper.startsWith('HTTP') && upper !== 'HTTPS'
    ? 'client'
    : upper === 'SERVER_NAME' || upper === 'SERVER_PORT' || upper === 'HTTPS'
      ? 'text'
      : 'unknown'
}

/** Applies header directives in order; says which line touched which header last. */
export function applyHeaders(lines: readonly Line[], exchange: Exchange, touched: Map<string, Line>, early: boolean): void {
  const {headers} = exchange
  for (const line of lines) {
    const read = headerLine(line)
    if (!read || read.early !== early) continue
    const held = conditionHolds(read.condition, exchange)
    if (held === false) continue
    const {name, action} = read
    const now = headers.get(name)
    const given = valueOf(read.value, exchange)
    const empty = now === undefined || now.source === 'nothing'
    let next: HeaderState | undefined
    if (action === 'unset') next = {source: 'nothing', sends: ''}
    else if (action === 'set' || action === 'setifempty') next = action === 'set' || empty ? given : now
    else if (action === 'add' || action === 'append' || action === 'merge') next = joined(now, given)
    else if (action === 'edit' || action === 'edit*') next = edited(now, read)
    else continue
    if (next === now) continue
    touched.set(name, line)
    if (next) headers.set(name, held === undefined ? {source: 'unknown'} : next)
  }
}

/** A value more; what the client may have sent stays in front of it. */
function joined(now: HeaderState | undefined, given: HeaderState): HeaderState {
  if (now?.source === 'nothing') return given
  const ofClient = now === undefined || now.source === 'client' || now.source === 'client-and-peer'
  const source = ofClient ? (given.source === 'peer' ? 'client-and-peer' : 'client') : now.source === given.source ? now.source : 'unknown'
  if (now === undefined) return {...given, source}
  return now.sends !== undefined && given.sends !== undefined ? {source, sends: `${now.sends}, ${given.sends}`} : {source}
}

function edited(now: HeaderState | undefined, {value, replacement = '', action}: HeaderLine): HeaderState | undefined {
  if (now?.sends === undefined) return now
  const pattern = pcre(value, false)
  if (!pattern) return {source: 'unknown'}
  if (!pattern.test(now.sends)) return now
  const regex = action === 'edit*' ? new RegExp(pattern.source, `${pattern.flags}g`) : pattern
  if (/^expr=/i.test(replacement) || /%\{/.test(replacement)) return {source: 'unknown'}
  const sends = now.sends.replace(regex, replacement.replaceAll('$0', '$$&'))
  return {source: sends === '' ? 'text' : now.source, sends}
}

/** Environment from `SetEnvIf`, `SetEnvIfNoCase`, `SetEnvIfExpr`, `BrowserMatch` and `SetEnv`, in the order of the file. */
export function applyEnvironment(lines: readonly Line[], exchange: Exchange, late: boolean): void {
  for (const {name, values} of lines) {
    const [first = '', second = ''] = values
    if (name === 'setenv' && late) exchange.env.set(first, second)
    else if (name === 'unsetenv' && late) for (const gone of values) exchange.env.delete(gone)
    else if (!late && name === 'setenvifexpr') assign(values.slice(1), judge(first, exchange), exchange)
    else if (!late && (name === 'setenvif' || name === 'setenvifnocase'))
      assign(values.slice(2), matches(attribute(first, exchange), second, name === 'setenvifnocase'), exchange)
    else if (!late && (name === 'browsermatch' || name === 'browsermatchnocase'))
      assign(values.slice(1), matches(variable('HTTP_USER_AGENT', exchange), first, name === 'browsermatchnocase'), exchange)
  }
}

/** What `SetEnvIf` looks at: a property of the request, a header, or a variable of before. */
function attribute(name: string, exchange: Exchange): string | undefined {
  switch (name.toLowerCase()) {
    case 'remote_addr':
    case 'remote_host':
    case 'server_addr':
      return undefined
    case 'request_uri':
      return exchange.request.path
    case 'request_method':
      return exchange.request.method
    case 'request_protocol':
      return 'HTTP/1.1'
    default:
      return exchange.env.has(name) ? exchange.env.get(name) : variable(`HTTP:${name}`, exchange)
  }
}

function matches(text: string | undefined, pattern: string, caseless: boolean): Held {
  return text === undefined ? undefined : pcre(pattern, caseless)?.test(text)
}

function assign(words: readonly string[], held: Held, {env}: Exchange): void {
  if (held === false) return
  for (const word of words) {
    const [name = '', ...value] = word.split('=')
    if (name.startsWith('!')) {
      if (held) env.delete(name.slice(1))
      else env.set(name.slice(1), undefined)
    } else env.set(name, held && !/\$\d/.test(word) ? (value.length > 0 ? value.join('=') : '1') : undefined)
  }
}

/** What is needed to say how a header leaves. */
export interface Departure {
  exchange: Exchange
  settings: Settings
  server: Server
  touched: ReadonlyMap<string, Line>
  /** Lines of sections that take the request, the last one wins. */
  section: readonly Line[]
  preserveHost: Setting<boolean>
  /** The protocol that is switched to is named to GMS. */
  switches: boolean
  /** The line that would switch. */
  route: Line
  node?: string
  keepsAlive: boolean
}

/** The header `name` as mod_proxy sends it to a node. */
export function sentHeader(name: string, departure: Departure): SentHeader {
  const {exchange, settings, server, touched, preserveHost, switches, route, node, keepsAlive} = departure
  const line = touched.get(name)
  const state = exchange.headers.get(name)
  const write = (argument: string) => settings.insert(server, `RequestHeader ${argument.replace(/^(\S+)/, `$1 ${properName(name)}`)}`)
  const setting = (value: HeaderSource, at: Line | undefined, fallback: string): Setting<HeaderSource> =>
    at
      ? {...settings.written(server, at, value), ...(at.name === 'requestheader' ? {put: write} : {})}
      : {value, directive: 'RequestHeader', text: fallback, home: settings.homeOf(server), put: write}
  const sends = (text: string | undefined) => (text === undefined ? {} : {sends: text})
  if (name === 'host') {
    const {value, ...kept} = preserveHost
    if (!value) return {...kept, value: 'node', ...sends(node)}
    const source = state?.source === 'client' || state === undefined ? 'host' : state.source
    return {...(line ? setting(source, line, '') : {...kept, value: source}), value: source, ...sends(state?.sends)}
  }
  if (name === 'connection' || name === 'upgrade') {
    const value: HeaderSource = switches ? (name === 'upgrade' ? 'client' : 'text') : name === 'connection' ? 'text' : 'nothing'
    const text = switches
      ? name === 'upgrade'
        ? exchange.request.headers.upgrade
        : 'Upgrade'
      : name === 'connection'
        ? keepsAlive
          ? 'Keep-Alive'
          : 'close'
        : undefined
    return {...settings.written(server, route, value), put: () => [], ...sends(text)}
  }
  if (OF_CONNECTION.includes(name)) return {...setting('nothing', line, `${name} is of the connection`)}
  const own = forwarded(name, departure, state)
  if (own) return {...setting(own.source, line ?? own.line, own.text), ...sends(own.sends)}
  if (!state) return {...setting('client', line, `no RequestHeader for ${name}`)}
  return {...setting(state.source, line, `no RequestHeader for ${name}`), ...sends(state.sends)}
}

/** What `ProxyAddHeaders` adds: the address, the Host and the name of this server. */
function forwarded(
  name: string,
  {exchange, server, section}: Departure,
  state: HeaderState | undefined,
): {source: HeaderSource; line?: Line; text: string; sends?: string} | undefined {
  if (!['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-server'].includes(name)) return undefined
  const said = section.findLast(line => line.name === 'proxyaddheaders') ?? all(server, 'ProxyAddHeaders').at(-1)
  const off = /^off$/i.test(said?.values[0] ?? 'on')
  if (off) return undefined
  const before = state?.source
  // what a client could send is passed on in front, unless a line took it away for whatever request
  const open = before === undefined || before === 'client' || before === 'client-and-peer'
  const text = 'ProxyAddHeaders On'
  const base = said ? {line: said, text} : {text}
  if (name === 'x-forwarded-for') return {...base, source: open ? 'client-and-peer' : before === 'nothing' ? 'peer' : before}
  if (name === 'x-forwarded-host') {
    const host = exchange.headers.get('host')?.sends
    const sent = [open ? state?.sends : undefined, host].filter(part => part !== undefined && part !== '').join(', ')
    return {...base, source: open ? 'client' : 'host', ...(host === undefined ? {} : {sends: sent})}
  }
  return {...base, source: open ? 'client' : 'text'}
}

/** `x-forwarded-for` → `X-Forwarded-For`. */
function properName(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())
}

/** Header directives of the answer in force for a request: server first, then its sections. */
export function answerLines(server: Server, section: readonly Line[]): readonly HeaderLine[] {
  return [...all(server, 'Header'), ...section.filter(({name}) => name === 'header')].flatMap(line => headerLine(line) ?? [])
}
