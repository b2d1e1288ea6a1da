import {Connection, clientFrame, type Answer} from './connection.ts'
import {Normaliser} from './normalise.ts'

/** A server under comparison, real or simulated: both run with the same settings. */
export interface Target {
  ports: readonly number[]
  /** CometD's `timeout`, ms. */
  holdMs: number
  maxIntervalMs: number
  maxMessageSize: number
}

/** One question to a server. What `run` returns is compared between the servers; ids, dates and lengths are normalised before. */
export interface Probe {
  name: string
  run(stage: Stage): Promise<unknown>
}

export const PATH = '/genesys/cometd'
export const CHANNEL = '/service/chatV2/customer-support'

/** Text of a request. `headers` come after Host. */
export function request(line: string, headers: readonly string[] = [], body?: string | Buffer): Buffer {
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const head = [`${line} HTTP/1.1`, 'Host: gms', ...headers, ...length].map(text => `${text}\r\n`).join('')
  return Buffer.concat([Buffer.from(`${head}\r\n`), Buffer.from(body ?? '')])
}

export const UPGRADE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** What one probe uses on one server: its connections, closed at the end, and its normaliser. */
export class Stage implements Disposable {
  readonly target: Target
  readonly normaliser = new Normaliser()
  readonly #connections: Connection[] = []

  constructor(target: Target) {
    this.target = target
  }

  async open(node = 0): Promise<Connection> {
    const connection = await Connection.open(this.target.ports[node] ?? 0)
    this.#connections.push(connection)
    return connection
  }

  /** Sends bytes on a connection of their own: the answer, and whether the server then closes. */
  async ask(bytes: string | Buffer, {answers = 1, closes = true, head = false, ms = 5000} = {}) {
    const connection = await this.open()
    connection.send(bytes)
    const seen: unknown[] = []
    for (let i = 0; i < answers; i += 1) seen.push(this.normaliser.answer(await connection.answer({head, ms})))
    return {seen, ...(closes ? {closes: await connection.closes(300)} : {})}
  }

  /** A user whose messages travel over HTTP. */
  polling(node = 0): PollingUser {
    return new PollingUser(this, node)
  }

  /** A user on a fresh WebSocket. */
  async webSocket({headers = [], node = 0}: {headers?: readonly string[]; node?: number} = {}): Promise<SocketUser> {
    const connection = await this.open(node)
    connection.send(request(`GET ${PATH}`, [...UPGRADE, ...headers]))
    const answer = await connection.answer()
    if (typeof answer === 'string' || !answer.statusLine.includes('101')) throw new Error(`no upgrade: ${JSON.stringify(answer)}`)
    return new SocketUser(this, connection)
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) connection.close()
  }
}

type Message = Record<string, unknown>
type Fields = Record<string, unknown>

/** Messages of one session, numbered. */
class User {
  clientId: string | undefined
  #id = 0

  message(channel: string, fields: Fields = {}): Message {
    this.#id += 1
    return {channel, id: String(this.#id), ...(this.clientId === undefined ? {} : {clientId: this.clientId}), ...fields}
  }
}

/** A user over long-polling or callback-polling, one connection per request like a browser with a cold pool. */
export class PollingUser extends User {
  cookie: string | undefined
  jsonp = false
  readonly #stage: Stage
  readonly node: number

  constructor(stage: Stage, node: number) {
    super()
    this.#stage = stage
    this.node = node
  }

  /** Sends a batch without waiting. */
  async start(messages: Message | readonly Message[], path = ''): Promise<Connection> {
    const connection = await this.#stage.open(this.node)
    const json = JSON.stringify(Array.isArray(messages) ? messages : [messages])
    const cookie = this.cookie === undefined ? [] : [`Cookie: ${this.cookie}`]
    connection.send(
      this.jsonp
        ? request(`GET ${PATH}${path}?jsonp=cb&message=${encodeURIComponent(json)}`, cookie)
        : request(`POST ${PATH}${path}`, [...cookie, 'Content-Type: application/json'], json),
    )
    return connection
  }

  /** The answer to a batch that was started, normalised; `took` tells whether it was held. */
  async finish(connection: Connection, began = performance.now()) {
    const answer = await connection.answer()
    const took = performance.now() - began
    connection.close()
    this.#learn(answer)
    const {holdMs} = this.#stage.target
    const seen = this.#stage.normaliser.answer(answer)
    if (typeof seen === 'string') return seen
    return {...seen, took: took < holdMs * 0.6 ? 'at once' : took > holdMs * 0.95 ? 'held' : 'between'}
  }

  async ask(messages: Message | readonly Message[], path = '') {
    const began = performance.now()
    return this.finish(await this.start(messages, path), began)
  }

  handshake(fields: Fields = {}) {
    return this.ask(this.message('/meta/handshake', {version: '1.0', supportedConnectionTypes: ['long-polling'], ...fields}), '/handshake')
  }

  connect(fields: Fields = {}) {
    return this.ask(
      this.message('/meta/connect', {connectionType: this.jsonp ? 'callback-polling' : 'long-polling', ...fields}),
      '/connect',
    )
  }

  /** Sends a connect and gives the server time to hold it. */
  async hold(fields: Fields = {}): Promise<Connection> {
    const connect = this.message('/meta/connect', {connectionType: this.jsonp ? 'callback-polling' : 'long-polling', ...fields})
    const held = await this.start(connect, '/connect')
    await pause(150)
    return held
  }

  /** Handshake and first connect. */
  async begin(): Promise<this> {
    await this.handshake()
    await this.connect({advice: {timeout: 0}})
    return this
  }

  #learn(answer: Answer | 'closed' | 'silence'): void {
    if (typeof answer === 'string') return
    const cookie = answer.headers.find(([name, value]) => name === 'Set-Cookie' && value.startsWith('BAYEUX_BROWSER'))?.[1]
    if (cookie !== undefined) this.cookie = cookie.split(';')[0]
    this.clientId = /"clientId":"([^"]+)"/.exec(answer.body)?.[1] ?? this.clientId
  }
}

/** A user over WebSocket, frame by frame. */
export class SocketUser extends User {
  readonly connection: Connection
  readonly #stage: Stage

  constructor(stage: Stage, connection: Connection) {
    super()
    this.#stage = stage
    this.connection = connection
  }

  send(...messages: Message[]): this {
    this.connection.send(clientFrame(JSON.stringify(messages)))
    return this
  }

  /** The next frame, normalised. */
  async frame(ms?: number): Promise<string> {
    const frame = await this.connection.frame(ms)
    if (typeof frame !== 'string') this.clientId = /"clientId":"([^"]+)"/.exec(frame.payload.toString())?.[1] ?? this.clientId
    return this.#stage.normaliser.frame(frame)
  }

  /** The next frames, then `silence` of 250 ms, a close or the end of the connection. */
  async frames(first = 3000): Promise<string[]> {
    const seen: string[] = []
    for (let ms = first; ; ms = 250) {
      const frame = await this.frame(ms)
      seen.push(frame)
      if (frame === 'silence' || frame === 'closed') return seen
    }
  }

  /** The order in which replies and events come is the server's choice where they have nothing to do with each other. */
  async ask(...messages: Message[]): Promise<string[]> {
    return this.send(...messages).frames()
  }

  async handshake(fields: Fields = {}): Promise<string> {
    return this.send(this.message('/meta/handshake', {version: '1.0', supportedConnectionTypes: ['websocket'], ...fields})).frame()
  }

  async connect(fields: Fields = {}): Promise<string> {
    return this.send(this.message('/meta/connect', {connectionType: 'websocket', ...fields})).frame()
  }

  async begin(): Promise<this> {
    await this.handshake()
    await this.connect({advice: {timeout: 0}})
    return this
  }
}

/** Lets a server get on with what it was sent when there is nothing to wait for. */
export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
