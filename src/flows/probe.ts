import {BayeuxClient} from '../client/bayeux-client.ts'
import {CallbackPollingTransport} from '../client/callback-polling.ts'
import {LongPollingTransport} from '../client/long-polling.ts'
import type {Upgrade} from '../client/socket.ts'
import type {User} from '../client/user.ts'
import {WebSocketTransport} from '../client/websocket.ts'
import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import {chatChannel} from '../wire/chat.ts'
import {ChatLog} from './chat-log.ts'
import type {Target} from './flow.ts'
import type {Cast} from './script.ts'
import {need} from './script.ts'
import type {ChatRequest} from '../wire/chat-messages.ts'

/** A probe that has a session, with what it was told on the way. */
export interface ProbeSession {
  bayeux: BayeuxClient
  /** Only on WebSocket. */
  socket?: WebSocketTransport
  upgrade?: Upgrade
}

/** The forced transport, connected as far as it needs before a handshake. */
export async function openTransport(cast: Cast, user: User, type: BayeuxTransport): Promise<ProbeSession> {
  if (type === 'long-polling') return {bayeux: new BayeuxClient(new LongPollingTransport(user))}
  if (type === 'callback-polling') return {bayeux: new BayeuxClient(new CallbackPollingTransport(user))}
  const {transport, upgrade} = await WebSocketTransport.open(user, {deadlineMs: cast.budgets.answer})
  if (!upgrade.accepted) cast.stop('upgrade', upgrade.failure)
  return {bayeux: new BayeuxClient(transport), socket: transport, upgrade}
}

/** Ends the script when a Bayeux answer says no. */
export function mustSucceed(cast: Cast, step: string, message: BayeuxMessage): void {
  if (message.successful !== true) cast.stop(step, {ended: 'refused', reason: message.error ?? 'unsuccessful without a reason'})
}

/** Handshake and first connect, which GMS answers at once. */
export async function openSession(cast: Cast, user: User, type: BayeuxTransport): Promise<ProbeSession> {
  const session = await openTransport(cast, user, type)
  const {answer} = cast.budgets
  mustSucceed(cast, 'handshake', need(cast, 'handshake', await session.bayeux.handshake(answer)).message)
  mustSucceed(cast, 'first connect', need(cast, 'first connect', await session.bayeux.connect(answer, {immediate: true})).message)
  return session
}

/** Notes every notification of the session in a new log. */
export function listen(bayeux: BayeuxClient): ChatLog {
  const log = new ChatLog()
  bayeux.onEvent(message => log.accept(message))
  return log
}

/** The request with the credentials of the chat service, where there are some (vendor page, "Authentication"). */
export function signed(target: Target, request: ChatRequest): ChatRequest {
  return target.auth ? {...request, auth: target.auth} : request
}

/** Publishes a chat request. The script ends when GMS does not take it. */
export async function ask(cast: Cast, target: Target, bayeux: BayeuxClient, request: ChatRequest): Promise<void> {
  const reply = need(
    cast,
    request.operation,
    await bayeux.publish(chatChannel(target.chatService), signed(target, request), cast.budgets.answer),
  )
  mustSucceed(cast, request.operation, reply.message)
}

/** What every simulated person says about himself. */
export const REQUEST_CHAT: Extract<ChatRequest, {operation: 'requestChat'}> = {
  operation: 'requestChat',
  nickname: 'Probe',
  firstName: 'Proxy',
  lastName: 'Probe',
  subject: 'gms-proxy',
}

/** Opens a chat and waits for its key. Over HTTP a poll has to be on its way for that. */
export async function openChat(cast: Cast, target: Target, bayeux: BayeuxClient, log: ChatLog): Promise<string> {
  await ask(cast, target, bayeux, REQUEST_CHAT)
  const key = await log.waitFor(() => log.secureKey, cast.budgets.answer, cast.signal)
  if (key === undefined)
    cast.stop('requestChat', {ended: 'timed-out', reason: `no notification with a secureKey within ${cast.budgets.answer} ms`})
  return key
}

/** Leaves as a polite person does; what comes back no longer matters. */
export async function leave(cast: Cast, target: Target, bayeux: BayeuxClient, secureKey?: string): Promise<void> {
  const patience = Math.min(cast.budgets.answer, 2000)
  if (secureKey !== undefined)
    await bayeux.publish(chatChannel(target.chatService), signed(target, {operation: 'disconnect', secureKey}), patience)
  await bayeux.disconnect(patience)
}
