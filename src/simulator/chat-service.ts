import {randomInt} from 'node:crypto'
import type {Logger} from '../log.ts'
import {chatChannel} from '../wire/chat.ts'
import type {BayeuxSession} from './bayeux-session.ts'
import type {Chat, ChatStore} from './chat-store.ts'
import type {ChatNotification} from '../wire/chat-messages.ts'

/** Codes seen in the field (249) or decided here where the sources are silent (102). */
export const ERROR_CODE = {missingParameter: 102, notExecuted: 249} as const

interface ChatServiceOptions {
  store: ChatStore
  chatService: string
  /** What the agent does with a message: answers it at once, or nothing. */
  agent: 'answers' | 'silent'
  /** `answers`: every answer brings a new key. `files`: only uploads and deletions do. `never`. */
  secureKeyRotation: 'answers' | 'files' | 'never'
  /** How long a replaced key is still taken for requests in flight, ms. */
  secureKeyGraceMs: number
  logger: Logger
}

type Request = Readonly<Record<string, unknown>>

interface Operation {
  /** Works on the chat that `secureKey` names, and answers. What it has the agent do comes after the answer. */
  run(request: Request, chat: Chat, session: BayeuxSession): {answer: ChatNotification; then?: () => void}
}

/** `data` of an error notification. Field sample: errors[{code, advice}], statusCode 2 = retry is useless. */
export function chatError(code: number, what: string, {chatEnded = false} = {}): ChatNotification {
  return {messages: [], chatEnded, statusCode: 2, errors: [{code, advice: `${what} referenceId[${randomInt(10_000_000, 99_999_999)}]`}]}
}

function text(request: Request, name: string): string | undefined {
  const value = request[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function position(value: unknown): number {
  const parsed = Number(value ?? 0)
  return Number.isFinite(parsed) ? parsed : 0
}

/** GMS Chat API V2 on the service channel: one table of operations over the shared store. */
export class ChatService {
  readonly #options: ChatServiceOptions
  readonly #channel: string
  /** One requestChat per CometD connection. */
  readonly #chatOf = new WeakMap<BayeuxSession, Chat>()
  readonly #operations: Readonly<Record<string, Operation>>

  constructor(options: ChatServiceOptions) {
    this.#options = options
    this.#channel = chatChannel(options.chatService)
    this.#operations = {
      requestNotifications: {run: (request, chat, session) => this.#requestNotifications(request, chat, session)},
      sendMessage: {run: (request, chat) => this.#sendMessage(request, chat)},
      disconnect: {run: (_, chat) => this.#disconnect(chat)},
    }
  }

  /** A message was published to a service channel. */
  publish(channel: string, data: unknown, session: BayeuxSession): void {
    if (channel !== this.#channel) {
      this.#options.logger.warn(`${session.node}: nobody serves channel ${channel}; the chat channel is ${this.#channel}`)
      return
    }
    const {answer, then} = this.#answer(data, session)
    if (answer.errors)
      this.#options.logger.info(`${session.node}: refused ${answer.errors.map(error => `${error.code} ${error.advice}`).join(', ')}`)
    session.deliver({data: {...answer, channel}, channel})
    then?.()
  }

  /** The chat of a key that may be used now, or the error to answer with. Shared with the file operations. */
  admit(secureKey: string | undefined): Chat | ChatNotification {
    if (secureKey === undefined) return chatError(ERROR_CODE.missingParameter, 'Parameter secureKey is missing.')
    const chat = this.#options.store.find(secureKey)
    if (!chat || chat.ended || !chat.admits(secureKey, this.#options.secureKeyGraceMs))
      return chatError(ERROR_CODE.notExecuted, 'Media server was not able to execute request.', {chatEnded: true})
    return chat
  }

  /** A new key for the next request, when this kind of answer brings one. */
  rotate(chat: Chat, by: 'chat' | 'file'): void {
    const {secureKeyRotation, store} = this.#options
    if (secureKeyRotation === 'answers' || (secureKeyRotation === 'files' && by === 'file')) store.rotate(chat)
  }

  agentSays(message: string, secureKey?: string): number {
    const {store} = this.#options
    const named = secureKey === undefined ? undefined : store.find(secureKey)
    const chats = secureKey === undefined ? [...store.open] : named && !named.ended ? [named] : []
    let reached = 0
    for (const chat of chats) {
      if (chat.peers.size > 0) reached += 1
      this.#agentSays(chat, message)
    }
    return reached
  }

  #answer(data: unknown, session: BayeuxSession): {answer: ChatNotification; then?: () => void} {
    const request: Request = typeof data === 'object' && data !== null ? (data as Request) : {}
    const name = text(request, 'operation')
    if (name === 'requestChat') return this.#requestChat(request, session)
    const operation = name !== undefined && Object.hasOwn(this.#operations, name) ? this.#operations[name] : undefined
    if (!operation) return {answer: chatError(ERROR_CODE.missingParameter, `Unknown operation ${JSON.stringify(request['operation'])}.`)}
    const chat = this.admit(text(request, 'secureKey'))
    if (!('peers' in chat)) return {answer: chat}
    return operation.run(request, chat, session)
  }

  #requestChat(request: Request, session: BayeuxSession): {answer: ChatNotification; then?: () => void} {
    const nickname =
      text(request, 'nickname') ?? ([text(request, 'firstName'), text(request, 'lastName')].filter(Boolean).join(' ') || undefined)
    if (nickname === undefined) return {answer: chatError(ERROR_CODE.missingParameter, 'Parameter nickname is missing.')}
    if (this.#chatOf.has(session)) return {answer: chatError(ERROR_CODE.notExecuted, 'This connection already has a chat.')}
    const chat = this.#options.store.start(this.#channel, nickname)
    this.#chatOf.set(session, chat)
    chat.join(session)
    const joined = chat.record({from: chat.client, type: 'ParticipantJoined'})
    this.#say(chat, `requested over ${session.transport} on ${session.node}`)
    return {
      answer: chat.notification([joined]),
      then: () => {
        this.#say(chat, 'the agent joins')
        chat.tell({from: chat.agent, type: 'ParticipantJoined'})
      },
    }
  }

  #requestNotifications(request: Request, chat: Chat, session: BayeuxSession): {answer: ChatNotification} {
    chat.join(session)
    this.rotate(chat, 'chat')
    this.#say(chat, `followed over ${session.transport} on ${session.node}`)
    return {answer: chat.notification(chat.eventsFrom(position(request['transcriptPosition'])))}
  }

  #sendMessage(request: Request, chat: Chat): {answer: ChatNotification; then?: () => void} {
    const message = text(request, 'message')
    if (message === undefined) return {answer: chatError(ERROR_CODE.missingParameter, 'Parameter message is missing.')}
    const sent = chat.record({from: chat.client, type: 'Message', text: message, messageType: text(request, 'messageType') ?? 'text'})
    this.rotate(chat, 'chat')
    this.#say(chat, `client: ${JSON.stringify(message.slice(0, 200))}`)
    const answer = chat.notification([sent])
    return this.#options.agent === 'answers' ? {answer, then: () => this.#agentSays(chat, `You said: ${message}`)} : {answer}
  }

  #disconnect(chat: Chat): {answer: ChatNotification} {
    chat.record({from: chat.client, type: 'ParticipantLeft'})
    const {secureKey: _, userId: __, ...rest} = chat.notification([])
    this.#options.store.end(chat)
    this.#say(chat, 'ended by the client')
    return {answer: {...rest, chatEnded: true}}
  }

  #agentSays(chat: Chat, message: string): void {
    this.#say(chat, `agent: ${JSON.stringify(message.slice(0, 200))}`)
    chat.tell({from: chat.agent, type: 'Message', text: message, messageType: 'text'})
  }

  #say(chat: Chat, what: string): void {
    this.#options.logger.info(`chat ${chat.number}: ${what}`)
  }
}
