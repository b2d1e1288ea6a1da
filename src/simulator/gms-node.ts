import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import {createServer as createTlsServer} from 'node:https'
import type {AddressInfo, Socket} from 'node:net'
import type {Duplex} from 'node:stream'
import type {Logger} from '../log.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {BayeuxServer, type BayeuxServerOptions} from './bayeux-server.ts'
import type {ChatService} from './chat-service.ts'
import type {FaultBoard} from './faults.ts'
import {FLAVOURS, type Flavour, type FlavourName} from './flavour.ts'
import type {HealthOptions, NodeStatus} from './health.ts'
import {HttpExchange} from './http-exchange.ts'
import {badMessage, errorPage, judgeUpgrade, splitTarget, unreadable} from './jetty.ts'
import {listen} from './listening.ts'
import {answerRaw} from './raw-answer.ts'
import {refusalOf} from './refusals.ts'
import type {RequestLog} from './request-log.ts'
import {route, type Page} from './routing.ts'
import {SessionCookies} from './session-cookie.ts'
import {strikeUpgrade, type Strike} from './strike.ts'
import {UpgradeReplays} from './upgrade-replay.ts'
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
  sessionCookie?: {name: string; route: string | undefined}
  /** Sessions that all nodes have in common; absent: this node has its own, from each start to the next stop. */
  commonSessions?: BayeuxServer
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

/** From one start of a node to its stop. */
interface Run {
  server: Server
  bayeux: BayeuxServer
  webSockets: WebSocketTransport
  sockets: Set<Socket>
  cookies: SessionCookies | undefined
}

/** One simulated GMS: an HTTP server, its own Bayeux sessions, and the shared chats and files. */
export class GmsNode {
  readonly name: string
  readonly host: string
  port = 0
  status: NodeStatus = 'ONLINE'
  tlsGreetings = 0
  readonly #options: NodeOptions
  readonly #flavour: Flavour
  readonly #replays = new UpgradeReplays()
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
    const {name, holdMs, maxIntervalMs, maxMessageSize, deflate, chats, tls, sessionCookie, commonSessions} = this.#options
    const onService: BayeuxServerOptions['onService'] = (channel, data, session) => chats.publish(channel, data, session)
    const bayeux = commonSessions ?? new BayeuxServer({node: name, holdMs, maxIntervalMs, onService})
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
    const cookies = sessionCookie && new SessionCookies(sessionCookie.name, sessionCookie.route)
    const run = {server, bayeux, webSockets, sockets: new Set<Socket>(), cookies}
    this.#listenToServer(run)
    return run
  }

  #end({server, bayeux, webSockets, sockets}: Run): Promise<void> {
    return new Promise(resolve => {
      server.close(() => resolve())
      webSockets.stop()
      if (bayeux !== this.#options.commonSessions) bayeux.stop()
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
    server.on('secureConnection', () => (this.tlsGreetings += 1))
    server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
      // An alert about our certificate; whoever never spoke TLS, or hung up before, has not seen it.
      if (/^ERR_SSL_(?:TLSV1|SSLV3|SSL\/TLS)_ALERT/.test(error.code ?? '')) this.tlsGreetings += 1
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
        answerRaw(this.#flavour, socket, status, badMessage(this.#flavour, status, reason, target), target.target === undefined)
      else socket.destroy()
    })
  }

  #onRequest({bayeux, cookies}: Run, request: IncomingMessage, response: ServerResponse): void {
    const replay = this.#replays.take(request.socket)
    const rawHeaders = replay?.rawHeaders ?? request.rawHeaders
    const exchange = this.#exchange(request, response, rawHeaders)
    const refusal = refusalOf(this.#flavour, request, rawHeaders, replay)
    if (refusal) {
      exchange.streamBody()
      refusal(exchange)
      return
    }
    const cookie = cookies?.for(exchange.path, exchange.header('cookie'))
    if (cookie !== undefined) exchange.setCookie(cookie)
    const {files, health, pages, logger} = this.#options
    route(exchange, {node: this, bayeux, files, health, pages, strike: this.#strike, logger})
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
          answerRaw(this.#flavour, socket, status, {...errorPage(this.#flavour, status, reason, asked, 'cometd'), phrase: reason})
        },
      })
      return
    }
    this.#replays.putBack(request, socket, head, verdict)
    server.emit(this.#options.tls ? 'secureConnection' : 'connection', socket)
  }

  #onConnect(request: IncomingMessage, socket: Duplex): void {
    socket.on('error', () => {})
    const capture = this.#begin(request, request.rawHeaders)
    answerRaw(this.#flavour, socket, 400, badMessage(this.#flavour, 400, 'Bad Request'))
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
