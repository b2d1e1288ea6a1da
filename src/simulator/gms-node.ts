import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import {createServer as createTlsServer} from 'node:https'
import type {AddressInfo, Socket} from 'node:net'
import type {Duplex} from 'node:stream'
import type {Logger} from '../log.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'
import {BayeuxServer} from './bayeux-server.ts'
import type {ChatService} from './chat-service.ts'
import type {FaultBoard} from './faults.ts'
import {isHealthPath, serveHealth, type HealthOptions, type NodeStatus} from './health.ts'
import {HttpExchange} from './http-exchange.ts'
import {serveHttp} from './http-transports.ts'
import {FLAVOURS, type Flavour, type FlavourName} from './flavour.ts'
import {
  MAX_HEAD_BYTES,
  answerHead,
  badMessage,
  errorPage,
  hostProblem,
  judgeUpgrade,
  splitTarget,
  unreadable,
  type ErrorBody,
  type UpgradeVerdict,
} from './jetty.ts'
import {listen} from './listening.ts'
import type {RequestLog} from './request-log.ts'
import {strikePlain, strikeUpgrade, type Strike} from './strike.ts'
import type {UploadService} from './upload-service.ts'
import {WebSocketTransport} from './websocket-transport.ts'

/** Idle keep-alive connections live this long: Node's own 5 s would race with proxies that reuse them. */
const KEEP_ALIVE_MS = 60_000
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
  flavour?: FlavourName | undefined
  log: RequestLog
  chats: ChatService
  files: UploadService
  health: HealthOptions
  faults: FaultBoard
  tls?: TlsIdentity
  beside?: Beside
  pages?: ReadonlyMap<string, Page>
  logger: Logger
}

/** PEM texts; the certificate may be followed by its chain. */
export interface TlsIdentity {
  key: string
  cert: string
}

/** Answers what is no request for GMS, and is then not recorded either: true when it has taken the request. */
export type Beside = (request: IncomingMessage, response: ServerResponse, node: string) => boolean

/** What a node serves beside GMS's own paths, as a company's web server does for its customers. */
export interface Page {
  contentType: string
  body: string | Buffer
}

/** A request that Node took for an upgrade and Jetty would not: read again as a plain request. */
interface Replay {
  rawHeaders: readonly string[]
  verdict: Exclude<UpgradeVerdict, 'accept'>
}

/** From one start of a node to its stop. */
interface Run {
  server: Server
  bayeux: BayeuxServer
  webSockets: WebSocketTransport
  sockets: Set<Socket>
}

/** One simulated GMS: an HTTP server, its own Bayeux sessions, and the shared chats and files. */
export class GmsNode {
  readonly name: string
  readonly host: string
  port = 0
  status: NodeStatus = 'ONLINE'
  readonly #options: NodeOptions
  readonly #flavour: Flavour
  readonly #replays = new WeakMap<Duplex, Replay>()
  #run: Run | undefined
  #hasRun = false
  /** Starts and stops follow one another in the order they were asked for. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: NodeOptions) {
    this.#options = options
    this.#flavour = FLAVOURS[options.flavour ?? 'cometd-5']
    this.name = options.name
    this.host = options.host
    this.port = options.port
  }

  /** False while the node is stopped. */
  get running(): boolean {
    return this.#run !== undefined
  }

  get sessions(): number {
    return this.#run?.bayeux.sessions ?? 0
  }

  /**
   * Listens on the port it had before, else on the one asked for; ONLINE, with no sessions. Nothing happens to a node that runs.
   * @throws EnvironmentError when the port is taken.
   */
  listen(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#run) return
      const run = this.#newRun()
      try {
        await listen(run.server, {name: this.name, host: this.host, port: this.port, again: this.#hasRun})
      } catch (error) {
        await this.#end(run)
        throw error
      }
      this.#run = run
      this.#hasRun = true
      this.port = (run.server.address() as AddressInfo).port
      this.status = 'ONLINE'
    })
  }

  /** Forgets every session as if it had expired. Returns how many. */
  sweepSessions(): number {
    return this.#run?.bayeux.forget() ?? 0
  }

  /** Stops listening, cuts every connection, forgets every session. Nothing happens to a node that is stopped. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      const run = this.#run
      this.#run = undefined
      if (!run) return
      this.#options.log.nodeStops(this.name)
      await this.#end(run)
    })
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }

  #newRun(): Run {
    const {name, holdMs, maxIntervalMs, maxMessageSize, deflate, chats, tls} = this.#options
    const bayeux = new BayeuxServer({
      node: name,
      holdMs,
      maxIntervalMs,
      onService: (channel, data, session) => chats.publish(channel, data, session),
    })
    const settings = {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: holdMs + KEEP_ALIVE_MS,
      // A slow upload has no time limit of ours.
      requestTimeout: 0,
      maxHeaderSize: PARSER_HEAD_BYTES,
      requireHostHeader: false,
      noDelay: true,
    }
    const server = tls ? createTlsServer({...tls, ...settings}) : createServer(settings)
    const webSockets = new WebSocketTransport({maxMessageSize, deflate, flavour: this.#flavour, bayeux, strike: this.#strike})
    const run = {server, bayeux, webSockets, sockets: new Set<Socket>()}
    this.#listenToServer(run)
    return run
  }

  #end({server, bayeux, webSockets, sockets}: Run): Promise<void> {
    return new Promise(resolve => {
      server.close(() => resolve())
      webSockets.stop()
      bayeux.stop()
      for (const socket of sockets) socket.destroy()
    })
  }

  readonly #strike: Strike = (capture, scenes, transport) => {
    const where = {node: this.name, ...(transport && {transport}), ...(capture.probe !== undefined && {probe: capture.probe})}
    for (const scene of scenes) {
      const fault = this.#options.faults.strike({...where, scene})
      if (!fault) continue
      capture.struck(fault.kind, scene)
      this.#options.logger.info(`${this.name}: fault ${fault.kind} strikes ${scene}`)
      return fault
    }
    return undefined
  }

  #listenToServer(run: Run): void {
    const {server, sockets} = run
    server.on('connection', (socket: Socket) => {
      if (sockets.has(socket)) return
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    server.on('request', (request, response) => {
      if (!this.#options.beside?.(request, response, this.name)) this.#onRequest(run, request, response)
    })
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      const exchange = this.#exchange(request, response, request.rawHeaders)
      exchange.streamBody()
      if (this.#flavour.otherExpectation === 'cut') exchange.cut()
      else exchange.rejectMessage(417, 'Expectation Failed')
    })
    server.on('upgrade', (request, socket, head) => this.#onUpgrade(run, request, socket, head))
    server.on('connect', (request, socket) => this.#onConnect(request, socket))
    server.on('clientError', (error, socket) => {
      this.#options.logger.debug(`${this.name}: unreadable request (${error.message})`)
      const {status, reason, ...target} = unreadable(this.#flavour, (error as {rawPacket?: Buffer}).rawPacket)
      if (socket.writable)
        writeRaw(this.#flavour, socket, status, badMessage(this.#flavour, status, reason, target), target.target === undefined)
      else socket.destroy()
    })
  }

  #onRequest({bayeux}: Run, request: IncomingMessage, response: ServerResponse): void {
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
    if (isUnder(exchange.path, COMETD_PATH)) void serveHttp(exchange, bayeux, this.#strike)
    else if (exchange.path === FILES_PATH)
      strikePlain(exchange, this.#strike(exchange.capture, ['files']), () => this.#options.files.serve(exchange, this.name))
    else if (isHealthPath(exchange.path))
      strikePlain(exchange, this.#strike(exchange.capture, ['health']), () => serveHealth(exchange, this, this.#options.health))
    else {
      exchange.streamBody()
      const page = exchange.method === 'GET' ? this.#options.pages?.get(exchange.path) : undefined
      if (page) exchange.send(200, {'Content-Type': page.contentType}, page.body)
      else exchange.refuse(404, 'Not Found')
    }
  }

  /** What Jetty answers before it looks for a servlet. */
  #refusalOf(
    request: IncomingMessage,
    rawHeaders: readonly string[],
    replay: Replay | undefined,
  ): ((exchange: HttpExchange) => void) | undefined {
    const flavour = this.#flavour
    const target = request.url ?? ''
    if (target.length + (request.method ?? '').length + 11 > MAX_HEAD_BYTES)
      return exchange => exchange.rejectMessage(414, 'URI Too Long', {uri: '/badMessage'})
    const headBytes = rawHeaders.reduce((sum, part) => sum + part.length + 2, target.length)
    if (headBytes > MAX_HEAD_BYTES) return exchange => exchange.rejectMessage(431, 'Request Header Fields Too Large')
    if (request.httpVersion === '0.9') return exchange => exchange.rejectMessage(505, 'HTTP/0.9 not supported', {uri: '/badMessage'})
    const {problem} = splitTarget(target, flavour)
    if (problem) return exchange => exchange.rejectMessage(400, problem.reason, {uri: problem.uri})
    const host = hostProblem(flavour, request)
    if (host !== undefined) return exchange => exchange.rejectMessage(400, host)
    switch (replay?.verdict) {
      case 'version':
        return exchange => exchange.refuse(400, 'Unsupported websocket version specification', 'cometd', {'Sec-WebSocket-Version': '13'})
      case 'no-version': {
        const version = request.headers['sec-websocket-version'] ?? ''
        return exchange =>
          exchange.refuse(500, `java.lang.NumberFormatException: For input string: "${version}"`, 'cometd', {Connection: 'close'})
      }
      case 'key': {
        const closing = flavour.missingKeyCloses ? {Connection: 'close'} : {}
        return exchange => exchange.refuse(400, "Missing request header 'Sec-WebSocket-Key'", 'cometd', closing)
      }
      case 'extension':
        return exchange => refuseExtension(exchange, request)
      case 'repeated-extension':
        return exchange => exchange.refuse(500, 'java.lang.IllegalArgumentException: Multiple extensions of the same name', 'cometd')
      case 'bad-message':
        return exchange => exchange.rejectMessage(400, 'Bad Request', {host: request.headers.host ?? ''})
      case 'plain':
        return undefined
      case undefined:
        return judgeUpgrade(request, false, flavour) === 'bad-message'
          ? exchange => exchange.rejectMessage(400, 'Bad Request', {host: request.headers.host ?? ''})
          : undefined
    }
  }

  #onUpgrade({server, webSockets}: Run, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const verdict = judgeUpgrade(request, splitTarget(request.url ?? '', this.#flavour).path === COMETD_PATH, this.#flavour)
    if (verdict === 'accept') {
      const capture = this.#begin(request, request.rawHeaders)
      socket.once('close', () => capture.peerClosed())
      strikeUpgrade(this.#strike(capture, ['upgrade'], 'websocket'), {
        socket,
        head,
        capture,
        proceed: early => webSockets.upgrade(request, socket, early, capture),
        refuse: (status, reason) => {
          capture.answered(status)
          const asked = {method: 'GET', target: request.url ?? '/', host: request.headers.host}
          writeRaw(this.#flavour, socket, status, {...errorPage(this.#flavour, status, reason, asked, 'cometd'), phrase: reason})
        },
      })
      return
    }
    // Node has left HTTP on this connection; Jetty has not. The head is put back without its upgrade and read again.
    this.#replays.set(socket, {rawHeaders: request.rawHeaders, verdict})
    socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]))
    server.emit(this.#options.tls ? 'secureConnection' : 'connection', socket)
  }

  #onConnect(request: IncomingMessage, socket: Duplex): void {
    socket.on('error', () => {})
    const capture = this.#begin(request, request.rawHeaders)
    writeRaw(this.#flavour, socket, 400, badMessage(this.#flavour, 400, 'Bad Request'))
    capture.answered(400)
  }

  #exchange(request: IncomingMessage, response: ServerResponse, rawHeaders: readonly string[]): HttpExchange {
    return new HttpExchange(request, response, this.#begin(request, rawHeaders), this.#flavour)
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

function writeRaw(
  flavour: Flavour,
  socket: Duplex,
  status: number,
  {headers, body, phrase}: ErrorBody & {phrase: string},
  beforeTarget = false,
): void {
  const head = answerHead(flavour, {
    headers: Object.entries(headers).flat(),
    length: Buffer.byteLength(body),
    date: flavour.datedErrors,
    // Jetty 12 says so only once it knows what was asked.
    connection: flavour.badMessage === 'page' && beforeTarget ? undefined : {value: 'close', asked: false},
  })
  const lines = head.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${head[index + 1]}\r\n`] : []))
  socket.end(`HTTP/1.1 ${status} ${phrase}\r\n${lines.join('')}\r\n${body}`)
}

/** Jetty cannot make the extension that was asked for, and says so in a way of each generation. */
function refuseExtension(exchange: HttpExchange, request: IncomingMessage): void {
  if (exchange.flavour.unknownParameter === 400) {
    exchange.refuse(400, 'could not instantiate offered extension', 'cometd')
    return
  }
  const where = 'org.eclipse.jetty.websocket'
  const what = `${where}.api.WebSocketException: Cannot instantiate extension: class ${where}.common.extensions.compress.PerMessageDeflateExtension`
  const offered = (request.headers['sec-websocket-extensions'] ?? '').replace(/\s*;\s*/g, ';')
  exchange.refuse(500, what, 'cometd', {'Sec-WebSocket-Extensions': offered, Connection: 'close'})
}
