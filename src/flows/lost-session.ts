import type {Reply} from '../client/bayeux-client.ts'
import {sha256} from '../client/multipart.ts'
import type {Advice, BayeuxTransport} from '../wire/bayeux.ts'
import {chatChannel} from '../wire/chat.ts'
import type {Flow, Transcript} from './flow.ts'
import {leave, mustSucceed, openTransport, REQUEST_CHAT} from './probe.ts'
import {need, oneLine, play} from './script.ts'

export interface LostSessionInput {
  transport: BayeuxTransport
}

/** What became of one message of a session that GMS does not know. */
export interface LostReply {
  step: 'connect' | 'publish'
  probe?: string
  /** HTTP status; absent on WebSocket. */
  status?: number
  contentType?: string
  /** Digest of the answer's body; absent on WebSocket. */
  sha256?: string
  successful?: boolean
  error?: string
  advice?: Advice
  /** Why there is no reply. */
  trouble?: string
}

export interface LostSessionResult extends Transcript {
  replies: readonly LostReply[]
}

/** Looks like a session of CometD, and is none. */
const UNKNOWN_SESSION = '0unknown0session0of0a0probe'

/** A user whose session GMS has forgotten goes on as if nothing had happened. */
export const lostSession: Flow<LostSessionInput, LostSessionResult> = {
  id: 'lost-session',
  title: 'A session that GMS has forgotten',
  run: (target, {transport}, context) => {
    const replies: LostReply[] = []
    return play('lost-session', target, context, {replies}, async cast => {
      const {answer} = cast.budgets
      const {bayeux} = await openTransport(cast, cast.user(), transport)
      mustSucceed(cast, 'handshake', need(cast, 'handshake', await bayeux.handshake(answer)).message)
      const own = bayeux.clientId
      bayeux.clientId = UNKNOWN_SESSION
      replies.push(replyOf('connect', await bayeux.connect(answer, {immediate: true})))
      replies.push(replyOf('publish', await bayeux.publish(chatChannel(target.chatService), REQUEST_CHAT, answer)))
      // The session that was really there is not left behind.
      bayeux.clientId = own
      await leave(cast, target, bayeux)
    })
  },
}

function replyOf(step: LostReply['step'], reply: Reply): LostReply {
  const {exchange} = reply
  const [contentType] = exchange.headers?.['content-type'] ?? []
  const seen = {
    step,
    ...(exchange.probe === undefined ? {} : {probe: exchange.probe}),
    ...(exchange.status === undefined ? {} : {status: exchange.status, sha256: sha256(Buffer.from(exchange.answer))}),
    ...(contentType === undefined ? {} : {contentType}),
  }
  if (!reply.answered) return {...seen, trouble: oneLine(reply.failure.reason)}
  const {successful, error, advice} = reply.message
  return {
    ...seen,
    ...(successful === undefined ? {} : {successful}),
    ...(error === undefined ? {} : {error}),
    ...(advice === undefined ? {} : {advice}),
  }
}
