import {BayeuxClient} from '../client/bayeux-client.ts'
import {clientTextFrame} from '../client/frames.ts'
import {Http2Connection, Http2PollingTransport} from '../client/http2.ts'
import type {Greeting} from '../client/tls-greeting.ts'
import {COMETD_PATH, META} from '../wire/bayeux.ts'
import type {Flow, Transcript} from './flow.ts'
import {leave, listen, mustSucceed, openChat, openSession} from './probe.ts'
import {need, play} from './script.ts'

export interface Http2ChatResult extends Transcript {
  greeting?: Greeting
  /** HTTP/2 was agreed on. */
  agreed: boolean
  /** A chat was opened: handshake, first connect, a held poll and a message at the same time, the key of the chat in an answer. */
  chat: boolean
  /** A WebSocket over a connection of its own, with HTTP/1.1, while the HTTP/2 connection is open. */
  beside: boolean
  /** The peer takes WebSocket over HTTP/2 (RFC 8441). */
  announced?: boolean
  /** Such a WebSocket reached GMS: it answered a Bayeux handshake. Only when it was announced. */
  tunnelled?: boolean
}

const HANDSHAKE = JSON.stringify([
  {id: '1', channel: META.handshake, version: '1.0', minimumVersion: '1.0', supportedConnectionTypes: ['websocket']},
])

/** A chat over one HTTP/2 connection, and WebSockets beside and within it, as browsers open them. */
export const http2Chat: Flow<Record<string, never>, Http2ChatResult> = {
  id: 'http2-chat',
  title: 'A chat over HTTP/2',
  run: (target, _input, context) => {
    const result: Omit<Http2ChatResult, keyof Transcript> = {agreed: false, chat: false, beside: false}
    return play('http2-chat', target, context, result, async cast => {
      const {answer} = cast.budgets
      const user = cast.user()
      const {greeting, connection} = await Http2Connection.open(user, {deadlineMs: answer, signal: cast.signal})
      result.greeting = greeting
      if (greeting.failure) cast.stop('TLS handshake', greeting.failure)
      if (!connection) return
      result.agreed = true

      const bayeux = new BayeuxClient(new Http2PollingTransport(connection))
      const log = listen(bayeux)
      mustSucceed(cast, 'handshake', need(cast, 'handshake', await bayeux.handshake(answer)).message)
      mustSucceed(cast, 'first connect', need(cast, 'first connect', await bayeux.connect(answer, {immediate: true})).message)
      // Held while messages go by on other streams; what comes with their answers does not end it.
      const {hold, networkDelay} = cast.budgets
      const polls = bayeux.keepConnected(hold + networkDelay + answer)
      const key = await openChat(cast, target, bayeux, log)
      result.chat = true

      const {bayeux: other} = await openSession(cast, cast.user(), 'websocket')
      result.beside = true
      await leave(cast, target, other)

      const announced = await connection.takesWebSocket()
      if (announced !== undefined) result.announced = announced
      if (announced === true) {
        const {frame, status, failure} = await connection.webSocket({
          path: COMETD_PATH,
          frame: clientTextFrame(HANDSHAKE),
          deadlineMs: answer,
        })
        result.tunnelled = /"successful"\s*:\s*true/.test(frame ?? '')
        if (!result.tunnelled)
          cast.stop('WebSocket over HTTP/2', failure ?? {ended: 'refused', reason: `HTTP ${status ?? 'without a status'}`})
      }
      polls.stop()
      await leave(cast, target, bayeux, key)
    })
  },
}
