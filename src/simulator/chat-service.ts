import {posix} from 'node:path'
import type {Logger} from '../log.ts'
import {DEPRECATED_PARAMETERS, chatRequestSchema} from '../wire/chat-messages.ts'
import type {ChatEvent, ChatNotification, ChatOperation, UnderstoodRequest} from '../wire/chat-messages.ts'
import {chatChannel} from '../wire/chat.ts'
import {Agent} from './agent.ts'
import type {BayeuxSession} from './bayeux-session.ts'
import {ERROR_CODE, chatError, notARequest, wrongParameter} from './chat-errors.ts'
import type {ChatDecisions} from './chat-options.ts'
import {ChatStore, newFileId, type Chat, type Told} from './chat-store.ts'
import {authMatches} from './credentials.ts'
import {IdleWatch} from './idle.ts'
import {mediaTypeOf} from './multipart-form.ts'
import {PushService, pushDataOf, samePushData, type PushedNotification} from './push.ts'
import type {Warnings} from './warnings.ts'

/** Open chats that no session follows any more; of more, the oldest end: a simulator may run for weeks. */
const KEPT_ABANDONED = 1000
/** They are looked for when so many chats have been opened since. */
const LOOK_EVERY = 100

/** A file that the agent puts into a chat. */
export interface AgentFile {
  name: string
  content: Buffer
  /** `type/subtype`; application/octet-stream when it is left out or none. */
  mimeType?: string
}

/** One chat: a key that it has or had, or its number. */
export type ChatName = string | number

interface Answered {
  answer: ChatNotification
  /** What the others in the chat do because of it: after the answer. */
  then?: () => void
}

type RequestOf<O extends ChatOperation> = Extract<UnderstoodRequest, {operation: O}>
type InChat = Exclude<ChatOperation, 'requestChat'>
/** Works on the chat that `secureKey` names. */
type Operation<O extends InChat> = (request: RequestOf<O>, chat: Chat, session: BayeuxSession) => Answered

/** GMS Chat API V2 on the service channel: one table of operations over the shared store. */
export class ChatService {
  readonly #decisions: ChatDecisions
  readonly #channel: string
  readonly #logger: Logger
  readonly #warnings: Warnings
  readonly #store = new ChatStore()
  readonly #agent: Agent
  readonly #push: PushService
  readonly #idle: IdleWatch
  /** The chat that a CometD connection asked for or follows: one requestChat per connection. */
  readonly #chatOf = new WeakMap<BayeuxSession, Chat>()
  #opened = 0

  readonly #operations: {readonly [O in InChat]: Operation<O>} = {
    requestNotifications: (request, chat, session) => this.#follow(request, chat, session),
    sendMessage: ({message, messageType = 'text'}, chat, session) => {
      this.#say(chat, `client: ${JSON.stringify(message.slice(0, 200))}`)
      const told = this.#event(chat, session, {from: chat.client, type: 'Message', text: message, messageType})
      return {...told, then: () => this.#agent.hears(chat, message)}
    },
    readReceipt: (_, chat) => {
      // Told to agents only.
      if (this.#decisions.indexGaps) chat.skipIndex()
      const {alias: _alias, userId: _userId, chatId: _chatId, ...answer} = chat.notification([])
      return {answer}
    },
    startTyping: ({message}, chat, session) =>
      this.#event(chat, session, {from: chat.client, type: 'TypingStarted', ...(message === undefined ? {} : {text: message})}),
    stopTyping: ({message}, chat, session) =>
      this.#event(chat, session, {from: chat.client, type: 'TypingStopped', ...(message === undefined ? {} : {text: message})}),
    disconnect: (_, chat, session) => {
      this.#say(chat, 'ended by the client')
      const left = chat.record({from: chat.client, type: 'ParticipantLeft'})
      this.#end(chat)
      return {answer: chat.farewell([]), then: () => chat.notify(chat.farewell([left]), session)}
    },
    pushUrl: ({pushUrl}, chat, session) => this.#event(chat, session, {from: chat.client, type: 'PushUrl', text: pushUrl}),
    updateNickname: ({nickname}, chat, session) => {
      chat.client = {...chat.client, nickname}
      return this.#event(chat, session, {from: chat.client, type: 'NicknameUpdated', text: nickname})
    },
    customNotice: ({message}, chat, session) =>
      this.#event(chat, session, {from: chat.client, type: 'CustomNotice', ...(message === undefined ? {} : {text: message})}),
    updateData: ({userData = {}}, chat) => {
      chat.userData = {...chat.userData, ...userData}
      return {answer: chat.notification([])}
    },
  }

  constructor(decisions: ChatDecisions, warnings: Warnings, logger: Logger) {
    this.#decisions = decisions
    this.#channel = chatChannel(decisions.chatService)
    this.#logger = logger
    this.#warnings = warnings
    this.#agent = new Agent({...decisions, logger})
    this.#push = new PushService(decisions)
    this.#idle = new IdleWatch({
      alertMs: decisions.idleAlertMs,
      closeMs: decisions.idleCloseMs,
      onAlert: chat => chat.tell({from: chat.system, type: 'IdleAlert'}),
      onClose: chat => this.#closeIdle(chat),
    })
    this.#store.onEvent((chat, event) => {
      this.#push.onEvent(chat, event)
      this.#idle.onEvent(chat, event)
    })
  }

  get chats(): readonly Chat[] {
    return this.#store.all
  }

  get pushed(): readonly PushedNotification[] {
    return this.#push.pushed
  }

  /** The simulator stops. */
  stop(): void {
    this.#idle.stop()
  }

  /** A message was published to a service channel. */
  publish(channel: string, data: unknown, session: BayeuxSession): void {
    if (channel !== this.#channel) {
      this.#warnings.add(session.node, `nobody serves channel ${channel}; the chat channel is ${this.#channel}`)
      return
    }
    if (!this.#decisions.enableNotificationMode) {
      this.#warnings.add(session.node, 'enable_notification_mode is off: what is published is acknowledged and nothing else')
      return
    }
    const {answer, then} = this.#answer(data, session)
    if (answer.errors)
      this.#logger.info(`${session.node}: refused ${answer.errors.map(error => `${error.code} ${error.advice}`).join(', ')}`)
    session.deliver({data: {...answer, channel}, channel})
    then?.()
  }

  /** The chat of a key that may be used now, or the error to answer with. Shared with the file operations. */
  admit(secureKey: string | undefined): Chat | ChatNotification {
    if (secureKey === undefined || secureKey === '') return chatError(ERROR_CODE.missingParameter, 'Parameter secureKey is missing.')
    const chat = this.#store.find(secureKey)
    if (!chat?.admits(secureKey, this.#decisions.secureKeyGraceMs))
      return chatError(ERROR_CODE.notExecuted, 'Media server was not able to execute request.', {chatEnded: true})
    return chat
  }

  /** A new key for the next request, when this kind of answer brings one. */
  rotate(chat: Chat, by: 'chat' | 'file'): void {
    const {secureKeyRotation} = this.#decisions
    if (secureKeyRotation === 'answers' || (secureKeyRotation === 'files' && by === 'file')) this.#store.rotate(chat)
  }

  agentSays(message: string, of?: ChatName): number {
    return this.#forAgent(of, chat => this.#agent.says(chat, message))
  }

  agentTypes(of?: ChatName): number {
    return this.#forAgent(of, chat => this.#agent.types(chat))
  }

  agentSendsFile({name, content, mimeType}: AgentFile, of?: ChatName): number {
    return this.#forAgent(of, chat =>
      this.#agent.sendsFile(chat, newFileId(), {name: posix.basename(name), mimeType: mediaTypeOf(mimeType), content}),
    )
  }

  #forAgent(of: ChatName | undefined, act: (chat: Chat) => void): number {
    const open = [...this.#store.open]
    const chats =
      of === undefined ? open : open.filter(chat => chat === (typeof of === 'string' ? this.#store.find(of) : chat.number === of && chat))
    const reached = chats.filter(chat => chat.peers.size > 0).length
    for (const chat of chats) act(chat)
    return reached
  }

  #answer(data: unknown, session: BayeuxSession): Answered {
    const parsed = chatRequestSchema.safeParse(data)
    if (!parsed.success) return {answer: notARequest(data, parsed.error.issues[0]?.path ?? [])}
    const request = parsed.data
    const ignored = DEPRECATED_PARAMETERS.filter(name => name in request)
    if (ignored.length > 0) this.#logger.debug(`${session.node}: ${request.operation}: deprecated ${ignored.join(', ')} ignored`)
    const {auth} = this.#decisions
    // The page demands credentials on requestChat only; clients in the field send them with everything.
    if (auth && (request.auth ? !authMatches(request.auth, auth) : request.operation === 'requestChat'))
      return {
        answer: chatError(
          ERROR_CODE.unauthorized,
          request.auth
            ? 'The chat service needs other credentials.'
            : 'The chat service needs credentials: requestChat has no parameter auth.',
        ),
      }
    if (request.operation === 'requestChat') return this.#open(request, session)
    const chat = this.admit(request.secureKey)
    if (!('peers' in chat)) return {answer: chat}
    return this.#run(request, chat, session)
  }

  #run(request: RequestOf<InChat>, chat: Chat, session: BayeuxSession): Answered {
    if (request.operation !== 'disconnect') this.rotate(chat, 'chat')
    // The table pairs each operation with its own request; TypeScript cannot follow that through a look-up.
    const run = this.#operations[request.operation] as (request: UnderstoodRequest, chat: Chat, session: BayeuxSession) => Answered
    return run(request, chat, session)
  }

  #open(request: RequestOf<'requestChat'>, session: BayeuxSession): Answered {
    if (this.#chatOf.has(session)) return {answer: chatError(ERROR_CODE.notExecuted, 'This connection already has a chat.')}
    const push = pushDataOf(request.userData)
    if (push.kind === 'wrong') return {answer: wrongParameter(`userData.${push.parameter}`)}
    this.#endAbandoned()
    const chat = this.#store.start(this.#channel, request.nickname ?? `${request.firstName} ${request.lastName}`)
    chat.userData = request.userData ?? {}
    if (push.kind === 'valid') chat.pushData = push.data
    this.#chatOf.set(session, chat)
    chat.join(session)
    this.#say(chat, `requested over ${session.transport} on ${session.node}`)
    const joined = chat.record({from: chat.client, type: 'ParticipantJoined'})
    return {answer: chat.notification([joined]), then: () => this.#agent.opened(chat)}
  }

  #follow({transcriptPosition = 0, userData}: RequestOf<'requestNotifications'>, chat: Chat, session: BayeuxSession): Answered {
    const push = pushDataOf(userData)
    if (push.kind === 'wrong') return {answer: wrongParameter(`userData.${push.parameter}`)}
    const same = samePushData(chat.pushData, push.kind === 'valid' ? push.data : undefined)
    if (!same) {
      const {pushMismatch} = this.#decisions
      this.#warnings.add(session.node, `chat ${chat.number}: the push data are not those of requestChat (pushMismatch: ${pushMismatch})`)
      if (pushMismatch === 'refused') return {answer: wrongParameter('userData')}
      if (pushMismatch === 'stops') chat.pushing = false
    } else chat.pushing = true
    if (!this.#chatOf.has(session)) this.#chatOf.set(session, chat)
    chat.join(session)
    this.#say(chat, `followed over ${session.transport} on ${session.node}, from ${transcriptPosition}`)
    const events = chat.eventsFrom(transcriptPosition)
    return {answer: chat.notification(this.#decisions.indexGaps ? events.filter(event => !isOwnTyping(event)) : events)}
  }

  /** One event of the client: the answer to the one session, told to the others of the chat. */
  #event(chat: Chat, session: BayeuxSession, told: Told): Answered {
    const answer = chat.notification([chat.record(told)])
    chat.notify(answer, session)
    return {answer}
  }

  #closeIdle(chat: Chat): void {
    this.#say(chat, 'closed: nothing has happened')
    chat.tell({from: chat.system, type: 'IdleClose'})
    const left = chat.record({from: chat.client, type: 'ParticipantLeft'})
    this.#end(chat)
    chat.notify(chat.farewell([left]))
  }

  #endAbandoned(): void {
    this.#opened += 1
    if (this.#opened % LOOK_EVERY !== 0 || this.#store.open.size <= KEPT_ABANDONED) return
    const abandoned = [...this.#store.open].filter(chat => chat.peers.size === 0)
    for (const chat of abandoned.slice(0, -KEPT_ABANDONED)) this.#end(chat)
  }

  #end(chat: Chat): void {
    this.#store.end(chat)
    this.#idle.forget(chat)
  }

  #say(chat: Chat, what: string): void {
    this.#logger.info(`chat ${chat.number}: ${what}`)
  }
}

function isOwnTyping({from, type}: ChatEvent): boolean {
  return from.type === 'Client' && (type === 'TypingStarted' || type === 'TypingStopped')
}
