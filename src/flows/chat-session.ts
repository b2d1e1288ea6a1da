import {meaningOf, openOfficialClient, reasonOf} from '../client/cometd.ts'
import type {Failure} from '../client/failure.ts'
import type {User} from '../client/user.ts'
import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import {chatChannel} from '../wire/chat.ts'
import type {ChatRequest} from '../wire/chat-messages.ts'
import type {ChatLog} from './chat-log.ts'
import type {Target} from './flow.ts'
import {mustSucceed, openSession, signed} from './probe.ts'
import type {Cast} from './script.ts'
import {need, within} from './script.ts'

/** Who speaks for a customer: the stock CometD client, or ours, which does as it is told and obeys no advice. */
export const CHAT_CLIENTS = ['official', 'probe'] as const
export type ChatClient = (typeof CHAT_CLIENTS)[number]

/** The vendor page's two ways to hear the channel: a listener added before the handshake, or a subscription made when it has succeeded. */
export const CHAT_STYLES = ['addListener', 'subscribe'] as const
export type ChatStyle = (typeof CHAT_STYLES)[number]

/** How a customer comes in. */
export interface SessionInput {
  transport: BayeuxTransport
  /** Default `official`. */
  client?: ChatClient
  /** Default `addListener`. */
  style?: ChatStyle
}

/** A session of either client, with an ear on the chat channel. */
export interface ChatSession {
  readonly user: User
  readonly clientId: string
  /** Transport in use now. */
  transport(): string
  /** Publishes to the chat channel. `undefined` when GMS took it, which says nothing of what comes of it. */
  publish(request: ChatRequest): Promise<Failure | undefined>
  /** Aborts when the session ends although nobody wanted it to; `lossOf` tells why. */
  readonly lost: AbortSignal
  /** Ends the session politely; what comes back no longer matters. */
  disconnect(): Promise<void>
}

/** How long a polite end is waited for, ms. */
const FAREWELL_MS = 2000

/** Handshake, first connect and an ear on the channel: `log` hears it. The script ends when one of them fails. */
export function openChatSession(cast: Cast, target: Target, input: SessionInput, log: ChatLog): Promise<ChatSession> {
  return input.client === 'probe' ? openProbe(cast, target, input, log) : openOfficial(cast, target, input, log)
}

/** Why a session was lost; `undefined` while it lives. */
export function lossOf({lost}: Pick<ChatSession, 'lost'>): Failure | undefined {
  return lost.aborted ? (lost.reason as Failure) : undefined
}

async function openProbe(cast: Cast, target: Target, {transport, style}: SessionInput, log: ChatLog): Promise<ChatSession> {
  const {answer, hold, networkDelay} = cast.budgets
  const channel = chatChannel(target.chatService)
  const user = cast.user()
  const {bayeux} = await openSession(cast, user, transport)
  bayeux.onEvent(message => log.accept(message))
  if (style === 'subscribe') mustSucceed(cast, 'subscribe', need(cast, 'subscribe', await bayeux.subscribe(channel, answer)).message)
  const polls = bayeux.keepConnected(hold + networkDelay + answer)
  const loss = new AbortController()
  void polls.done.then(reply => {
    // Nothing: it was stopped on purpose.
    if (reply === undefined) return
    const failure: Failure = reply.answered
      ? {ended: 'closed', reason: `the session was lost (${reply.message.error ?? 'connect was unsuccessful'})`}
      : reply.failure
    loss.abort(failure)
  })
  return {
    user,
    clientId: bayeux.clientId ?? '',
    transport: () => transport,
    lost: loss.signal,
    async publish(request) {
      const reply = await bayeux.publish(channel, signed(target, request), answer)
      if (!reply.answered) return reply.failure
      return reply.message.successful === true
        ? undefined
        : {ended: 'refused', reason: reply.message.error ?? 'unsuccessful without a reason'}
    },
    async disconnect() {
      polls.stop()
      await bayeux.disconnect(Math.min(answer, FAREWELL_MS))
    },
  }
}

async function openOfficial(cast: Cast, target: Target, {transport, style}: SessionInput, log: ChatLog): Promise<ChatSession> {
  const {answer, networkDelay} = cast.budgets
  const channel = chatChannel(target.chatService)
  const user = cast.user()
  const official = await openOfficialClient(user, {transport, connectTimeoutMs: answer, networkDelayMs: networkDelay})
  const {client} = official
  const loss = new AbortController()
  const lose = (failure: Failure) => loss.abort(failure)
  const signal = AbortSignal.any([cast.signal, loss.signal])
  official.onThrow(reason => lose({ended: 'refused', reason}))
  let clientId: string | undefined
  let lastError = ''
  /** An upgrade that failed says more than "close 1000". */
  const failureIn = (reason: string) => (/^close 1000\b/.test(reason) ? official.upgradeFailure() : undefined) ?? meaningOf(reason)
  const hear = (message: object) => log.accept(message as BayeuxMessage)
  client.addListener('/meta/unsuccessful', message => {
    lastError = `${message.channel}: ${reasonOf(message)}`
  })
  let subscribed: Promise<string | undefined> = Promise.resolve(undefined)
  const shaken = new Promise<string | undefined>(resolve => {
    client.addListener('/meta/handshake', message => {
      if (message.successful !== true) return resolve(reasonOf(message))
      if (clientId !== undefined) return lose({ended: 'closed', reason: `the session was lost (${lastError})`})
      clientId = message.clientId
      if (style === 'subscribe')
        subscribed = new Promise(done => {
          client.batch(() => {
            client.subscribe(channel, hear, reply => done(reply.successful === true ? undefined : reasonOf(reply)))
          })
        })
      resolve(undefined)
    })
  })
  const step = async (name: string, act: Promise<string | undefined>): Promise<void> => {
    const refusal = await within(signal, 2 * answer, act)
    if (refusal === 'late')
      cast.stop(name, lossOf({lost: loss.signal}) ?? {ended: 'timed-out', reason: `no answer within ${2 * answer} ms ${lastError}`.trim()})
    if (refusal !== undefined) cast.stop(name, failureIn(refusal))
  }
  if (style !== 'subscribe') client.addListener(channel, hear)
  client.handshake()
  await step('handshake', shaken)
  await step('subscribe', subscribed)
  return {
    user,
    clientId: clientId ?? '',
    transport: () => official.transport() ?? 'none',
    lost: loss.signal,
    async publish(request) {
      const refusal = await new Promise<string | undefined>(resolve => {
        client.publish(channel, signed(target, request), message => resolve(message.successful === true ? undefined : reasonOf(message)))
      })
      return refusal === undefined ? undefined : failureIn(refusal)
    },
    async disconnect() {
      await within(cast.signal, Math.min(answer, FAREWELL_MS), new Promise<void>(resolve => client.disconnect(() => resolve())))
    },
  }
}
