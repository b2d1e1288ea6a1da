import type {BayeuxMessage} from '../wire/bayeux.ts'
import {CHANNEL_PREFIX} from '../wire/chat.ts'
import type {ChatEvent, ChatNotification, ChatOperation} from '../wire/chat-messages.ts'
import {chatNotificationSchema} from '../wire/chat-messages.ts'

/** What can be wrong with what GMS tells; the rules are the vendor page's ("Receive Notifications", "Disconnect"). */
export const FLAWS = [
  /** `data` on the chat channel is not a notification: a field is missing or of another type. */
  'schema',
  /** A notification without an error, of a chat that goes on, brought no key for the next request. */
  'key-missing',
  /** The answer to `disconnect` still carried a key or a user id. */
  'key-after-end',
  /** Not exactly one event, and no request was open that such a notification could have answered. */
  'event-count',
  /** An index that was told before and not asked for again. */
  'index-repeated',
  /** A new event with a smaller index than one that came before it; a client that keeps to the page ignores it. Over HTTP two answers on two connections may overtake each other. */
  'index-behind',
  /** `nextPosition` lies at or before an event of the same notification. */
  'next-position',
] as const

/** One departure from the contract, without secrets. */
export interface Flaw {
  kind: (typeof FLAWS)[number]
  /** Field or index, and what is wrong with it. */
  what: string
}

/** Requests whose answer may hold any number of events. */
const REPLAYING: readonly ChatOperation[] = ['requestChat', 'requestNotifications']

/** A customer's view of one chat: the current key and the transcript in order. */
export class ChatLog {
  readonly notifications: ChatNotification[] = []
  /** Transcript without repetitions: an index that was processed already is ignored (vendor page, event index). */
  readonly events: ChatEvent[] = []
  /** Every index in the order of its arrival, the ignored ones too. */
  readonly arrivals: number[] = []
  readonly flaws: Flaw[] = []
  /** Changes with every notification that carries one. */
  secureKey: string | undefined
  /** Keys that were given out, one after the other. */
  keys = 0
  ended = false
  #lastIndex = 0
  /** How often each index was told. */
  readonly #told = new Map<number, number>()
  /** Requests made, less the notifications that only an answer to one of them can be. Absent: nobody says what is asked. */
  #open: {any: number; replaying: number} | undefined
  #replays = 0
  #left = false
  readonly #watchers = new Set<() => void>()

  /** Index of the last event that was processed; 0 before the first. */
  get lastIndex(): number {
    return this.#lastIndex
  }

  /** A request is about to be sent. Who calls this for every request has the number of events of each notification watched. */
  asked(operation: ChatOperation): void {
    this.#open ??= {any: 0, replaying: 0}
    this.#open.any += 1
    if (REPLAYING.includes(operation)) this.#open.replaying += 1
    if (operation === 'requestNotifications') this.#replays += 1
    if (operation === 'disconnect') this.#left = true
  }

  /** Takes in a message from GMS; what is not on the chat channel, or a mere acknowledgement, is ignored. */
  accept(message: BayeuxMessage): void {
    if (!message.channel.startsWith(CHANNEL_PREFIX) || message.data === undefined) return
    const notification = this.#read(message.data)
    if (notification === undefined) return
    this.notifications.push(notification)
    const {messages = [], secureKey, chatEnded} = notification
    if (notification.statusCode === 0) this.#judge(notification, messages)
    if (secureKey !== undefined && secureKey !== this.secureKey) {
      this.secureKey = secureKey
      this.keys += 1
    }
    this.ended ||= chatEnded
    for (const event of messages) this.#take(event)
    for (const watch of this.#watchers) watch()
  }

  /** The first event of the agent after transcript index `after`. */
  agentEvent(after = 0, type?: string): ChatEvent | undefined {
    return this.events.find(event => event.from.type === 'Agent' && event.index > after && (type === undefined || event.type === type))
  }

  /** Resolves with what `find` finds now or after a later notification; `undefined` when `ms` pass or `signal` aborts first. */
  waitFor<T>(find: () => T | undefined, ms: number, signal: AbortSignal): Promise<T | undefined> {
    const now = find()
    if (now !== undefined || signal.aborted) return Promise.resolve(now)
    return new Promise(resolve => {
      const settle = (value: T | undefined) => {
        clearTimeout(timer)
        this.#watchers.delete(watch)
        signal.removeEventListener('abort', giveUp)
        resolve(value)
      }
      const giveUp = () => settle(undefined)
      const watch = () => {
        const found = find()
        if (found !== undefined) settle(found)
      }
      const timer = setTimeout(giveUp, ms)
      this.#watchers.add(watch)
      signal.addEventListener('abort', giveUp)
    })
  }

  /** Fields that the contract does not name are tolerated and dropped. What breaks it is a flaw, and still read as far as it goes. */
  #read(data: unknown): ChatNotification | undefined {
    const parsed = chatNotificationSchema.safeParse(data)
    if (parsed.success) return parsed.data
    for (const {path, message} of parsed.error.issues) this.#flaw('schema', `${path.length === 0 ? 'data' : path.join('.')}: ${message}`)
    return salvaged(data)
  }

  #judge({secureKey, userId, chatEnded, nextPosition}: ChatNotification, messages: readonly ChatEvent[]): void {
    if (!chatEnded && secureKey === undefined) this.#flaw('key-missing', 'secureKey is absent')
    if (chatEnded && this.#left && messages.length === 0) {
      if (secureKey !== undefined) this.#flaw('key-after-end', 'secureKey is present')
      if (userId !== undefined) this.#flaw('key-after-end', 'userId is present')
    }
    const highest = Math.max(0, ...messages.map(({index}) => index))
    if (nextPosition !== undefined && messages.length > 0 && nextPosition <= highest)
      this.#flaw('next-position', `nextPosition ${nextPosition} with event ${highest}`)
    if (messages.length !== 1 && this.#open !== undefined) this.#countEvents(this.#open, messages.length)
  }

  #countEvents(open: {any: number; replaying: number}, events: number): void {
    const credit = events === 0 ? 'any' : 'replaying'
    if (open[credit] === 0) this.#flaw('event-count', `${events} events, unasked`)
    else open[credit] -= 1
  }

  #take(event: ChatEvent): void {
    const {index} = event
    this.arrivals.push(index)
    const before = this.#told.get(index) ?? 0
    this.#told.set(index, before + 1)
    if (before > this.#replays) this.#flaw('index-repeated', `index ${index} for the ${ordinal(before + 1)} time`)
    if (index > this.#lastIndex) {
      this.#lastIndex = index
      this.events.push(event)
    } else if (before === 0) this.#flaw('index-behind', `index ${index} after ${this.#lastIndex}`)
  }

  #flaw(kind: Flaw['kind'], what: string): void {
    this.flaws.push({kind, what})
  }
}

/** The least that an event is: who, what and where in the transcript. */
function isReadable(event: unknown): event is ChatEvent {
  if (typeof event !== 'object' || event === null || !('index' in event && 'type' in event && 'from' in event)) return false
  const {index, type, from} = event
  return Number.isInteger(index) && typeof type === 'string' && typeof from === 'object' && from !== null && 'type' in from
}

function ordinal(count: number): string {
  return count === 2 ? 'second' : `${count}th`
}

/** As much of a notification as can be used; `undefined` when it has not even a status. */
function salvaged(data: unknown): ChatNotification | undefined {
  if (typeof data !== 'object' || data === null || !('statusCode' in data) || typeof data.statusCode !== 'number') return undefined
  const {statusCode} = data
  const told: unknown = 'messages' in data ? data.messages : undefined
  const secureKey: unknown = 'secureKey' in data ? data.secureKey : undefined
  return {
    messages: (Array.isArray(told) ? (told as unknown[]) : []).filter(isReadable),
    chatEnded: 'chatEnded' in data && data.chatEnded === true,
    statusCode: statusCode === 0 || statusCode === 1 ? statusCode : 2,
    ...(typeof secureKey === 'string' && secureKey !== '' ? {secureKey} : {}),
  }
}
