import type {HeaderSource, Request} from '../site.ts'
import type {Server} from './site-servers.ts'

/** A browser, for rules that ask what the client is: a request of a chat comes from one. */
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36'

/** A header on its way to GMS. */
export interface HeaderState {
  source: HeaderSource
  /** Absent: it cannot be told. */
  sends?: string
}

/** One request on its way through httpd. */
export interface Exchange {
  request: Request
  server: Server
  tls: boolean
  port?: number
  /** Path that is compared, as it stands now; rewriting changes it. */
  uri: string
  query: string
  /** Lower-case names. What is missing was not sent; `nothing` is what was taken away, whatever the client sent. */
  headers: Map<string, HeaderState>
  /** Environment; `undefined` for a value that cannot be told. */
  env: Map<string, string | undefined>
}

/** What was captured by the last pattern: `$1` of the rule, `%1` of its conditions. */
export interface Captures {
  rule: readonly (string | undefined)[]
  condition: readonly (string | undefined)[]
}

/** A header of the request as conditions see it: empty when it was not sent. */
function headerOf({headers}: Exchange, name: string): string | undefined {
  const header = headers.get(name.toLowerCase())
  if (!header) return name.toLowerCase() === 'user-agent' ? BROWSER : ''
  return header.sends
}

/** `%{NAME}` for this request; `undefined` when it cannot be told (the client's address, the time, maps, …). */
export function variable(name: string, exchange: Exchange): string | undefined {
  const {request, server, tls, port, uri, query} = exchange
  const upper = name.toUpperCase()
  const [kind = '', ...rest] = name.split(':')
  const argument = rest.join(':')
  if (rest.length > 0) {
    if (/^(?:http|req|http_novary|req_novary|la-u|la-f)$/i.test(kind)) return /^la-/i.test(kind) ? undefined : headerOf(exchange, argument)
    if (/^(?:env|reqenv)$/i.test(kind)) return exchange.env.has(argument) ? exchange.env.get(argument) : ''
    if (/^tolower$/i.test(kind)) return variable(argument, exchange)?.toLowerCase()
    return undefined
  }
  const host = headerOf(exchange, 'host')
  switch (upper) {
    case 'REQUEST_URI':
    case 'DOCUMENT_URI':
      return uri
    case 'REQUEST_FILENAME':
    case 'SCRIPT_FILENAME':
      return undefined
    case 'REQUEST_METHOD':
      return request.method
    case 'QUERY_STRING':
      return query
    case 'THE_REQUEST':
      return `${request.method} ${request.path}${request.query === undefined ? '' : `?${request.query}`} HTTP/1.1`
    case 'SERVER_PROTOCOL':
      return 'HTTP/1.1'
    case 'HTTPS':
      return tls ? 'on' : 'off'
    case 'REQUEST_SCHEME':
      return tls ? 'https' : 'http'
    case 'SERVER_PORT':
      return port === undefined ? undefined : String(port)
    case 'SERVER_NAME':
      return server.own.find(line => line.name === 'servername')?.values[0] ?? host?.replace(/:\d+$/, '')
    case 'HTTP_HOST':
      return host
    case 'HTTP2':
    case 'IS_SUBREQ':
      return upper === 'HTTP2' ? 'off' : 'false'
    case 'HTTP_USER_AGENT':
    case 'HTTP_REFERER':
    case 'HTTP_COOKIE':
    case 'HTTP_FORWARDED':
    case 'HTTP_ACCEPT':
    case 'HTTP_PROXY_CONNECTION':
      return headerOf(exchange, upper.slice(5).replaceAll('_', '-').toLowerCase())
    case 'CONTENT_TYPE':
      return headerOf(exchange, 'content-type')
    case 'REMOTE_USER':
    case 'AUTH_TYPE':
    case 'PATH_INFO':
    case 'CONTEXT_PREFIX':
      return ''
    default:
      return undefined
  }
}

/** Text with `%{NAME}`, `$1` and `%1` put in, as RewriteRule and RewriteCond do; `undefined` when a part cannot be told. */
export function expand(text: string, exchange: Exchange, {rule, condition}: Captures): string | undefined {
  let result = ''
  let at = 0
  while (at < text.length) {
    const rest = text.slice(at)
    const named = /^%\{([^}]*)\}/.exec(rest)
    const numbered = /^([$%])(\d)/.exec(rest)
    if (rest.startsWith('${')) return undefined
    if (rest.startsWith('\\') && rest.length > 1) {
      result += rest[1] ?? ''
      at += 2
    } else if (named) {
      const value = variable(named[1] ?? '', exchange)
      if (value === undefined) return undefined
      result += value
      at += named[0].length
    } else if (numbered) {
      result += (numbered[1] === '$' ? rule : condition)[Number(numbered[2])] ?? ''
      at += 2
    } else {
      result += rest[0] ?? ''
      at += 1
    }
  }
  return result
}
