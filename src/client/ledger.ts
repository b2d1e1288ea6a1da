import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import {isBayeuxMessage, META} from '../wire/bayeux.ts'
import {CHANNEL_PREFIX} from '../wire/chat.ts'

/** A chat that GMS keeps open until somebody says goodbye. */
export interface OpenChat {
  readonly channel: string
  /** Changes with most answers; absent while the chat was asked for and not granted yet. */
  secureKey?: string
  ended: boolean
}

/** How long an answer may take that is still waited for when its user is gone, ms. */
export const LAST_ANSWER_MS = 2000

/** What one user has opened, read off everything it sends and hears. */
export class Account {
  /**
   * Sessions that GMS has not seen the end of, and how each began. Taken up again in another way it may be answered 402: CometD finds the
   * session of an HTTP request by its BAYEUX_BROWSER cookie, which an upgrade is not given, and moves none between the two ways of polling
   * (measured on CometD 5 and 8).
   */
  readonly sessions = new Map<string, BayeuxTransport>()
  chat: OpenChat | undefined
  readonly #ledger: Ledger
  readonly #cookies: () => string
  readonly #waiting = new Set<() => void>()

  constructor(ledger: Ledger, cookies: () => string) {
    this.#ledger = ledger
    this.#cookies = cookies
  }

  /** `Cookie` header that belongs to the sessions. */
  get cookies(): string {
    return this.#cookies()
  }

  get settled(): boolean {
    return this.sessions.size === 0 && (this.chat === undefined || this.chat.ended)
  }

  /** A chat was asked for, and its key has not come yet: without it nobody can close it. */
  get asking(): boolean {
    return this.chat !== undefined && !this.chat.ended && this.chat.secureKey === undefined
  }

  /** Resolves when the key has come, GMS has refused, or `ms` have passed. */
  answered(ms: number): Promise<void> {
    if (!this.asking) return Promise.resolve()
    return new Promise(resolve => {
      const settle = () => {
        clearTimeout(timer)
        this.#waiting.delete(settle)
        resolve()
      }
      const timer = setTimeout(settle, ms)
      this.#waiting.add(settle)
    })
  }

  /** Text of a body or frame that is about to be sent; for callback-polling the path carries it. */
  asks(path: string, text: string): void {
    const query = path.includes('?') ? new URLSearchParams(path.slice(path.indexOf('?'))).get('message') : undefined
    for (const {channel, data} of messagesIn(query ?? text)) {
      if (!channel.startsWith(CHANNEL_PREFIX) || typeof data !== 'object' || data === null) continue
      const {operation, secureKey} = data as {operation?: unknown; secureKey?: unknown}
      if (typeof secureKey === 'string') this.chat = this.#ledger.chatOf(secureKey) ?? this.chat
      else if (operation === 'requestChat' && (this.chat === undefined || this.chat.ended)) this.chat = {channel, ended: false}
    }
  }

  /** What came back: Bayeux messages on any transport, or the answer of a file operation. */
  hears(answer: string | Buffer, over: BayeuxTransport): void {
    if (answer.length > MOST_TEXT) return
    const text = answer.toString()
    for (const {channel, successful, clientId, data} of messagesIn(text)) {
      if (channel === META.handshake && successful === true && clientId !== undefined) this.sessions.set(clientId, over)
      // Whatever it was answered, there is nothing left to close.
      if (channel === META.disconnect) this.sessions.clear()
      if (channel.startsWith(CHANNEL_PREFIX)) this.#notified(data)
    }
    if (text.startsWith('{')) this.#notified(parsed(text))
  }

  #notified(data: unknown): void {
    if (typeof data !== 'object' || data === null || !('statusCode' in data) || this.chat === undefined) return
    const {secureKey, chatEnded, statusCode} = data as {secureKey?: unknown; chatEnded?: unknown; statusCode?: unknown}
    if (typeof secureKey === 'string') {
      this.chat.secureKey = secureKey
      this.#ledger.know(secureKey, this.chat)
    }
    // An error says of itself that its other fields are not to be trusted; without a key there never was a chat.
    if (chatEnded === true && (statusCode === 0 || this.chat.secureKey === undefined)) this.chat.ended = true
    if (!this.asking) for (const settle of [...this.#waiting]) settle()
  }
}

/** Longer texts hold no chat. */
const MOST_TEXT = 1_048_576

/**
 * What some users have opened at GMS and have not closed yet: a real one would keep it until its own time runs out. A chat may go on with
 * the next page of the same browser, so that only when all of these users are gone nobody will close it any more.
 */
export class Ledger {
  readonly #accounts = new Set<Account>()
  readonly #chats = new Map<string, OpenChat>()

  /** `cookies` is asked when the account has to be closed for a user that is gone. */
  account(cookies: () => string): Account {
    const account = new Account(this, cookies)
    this.#accounts.add(account)
    return account
  }

  chatOf(secureKey: string): OpenChat | undefined {
    return this.#chats.get(secureKey)
  }

  know(secureKey: string, chat: OpenChat): void {
    this.#chats.set(secureKey, chat)
  }

  /** Accounts that were not left in order. */
  get unsettled(): readonly Account[] {
    return [...this.#accounts].filter(({settled}) => !settled)
  }
}

function messagesIn(text: string): readonly BayeuxMessage[] {
  const value = parsed(/^(?:\/\*\*\/)?[\w.$]+\((.*)\);?\s*$/s.exec(text)?.[1] ?? text)
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.filter(isBayeuxMessage)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
