import type {IncomingMessage} from 'node:http'
import {FLAVOURS, type Flavour} from './flavour.ts'

/** Jetty's default requestHeaderSize, bytes: above, a long request line is answered 414 and long headers 431. */
export const MAX_HEAD_BYTES = 8192
const COMETD_SERVLET = 'org.cometd.server.CometDServlet-2f943d71'
const NO_SERVLET = 'org.eclipse.jetty.servlet.ServletHandler$Default404Servlet-59e5ddf'

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;'}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character] ?? character)
}

type Headers = Record<string, string>

/** A body and the headers that describe it. */
export interface ErrorBody {
  headers: Headers
  body: string
}

/** The request that an error page tells of. */
interface Asked {
  method: string
  /** As it came. */
  target: string
  host?: string | undefined
}

/** Jetty's error handler: a page for GET, POST and HEAD, nothing for other methods. */
export function errorPage(
  flavour: Flavour,
  status: number,
  message: string,
  {method, target, host}: Asked,
  servlet: 'cometd' | 'none' = 'none',
): ErrorBody {
  const uncached = {'Cache-Control': 'must-revalidate,no-cache,no-store'}
  if (!['GET', 'POST', 'HEAD'].includes(method)) return {headers: flavour.datedErrors ? uncached : {}, body: ''}
  const what = escapeHtml(message)
  const origin = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  const path = origin.replace(/[?#].*$/, '')
  // Jetty 12 shows all that was asked, once it has read the host.
  const shown = flavour.page.absoluteUri ? (host === undefined ? path : `http://${host}${origin}`) : path
  const named = servlet === 'cometd' ? COMETD_SERVLET : path.startsWith('/genesys/') ? NO_SERVLET : '-'
  const rows = [
    ['URI:', escapeHtml(shown)],
    ['STATUS:', String(status)],
    ['MESSAGE:', what],
    ...(flavour.page.servletRow ? [['SERVLET:', named]] : []),
  ].map(([head, value]) => `<tr><th>${head}</th><td>${value}</td></tr>\n`)
  const version = /\((.*)\)/.exec(flavour.server)?.[1]
  const body = `<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>
<title>Error ${status} ${what}</title>
</head>
<body>${flavour.page.bodyBreak}<h2>HTTP ERROR ${status} ${what}</h2>
<table>
${rows.join('')}</table>
<hr/><a href="https://jetty.org/">Powered by Jetty:// ${version}</a><hr/>

</body>
</html>
`
  return {headers: {...uncached, 'Content-Type': 'text/html;charset=iso-8859-1'}, body}
}

/** What Jetty's parser says before any servlet is asked; it always closes the connection. `phrase` stands in the status line. */
export function badMessage(flavour: Flavour, status: number, reason: string, asked: Partial<Asked> = {}): ErrorBody & {phrase: string} {
  if (flavour.badMessage === 'page')
    return {...errorPage(flavour, status, reason, {target: '/badMessage', ...asked, method: 'GET'}), phrase: PHRASES[status] ?? reason}
  return {
    headers: {'Content-Type': 'text/html;charset=iso-8859-1'},
    body: `<h1>Bad Message ${status}</h1><pre>reason: ${escapeHtml(reason).replaceAll('&apos;', "'")}</pre>`,
    phrase: reason,
  }
}

/** Jetty's reason phrases where they differ from Node's, and those of its own errors. */
export const PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  500: 'Server Error',
  505: 'HTTP Version Not Supported',
}

interface AnswerHead {
  /** Name, value, name, value. */
  headers: readonly string[]
  /** Bytes of the body; `undefined` when the end of the connection ends it. */
  length: number | undefined
  date: boolean
  /** What the client asked for is said first, what GMS decides is said last. */
  connection?: {value: 'close' | 'keep-alive'; asked: boolean} | undefined
}

/** The lines of an answer's head in Jetty's order: name, value, name, value. */
export function answerHead(flavour: Flavour, {headers, length, date, connection}: AnswerHead): string[] {
  const server = ['Server', flavour.server]
  const when = date ? ['Date', new Date().toUTCString()] : []
  const size = length === undefined ? [] : ['Content-Length', String(length)]
  const [asked = [], decided = []] = connection
    ? connection.asked
      ? [['Connection', connection.value]]
      : [[], ['Connection', connection.value]]
    : []
  return flavour.serverFirst
    ? [...server, ...when, ...headers, ...size, ...decided, ...asked]
    : [...asked, ...when, ...headers, ...size, ...decided, ...server]
}

/** A request target taken apart. */
interface Target {
  path: string
  query: URLSearchParams
  /** Why Jetty refuses it. `uri` is what its page then shows. */
  problem?: {reason: string; uri: string}
}

/** Path and query of a request target, origin or absolute form; path parameters (`;jsessionid=…`) are not part of the path (servlet spec). */
export function splitTarget(target: string, flavour: Flavour = FLAVOURS['cometd-5']): Target {
  const originForm = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/#.*$/, '')
  const mark = originForm.indexOf('?')
  const raw = mark < 0 ? originForm : originForm.slice(0, mark)
  const query = new URLSearchParams(mark < 0 ? '' : originForm.slice(mark + 1))
  const strict = flavour.strictUri ? strictProblem(raw) : undefined
  const {path, broken} = canonical(raw)
  const problem = strict ?? (broken ? {reason: 'Bad Request', uri: '/badMessage'} : undefined)
  return {path, query, ...(problem && {problem})}
}

/** What Jetty 12 takes as an attempt to fool it. */
function strictProblem(path: string): {reason: string; uri: string} | undefined {
  const reason = path.includes('//')
    ? 'Ambiguous URI empty segment'
    : /%2f/i.test(path)
      ? 'Ambiguous URI path separator'
      : /[<>"`{}|^\\]/.test(path)
        ? 'Illegal Path Character'
        : undefined
  return reason === undefined ? undefined : {reason, uri: '/badURI'}
}

/** Decoded, without parameters and dot segments. */
function canonical(raw: string): {path: string; broken: boolean} {
  let decoded = raw.replace(/;[^/]*/g, '')
  try {
    decoded = decodeURIComponent(decoded)
  } catch {
    return {path: decoded, broken: true}
  }
  const kept: string[] = []
  const segments = decoded.split('/').slice(1)
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1
    if (segment === '..') {
      if (kept.length === 0) return {path: decoded, broken: true}
      kept.pop()
      if (last) kept.push('')
    } else if (segment === '.') {
      if (last) kept.push('')
    } else kept.push(segment)
  }
  return {path: `/${kept.join('/')}`, broken: false}
}

/** Why Jetty's parser refuses the head of a request that Node's could not read, from the bytes that came. */
export function unreadable(flavour: Flavour, bytes: Buffer | undefined): {status: number; reason: string; target?: string} {
  const [requestLine = '', ...headers] = (bytes ?? Buffer.alloc(0))
    .toString('latin1')
    .replace(/^(\r?\n)+/, '')
    .split('\r\n')
  const [, target, version] = requestLine.split(' ')
  if (target === undefined) return {status: 400, reason: 'No URI'}
  if (version === undefined) return {status: 505, reason: 'HTTP/0.9 not supported'}
  if (!/^HTTP\/1\.[01]$/.test(version)) return {status: 505, reason: 'Unknown Version'}
  const lines = headers.slice(0, headers.indexOf(''))
  return {status: 400, reason: headerProblem(flavour, lines) ?? 'Bad Request', target}
}

function headerProblem(flavour: Flavour, lines: readonly string[]): string | undefined {
  const values = (name: string) =>
    lines.filter(line => line.toLowerCase().startsWith(`${name}:`)).map(line => line.slice(name.length + 1).trim())
  const lengths = values('content-length')
  if (lines.some(line => /^[ \t:]/.test(line))) return flavour.folding
  if (lines.some(line => /^[^:]* [^:]*:/.test(line))) return "Illegal character SPACE=' '"
  if (lines.some(line => line.includes('\0'))) return 'Illegal character CNTL=0x0'
  if (lines.some(line => !line.includes(':'))) return 'Illegal character LF=\\n'
  if (lengths.length > 1) return 'Multiple Content-Lengths'
  if (lengths.some(length => !/^\d+$/.test(length))) return 'Invalid Content-Length Value'
  if (values('transfer-encoding').length > 0)
    return lengths.length > 0 ? 'Transfer-Encoding and Content-Length' : 'Bad Transfer-Encoding, chunked not last'
  return undefined
}

/** Why Jetty refuses the Host of a request, if it does (RFC 9112, 3.2). */
export function hostProblem(flavour: Flavour, request: IncomingMessage): string | undefined {
  const hosts = request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length
  const {host} = request.headers
  if (host === undefined) return request.httpVersion === '1.1' ? 'No Host' : undefined
  if (flavour.strictHost && hosts > 1) return 'Duplicate Host Header'
  if (flavour.strictHost && host.trim() === '') return 'Blank Host'
  return /^[^[\]]*:[^:]*[^:\d][^:]*$/.test(host) ? 'Bad HostPort' : undefined
}

function tokens(header: string | undefined): string[] {
  return (header ?? '').split(',').map(token => token.trim().toLowerCase())
}

/** How Jetty takes a request that carries an Upgrade header. */
export type UpgradeVerdict =
  | 'accept'
  /** The wrong version, by a number or by something else. */
  | 'version'
  | 'no-version'
  | 'key'
  /** An extension offered with parameters that it does not have, or twice. */
  | 'extension'
  | 'repeated-extension'
  /** Upgrade without Connection: Upgrade. */
  | 'bad-message'
  /** Any request: HTTP/1.0, h2c, not GET, another path. */
  | 'plain'

const DEFLATE_PARAMETERS = ['server_no_context_takeover', 'client_no_context_takeover', 'server_max_window_bits', 'client_max_window_bits']

/** Judges an upgrade as Jetty does. */
export function judgeUpgrade(request: IncomingMessage, isWebSocketPath: boolean, flavour: Flavour = FLAVOURS['cometd-5']): UpgradeVerdict {
  const {headers, rawHeaders} = request
  if (headers.upgrade === undefined || request.httpVersion !== '1.1') return 'plain'
  const connections = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'connection')
  const deciding = flavour.connectionHeader === 'last' ? connections.at(-1) : connections.join(',')
  if (!tokens(deciding).includes('upgrade')) return 'bad-message'
  if (headers.upgrade.trim().toLowerCase() !== 'websocket' || request.method !== 'GET' || !isWebSocketPath) return 'plain'
  if (headers.host === undefined) return 'plain'
  const version = headers['sec-websocket-version']?.trim()
  if (version !== '13' && flavour.otherVersion === 'plain') return 'plain'
  if (version !== '13') return version === undefined || /^\d+$/.test(version) ? 'version' : 'no-version'
  if (headers['sec-websocket-key'] === undefined) return 'key'
  const offers = tokens(headers['sec-websocket-extensions']).map(offer => offer.split(';').map(part => part.trim().split('=', 1)[0] ?? ''))
  const deflates = offers.filter(([name]) => name === 'permessage-deflate')
  if (deflates.some(([, ...parameters]) => !parameters.every(name => DEFLATE_PARAMETERS.includes(name)))) return 'extension'
  return flavour.secondOffer === 500 && deflates.length > 1 ? 'repeated-extension' : 'accept'
}
