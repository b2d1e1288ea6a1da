import {createHash} from 'node:crypto'
import type {IncomingMessage} from 'node:http'
import type {Duplex} from 'node:stream'
import {WebSocket, WebSocketServer, type Server} from 'ws'
import {META, isBayeuxMessage, type BayeuxMessage} from '../wire/bayeux.ts'
import {Violation, type BayeuxServer} from './bayeux-server.ts'
import type {BayeuxSession, Outlet} from './bayeux-session.ts'
import type {CloseReason, Flavour} from './flavour.ts'
import {ofNoSession, scenesOf, type Fault} from './faults.ts'
import {FrameLine} from './frame-line.ts'
import {parseMessages} from './http-transports.ts'
import type {Capture} from './request-log.ts'
import {refusalOf, type Strike} from './strike.ts'

/** RFC 6455, 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** Any key that the library takes: Jetty takes every one. */
const SOME_KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
/** RFC 6455, 7.4.1. */
const ABNORMAL = 1006
const MESSAGE_TOO_BIG = 1009
const SERVER_ERROR = 1011

interface WebSocketTransportOptions {
  /** Bytes of one text message; above: close 1009. */
  maxMessageSize: number
  deflate: boolean
  flavour: Flavour
  bayeux: BayeuxServer
  strike: Strike
}

/** Remembers who ended the conversation, and leaves the reason to whoever knows it. */
class BayeuxSocket extends WebSocket {
  /** Close code that GMS sent of its own accord. */
  closedByGms: number | undefined
  /** Gives the reason of a close that the library decided on because of this error. */
  reasonFor: (error: Error & {code?: string}) => string = () => ''
  #failing: number | undefined

  override close(code?: number, reason?: string | Buffer): void {
    // The library closes with a bare code and only then tells the error.
    if (code !== undefined && reason === undefined) this.#failing = code
    else super.close(code, reason)
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const code = this.#failing
    if (event === 'error' && code !== undefined) {
      this.#failing = undefined
      this.closedByGms = code
      super.close(code, cut(this.reasonFor(values[0] as Error), MAX_REASON_BYTES))
    }
    return super.emit(event, ...values)
  }
}

/** RFC 6455, 5.5: a control frame has 125 bytes, two of them for the code. */
const MAX_REASON_BYTES = 123

/** Text of no more bytes than that. */
function cut(text: string, bytes: number): string {
  return Buffer.from(text)
    .subarray(0, bytes)
    .toString('utf8')
    .replace(/\ufffd+$/, '')
}

/** What the library found wrong with a frame, as Jetty names it, and the number that it found. */
function closeReasonOf({code, message}: Error & {code?: string}, compressed: boolean): {reason: CloseReason; found: string} {
  const found = /\d+$/.exec(message)?.[0] ?? ''
  switch (code) {
    case 'WS_ERR_EXPECTED_MASK':
      return {reason: 'unmasked', found}
    case 'WS_ERR_UNEXPECTED_RSV_1':
      return {reason: 'rsv1', found}
    case 'WS_ERR_UNEXPECTED_RSV_2_3':
      return {reason: 'rsv3', found}
    case 'WS_ERR_INVALID_OPCODE':
      return {reason: found === '0' ? 'continuation' : found === '1' || found === '2' ? 'interrupted' : 'opcode', found}
    case 'WS_ERR_EXPECTED_FIN':
      return {reason: 'fragmented control', found}
    case 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH':
      return {reason: found === '1' ? 'close length' : 'control length', found}
    case 'WS_ERR_INVALID_CLOSE_CODE':
      return {reason: Number(found) < 1000 || Number(found) >= 5000 ? 'close code range' : 'close code', found}
    case 'WS_ERR_INVALID_UTF8':
      return {reason: 'utf8', found}
    default:
      return {reason: compressed ? 'oversize inflated' : 'oversize', found}
  }
}

/** WebSocket transport of one node: takes over sockets whose upgrade was judged acceptable. */
export class WebSocketTransport {
  readonly #server: Server<typeof BayeuxSocket>
  readonly #bayeux: BayeuxServer
  readonly #strike: Strike
  readonly #flavour: Flavour
  readonly #maxMessageSize: number
  readonly #keys = new WeakMap<IncomingMessage, string>()

  constructor({maxMessageSize, deflate, flavour, bayeux, strike}: WebSocketTransportOptions) {
    this.#bayeux = bayeux
    this.#flavour = flavour
    this.#maxMessageSize = maxMessageSize
    this.#strike = strike
    this.#server = new WebSocketServer({noServer: true, perMessageDeflate: deflate, maxPayload: maxMessageSize, WebSocket: BayeuxSocket})
    this.#server.on('headers', (headers, request) => {
      const extensions = headers.find(header => header.startsWith('Sec-WebSocket-Extensions'))
      const values = {
        Date: new Date().toUTCString(),
        'Sec-WebSocket-Extensions': extensions && jettyExtensions(extensions.slice(extensions.indexOf(':') + 1)),
        Connection: 'Upgrade',
        'Sec-WebSocket-Accept': createHash('sha1')
          .update((this.#keys.get(request) ?? '') + GUID)
          .digest('base64'),
        Server: flavour.server,
        Upgrade: flavour.upgradeToken,
      }
      const lines = flavour.upgradeOrder.flatMap(name => (values[name] === undefined ? [] : [`${name}: ${values[name]}`]))
      headers.splice(1, headers.length - 1, ...lines)
    })
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, capture: Capture): void {
    // GMS knows no subprotocol and answers 101 without one, whatever is asked.
    delete request.headers['sec-websocket-protocol']
    this.#keys.set(request, request.headers['sec-websocket-key'] ?? '')
    request.headers['sec-websocket-key'] = SOME_KEY
    const offer = deflateOffer(request.headers['sec-websocket-extensions'])
    if (offer === undefined) delete request.headers['sec-websocket-extensions']
    else request.headers['sec-websocket-extensions'] = offer
    capture.received('websocket', [])
    this.#server.handleUpgrade(request, socket, head, webSocket => {
      capture.answered(101)
      this.#serve(webSocket, socket, capture)
    })
  }

  #reasonFor(error: Error & {code?: string}, compressed: boolean): string {
    const {reason, found} = closeReasonOf(error, compressed)
    const number = (bytes: number): string => (this.#flavour.groupedNumbers ? bytes.toLocaleString('en-US') : String(bytes))
    // How much came is not known: it is not read to its end.
    const measured = reason.startsWith('oversize') ? number(this.#maxMessageSize + 1) : found
    return this.#flavour.reasons[reason].replace('{0}', measured).replace('{1}', number(this.#maxMessageSize))
  }

  stop(): void {
    for (const client of this.#server.clients) {
      client.closedByGms = ABNORMAL
      client.terminate()
    }
    this.#server.close()
  }

  #serve(webSocket: BayeuxSocket, socket: Duplex, capture: Capture): void {
    const bayeux = this.#bayeux
    const flavour = this.#flavour
    webSocket.reasonFor = error => this.#reasonFor(error, webSocket.extensions !== '')
    let bound: BayeuxSession | undefined
    const fail = (what: string): void => {
      webSocket.closedByGms = SERVER_ERROR
      webSocket.close(SERVER_ERROR, cut(what.slice(0, flavour.maxReason), MAX_REASON_BYTES))
      // Jetty does not wait for the client's close.
      socket.end()
    }
    const line = new FrameLine(webSocket, capture)
    const outlet: Outlet = {send: messages => line.send(messages)}
    webSocket.on('message', (data: Buffer, isBinary: boolean) => {
      // Jetty hands binary frames to nobody: CometD listens for text.
      if (isBinary) return
      const text = data.toString('utf8')
      if (text === '' && flavour.emptyText === 'ignored') return
      let messages: BayeuxMessage[]
      try {
        messages = text === '' ? [] : (parseMessages(text) ?? [])
      } catch (error) {
        fail(error instanceof Violation ? error.message : `java.text.ParseException: ${text}`)
        return
      }
      const taken = messages.filter(isBayeuxMessage)
      capture.received('websocket', taken)
      const fault = this.#strike(capture, scenesOf(taken), 'websocket')
      const lane = messages.every(({channel}) => channel === META.connect) ? 'connect' : 'other'
      line.take(lane, fault?.kind === 'delay' ? fault.ms : 0, () => {
        strikeFrame(webSocket, fault, () => {
          const asked = fault?.kind === 'session-unknown' ? ofNoSession(messages) : messages
          const rate = fault?.kind === 'slow-body' ? fault.bytesPerSecond : undefined
          const respond = (ready: readonly BayeuxMessage[]): void => line.send(ready, rate)
          try {
            if (bound?.removed) bound = undefined
            const [first] = asked
            if (first && first.channel !== META.handshake) bound ??= bayeux.find(first.clientId)
            const session = answerFrame(bayeux, outlet, {messages: asked, bound, capture, respond})
            if (first?.channel === META.handshake) bound = session
          } catch (failure) {
            if (!(failure instanceof Violation)) throw failure
            fail(failure.message)
          }
        })
      })
    })
    // What is wrong was told to the client already; without a listener it would be an uncaught error.
    webSocket.on('error', () => {})
    webSocket.on('close', code => {
      bayeux.detach(outlet)
      if (webSocket.closedByGms !== undefined) capture.closed(webSocket.closedByGms, 'gms')
      else capture.closed(code, code === ABNORMAL ? 'cut' : 'client')
    })
  }
}

/** The offer of permessage-deflate in the words that Jetty understands: it knows no window sizes. `undefined` when there is none. */
function deflateOffer(header: string | undefined): string | undefined {
  const offer = header?.split(',').find(one => /^\s*permessage-deflate\s*(;|$)/.test(one))
  if (offer === undefined) return undefined
  const parameters = offer.split(';').slice(1)
  return ['permessage-deflate', ...parameters.map(parameter => parameter.trim()).filter(name => name.endsWith('no_context_takeover'))].join(
    '; ',
  )
}

/** Extensions as Jetty writes them: parameters by name, nothing after the semicolon. */
function jettyExtensions(value: string): string {
  const [name = '', ...parameters] = value.split(';').map(part => part.trim())
  return [name, ...parameters.sort()].join(';')
}

/** Does with the socket what the fault asks for, or lets GMS `proceed`. */
function strikeFrame(webSocket: BayeuxSocket, fault: Fault | undefined, proceed: () => void): void {
  switch (fault?.kind) {
    case 'hang':
      return
    case 'drop':
      webSocket.closedByGms = ABNORMAL
      webSocket.terminate()
      return
    case 'status':
      webSocket.closedByGms = SERVER_ERROR
      webSocket.close(SERVER_ERROR, refusalOf(fault).reason)
      return
    case 'oversize':
      webSocket.closedByGms = MESSAGE_TOO_BIG
      webSocket.close(MESSAGE_TOO_BIG, 'Resulting message size is too large')
      return
    default:
      proceed()
  }
}

interface FrameWork {
  messages: readonly BayeuxMessage[]
  /** The session that the connection is bound to. */
  bound: BayeuxSession | undefined
  capture: Capture
  respond: (messages: readonly BayeuxMessage[]) => void
}

/** Answers the messages of one frame together: when one of them is held, all others wait with it. Returns their session. */
function answerFrame(bayeux: BayeuxServer, outlet: Outlet, {messages, bound, capture, respond}: FrameWork): BayeuxSession | undefined {
  const onHandshake = (made: BayeuxSession): void => capture.createdSession(made.id)
  const {session, replies, held} = bayeux.process(messages, {transport: 'websocket', outlet, session: bound, onHandshake})
  const answer = (ready: readonly BayeuxMessage[]): void => respond([...replies, ...ready])
  if (session && held) bayeux.hold(session, held, answer, {duplicate: () => {}, isGone: () => false})
  else answer([])
  return session
}
