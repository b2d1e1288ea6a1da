import {pushDataSchema, type ChatEvent, type PushData} from '../wire/chat-messages.ts'
import type {Chat} from './chat-store.ts'

/** A push notification that GMS would have handed to its provider. */
export interface PushedNotification {
  /** ms since the epoch */
  readonly at: number
  /** Number of the chat. */
  readonly chat: number
  readonly deviceId: string
  readonly type: PushData['push_notification_type']
  /** Name of the section `push.provider.<name>`; absent: the section `push`. */
  readonly provider?: string
  readonly debug: boolean
  readonly language: string
  readonly event: string
  readonly title: string
  readonly body: string
}

/** So many are kept: a simulator may run for weeks. */
const KEPT = 1000

/**
 * Default title and body per event; `%s` is the name of the party. What is not listed is never pushed: FileDeleted, CustomNotice and
 * Notice by the page's word, typing and nicknames because it does not name them.
 * Vendor page, "Push Notification Events".
 */
const WORDS: Readonly<Record<string, {title: string; body: string | ((event: ChatEvent) => string)}>> = {
  ParticipantJoined: {title: 'Chat participants changed', body: '%s joined chat'},
  ParticipantLeft: {title: 'Chat participants changed', body: '%s left chat'},
  Message: {title: '%s sent new message', body: ({text}) => text ?? ''},
  PushUrl: {title: '%s suggests Web page', body: ({text}) => text ?? ''},
  FileUploaded: {title: '%s suggests to download file', body: 'Open app for more info'},
  IdleAlert: {title: 'Chat will close soon', body: 'Please use app if you want to continue'},
  IdleClose: {title: 'Chat is over', body: 'Your chat session was ended due to inactivity'},
}

/** The push parameters among user data: none, a valid set, or the name of the first that is wrong. */
export function pushDataOf(
  userData: Readonly<Record<string, string>> | undefined,
): {kind: 'none'} | {kind: 'valid'; data: PushData} | {kind: 'wrong'; parameter: string} {
  const given = Object.fromEntries(Object.entries(userData ?? {}).filter(([name]) => name.startsWith('push_notification_')))
  if (Object.keys(given).length === 0) return {kind: 'none'}
  const parsed = pushDataSchema.safeParse(given)
  return parsed.success ? {kind: 'valid', data: parsed.data} : {kind: 'wrong', parameter: String(parsed.error.issues[0]?.path[0])}
}

/** True when two requests name the same device in the same words. */
export function samePushData(one: PushData | undefined, other: PushData | undefined): boolean {
  if (!one || !other) return one === other
  return Object.keys(pushDataSchema.shape).every(name => one[name as keyof PushData] === other[name as keyof PushData])
}

/** Keeps what would have been pushed. */
export class PushService {
  readonly #pushed: PushedNotification[] = []
  readonly #onlyWithoutClient: boolean
  readonly #ownEvents: boolean

  constructor({pushToActiveClient, pushOwnEvents}: {pushToActiveClient: boolean; pushOwnEvents: boolean}) {
    this.#onlyWithoutClient = pushToActiveClient
    this.#ownEvents = pushOwnEvents
  }

  get pushed(): readonly PushedNotification[] {
    return this.#pushed
  }

  /** An event was recorded: pushed when a device is known, the event is of a kind that is pushed, and the client is not excepted. */
  onEvent(chat: Chat, event: ChatEvent): void {
    const data = chat.pushData
    const words = WORDS[event.type]
    if (!data || !chat.pushing || !words) return
    if (event.from.type === 'Client' && !this.#ownEvents) return
    if (this.#onlyWithoutClient && chat.peers.size > 0) return
    const named = (text: string): string => text.replace('%s', () => event.from.nickname)
    const provider = data.push_notification_provider
    this.#pushed.push({
      at: event.utcTime,
      chat: chat.number,
      deviceId: data.push_notification_deviceid,
      type: data.push_notification_type,
      ...(provider === undefined ? {} : {provider}),
      debug: data.push_notification_debug === 'true',
      language: data.push_notification_language ?? 'en_US',
      event: event.type,
      title: named(words.title),
      body: typeof words.body === 'string' ? named(words.body) : words.body(event),
    })
    if (this.#pushed.length > KEPT) this.#pushed.shift()
  }
}
