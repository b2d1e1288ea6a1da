import type {ChatEvent} from '../wire/chat-messages.ts'
import type {Chat} from './chat-store.ts'

interface IdleOptions {
  alertMs: number | undefined
  closeMs: number | undefined
  onAlert(chat: Chat): void
  onClose(chat: Chat): void
}

/** Chat Server's inactivity time-out counts messages and participants that come and go; typing and notices do not count. */
const ACTIVITY: ReadonlySet<string> = new Set(['ParticipantJoined', 'ParticipantLeft', 'Message', 'PushUrl', 'FileUploaded'])

/** Watches for chats in which nothing happens. */
export class IdleWatch {
  readonly #options: IdleOptions
  readonly #timers = new Map<Chat, NodeJS.Timeout[]>()

  constructor(options: IdleOptions) {
    this.#options = options
  }

  onEvent(chat: Chat, event: ChatEvent): void {
    const {alertMs, closeMs, onAlert, onClose} = this.#options
    if (!ACTIVITY.has(event.type) || (alertMs === undefined && closeMs === undefined)) return
    this.forget(chat)
    const after = (ms: number | undefined, act: (chat: Chat) => void): NodeJS.Timeout[] =>
      ms === undefined ? [] : [setTimeout(() => act(chat), ms).unref()]
    this.#timers.set(chat, [...after(alertMs, onAlert), ...after(closeMs, onClose)])
  }

  forget(chat: Chat): void {
    for (const timer of this.#timers.get(chat) ?? []) clearTimeout(timer)
    this.#timers.delete(chat)
  }

  stop(): void {
    for (const chat of [...this.#timers.keys()]) this.forget(chat)
  }
}
