import type {Reply} from '../client/bayeux-client.ts'
import type {User} from '../client/user.ts'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import {COMETD_PATH, isSessionUnknown} from '../wire/bayeux.ts'
import {chatChannel} from '../wire/chat.ts'
import type {ChatEvent, ChatRequest} from '../wire/chat-messages.ts'
import {ChatLog} from './chat-log.ts'
import type {Flow, Target, Transcript} from './flow.ts'
import type {ProbeSession} from './probe.ts'
import {leave, mustSucceed, openChat, openTransport} from './probe.ts'
import type {Cast} from './script.ts'
import {need, oneLine, play} from './script.ts'
import {everTold} from './told.ts'

/** One stretch of the way: one transport, on connections of its own. */
export interface Leg {
  transport: BayeuxTransport
  /** `same`: goes on with the session of the leg before, until GMS says 402; `new`: handshakes at once. The first leg is always `new`. */
  session: 'same' | 'new'
}

export interface ReconnectInput {
  /** The user's transports, one after the other; between two of them every connection of the user is dropped. */
  legs: readonly Leg[]
  /** Awaited while the user has no connection, before leg number `leg` (from 1) begins. Whatever happens to GMS then, the flow does not know. */
  away?: (at: {leg: number; clientId: string; secureKey: string}) => unknown
  /** Address of this machine that the user connects from. */
  from?: string
}

/** What became of one leg. */
export interface LegSeen {
  transport: BayeuxTransport
  /** The session with which the leg went on. */
  clientId?: string
  /** What the user sent as its session was not known (402): it had to handshake again. */
  unknownAt?: string
  handshakes: number
  /** Names of the cookies that the user held when the leg began. */
  cookies: readonly string[]
  /** Probe headers of the leg's requests and upgrade, in order. */
  probes: readonly string[]
  /** What the customer said in this leg. */
  said?: string
  /** The chat went on: what the customer said came back, and the agent answered it. */
  answered: boolean
}

export interface ReconnectResult extends Transcript {
  legs: readonly LegSeen[]
  /** Every event that the customer was told, by index. */
  events: readonly ChatEvent[]
}

/** A chat whose customer loses every connection and comes back: same session or a new one, same transport or another. */
export const reconnect: Flow<ReconnectInput, ReconnectResult> = {
  id: 'reconnect',
  title: 'A chat that loses its connections and comes back',
  needs: ({legs}) => ['agent', ...legs.flatMap(({transport}) => (transport === 'long-polling' ? [] : [transport]))],
  run: (target, {legs, away, from}, context) => {
    const seen: LegSeen[] = []
    const result: Omit<ReconnectResult, keyof Transcript> = {legs: seen, events: []}
    return play('reconnect', target, context, result, async cast => {
      const log = new ChatLog()
      const browser = cast.user({}, from === undefined ? {} : {from})
      let clientId: string | undefined
      for (const [number, leg] of legs.entries()) {
        if (number > 0) await away?.({leg: number, clientId: clientId ?? '', secureKey: log.secureKey ?? ''})
        const note: LegSeen = {
          transport: leg.transport,
          handshakes: 0,
          cookies: browser.cookieNames(COMETD_PATH),
          probes: [],
          answered: false,
        }
        seen.push(note)
        const mark = cast.journal.exchanges.length
        const page = cast.user({}, {jar: browser.jar, ...(from === undefined ? {} : {from})})
        try {
          clientId = await walk(cast, target, {page, log, leg, number, last: number === legs.length - 1, note, clientId})
        } finally {
          note.probes = [...new Set(cast.journal.exchanges.slice(mark).flatMap(({probe}) => probe ?? []))]
          result.events = everTold(log)
          page.destroy()
        }
      }
    })
  },
}

interface Walk {
  page: User
  log: ChatLog
  leg: Leg
  number: number
  last: boolean
  note: LegSeen
  clientId: string | undefined
}

/** One leg: gets its session, follows the chat, says something and hears the answer. Returns the id of its session. */
async function walk(cast: Cast, target: Target, {page, log, leg, number, last, note, clientId}: Walk): Promise<string | undefined> {
  const {answer, hold, networkDelay} = cast.budgets
  const name = (step: string) => (number === 0 ? step : `${step} after reconnection ${number} (${leg.transport})`)
  const session = await openTransport(cast, page, leg.transport)
  const {bayeux} = session
  bayeux.onEvent(message => log.accept(message))
  const goesOn = leg.session === 'same' && clientId !== undefined && (await resume(cast, session, clientId, note, name('connect')))
  if (!goesOn) {
    note.handshakes += 1
    mustSucceed(cast, name('handshake'), need(cast, name('handshake'), await bayeux.handshake(answer)).message)
    mustSucceed(cast, name('first connect'), need(cast, name('first connect'), await bayeux.connect(answer, {immediate: true})).message)
  }
  if (bayeux.clientId !== undefined) note.clientId = bayeux.clientId
  const polls = bayeux.keepConnected(hold + networkDelay + answer)
  let ended: string | undefined
  const lost = polls.done.then(reply => {
    ended = reply === undefined ? undefined : wordsOf(reply)
    if (reply?.answered && isSessionUnknown(reply.message)) note.unknownAt ??= name('connect')
  })
  /** Waits for the chat, and no longer than the session lives. */
  const heard = async (step: string, find: () => unknown) => {
    const found = await Promise.race([log.waitFor(() => find() || undefined, answer, cast.signal), lost.then(() => find() || undefined)])
    if (found === undefined)
      cast.stop(name(step), {ended: ended === undefined ? 'timed-out' : 'refused', reason: ended ?? `not within ${answer} ms`})
  }
  const request = async (data: ChatRequest) => {
    const step = name(data.operation)
    const {message} = need(cast, step, await bayeux.publish(chatChannel(target.chatService), data, answer))
    if (isSessionUnknown(message)) note.unknownAt ??= step
    mustSucceed(cast, step, message)
  }

  if (number === 0) await openChat(cast, target, bayeux, log)
  else {
    // Also in the same session: what GMS sent into a connection that was just lost is gone.
    const before = log.notifications.length
    const position = (log.events.at(-1)?.index ?? 0) + 1
    await request({operation: 'requestNotifications', secureKey: log.secureKey ?? '', transcriptPosition: position})
    await heard('requestNotifications', () => log.notifications.length > before)
  }
  await heard('agent joins', () => log.agentEvent())
  const said = `Is this still the same chat? (${number + 1})`
  note.said = said
  const asked = log.events.at(-1)?.index ?? 0
  await request({operation: 'sendMessage', secureKey: log.secureKey ?? '', message: said})
  await heard('sendMessage', () => everTold(log).some(event => event.text === said))
  await heard('agent answers', () =>
    everTold(log).some(({from, type, index}) => from.type === 'Agent' && type === 'Message' && index > asked),
  )
  note.answered = true
  polls.stop()
  if (last) await leave(cast, target, bayeux, log.secureKey)
  return bayeux.clientId
}

/** True when GMS goes on with the session; false when it says 402, so that the client has to handshake. Anything else ends the script. */
async function resume(cast: Cast, {bayeux}: ProbeSession, clientId: string, note: LegSeen, step: string): Promise<boolean> {
  bayeux.clientId = clientId
  const {message} = need(cast, step, await bayeux.connect(cast.budgets.answer, {immediate: true}))
  if (isSessionUnknown(message)) {
    note.unknownAt = step
    bayeux.clientId = undefined
    return false
  }
  mustSucceed(cast, step, message)
  return true
}

function wordsOf(reply: Reply): string {
  return oneLine(reply.answered ? (reply.message.error ?? 'unsuccessful without a reason') : reply.failure.reason)
}
