import type {Truth} from './acls.ts'
import type {Exchange, HeaderState} from './exchange.ts'
import {regex} from './patterns.ts'
import type {Rule} from './rule-lines.ts'
import {format} from './expressions.ts'
import {header} from './request-headers.ts'
import {isExact, joined, sourceOf, text, textOf} from './sample.ts'
import type {Sample} from './sample.ts'

/** Rules about request headers; true when this was one. */
export function changeHeader(rule: Rule, held: Truth, exchange: Exchange): boolean {
  const {action, arguments: args} = rule
  const [written = '', second = '', third = ''] = args
  const name = written.toLowerCase()
  switch (action) {
    case 'set-header':
      put(name, stateOf(rule, format(second, exchange), held), held, exchange)
      return true
    case 'add-header': {
      const added = stateOf(rule, format(second, exchange), held)
      const before = exchange.headers.get(name)
      if (before?.source === 'nothing') put(name, added, held, exchange)
      else if ((before?.source ?? 'client') === 'client') put(name, beside(added, header(name, exchange)), held, exchange)
      else put(name, {source: 'unknown', exact: false, touches: added.touches, line: rule.line}, held, exchange)
      return true
    }
    case 'del-header': {
      const at = args.indexOf('-m')
      const gone: HeaderState = {source: 'nothing', exact: true, touches: held.touches, line: rule.line}
      if (at === -1) put(name, gone, held, exchange)
      else {
        const method = args[at + 1] ?? 'str'
        const matches = matcher(method, method === 'reg' ? written : name)
        for (const other of new Set([...MEANT, ...Object.keys(exchange.request.headers), ...exchange.headers.keys()]))
          if (matches(other)) put(other, gone, held, exchange)
      }
      return true
    }
    case 'replace-header':
    case 'replace-value': {
      const before = header(name, exchange)
      const value = textOf(before)
      const expression = regex(second, false)
      if (before.is === 'none') return true
      const replacement = format(third, exchange)
      if (!expression || value === undefined || replacement.is !== 'text')
        put(name, {source: 'unknown', exact: false, touches: before.touches, line: rule.line}, held, exchange)
      else if (expression.test(value)) {
        const expanded = expand(expression, value, replacement.text)
        const after = text(expanded, 'unknown', before.touches)
        // what was replaced by something of the proxy's own is that; what was kept in parts is the client's
        const fixed = !/\\\d/.test(third)
        put(name, stateOf(rule, fixed ? replacement : after, held), held, exchange)
      }
      return true
    }
    default:
      return false
  }
}

/** Headers that matter to a chat, for rules that name a prefix. */
const MEANT = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'x-real-ip',
  'x-client-ip',
  'forwarded',
  'true-client-ip',
  'cf-connecting-ip',
  'upgrade',
  'connection',
  'host',
  'origin',
  'cookie',
  'authorization',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
  'http2-settings',
]

function matcher(kind: string, pattern: string): (name: string) => boolean {
  if (kind === 'beg') return name => name.startsWith(pattern)
  if (kind === 'end') return name => name.endsWith(pattern)
  if (kind === 'sub') return name => name.includes(pattern)
  // Measured: names are in lower case by then, and the expression minds the case.
  if (kind === 'reg') return name => regex(pattern, false)?.test(name) ?? false
  return name => name === pattern
}

function stateOf({line}: Rule, sample: Sample, held: Truth): HeaderState {
  const value = textOf(sample)
  const own = sourceOf(sample)
  const source = own === 'nothing' ? 'text' : own
  // a fixed `https` behind a test for TLS says the scheme of the connection
  const isScheme = source === 'text' && held.touches.has('scheme') && value !== undefined && /^https?$/i.test(value)
  return {
    source: isScheme ? 'scheme' : source,
    ...(value === undefined ? {} : {text: value}),
    exact: isExact(sample),
    touches: new Set([...sample.touches, ...held.touches]),
    line,
  }
}

/** The client's own one, and one of the proxy behind it. */
function beside(added: HeaderState, before: Sample): HeaderState {
  const {text: _, ...rest} = added
  const value = joined([before, text(before.is === 'none' ? '' : ', '), added.text === undefined ? before : text(added.text)])
  return {
    ...rest,
    source: added.source === 'peer' ? 'client-and-peer' : 'unknown',
    ...(value.is === 'text' && added.text !== undefined ? {text: value.text} : {}),
    exact: added.exact && isExact(before),
  }
}

function put(name: string, state: HeaderState, held: Truth, exchange: Exchange): void {
  if (held.value === true) exchange.headers.set(name, state)
  else {
    const {line} = state
    const before = exchange.headers.get(name)
    // the same either way
    if (before?.source === state.source && before.text === state.text) return
    exchange.headers.set(name, {source: 'unknown', exact: false, touches: held.touches, ...(line ? {line} : {})})
  }
}

/** `\1` in a replacement. The whole text becomes the replacement, not only what matched (measured on 2.6.12). */
function expand(expression: RegExp, value: string, replacement: string): string {
  const groups = expression.exec(value) ?? []
  return replacement.replace(/\\(\d)/g, (_, digit: string) => groups[Number(digit)] ?? '')
}

/** Rules about method-independent parts of the request line; true when this was one. */
export function changePath({action, arguments: args}: Rule, sure: boolean, exchange: Exchange): boolean {
  const [first = '', second = ''] = args
  const lose = () => {
    exchange.path = undefined
    exchange.query = undefined
  }
  const split = (whole: string | undefined) => {
    if (whole === undefined) return lose()
    const [path = '', ...query] = whole.replace(/^[a-z]+:\/\/[^/]*/i, '').split('?')
    exchange.path = path
    exchange.query = query.length === 0 ? undefined : query.join('?')
  }
  const value = () => (sure ? textOf(format(first, exchange)) : undefined)
  const replaced = (before: string | undefined) => {
    const expression = regex(first, false)
    const replacement = textOf(format(second, exchange))
    if (before === undefined || !expression || replacement === undefined) return undefined
    if (!expression.test(before)) return before
    return sure ? expand(expression, before, replacement) : undefined
  }
  const whole = exchange.path === undefined ? undefined : exchange.path + (exchange.query === undefined ? '' : `?${exchange.query}`)
  switch (action) {
    case 'set-path':
      exchange.path = value()
      return true
    case 'set-pathq':
    case 'set-uri':
      split(value())
      return true
    case 'set-query': {
      const query = value()
      if (query === undefined) lose()
      else exchange.query = query
      return true
    }
    case 'replace-path':
      exchange.path = replaced(exchange.path)
      return true
    case 'replace-pathq':
    case 'replace-uri':
      split(replaced(whole))
      return true
    case 'normalize-uri':
      // nothing of a chat's paths is written in another way than the normal one
      return true
    default:
      return false
  }
}
