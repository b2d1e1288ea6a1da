import {convert} from './converters.ts'
import type {Step} from './converters.ts'
import type {Exchange} from './exchange.ts'
import {header} from './request-headers.ts'
import {bool, joined, none, NOTHING, number, text, unknown} from './sample.ts'
import type {Sample} from './sample.ts'

/** `req.hdr(host),field(1,:),lower` → its steps; `undefined` when it cannot be read. */
export function stepsOf(expression: string): readonly Step[] | undefined {
  const steps: Step[] = []
  let at = 0
  while (at < expression.length) {
    const [name] = /^[A-Za-z0-9_.-]+/.exec(expression.slice(at)) ?? []
    if (name === undefined) return undefined
    at += name.length
    const args: string[] = []
    if (expression[at] === '(') {
      const read = argumentsOf(expression, at + 1)
      if (!read) return undefined
      args.push(...read.args)
      at = read.end
    }
    steps.push({name: name.toLowerCase(), args})
    if (at < expression.length && expression[at] !== ',') return undefined
    at++
  }
  return steps.length === 0 ? undefined : steps
}

/** Arguments between parentheses: quotes protect, a backslash takes the next sign as it is (manual, section 2.2). */
function argumentsOf(expression: string, from: number): {args: readonly string[]; end: number} | undefined {
  const args: string[] = []
  let current = ''
  let quote = ''
  for (let at = from; at < expression.length; at++) {
    const sign = expression[at] ?? ''
    const next = expression[at + 1]
    if (sign === '\\' && quote !== "'" && next !== undefined && /[\\ ,"'()]/.test(next)) {
      current += next
      at++
    } else if (quote === sign) quote = ''
    else if (quote === '' && (sign === '"' || sign === "'")) quote = sign
    else if (quote === '' && sign === ',') {
      args.push(current)
      current = ''
    } else if (quote === '' && sign === ')') return {args: [...args, current], end: at + 1}
    else current += sign
  }
  return undefined
}

/** Matches that a fetch's name may end in: `path_beg` is `path -m beg`. */
export const SUFFIXES = ['beg', 'dir', 'dom', 'end', 'len', 'reg', 'sub'] as const

/** What `expression` gives for this exchange: of a header with several values, the last. */
export function evaluate(expression: string, exchange: Exchange): Sample {
  return evaluateAll(expression, exchange).at(-1) ?? none()
}

/** All values: `hdr` takes the pieces between commas of a header one by one, `fhdr` does not. */
export function evaluateAll(expression: string, exchange: Exchange): readonly Sample[] {
  return evaluateSteps(stepsOf(expression), expression, exchange)
}

/** The same for an expression that was read before. */
export function evaluateSteps(steps: readonly Step[] | undefined, expression: string, exchange: Exchange): readonly Sample[] {
  const [first, ...converters] = steps ?? []
  if (!first) return [unknown(`${expression} cannot be read`)]
  const whole = fetch(first, exchange)
  const samples =
    whole.is === 'text' && /^(?:req\.)?hdr(?:_ip)?$/.test(first.name) && whole.text.includes(',') && !UNSPLIT.test(first.args[0] ?? '')
      ? whole.text.split(',').map((piece): Sample => ({...whole, text: piece.trim()}))
      : [whole]
  return samples.map(sample => converters.reduce<Sample>((value, step) => convert(value, step, exchange), sample))
}

/** Commas in them part nothing (manual, "req.hdr"). */
const UNSPLIT = /^(?:user-agent|date|expires|if-modified-since|last-modified|set-cookie|cookie)$/i

/** Fetches that count something of a client: nothing has been counted when the first request of a chat comes. */
const COUNTERS =
  /^(?:sc\d?_|src_|table_|be_|fe_|srv_(?!is_up|id|name|key)|connslots|avg_queue|queue|last_rule|act_conn|nbproc|fc_rtt|fc_rttvar|res_)/

function fetch({name, args}: Step, exchange: Exchange): Sample {
  const {listener} = exchange
  const [first = ''] = args
  switch (name) {
    case 'path':
      return exchange.path === undefined ? unknown('the path was rewritten in a way that is not followed') : text(exchange.path, 'client')
    case 'query':
      return exchange.query === undefined ? text('', 'client') : text(exchange.query, 'client')
    case 'url':
    case 'pathq':
      return exchange.path === undefined
        ? unknown('the path was rewritten in a way that is not followed')
        : text(exchange.path + (exchange.query === undefined ? '' : `?${exchange.query}`), 'client')
    case 'base':
    case 'baseq': {
      const host = header('host', exchange)
      if (exchange.path === undefined || host.is !== 'text') return unknown('the path was rewritten in a way that is not followed')
      return text(host.text + exchange.path, 'client')
    }
    case 'method':
      return text(exchange.method, 'client')
    case 'req.ver':
    case 'req_ver':
      return text('1.1', 'client')
    case 'req.hdr':
    case 'hdr':
    case 'req.fhdr':
    case 'fhdr':
    case 'req.hdr_ip':
    case 'hdr_ip':
      return header(first, exchange)
    case 'req.hdr_cnt':
    case 'hdr_cnt':
    case 'req.fhdr_cnt':
    case 'fhdr_cnt': {
      const value = header(first, exchange)
      return value.is === 'unknown' ? value : {...number(value.is === 'none' ? 0 : 1), touches: value.touches}
    }
    case 'req.hdr_val':
    case 'hdr_val': {
      if (first.toLowerCase() === 'content-length') return bodySize(exchange)
      const value = header(first, exchange)
      return value.is === 'text' ? {...number(Number.parseInt(value.text, 10)), touches: value.touches} : value
    }
    case 'req.body_size':
    case 'req.body_len':
      return bodySize(exchange)
    case 'req.cook':
    case 'cook':
      return none('client')
    case 'req.cook_cnt':
    case 'cook_cnt':
      return number(0, 'client')
    case 'url_param':
    case 'urlp':
    case 'param': {
      const value = new URLSearchParams(exchange.query ?? '').get(first)
      return value === null ? none() : text(value, 'client')
    }
    case 'src':
      return exchange.peer
    case 'src_port':
      return unknown('the port of a client is of its choosing')
    case 'dst':
      return unknown('the address depends on the machine')
    case 'dst_port':
    case 'fc_dst_port':
      return listener.port === undefined ? unknown('the port is not known') : text(String(listener.port))
    case 'ssl_fc':
    case 'ssl_c_used':
      return name === 'ssl_fc' ? bool(listener.tls, 'scheme') : bool(false, 'client')
    case 'ssl_fc_sni':
    case 'req.ssl_sni':
    case 'req_ssl_sni': {
      const host = header('host', exchange)
      return listener.tls || name !== 'ssl_fc_sni' ? (host.is === 'text' ? text(host.text.replace(/:\d+$/, ''), 'client') : host) : none()
    }
    case 'req.ssl_hello_type':
    case 'req_ssl_hello_type':
      return number(1)
    case 'ssl_fc_alpn':
      return listener.tls ? text('http/1.1', 'client') : none()
    case 'so_name':
      return listener.name === undefined ? none() : text(listener.name)
    case 'fe_name':
      return text(listener.frontend)
    case 'be_name':
      return text(exchange.section.name)
    case 'nbsrv':
      return number(exchange.nodesOf(first === '' ? exchange.section.name : first), 'state')
    case 'srv_is_up':
      return bool(true, 'state')
    case 'status':
      return exchange.supposed.status === undefined ? unknown('the status of the answer decides') : number(exchange.supposed.status)
    case 'stopping':
      return bool(false, 'state')
    case 'always_true':
    case 'wait_end':
    case 'req.proto_http':
    case 'req_proto_http':
    case 'http_first_req':
      return bool(true)
    case 'always_false':
      return bool(false)
    case 'http_auth':
    case 'http_auth_group':
      return bool(false, 'credentials')
    case 'str':
      return text(first)
    case 'int':
      return number(Number(first))
    case 'bool':
      return bool(first === '1' || first === 'true')
    case 'ipv4':
    case 'ipv6':
      return {is: 'address', text: first, from: 'text', exact: true, touches: NOTHING}
    case 'var':
      return exchange.variables.get(first) ?? none()
    case 'unique-id':
    case 'uuid':
      return {is: 'text', text: '-', from: 'unknown', exact: false, touches: NOTHING}
    default:
      if (COUNTERS.test(name)) return number(exchange.supposed.counted, 'counter')
      if (name === 'rand' || name.startsWith('date')) return unknown(`${name} is another one each time`)
      return unknown(`${name} is not followed`)
  }
}

/** A size that the request does not tell is only supposed. */
function bodySize({request, supposed}: Exchange): Sample {
  return number(supposed.body, ...(request.headers['content-length'] === undefined ? (['body'] as const) : []))
}

/** What a log-format string (`%[expression]`, `%ci`, `%%`) gives. */
export function format(pattern: string, exchange: Exchange): Sample {
  const parts: Sample[] = []
  for (const [whole, expression, variable] of pattern.matchAll(/%(?:\{[^}]*\})?(?:\[((?:[^\][]|\[[^\]]*\])*)\]|([A-Za-z]+|%))|[^%]+|%/g)) {
    if (expression !== undefined) parts.push(evaluate(expression.trim(), exchange))
    else if (variable === '%' || variable === undefined) parts.push(text(variable === '%' ? '%' : whole))
    else parts.push(variables(variable, exchange))
  }
  const [only] = parts
  if (parts.length === 0) return text('')
  return parts.length === 1 && only ? only : joined(parts)
}

function variables(name: string, exchange: Exchange): Sample {
  if (name === 'ci') return exchange.peer
  if (name === 'HM') return text(exchange.method, 'client')
  if (name === 'HP' || name === 'HPO') return evaluate('path', exchange)
  if (name === 'f' || name === 'ft') return text(exchange.listener.frontend)
  if (name === 'fp') return evaluate('dst_port', exchange)
  return unknown(`%${name} is not followed`)
}
