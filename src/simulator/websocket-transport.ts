import type {IncomingMessage} from 'node:http'
import type {Duplex} from 'node:stream'
import {WebSocket, WebSocketServer, type Server} from 'ws'
import {META, isBayeuxMessage, type BayeuxMessage} from '../wire/bayeux.ts'
import type {BayeuxServer} from './bayeux-server.ts'
import type {Outlet} from './bayeux-session.ts'
import {parseMessages} from './http-transports.ts'
import {SERVER_HEADER} from './jetty.ts'
import type {Capture} from './request-log.ts'

/** A deflater costs a connection about 250 kB for its life: thousands of idle chats must not pay that for short answers. */
const COMPRESS_FROM_BYTES = 1024
/** RFC 6455, 7.4.1. */
const PROTOCOL_ERROR = 1002
const ABNORMAL = 1006
const MESSAGE_TOO_BIG = 1009
const SERVER_ERROR = 1011

interface WebSocketTransportOptions {
  /** Bytes of one text message; above: close 1009. */
  maxMessageSize: number
  deflate: boolean
  bayeux: BayeuxServer
}

/** Remembers who ended the conversation, and gives the reason that Jetty gives. */
class BayeuxSocket extends WebSocket {
  /** Close code that GMS sent of its own accord. */
  closedByGms: number | undefined

  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason ?? (code === MESSAGE_TOO_BIG ? 'Resulting message size is too large' : undefined))
  }
}

/** WebSocket transport of one node: takes over sockets whose upgrade was judged acceptable. */
export class WebSocketTransport {
  readonly #server: Server<typeof BayeuxSocket>
  readonly #bayeux: BayeuxServer

  constructor({maxMessageSize, deflate, bayeux}: WebSocketTransportOptions) {
    this.#bayeux = bayeux
    this.#server = new WebSocketServer({noServer: true, perMessageDeflate: deflate, maxPayload: maxMessageSize, WebSocket: BayeuxSocket})
    this.#server.on('headers', headers => {
      const accept = headers.filter(header => header.startsWith('Sec-WebSocket-Accept'))
      const extensions = headers.filter(header => header.startsWith('Sec-WebSocket-Extensions'))
      const date = `Date: ${new Date().toUTCString()}`
      headers.splice(
        1,
        headers.length - 1,
        date,
        ...extensions,
        'Connection: Upgrade',
        ...accept,
        `Server: ${SERVER_HEADER}`,
        'Upgrade: WebSocket',
      )
    })
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, capture: Capture): void {
    // GMS knows no subprotocol and answers 101 without one, whatever is asked.
    delete request.headers['sec-websocket-protocol']
    capture.received('websocket', [])
    this.#server.handleUpgrade(request, socket, head, webSocket => {
      capture.answered(101)
      this.#serve(webSocket, capture)
    })
  }

  stop(): void {
    for (const client of this.#server.clients) {
      client.closedByGms = ABNORMAL
      client.terminate()
    }
    this.#server.close()
  }

  #serve(webSocket: BayeuxSocket, capture: Capture): void {
    const bayeux = this.#bayeux
    const outlet: Outlet = {
      send(messages) {
        if (messages.length === 0 || webSocket.readyState !== WebSocket.OPEN) return
        const text = JSON.stringify(messages)
        webSocket.send(text, {compress: text.length >= COMPRESS_FROM_BYTES})
      },
    }
    webSocket.on('message', (data: Buffer, isBinary: boolean) => {
      // Jetty hands binary frames to nobody: CometD listens for text.
      if (isBinary) return
      const messages = parseMessages(data.toString('utf8')) ?? []
      const handshakes = messages.filter(({channel}) => channel === META.handshake).length
      if (messages.length === 0 || (handshakes > 0 && messages.length > 1)) {
        webSocket.closedByGms = SERVER_ERROR
        webSocket.close(SERVER_ERROR, 'bayeux protocol violation')
        return
      }
      capture.received('websocket', messages.filter(isBayeuxMessage))
      answerFrame(bayeux, outlet, messages, capture)
    })
    webSocket.on('error', (error: Error & {code?: string}) => {
      webSocket.closedByGms = error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? MESSAGE_TOO_BIG : PROTOCOL_ERROR
    })
    webSocket.on('close', code => {
      bayeux.detach(outlet)
      if (webSocket.closedByGms !== undefined) capture.closed(webSocket.closedByGms, 'gms')
      else capture.closed(code, code === ABNORMAL ? 'cut' : 'client')
    })
  }
}

function answerFrame(bayeux: BayeuxServer, outlet: Outlet, messages: readonly BayeuxMessage[], capture: Capture): void {
  // One message at a time: unlike over HTTP, each is answered as soon as it is done, and a connect is held beside its neighbours.
  const replies: BayeuxMessage[] = []
  for (const message of messages) {
    const answer = bayeux.process([message], {transport: 'websocket', outlet, onHandshake: session => capture.createdSession(session.id)})
    const {session, holdMs} = answer
    const [reply] = answer.replies
    if (session && reply && holdMs !== undefined)
      bayeux.hold(
        session,
        reply,
        holdMs,
        ready => outlet.send(ready),
        () => {},
      )
    else replies.push(...(session && !session.removed ? session.takeQueue() : []), ...answer.replies)
  }
  outlet.send(replies)
}
