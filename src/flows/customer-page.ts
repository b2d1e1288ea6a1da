import {openOfficialClient, reasonOf} from '../client/cometd.ts'
import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import {chatChannel} from '../wire/chat.ts'
import type {ChatEvent, ChatRequest} from '../wire/chat-messages.ts'
import {ChatLog} from './chat-log.ts'
import type {Budgets, Target, Transcript} from './flow.ts'
import {REQUEST_CHAT, signed} from './probe.ts'
import {oneLine, play, within} from './script.ts'
import {everTold} from './told.ts'

/** One thing that a customer wanted to say. Times in ms since the epoch. */
export interface Said {
  /** Every attempt has a text of its own: what GMS did with one that got no answer is not known. */
  attempts: readonly string[]
  /** The attempt that came back in the transcript and that the agent answered. */
  answered?: string
  at: number
  answeredAt?: number
}

/** What one customer's page went through. Times in ms since the epoch. */
export interface PageSeen {
  transport: BayeuxTransport
  /** The chat came about: an agent joined it. */
  opened: boolean
  /** Sessions in the order in which they were given out. */
  sessions: readonly {clientId: string; at: number}[]
  /** Answers that said no, and requests without an answer, in the client's words. */
  failures: readonly {what: string; at: number}[]
  /** Every event that the page was told, by index. */
  events: readonly ChatEvent[]
  said: readonly Said[]
}

/** A page with a chat in it, in the hands of whoever directs several. */
export interface CustomerPage {
  readonly transport: BayeuxTransport
  /** Resolves when the chat is open and quiet, with false when that did not come about. */
  readonly ready: Promise<boolean>
  /** What is known of it now. */
  now(): {clientId?: string; secureKey?: string}
  /** Says something until it is heard, for `ms` at most. Never rejects. */
  say(text: string, ms: number): Promise<void>
  /** Ends the chat. */
  leave(): void
  /** Resolves when it is over. Rejects only when the signal aborts. */
  readonly over: Promise<Transcript & PageSeen>
}

/** Between two attempts to say something, ms. */
const ATTEMPT_EVERY_MS = 500
/** How often a page that waits for its session looks again, ms. */
const LOOK_EVERY_MS = 50
/** Longest wait for the answer to a farewell, ms. */
const FAREWELL_MS = 2000

/**
 * A customer's page that lives through reconnections: the official client obeys advice, backs off and handshakes again by itself; after each
 * disconnection the page asks for what it missed (`requestNotifications` with the newest key and the position after its last event; vendor page,
 * "Receive Notifications").
 */
export function openPage(
  target: Target,
  {transport, from}: {transport: BayeuxTransport; from?: string},
  context: {budgets: Budgets; signal: AbortSignal},
): CustomerPage {
  const {signal, budgets} = context
  const log = new ChatLog()
  const sessions: {clientId: string; at: number}[] = []
  const failures: {what: string; at: number}[] = []
  const said: Said[] = []
  let isLeaving = false
  // A farewell is not asked whether it was heard.
  const fail = (what: string) => {
    if (!isLeaving) failures.push({what: oneLine(what), at: Date.now()})
  }
  let setReady: (open: boolean) => void = () => undefined
  const ready = new Promise<boolean>(resolve => (setReady = resolve))
  let leave: () => void = () => undefined
  const leaving = new Promise<void>(resolve => (leave = resolve))
  let connected = false
  /** The session in which the page was told of its chat: what it says before could overtake what it missed. */
  let following: {clientId: string} | undefined
  let onSession: () => void = () => undefined
  let publish: (data: ChatRequest) => Promise<boolean> = () => Promise.resolve(false)

  const seen: PageSeen = {transport, opened: false, sessions, failures, said, events: []}
  const over = play('customer-page', target, context, seen, async cast => {
    const official = await openOfficialClient(cast.user({}, from === undefined ? {} : {from}), {
      transport,
      connectTimeoutMs: budgets.answer,
      networkDelayMs: budgets.networkDelay,
    })
    const {client} = official
    const channel = chatChannel(target.chatService)
    cast.signal.addEventListener('abort', leave)
    official.onThrow(fail)
    client.addListener('/meta/unsuccessful', message => fail(`${message.channel}: ${reasonOf(message)}`))
    /** Asks for what was missed until GMS takes it, or another session begins. */
    const catchUp = async () => {
      const session = sessions.at(-1)
      while (log.secureKey !== undefined && sessions.at(-1) === session && !cast.signal.aborted && !isLeaving) {
        const transcriptPosition = (log.events.at(-1)?.index ?? 0) + 1
        if (await publish({operation: 'requestNotifications', secureKey: log.secureKey, transcriptPosition})) return
        await within(cast.signal, ATTEMPT_EVERY_MS, new Promise<void>(() => undefined))
      }
    }
    client.addListener('/meta/connect', message => {
      const lost = !connected
      connected = message.successful === true
      // In the same session too: what GMS sent into a connection that was just lost is gone.
      if (connected && lost && following === sessions.at(-1)) void catchUp()
    })
    client.addListener(channel, message => {
      log.accept(message as BayeuxMessage)
      following = sessions.at(-1)
      seen.events = everTold(log)
    })
    publish = data =>
      new Promise(resolve => {
        try {
          client.publish(channel, signed(target, data), message => resolve(message.successful === true))
        } catch (error) {
          // The client has given up for good.
          fail(String(error))
          resolve(false)
        }
      })
    client.addListener('/meta/handshake', message => {
      if (message.successful !== true || message.clientId === undefined) return
      sessions.push({clientId: message.clientId, at: Date.now()})
      onSession()
      void catchUp()
    })

    const step = async (name: string, act: Promise<unknown>) => {
      const done = await within(cast.signal, budgets.answer + 1000, act)
      if (done === true) return
      cast.stop(name, {ended: done === 'late' ? 'timed-out' : 'refused', reason: failures.at(-1)?.what ?? 'no answer'})
    }
    await step('handshake', new Promise(resolve => client.handshake(message => resolve(message.successful === true))))
    await step('requestChat', publish(REQUEST_CHAT))
    await step(
      'agent joins',
      log.waitFor(() => log.agentEvent(), budgets.answer, cast.signal).then(event => event !== undefined),
    )
    seen.opened = true
    setReady(true)
    await leaving
    isLeaving = true
    const {secureKey} = log
    if (secureKey !== undefined) await within(cast.signal, FAREWELL_MS, publish({operation: 'disconnect', secureKey}))
    await within(cast.signal, FAREWELL_MS, new Promise<void>(resolve => client.disconnect(() => resolve())))
  })
  over.then(
    () => setReady(false),
    () => setReady(false),
  )

  const say = async (text: string, ms: number): Promise<void> => {
    const attempts: string[] = []
    const entry: Said = {attempts, at: Date.now()}
    said.push(entry)
    const left = () => ms - (Date.now() - entry.at)
    while (left() > 0 && !signal.aborted) {
      if (!connected || following !== sessions.at(-1)) {
        await within(signal, Math.min(left(), LOOK_EVERY_MS), new Promise<void>(() => undefined))
        continue
      }
      const attempt = attempts.length === 0 ? text : `${text} (${attempts.length + 1})`
      attempts.push(attempt)
      const session = sessions.at(-1)
      const answer = () => {
        const told = everTold(log)
        const own = told.find(event => event.text === attempt && event.from.type === 'Client')
        return own && told.find(event => event.index > own.index && event.from.type === 'Agent' && event.type === 'Message')
      }
      const {secureKey = ''} = log
      // The client forgets whom to tell when it has to handshake in the meantime.
      const renewed = new Promise<false>(resolve => (onSession = () => resolve(false)))
      const taken = await within(signal, left(), Promise.race([publish({operation: 'sendMessage', secureKey, message: attempt}), renewed]))
      if (taken === true && (await log.waitFor(answer, Math.min(left(), budgets.answer), signal)) !== undefined) {
        entry.answered = attempt
        entry.answeredAt = Date.now()
        return
      }
      // A new session is worth another attempt at once.
      if (sessions.at(-1) === session) await within(signal, Math.min(left(), ATTEMPT_EVERY_MS), new Promise<void>(() => undefined))
    }
  }

  return {
    transport,
    ready,
    now: () => {
      const clientId = sessions.at(-1)?.clientId
      return {...(clientId === undefined ? {} : {clientId}), ...(log.secureKey === undefined ? {} : {secureKey: log.secureKey})}
    },
    say,
    leave,
    over,
  }
}
