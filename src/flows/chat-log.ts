import type {BayeuxMessage} from '../wire/bayeux.ts'
import {CHANNEL_PREFIX} from '../wire/chat.ts'
import type {ChatEvent, ChatNotification} from '../wire/chat-messages.ts'

/** True for what GMS sends on a chat channel. */
function isNotification(data: unknown): data is ChatNotification {
  return typeof data === 'object' && data !== null && 'statusCode' in data && typeof data.statusCode === 'number'
}

/** A customer's view of one chat: the current key and the transcript in order. */
export class ChatLog {
  readonly notifications: ChatNotification[] = []
  /** Transcript without repetitions: an index that was processed already is ignored (vendor page, event index). */
  readonly events: ChatEvent[] = []
  /** Changes with every notification that carries one. */
  secureKey: string | undefined
  ended = false
  #lastIndex = 0
  readonly #watchers = new Set<() => void>()

  /** Takes in a message from GMS; anything but a chat notification is ignored. */
  accept(message: BayeuxMessage): void {
    if (!message.channel.startsWith(CHANNEL_PREFIX) || !isNotification(message.data)) return
    this.notifications.push(message.data)
    const {messages = [], secureKey, chatEnded} = message.data
    if (secureKey !== undefined) this.secureKey = secureKey
    this.ended ||= chatEnded
    for (const event of messages) {
      if (event.index <= this.#lastIndex) continue
      this.#lastIndex = event.index
      this.events.push(event)
    }
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
}
