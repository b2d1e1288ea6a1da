import {randomBytes} from 'node:crypto'
import type {BayeuxMessage} from '../wire/bayeux.ts'
import type {ChatEvent, ChatNotification} from '../wire/chat-messages.ts'

/** Bytes behind a secure key: 100 base64 characters, as long as those of GMS 8.5.112 and later, always with padding. */
const KEY_BYTES = 74

/** A Bayeux session that is told of a chat's events. */
interface ChatPeer {
  readonly node: string
  deliver(message: BayeuxMessage): void
  onRemoved(listener: () => void): void
}

/** A file of a chat, as it came through. */
interface StoredFile {
  readonly id: string
  readonly name: string
  readonly mimeType: string
  readonly content: Buffer
  readonly sha256: string
  downloads: number
}

/** A key that every encoder gets wrong once: it always has `+`, `/` and `=`, so a form that forgets to encode it breaks. */
function newSecureKey(): string {
  for (;;) {
    const key = randomBytes(KEY_BYTES).toString('base64')
    if (key.includes('+') && key.includes('/')) return key
  }
}

/** One chat: transcript, keys, files, and the sessions on whichever node that listen to it. */
export class Chat {
  readonly number: number
  readonly channel: string
  readonly client: ChatEvent['from']
  readonly agent: ChatEvent['from']
  readonly peers = new Set<ChatPeer>()
  readonly files = new Map<string, StoredFile>()
  /** Ever uploaded: `upload-max-files` and `upload-max-total-size` count these. */
  used = {files: 0, bytes: 0, downloads: 0}
  ended = false
  readonly #events: ChatEvent[] = []
  readonly #keys: {key: string; retiredAt: number}[] = []
  #lastUsed = 0

  constructor(number: number, channel: string, nickname: string) {
    this.number = number
    this.channel = channel
    this.client = {nickname, participantId: 1, type: 'Client'}
    this.agent = {nickname: 'Agent', participantId: 2, type: 'Agent'}
  }

  get secureKey(): string {
    return this.#keys.at(-1)?.key ?? ''
  }

  get nextPosition(): number {
    return this.#events.length + 1
  }

  addKey(key: string): void {
    this.#keys.push({key, retiredAt: Number.POSITIVE_INFINITY})
  }

  /**
   * True when `key` may still be used: it is the newest, or one the client has not yet shown to have replaced, or it was replaced less than `graceMs` ago (requests in flight).
   */
  admits(key: string, graceMs: number, now = Date.now()): boolean {
    const index = this.#keys.findIndex(known => known.key === key)
    const known = this.#keys[index]
    if (!known) return false
    if (index < this.#lastUsed) return now - known.retiredAt <= graceMs
    for (let i = this.#lastUsed; i < index; i += 1) {
      const replaced = this.#keys[i]
      if (replaced) replaced.retiredAt = now
    }
    this.#lastUsed = index
    return true
  }

  /** Adds an event to the transcript. */
  record(event: Omit<ChatEvent, 'index' | 'utcTime'>): ChatEvent {
    const {from, ...rest} = event
    const recorded: ChatEvent = {from, index: this.nextPosition, ...rest, utcTime: Date.now()}
    this.#events.push(recorded)
    return recorded
  }

  eventsFrom(position: number): ChatEvent[] {
    return this.#events.filter(event => event.index >= position)
  }

  /** A peer listens until its Bayeux session ends. */
  join(peer: ChatPeer): void {
    if (this.peers.has(peer)) return
    this.peers.add(peer)
    peer.onRemoved(() => this.peers.delete(peer))
  }

  /** What GMS tells of a chat. Since 8.5.112 alias, userId and chatId are bogus but present. */
  notification(messages: readonly ChatEvent[]): ChatNotification {
    return {
      messages,
      chatEnded: false,
      statusCode: 0,
      alias: '0',
      secureKey: this.secureKey,
      userId: 'deprecated',
      chatId: 'deprecated',
      nextPosition: this.nextPosition,
      monitored: false,
      channel: this.channel,
    }
  }

  /** Records an event and tells it to every listening session now: an unsolicited notification has exactly one event. */
  tell(event: Omit<ChatEvent, 'index' | 'utcTime'>): void {
    const data = this.notification([this.record(event)])
    for (const peer of this.peers) peer.deliver({data, channel: this.channel})
  }
}

/** Chats of all nodes: the nodes share them, as GMS nodes share their Chat Servers. */
export class ChatStore {
  readonly #byKey = new Map<string, Chat>()
  readonly #open = new Set<Chat>()
  #count = 0

  get open(): ReadonlySet<Chat> {
    return this.#open
  }

  start(channel: string, nickname: string): Chat {
    this.#count += 1
    const chat = new Chat(this.#count, channel, nickname)
    this.rotate(chat)
    this.#open.add(chat)
    return chat
  }

  /** The chat that has, or ever had, this key. */
  find(key: string): Chat | undefined {
    return this.#byKey.get(key)
  }

  rotate(chat: Chat): void {
    const key = newSecureKey()
    chat.addKey(key)
    this.#byKey.set(key, chat)
  }

  end(chat: Chat): void {
    chat.ended = true
    chat.files.clear()
    this.#open.delete(chat)
  }
}
