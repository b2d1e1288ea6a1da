import type {ChatEvent, ChatNotification, ChatOperation, ChatRequest} from '../wire/chat-messages.ts'
import type {Flaw} from './chat-log.ts'
import {ChatLog} from './chat-log.ts'
import type {ChatSession, SessionInput} from './chat-session.ts'
import {lossOf, openChatSession} from './chat-session.ts'
import type {AgentHabit, Target} from './flow.ts'
import {REQUEST_CHAT} from './probe.ts'
import type {Cast} from './script.ts'
import {oneLine, within} from './script.ts'

type Unkeyed<R> = R extends unknown ? Omit<R, 'secureKey'> : never
/** A request without the key, which is added when it is sent. */
export type Ask = Unkeyed<ChatRequest>
export type RequestChat = Extract<ChatRequest, {operation: 'requestChat'}>

/** How a chat is led. */
export interface ConversationInput extends SessionInput {
  /** Sends `alias`, `userId` and `chatId` as clients did before 8.5.112; they are ignored since. Default false. */
  deprecated?: boolean
}

/** An operation that was carried out, and what GMS said of it. */
export interface Performed {
  operation: ChatOperation
  /** 0 done, 1 not done but worth another try, 2 not done. */
  statusCode: 0 | 1 | 2
  /** `249 Media server was not able …` */
  errors: readonly string[]
  /** Events in the answer. */
  events: readonly {type: string; index: number}[]
  chatEnded: boolean
  /** The answer brought another key than the request had used. */
  newKey: boolean
  nextPosition?: number
  /** From sending until both the acknowledgement and the answer were there, ms. */
  tookMs: number
}

/** What came of one chat; the arrays fill while it goes on. */
export interface ConversationRecord {
  clientId?: string
  /** Transport in use in the end. */
  transport?: string
  /** Operations in the order in which they were answered. */
  operations: readonly Performed[]
  /** Transcript of the chat as this customer saw it, repetitions removed. */
  events: readonly ChatEvent[]
  /** Every index in the order of its arrival. */
  arrivals: readonly number[]
  /** Departures of what GMS told from the contract. */
  flaws: readonly Flaw[]
  /** Keys that were given out one after the other. */
  keys: number
}

/** The event by which GMS confirms an operation (vendor page, examples of each operation). */
const CONFIRMED_BY = {
  sendMessage: 'Message',
  startTyping: 'TypingStarted',
  stopTyping: 'TypingStopped',
  pushUrl: 'PushUrl',
  updateNickname: 'NicknameUpdated',
  customNotice: 'CustomNotice',
} as const satisfies Partial<Record<ChatOperation, string>>

/**
 * Whether a notification that came after `ask` can be its answer. The protocol has nothing that ties them: one request is open at a time,
 * errors are never unsolicited, and of events of this customer only answers tell.
 */
function answers(ask: Ask, {statusCode, messages = [], secureKey, chatEnded}: ChatNotification, lastIndex: number): boolean {
  if (statusCode !== 0) return true
  switch (ask.operation) {
    case 'requestChat':
      return secureKey !== undefined
    case 'requestNotifications':
      // One new event may have been told on its own account. The position that is asked for is told again.
      return messages.length !== 1 || messages.some(({index}) => index <= lastIndex)
    case 'readReceipt':
    case 'updateData':
      return messages.length === 0
    case 'disconnect':
      return chatEnded
    default:
      return messages.some(({from, type}) => from.type === 'Client' && type === CONFIRMED_BY[ask.operation])
  }
}

/** One chat that is led step by step. */
export class Conversation {
  readonly session: ChatSession
  readonly log: ChatLog
  readonly #cast: Cast
  readonly #input: ConversationInput
  readonly #agent: AgentHabit
  readonly #note: (performed: Performed) => void
  /** The script is over, or the session is. */
  readonly #over: AbortSignal

  private constructor(
    cast: Cast,
    session: ChatSession,
    log: ChatLog,
    input: ConversationInput,
    agent: AgentHabit,
    note: (performed: Performed) => void,
  ) {
    this.#cast = cast
    this.session = session
    this.log = log
    this.#input = input
    this.#agent = agent
    this.#note = note
    this.#over = AbortSignal.any([cast.signal, session.lost])
  }

  /** Opens a session. `recording` is filled from then on; its log goes on when it belongs to an earlier session of the same chat. */
  static async open(cast: Cast, target: Target, input: ConversationInput, recording: Recording): Promise<Conversation> {
    const session = await openChatSession(cast, target, input, recording.log)
    recording.result.clientId = session.clientId
    recording.result.transport = session.transport()
    return new Conversation(cast, session, recording.log, input, target.agent ?? 'answer', performed => {
      recording.result.transport = session.transport()
      recording.result.keys = recording.log.keys
      recording.operations.push(performed)
    })
  }

  /** Performs one operation: published, acknowledged and answered, in whichever order. Ends the script when one of these does not happen. */
  async perform(ask: Ask): Promise<Performed> {
    const {operation} = ask
    const {log} = this
    const {answer} = this.#cast.budgets
    const began = performance.now()
    const told = log.notifications.length
    const {lastIndex, secureKey} = log
    log.asked(operation)
    const request = {
      ...ask,
      ...(operation === 'requestChat' ? {} : {secureKey: secureKey ?? ''}),
      ...(this.#input.deprecated === true ? {alias: '0', userId: 'deprecated', chatId: 'deprecated'} : {}),
    } as ChatRequest
    const refusal = await within(this.#over, 2 * answer, this.session.publish(request))
    if (refusal === 'late') return this.#missed(operation, 2 * answer, 'GMS did not acknowledge it')
    if (refusal !== undefined) this.#cast.stop(operation, refusal)
    const notification = await this.#wait(operation, 2 * answer, 'no notification answered it', () =>
      log.notifications.slice(told).find(candidate => answers(ask, candidate, lastIndex)),
    )
    const {statusCode, errors = [], messages = [], chatEnded, nextPosition} = notification
    const performed: Performed = {
      operation,
      statusCode,
      errors: errors.map(({code, advice}) => oneLine(`${code} ${advice}`)),
      events: messages.map(({type, index}) => ({type, index})),
      chatEnded,
      newKey: notification.secureKey !== undefined && notification.secureKey !== secureKey,
      ...(nextPosition === undefined ? {} : {nextPosition}),
      tookMs: Math.round(performance.now() - began),
    }
    this.#note(performed)
    return performed
  }

  /** Opens the chat; the script ends when it is refused. Waits for the agent, where one joins. */
  async begin(ask: RequestChat = REQUEST_CHAT): Promise<void> {
    const opened = await this.perform(ask)
    if (opened.statusCode !== 0)
      this.#cast.stop('requestChat', {ended: 'refused', reason: opened.errors.join(', ') || `statusCode ${opened.statusCode}`})
    if (this.#agent !== 'absent') await this.event('agent joins', ({from}) => from.type === 'Agent', 0)
  }

  /** The customer says `message`, and the agent's answer is waited for, where one answers. Returns the index of the message, and of the last that was said. */
  async say(message: string): Promise<{own: number; heard: number}> {
    const since = this.told
    const sent = await this.perform({operation: 'sendMessage', message})
    const own = sent.events.at(-1)?.index ?? this.log.lastIndex
    if (this.#agent !== 'answer') return {own, heard: own}
    const isAnswer = ({from, type, index}: ChatEvent) => from.type === 'Agent' && type === 'Message' && index > own
    return {own, heard: (await this.event('agent answers', isAnswer, since)).index}
  }

  /** Number of notifications so far. */
  get told(): number {
    return this.log.notifications.length
  }

  /**
   * An event that `matches`, in a notification after the first `since`; the script ends when none comes. It may be one that the transcript
   * ignores because a later one has overtaken it.
   */
  event(step: string, matches: (event: ChatEvent) => boolean, since: number): Promise<ChatEvent> {
    let looked = since
    return this.#wait(step, this.#cast.budgets.answer, 'no event told of it', () => {
      const {notifications} = this.log
      for (; looked < notifications.length; looked += 1) {
        const found = notifications[looked]?.messages?.find(matches)
        if (found !== undefined) return found
      }
      return undefined
    })
  }

  /** Ends the chat and then the session. */
  async end(): Promise<void> {
    await this.perform({operation: 'disconnect'})
    await this.session.disconnect()
  }

  async #wait<T>(step: string, ms: number, missing: string, find: () => T | undefined): Promise<T> {
    return (await this.log.waitFor(find, ms, this.#over)) ?? this.#missed(step, ms, missing)
  }

  #missed(step: string, ms: number, missing: string): never {
    return this.#cast.stop(step, lossOf(this.session) ?? {ended: 'timed-out', reason: `${missing} within ${ms} ms`})
  }
}

/** Where a conversation writes: `result` becomes part of the transcript. */
export interface Recording {
  log: ChatLog
  operations: Performed[]
  result: ConversationRecord
}

export function newRecording(): Recording {
  const log = new ChatLog()
  const operations: Performed[] = []
  return {log, operations, result: {operations, events: log.events, arrivals: log.arrivals, flaws: log.flaws, keys: 0}}
}
