import type {ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader, Settings} from 'node:http2'
import {connect} from 'node:http2'
import type {BayeuxMessage} from '../wire/bayeux.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import type {ProbeTransport, Reply} from './bayeux-client.ts'
import type {Failure} from './failure.ts'
import {failureOf} from './failure.ts'
import {serverTextFrame} from './frames.ts'
import type {HeaderValues} from './journal.ts'
import {replyIn} from './polling.ts'
import type {Greeting} from './tls-greeting.ts'
import {greet} from './tls-greeting.ts'
import type {HttpAnswer, User} from './user.ts'
import {nextProbe} from './user.ts'

/** How a WebSocket over HTTP/2 (RFC 8441) began. */
export interface Tunnel {
  status?: number
  /** First text frame of the peer. */
  frame?: string
  failure?: Failure
}

const MAX_ANSWER_BYTES = 1_048_576

/** One HTTP/2 connection of one user: its cookies, Origin and Host go along, and every exchange into its journal. */
export class Http2Connection {
  readonly #user: User
  readonly #session: ClientHttp2Session
  readonly #settings: Promise<Settings | undefined>

  private constructor(user: User, session: ClientHttp2Session, deadlineMs: number) {
    this.#user = user
    this.#session = session
    // What goes wrong is told by the stream that it happens to.
    session.on('error', () => undefined)
    this.#settings = new Promise(resolve => {
      const timer = setTimeout(() => resolve(undefined), deadlineMs)
      const settle = (settings?: Settings) => {
        clearTimeout(timer)
        resolve(settings)
      }
      session.once('remoteSettings', settle)
      session.once('close', () => settle())
    })
    user.onDestroy(() => session.destroy())
  }

  /** Opens one where the peer agrees to HTTP/2; the greeting tells what came instead. */
  static async open(
    user: User,
    {deadlineMs, signal}: {deadlineMs: number; signal: AbortSignal},
  ): Promise<{greeting: Greeting; connection?: Http2Connection}> {
    const address = user.from === undefined ? user.address : {...user.address, from: user.from}
    const {greeting, socket} = await greet(address, {protocols: ['h2', 'http/1.1'], deadlineMs, signal})
    if (greeting.failure || greeting.protocol !== 'h2') {
      socket.destroy()
      return {greeting}
    }
    const session = connect(user.origin, {createConnection: () => socket})
    return {greeting, connection: new Http2Connection(user, session, deadlineMs)}
  }

  /** Whether the peer takes WebSocket over HTTP/2 (SETTINGS_ENABLE_CONNECT_PROTOCOL, RFC 8441, 3); `undefined` when it told no settings. */
  async takesWebSocket(): Promise<boolean | undefined> {
    const settings = await this.#settings
    return settings && settings.enableConnectProtocol === true
  }

  /** One request on a stream of its own. Never throws. */
  async request({path, body, deadlineMs}: {path: string; body: string; deadlineMs: number}): Promise<HttpAnswer> {
    const user = this.#user
    const probe = nextProbe()
    const exchange = user.journal.open({transport: 'long-polling', what: `POST ${path} over HTTP/2`, probe})
    user.account?.asks(path, body)
    const {Host: host, ...headers} = user.headers(path, probe)
    const result = await this.#exchange(
      {
        ...lower(headers),
        ':method': 'POST',
        ':path': path,
        ':authority': host ?? '',
        ':scheme': 'https',
        'content-type': 'application/json',
      },
      {deadlineMs, write: stream => stream.end(body), until: () => false},
    )
    if (result.failure || result.status === undefined) {
      const failure = result.failure ?? {ended: 'closed' as const, reason: 'the stream was closed before an answer'}
      user.journal.close(exchange, failure.reason, result.status === undefined ? {} : {status: result.status})
      return {answered: false, failure, exchange}
    }
    user.storeCookies(path, result.headers)
    user.account?.hears(result.body, 'long-polling')
    user.journal.close(exchange, result.body.toString(), {status: result.status, headers: result.headers})
    return {answered: true, status: result.status, headers: result.headers, body: result.body, exchange}
  }

  /** A WebSocket by extended CONNECT; `frame` is sent once the peer has agreed, and its answer awaited. Never throws. */
  async webSocket({path, frame, deadlineMs}: {path: string; frame: Buffer; deadlineMs: number}): Promise<Tunnel> {
    const user = this.#user
    const probe = nextProbe()
    const exchange = user.journal.open({transport: 'websocket', what: `CONNECT ${path} over HTTP/2 (websocket)`, probe})
    const {Host: host, ...headers} = user.headers(path, probe)
    const result = await this.#exchange(
      {
        ...lower(headers),
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': path,
        ':authority': host ?? '',
        ':scheme': 'https',
        'sec-websocket-version': '13',
      },
      {
        deadlineMs,
        answered: (stream, status) => status === 200 && stream.write(frame),
        until: bytes => serverTextFrame(bytes) !== undefined,
      },
    )
    const text = serverTextFrame(result.body)
    const {status, failure} = result
    user.journal.close(exchange, failure?.reason ?? text ?? result.body.toString(), status === undefined ? {} : {status})
    return {...(status === undefined ? {} : {status}), ...(text === undefined ? {} : {frame: text}), ...(failure ? {failure} : {})}
  }

  close(): void {
    this.#session.destroy()
  }

  #exchange(
    headers: Record<string, string>,
    {
      deadlineMs,
      write,
      answered,
      until,
    }: {
      deadlineMs: number
      write?(stream: ClientHttp2Stream): void
      answered?(stream: ClientHttp2Stream, status: number): unknown
      /** The answer is complete although the stream goes on. */
      until(bytes: Buffer): boolean
    },
  ): Promise<{status?: number; headers: HeaderValues; body: Buffer; failure?: Failure}> {
    return new Promise(resolve => {
      let status: number | undefined
      let seen: HeaderValues = {}
      let body = Buffer.alloc(0)
      const finish = (failure?: Failure) => {
        clearTimeout(timer)
        stream?.close()
        resolve({...(status === undefined ? {} : {status}), headers: seen, body, ...(failure ? {failure} : {})})
      }
      const timer = setTimeout(() => finish({ended: 'timed-out', reason: `no complete answer within ${deadlineMs} ms`}), deadlineMs)
      let stream: ClientHttp2Stream | undefined
      try {
        stream = this.#session.request(headers, {endStream: false})
      } catch (error) {
        return finish(failureOf(error))
      }
      const open = stream
      open.on('error', error => finish(failureOf(error)))
      open.once('response', (received: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
        status = received[':status']
        seen = valuesOf(received)
        answered?.(open, status ?? 0)
      })
      open.on('data', (chunk: Buffer) => {
        if (body.length < MAX_ANSWER_BYTES) body = Buffer.concat([body, chunk])
        if (until(body)) finish()
      })
      open.once('end', () => finish())
      open.once('close', () =>
        finish(status === undefined ? {ended: 'closed', reason: 'the stream was closed before an answer'} : undefined),
      )
      write?.(open)
    })
  }
}

/** Bayeux over `POST` on one HTTP/2 connection: a held poll and a message are two streams of it. */
export class Http2PollingTransport implements ProbeTransport {
  readonly type = 'long-polling'
  onMessage: (message: BayeuxMessage) => void = () => undefined
  readonly #connection: Http2Connection

  constructor(connection: Http2Connection) {
    this.#connection = connection
  }

  async send(message: BayeuxMessage & {id: string}, suffix: string, deadlineMs: number): Promise<Reply> {
    const answer = await this.#connection.request({path: `${COMETD_PATH}/${suffix}`, body: JSON.stringify([message]), deadlineMs})
    return replyIn(answer, body => body, message, this.onMessage)
  }
}

function lower(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function valuesOf(headers: IncomingHttpHeaders): HeaderValues {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !name.startsWith(':'))
      .map(([name, value]) => [name, value === undefined ? [] : Array.isArray(value) ? value : [value]]),
  )
}
