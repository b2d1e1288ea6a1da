import {randomBytes} from 'node:crypto'
import type {BayeuxMessage} from '../wire/bayeux.ts'
import type {ChatEvent, ChatEventType, ChatNotification, PushData} from '../wire/chat-messages.ts'

/** Bytes behind a secure key: 100 base64 characters, as long as those of GMS 8.5.112 and later, always with padding. */
const KEY_BYTES = 74
/** Ended chats that can still be looked at. */
const KEPT_ENDED = 100

/** A Bayeux session that is told of a chat's events. */
interface ChatPeer {
  readonly node: string
  deliver(message: BayeuxMessage): void
  onRemoved(listener: () => void): void
}

/** A file of a chat, as it came through. */
export interface StoredFile {
  readonly id: string
  readonly name: string
  readonly mimeType: string
  readonly content: Buffer
  readonly by: 'Client' | 'Agent'
  downloads: number
}

/** What is told of an event; the transcript adds index and time. */
export type Told = Omit<ChatEvent, 'index' | 'utcTime' | 'type'> & {type: ChatEventType}

/** A chat as it can be looked at from outside. Keys are left out: they are the client's. */
export interface ChatView {
  /** Counted from 1 in the order of requestChat. */
  readonly number: number
  readonly nickname: string
  readonly ended: boolean
  /** Nodes on which a Bayeux session listens now. */
  readonly nodes: readonly string[]
  readonly userData: Readonly<Record<string, string>>
  /** Every event, those for agents only left out. */
  readonly transcript: readonly ChatEvent[]
}

/** A key that every encoder gets wrong once: it always has `+`, `/` and `=`, so a form that forgets to encode it breaks. */
function newSecureKey(): string {
  const bytes = randomBytes(KEY_BYTES + 1)
  const key = bytes.toString('base64', 0, KEY_BYTES)
  if (key.includes('+') && key.includes('/')) return key
  const at = (bytes[KEY_BYTES] ?? 0) % (key.length - 3)
  return `${key.slice(0, at)}+/${key.slice(at + 2)}`
}

/** An id as GMS gives them to files: `00F0` and twelve hexadecimal digits. */
export function newFileId(): string {
  return `00F0${randomBytes(6).toString('hex').toUpperCase()}`
}

/** One chat: transcript, keys, files, and the sessions on whichever node that listen to it. */
export class Chat implements ChatView {
  readonly number: number
  readonly channel: string
  client: ChatEvent['from']
  readonly agent: ChatEvent['from'] = {nickname: 'Agent', participantId: 2, type: 'Agent'}
  readonly system: ChatEvent['from'] = {nickname: 'system', participantId: 0, type: 'External'}
  agentPresent = false
  agentTyping = false
  readonly peers = new Set<ChatPeer>()
  readonly files = new Map<string, StoredFile>()
  /** Of the client's uploads: `upload-max-files` and `upload-max-total-size` count these. */
  used = {files: 0, bytes: 0, downloads: 0}
  userData: Record<string, string> = {}
  /** What named the mobile device in requestChat. */
  pushData: PushData | undefined
  /** False after a requestNotifications whose push data were not those of requestChat. */
  pushing = true
  ended = false
  #lastIndex = 0
  readonly #events: ChatEvent[] = []
  readonly #keys: {key: string; retiredAt: number}[] = []
  readonly #orderOfKey = new Map<string, number>()
  #lastUsed = 0
  readonly #onEvent: (chat: Chat, event: ChatEvent) => void

  constructor(number: number, channel: string, nickname: string, onEvent: (chat: Chat, event: ChatEvent) => void) {
    this.number = number
    this.channel = channel
    this.client = {nickname, participantId: 1, type: 'Client'}
    this.#onEvent = onEvent
  }

  get nickname(): string {
    return this.client.nickname
  }

  get nodes(): readonly string[] {
    return [...new Set([...this.peers].map(({node}) => node))]
  }

  get transcript(): readonly ChatEvent[] {
    return this.#events
  }

  get secureKey(): string {
    return this.#keys.at(-1)?.key ?? ''
  }

  get keys(): readonly string[] {
    return this.#keys.map(({key}) => key)
  }

  get nextPosition(): number {
    return this.#lastIndex + 1
  }

  addKey(key: string): void {
    this.#orderOfKey.set(key, this.#keys.length)
    this.#keys.push({key, retiredAt: Number.POSITIVE_INFINITY})
  }

  /**
   * True when `key` may still be used: it is the newest, or one the client has not yet shown to have replaced, or it was replaced less than `graceMs` ago (requests in flight).
   */
  admits(key: string, graceMs: number, now = Date.now()): boolean {
    const order = this.#orderOfKey.get(key)
    const known = order === undefined ? undefined : this.#keys[order]
    if (order === undefined || !known) return false
    if (order < this.#lastUsed) return now - known.retiredAt <= graceMs
    for (let i = this.#lastUsed; i < order; i += 1) {
      const replaced = this.#keys[i]
      if (replaced) replaced.retiredAt = now
    }
    this.#lastUsed = order
    return true
  }

  /** Adds an event to the transcript. */
  record({from, ...rest}: Told): ChatEvent {
    this.#lastIndex += 1
    const recorded: ChatEvent = {from, index: this.#lastIndex, ...rest, utcTime: Date.now()}
    this.#events.push(recorded)
    this.#onEvent(this, recorded)
    return recorded
  }

  /** An event that GMS does not deliver to clients takes an index. */
  skipIndex(): void {
    this.#lastIndex += 1
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

  /** The last that GMS tells: neither key nor user, they are to be forgotten. */
  farewell(messages: readonly ChatEvent[]): ChatNotification {
    const {secureKey: _, userId: __, ...rest} = this.notification(messages)
    return {...rest, chatEnded: true}
  }

  /** Records an event and tells it to every listening session now: an unsolicited notification has exactly one event. */
  tell(told: Told): void {
    const data = this.notification([this.record(told)])
    this.notify(data)
  }

  /** Tells every listening session, or all but the one that is answered. */
  notify(data: ChatNotification, except?: ChatPeer): void {
    for (const peer of this.peers) if (peer !== except) peer.deliver({data, channel: this.channel})
  }
}

/** Chats of all nodes: the nodes share them, as GMS nodes share their Chat Servers. */
export class ChatStore {
  readonly #byKey = new Map<string, Chat>()
  readonly #open = new Set<Chat>()
  readonly #ended: Chat[] = []
  readonly #listeners: ((chat: Chat, event: ChatEvent) => void)[] = []
  #count = 0

  get open(): ReadonlySet<Chat> {
    return this.#open
  }

  /** All open chats and the last that have ended. */
  get all(): readonly Chat[] {
    return [...this.#ended, ...this.#open].sort((a, b) => a.number - b.number)
  }

  /** Every event of every chat, when it is recorded. */
  onEvent(listener: (chat: Chat, event: ChatEvent) => void): void {
    this.#listeners.push(listener)
  }

  start(channel: string, nickname: string): Chat {
    this.#count += 1
    const chat = new Chat(this.#count, channel, nickname, (source, event) => {
      for (const listener of this.#listeners) listener(source, event)
    })
    this.rotate(chat)
    this.#open.add(chat)
    return chat
  }

  /** The open chat that has, or ever had, this key. */
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
    for (const key of chat.keys) this.#byKey.delete(key)
    this.#open.delete(chat)
    this.#ended.push(chat)
    if (this.#ended.length > KEPT_ENDED) this.#ended.shift()
  }
}
