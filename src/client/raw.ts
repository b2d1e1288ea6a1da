import type {Socket} from 'node:net'
import {connect, isIP} from 'node:net'
import type {SecureContext} from 'node:tls'
import {connect as connectTls} from 'node:tls'
import type {Failure} from './failure.ts'
import {failureOf} from './failure.ts'
import type {HeaderValues} from './journal.ts'

/** A request whose every byte is chosen. */
export interface RawRequest {
  /** Lines without line ends: request line, then headers in this order, spelling and case. */
  head: readonly string[]
  body?: string | Buffer
  /** Bytes to send once a 101 came (a WebSocket frame; what follows is the answer's body), or a 2xx to CONNECT (a request through the tunnel). */
  afterUpgrade?: Buffer
  /** Address of this machine to connect from. */
  localAddress?: string
  /** Whom to trust when the URL is `https:`; the roots of Node when absent. */
  trust?: SecureContext
  /** Name that TLS asks for and checks (SNI); the host of the URL when absent. */
  serverName?: string
  /** Whoever answers over TLS is listened to, whatever it shows: for somebody who has told that it is not to be trusted. */
  unverified?: true
  /** Sent before everything else, before TLS too: a PROXY protocol header. */
  preface?: string
  /** From connecting to the end of the answer, ms. */
  deadlineMs: number
  signal: AbortSignal
}

/** What came back. */
export interface RawAnswer {
  /** `HTTP/1.1 101 Switching Protocols` */
  statusLine?: string
  status?: number
  /** `1.1` */
  httpVersion?: string
  headers: HeaderValues
  /** Names of the headers in order, spelt as they came. */
  headerNames?: readonly string[]
  /** From connecting to the last byte that came, ms; absent: nothing came. */
  answeredMs?: number
  /** First bytes of the body (chunks put together); after a 101 the bytes of the new protocol. */
  body: Buffer
  /** Whether the peer left the connection open after the answer. */
  stayedOpen: boolean
  tookMs: number
  /** Why there is no (complete) answer. */
  failure?: Failure
}

const MAX_BODY = 16_384
/** How long after an answer the peer may take to close the connection. */
const LINGER_MS = 150

interface Parsed {
  statusLine: string
  status: number
  httpVersion: string
  headers: HeaderValues
  headerNames: readonly string[]
  rest: Buffer
}

/** Reads status line and headers; interim answers (1xx but 101) are skipped. `undefined` while incomplete, a reason when it is not HTTP. */
function parseHead(bytes: Buffer): Parsed | 'incomplete' | 'not HTTP' {
  if (bytes.length >= 5 && bytes.toString('latin1', 0, 5) !== 'HTTP/') return 'not HTTP'
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return bytes.length > 65_536 ? 'not HTTP' : 'incomplete'
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const match = /^HTTP\/(\d\.\d) (\d{3})/.exec(statusLine)
  if (match === null) return 'not HTTP'
  const rest = bytes.subarray(end + 4)
  const status = Number(match[2])
  if (status < 200 && status !== 101) return parseHead(rest)
  const headers: Record<string, string[]> = {}
  const headerNames: string[] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    headerNames.push(line.slice(0, colon))
    ;(headers[line.slice(0, colon).toLowerCase()] ??= []).push(line.slice(colon + 1).trim())
  }
  return {statusLine, status, httpVersion: match[1] ?? '', headers, headerNames, rest}
}

/** The body read so far and whether it is whole (RFC 9112, 6.3). */
function parseBody({status, headers, rest}: Parsed, {method, frame}: {method: string; frame: boolean}): {body: Buffer; whole: boolean} {
  if (status === 101) return {body: rest, whole: !frame || rest.length > 0}
  if (method === 'HEAD' || status === 204 || status === 304 || (method === 'CONNECT' && status < 300))
    return {body: Buffer.alloc(0), whole: true}
  if (headers['transfer-encoding']?.some(value => value.toLowerCase().includes('chunked')) === true) return parseChunks(rest)
  const length = Number(headers['content-length']?.[0] ?? Number.NaN)
  return {body: rest.subarray(0, Number.isNaN(length) ? undefined : length), whole: rest.length >= length}
}

function parseChunks(rest: Buffer): {body: Buffer; whole: boolean} {
  const chunks: Buffer[] = []
  for (let at = 0; ;) {
    const end = rest.indexOf('\r\n', at)
    const size = end < 0 ? Number.NaN : Number.parseInt(rest.toString('latin1', at, end), 16)
    if (Number.isNaN(size) || size === 0) return {body: Buffer.concat(chunks), whole: size === 0}
    chunks.push(rest.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
}

/** A connection to one side of the proxy, encrypted where the URL says so: `secureConnect` then tells that it can be used, else `connect`. */
export function open(
  url: URL,
  {
    trust,
    serverName,
    localAddress,
    unverified = false,
    preface,
  }: Pick<RawRequest, 'trust' | 'serverName' | 'localAddress' | 'preface'> & {unverified?: boolean},
): Socket {
  const from = localAddress === undefined ? {} : {localAddress}
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port)
  const plain = url.protocol !== 'https:' || preface !== undefined ? connect({host, port, ...from}) : undefined
  if (preface !== undefined) plain?.write(preface)
  if (plain && url.protocol !== 'https:') return plain
  return connectTls({
    ...(plain ? {socket: plain} : {host, port, ...from}),
    ...(unverified ? {rejectUnauthorized: false} : {}),
    ...(serverName !== undefined ? {servername: serverName} : isIP(host) === 0 ? {servername: host} : {}),
    ...(trust ? {secureContext: trust} : {}),
  })
}

/**
 * Sends a request that no HTTP library would send and reads its answer. Never throws; bounded by `deadlineMs`. The connection is
 * closed before this returns.
 */
export function sendRaw(url: URL, request: RawRequest): Promise<RawAnswer> {
  const {head, body = '', afterUpgrade, deadlineMs, signal} = request
  const started = performance.now()
  const method = head[0]?.split(' ', 1)[0] ?? ''
  return new Promise(resolve => {
    let bytes = Buffer.alloc(0)
    let sentFrame = false
    let linger: NodeJS.Timeout | undefined
    let done = false
    let answeredMs: number | undefined
    const socket = open(url, request)

    const finish = (stayedOpen: boolean, failure?: Failure) => {
      if (done) return
      done = true
      clearTimeout(timer)
      clearTimeout(linger)
      signal.removeEventListener('abort', abort)
      socket.destroy()
      const parsed = parseHead(bytes)
      const tookMs = performance.now() - started
      const failed = {...(failure === undefined ? {} : {failure}), ...(answeredMs === undefined ? {} : {answeredMs})}
      if (typeof parsed === 'string') return resolve({headers: {}, body: bytes.subarray(0, MAX_BODY), stayedOpen, tookMs, ...failed})
      const {statusLine, status, httpVersion, headers, headerNames} = parsed
      const read = parseBody(parsed, {method, frame: false}).body.subarray(0, MAX_BODY)
      resolve({statusLine, status, httpVersion, headers, headerNames, body: read, stayedOpen, tookMs, ...failed})
    }
    const abort = () => finish(false, {ended: 'closed', reason: 'aborted'})
    const timer = setTimeout(() => finish(true, {ended: 'timed-out', reason: `no complete answer within ${deadlineMs} ms`}), deadlineMs)
    signal.addEventListener('abort', abort, {once: true})
    if (signal.aborted) return abort()

    const wholeAnswer = (): boolean => {
      const parsed = parseHead(bytes)
      return typeof parsed !== 'string' && parseBody(parsed, {method, frame: afterUpgrade !== undefined}).whole
    }
    socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () =>
      // One write: what is sent together arrives together.
      socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from(body)])),
    )
    socket.on('data', chunk => {
      answeredMs = performance.now() - started
      if (bytes.length < 4 * MAX_BODY) bytes = Buffer.concat([bytes, chunk])
      const parsed = parseHead(bytes)
      if (parsed === 'not HTTP') return finish(true, {ended: 'refused', reason: 'the answer is not HTTP'})
      const switched = typeof parsed !== 'string' && (parsed.status === 101 || (method === 'CONNECT' && parsed.status < 300))
      if (switched && afterUpgrade !== undefined && !sentFrame) {
        sentFrame = true
        socket.write(afterUpgrade)
      }
      if (wholeAnswer() || bytes.length >= 4 * MAX_BODY) linger ??= setTimeout(() => finish(true), LINGER_MS)
    })
    const gone = (failure: Failure) => {
      const parsed = parseHead(bytes)
      const untilClose =
        typeof parsed !== 'string' && parsed.headers['content-length'] === undefined && parsed.headers['transfer-encoding'] === undefined
      const cutFrame = typeof parsed !== 'string' && parsed.status === 101 && afterUpgrade !== undefined && parsed.rest.length === 0
      finish(false, wholeAnswer() || (untilClose && !cutFrame) ? undefined : failure)
    }
    socket.once('end', () => gone({ended: 'closed', reason: 'the connection was closed before a complete answer'}))
    socket.once('error', error => gone(failureOf(error)))
    socket.once('close', () => gone({ended: 'closed', reason: 'the connection was closed before a complete answer'}))
  })
}
