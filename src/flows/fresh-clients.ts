import type {Reply} from '../client/bayeux-client.ts'
import {COMETD_PATH, isSessionUnknown} from '../wire/bayeux.ts'
import {chatChannel} from '../wire/chat.ts'
import type {Flow, Transcript} from './flow.ts'
import {leave, listen, openTransport, REQUEST_CHAT, signed} from './probe.ts'
import {oneLine, play} from './script.ts'

export interface FreshClientsInput {
  /** Users, one after the other, each without a past. */
  clients: number
  /** Default long-polling. */
  transport?: 'long-polling' | 'callback-polling'
  /** Polls after the handshake, each followed by a published message; default 3. */
  rounds?: number
  /** Further polls, with nothing between them; default none. */
  polls?: number
}

/** What one user went through. */
export interface FreshClient {
  clientId?: string
  /** Messages sent after the handshake. */
  sent: number
  /** Of these, accepted by GMS. */
  accepted: number
  /** Of these, answered by a node that does not know the session (402). */
  sessionUnknown: number
  /** Cookies the user held in the end. */
  cookies: readonly string[]
  /** Probe headers in order of sending: handshake, connects, messages. */
  probes: readonly string[]
  /** First thing that went wrong, redacted. */
  trouble?: string
}

export interface FreshClientsResult extends Transcript {
  clients: readonly FreshClient[]
}

/** Several new polling users: does everything each of them says reach a node that knows them? */
export const freshClients: Flow<FreshClientsInput, FreshClientsResult> = {
  id: 'fresh-clients',
  title: 'New users, one after the other',
  run: (target, {clients: count, transport = 'long-polling', rounds = 3, polls = 0}, context) => {
    const clients: FreshClient[] = []
    return play('fresh-clients', target, context, {clients}, async cast => {
      const {answer} = cast.budgets
      for (let number = 0; number < count && !cast.signal.aborted; number += 1) {
        const user = cast.user()
        const {bayeux} = await openTransport(cast, user, transport)
        const log = listen(bayeux)
        const probes: string[] = []
        const seen: FreshClient = {sent: 0, accepted: 0, sessionUnknown: 0, cookies: [], probes}
        clients.push(seen)
        const note = (step: string, reply: Reply) => {
          if (reply.exchange.probe !== undefined) probes.push(reply.exchange.probe)
          if (step !== 'handshake') seen.sent += 1
          if (!reply.answered) seen.trouble ??= oneLine(`${step}: ${reply.failure.reason}`)
          else if (reply.message.successful !== true) {
            if (isSessionUnknown(reply.message)) seen.sessionUnknown += 1
            seen.trouble ??= oneLine(`${step}: ${reply.message.error ?? 'unsuccessful'}`)
          } else if (step !== 'handshake') seen.accepted += 1
          // A peer that is not there for one user is not there for the next.
          if (!reply.answered && reply.status === undefined) cast.stop(`user ${number + 1}, ${step}`, reply.failure)
        }
        note('handshake', await bayeux.handshake(answer))
        if (bayeux.clientId === undefined) continue
        seen.clientId = bayeux.clientId
        for (let round = 0; round < rounds; round += 1) {
          note('connect', await bayeux.connect(answer, {immediate: true}))
          const secureKey = log.secureKey
          const request =
            round === 0 ? REQUEST_CHAT : {operation: 'sendMessage' as const, secureKey: secureKey ?? '', message: `round ${round + 1}`}
          note(request.operation, await bayeux.publish(chatChannel(target.chatService), signed(target, request), answer))
        }
        for (let poll = 0; poll < polls && seen.sessionUnknown === 0 && !cast.signal.aborted; poll += 1)
          note('connect', await bayeux.connect(answer, {immediate: true}))
        seen.cookies = user.cookieNames(COMETD_PATH)
        await leave(cast, target, bayeux, log.secureKey)
        user.destroy()
      }
    })
  },
}
