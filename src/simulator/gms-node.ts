import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo, Socket} from 'node:net'
import type {Duplex} from 'node:stream'
import {EnvironmentError} from '../errors.ts'
import type {Logger} from '../log.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'
import {BayeuxServer} from './bayeux-server.ts'
import type {ChatService} from './chat-service.ts'
import {HttpExchange} from './http-exchange.ts'
import {serveHttp} from './http-transports.ts'
import {MAX_HEAD_BYTES, badMessage, judgeUpgrade, splitTarget} from './jetty.ts'
import type {RequestLog} from './request-log.ts'
import type {NodeStatus} from './simulator.ts'
import type {UploadService} from './upload-service.ts'
import {WebSocketTransport} from './websocket-transport.ts'

/** Idle keep-alive connections live this long: Node's own 5 s would race with proxies that reuse them. */
const KEEP_ALIVE_MS = 60_000
/** Pending connections; a load of thousands of chats arrives at once. The kernel may cap it (net.core.somaxconn). */
const BACKLOG = 2048
/** Room above Jetty's limit, so that an oversize head is read and refused as Jetty does. */
const PARSER_HEAD_BYTES = 64 * 1024

interface NodeOptions {
  name: string
  host: string
  port: number
  holdMs: number
  maxIntervalMs: number
  maxMessageSize: number
  deflate: boolean
  log: RequestLog
  chats: ChatService
  files: UploadService
  logger: Logger
}

/** A request that Node took for an upgrade and Jetty would not: read again as a plain request. */
interface Replay {
  rawHeaders: readonly string[]
  verdict: 'version' | 'key' | 'plain'
}

/** One simulated GMS: an HTTP server, its own Bayeux sessions, and the shared chats and files. */
export class GmsNode {
  readonly name: string
  readonly host: string
  port = 0
  status: NodeStatus = 'ONLINE'
  readonly #options: NodeOptions
  readonly #server: Server
  readonly #bayeux: BayeuxServer
  readonly #webSockets: WebSocketTransport
  readonly #replays = new WeakMap<Duplex, Replay>()
  readonly #sockets = new Set<Socket>()

  constructor(options: NodeOptions) {
    this.#options = options
    this.name = options.name
    this.host = options.host
    this.#bayeux = new BayeuxServer({
      node: options.name,
      holdMs: options.holdMs,
      maxIntervalMs: options.maxIntervalMs,
      onService: (channel, data, session) => options.chats.publish(channel, data, session),
    })
    this.#webSockets = new WebSocketTransport({maxMessageSize: options.maxMessageSize, deflate: options.deflate, bayeux: this.#bayeux})
    this.#server = createServer({
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: options.holdMs + KEEP_ALIVE_MS,
      // A slow upload has no time limit of ours.
      requestTimeout: 0,
      maxHeaderSize: PARSER_HEAD_BYTES,
      requireHostHeader: false,
      noDelay: true,
    })
    this.#listenToServer()
  }

  get sessions(): number {
    return this.#bayeux.sessions
  }

  /** @throws EnvironmentError when the port is taken. */
  listen(): Promise<void> {
    const {host, port} = this.#options
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const {what, advice} = whyNotListening(error, host, port)
        const suggestions = [advice]
        reject(new EnvironmentError(`GMS simulator ${this.name}: ${what}`, {suggestions, cause: error}))
      })
      this.#server.listen({host, port, backlog: BACKLOG}, () => {
        this.port = (this.#server.address() as AddressInfo).port
        resolve()
      })
    })
  }

  /** Forgets every session as if it had expired. Returns how many. */
  sweepSessions(): number {
    return this.#bayeux.forget()
  }

  /** Stops listening, cuts every connection, forgets every session. */
  stop(): Promise<void> {
    return new Promise(resolve => {
      this.#server.close(() => resolve())
      this.#webSockets.stop()
      this.#bayeux.stop()
      for (const socket of this.#sockets) socket.destroy()
    })
  }

  #listenToServer(): void {
    const server = this.#server
    server.on('connection', (socket: Socket) => {
      if (this.#sockets.has(socket)) return
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.on('request', (request, response) => this.#onRequest(request, response))
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      const exchange = this.#exchange(request, response, request.rawHeaders)
      exchange.streamBody()
      exchange.rejectMessage(417, 'Expectation Failed')
    })
    server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head))
    server.on('connect', (request, socket) => this.#onConnect(request, socket))
    server.on('clientError', (error, socket) => {
      this.#options.logger.debug(`${this.name}: unreadable request (${error.message})`)
      if (socket.writable) writeRaw(socket, 400, 'Bad Request', badMessage(400, 'Bad Request'))
      else socket.destroy()
    })
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const replay = this.#replays.get(request.socket)
    this.#replays.delete(request.socket)
    const rawHeaders = replay?.rawHeaders ?? request.rawHeaders
    const exchange = this.#exchange(request, response, rawHeaders)
    const refusal = this.#refusalOf(request, rawHeaders, replay)
    if (refusal) {
      exchange.streamBody()
      refusal(exchange)
      return
    }
    if (isUnder(exchange.path, COMETD_PATH)) void serveHttp(exchange, this.#bayeux)
    else if (exchange.path === FILES_PATH) this.#options.files.serve(exchange, this.name)
    else {
      exchange.streamBody()
      exchange.refuse(404, 'Not Found')
    }
  }

  /** What Jetty answers before it looks for a servlet. */
  #refusalOf(
    request: IncomingMessage,
    rawHeaders: readonly string[],
    replay: Replay | undefined,
  ): ((exchange: HttpExchange) => void) | undefined {
    if ((request.url ?? '').length + (request.method ?? '').length + 11 > MAX_HEAD_BYTES)
      return exchange => exchange.rejectMessage(414, 'URI Too Long')
    const headBytes = rawHeaders.reduce((sum, part) => sum + part.length + 2, (request.url ?? '').length)
    if (headBytes > MAX_HEAD_BYTES) return exchange => exchange.rejectMessage(431, 'Request Header Fields Too Large')
    if (request.httpVersion === '1.1' && request.headers.host === undefined) return exchange => exchange.rejectMessage(400, 'No Host')
    switch (replay?.verdict) {
      case 'version':
        return exchange => exchange.refuse(400, 'Unsupported websocket version specification', 'cometd', {'Sec-WebSocket-Version': '13'})
      case 'key':
        return exchange => exchange.refuse(400, "Missing request header 'Sec-WebSocket-Key'", 'cometd', {Connection: 'close'})
      case 'plain':
        return undefined
      case undefined:
        return judgeUpgrade(request, false) === 'bad-message' ? exchange => exchange.rejectMessage(400, 'Bad Request') : undefined
    }
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const verdict = judgeUpgrade(request, splitTarget(request.url ?? '').path === COMETD_PATH)
    if (verdict === 'accept') {
      const capture = this.#begin(request, request.rawHeaders)
      socket.once('close', () => capture.peerClosed())
      this.#webSockets.upgrade(request, socket, head, capture)
      return
    }
    // Node has left HTTP on this connection; Jetty has not. The head is put back without its upgrade and read again.
    this.#replays.set(socket, {rawHeaders: request.rawHeaders, verdict: verdict === 'bad-message' ? 'plain' : verdict})
    socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]))
    this.#server.emit('connection', socket)
  }

  #onConnect(request: IncomingMessage, socket: Duplex): void {
    socket.on('error', () => {})
    const capture = this.#begin(request, request.rawHeaders)
    writeRaw(socket, 400, 'Bad Request', badMessage(400, 'Bad Request'))
    capture.answered(400)
  }

  #exchange(request: IncomingMessage, response: ServerResponse, rawHeaders: readonly string[]): HttpExchange {
    return new HttpExchange(request, response, this.#begin(request, rawHeaders))
  }

  #begin(request: IncomingMessage, rawHeaders: readonly string[]) {
    return this.#options.log.begin({
      node: this.name,
      method: request.method ?? '',
      target: request.url ?? '',
      httpVersion: request.httpVersion,
      rawHeaders,
      remoteAddress: request.socket.remoteAddress ?? '',
    })
  }
}

/** `path` itself or anything below it: a servlet mapping `/cometd/*`. */
function isUnder(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`)
}

function headWithoutUpgrade(request: IncomingMessage): Buffer {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`]
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? ''
    let value = request.rawHeaders[i + 1] ?? ''
    if (name.toLowerCase() === 'upgrade') continue
    if (name.toLowerCase() === 'connection') {
      const kept = value.split(',').filter(token => token.trim().toLowerCase() !== 'upgrade')
      if (kept.length === 0) continue
      value = kept.join(',')
    }
    lines.push(`${name}: ${value}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

function writeRaw(socket: Duplex, status: number, reason: string, page: {headers: Record<string, string>; body: string}): void {
  const headers = Object.entries({...page.headers, 'Content-Length': String(Buffer.byteLength(page.body))}).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  socket.end(`HTTP/1.1 ${status} ${reason}\r\n${headers.join('')}\r\n${page.body}`)
}

function whyNotListening({code, message}: NodeJS.ErrnoException, host: string, port: number): {what: string; advice: string} {
  const address = port === 0 ? host : `${host}:${port}`
  if (code === 'EADDRINUSE')
    return {what: `port ${port} on ${host} is taken`, advice: `Stop what listens on port ${port}, or choose another port.`}
  if (code === 'EMFILE' || code === 'ENFILE')
    return {what: `cannot listen on ${address}: no more files may be open`, advice: 'Raise the limit: ulimit -n 4096'}
  return {what: `cannot listen on ${address} (${code ?? message})`, advice: 'Choose an address of this machine and a port above 1023.'}
}
