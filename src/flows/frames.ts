import {createHash, randomBytes} from 'node:crypto'
import {BayeuxClient} from '../client/bayeux-client.ts'
import {WebSocketTransport} from '../client/websocket.ts'
import {chatChannel} from '../wire/chat.ts'
import type {Flow, Target, Transcript} from './flow.ts'
import {listen, mustSucceed, openChat, signed} from './probe.ts'
import type {Cast} from './script.ts'
import {need, oneLine, play} from './script.ts'

export interface FramesInput {
  /** Offer permessage-deflate, as browsers do. */
  deflate: boolean
  /** Messages sent one behind the other, without waiting for an answer. */
  burst: number
  /** Sizes of whole WebSocket messages that are sent in the chat, bytes; every character is one byte. */
  sizes: readonly number[]
  /** Size of one more message, sent alone, that GMS is known not to take. */
  tooLarge: number
}

/** One chat message, and what came back of it over the same socket. */
export interface FramedMessage {
  /** Of the whole WebSocket message, bytes. */
  bytes: number
  /** Of its text. */
  sha256: string
  /** Digest of the text that the agent repeated; absent when nothing came in time. */
  repeatedSha256?: string
}

/** How one socket was closed. */
export interface Closing {
  /** Who was to close, and why, in words. */
  what: string
  by: 'client' | 'gms'
  /** Probe header of the upgrade. */
  probe: string
  /** What the client said; absent when GMS was to speak. */
  sent?: {code: number; reason: string}
  /** What the client heard in the end; 1006 without a closing handshake. Absent when the socket was never opened. */
  heard?: {code: number; reason: string}
  /** What the client could not live with, if it was the client who broke off. */
  trouble?: string
  /** The connection was still open when the client lost its patience after so many ms; it ended it itself. */
  leftOpenMs?: number
}

export interface FramesResult extends Transcript {
  /** Session of the chat. */
  clientId?: string
  /** What both ends agreed on, as the client understood it: `permessage-deflate`, or nothing. */
  extensions?: string
  /** Texts of the burst in the order in which they were sent. */
  burst: readonly string[]
  /** Texts that came back for them, in order of arrival, repetitions included: of the customer himself, and of the agent. */
  ownTexts: readonly string[]
  agentTexts: readonly string[]
  messages: readonly FramedMessage[]
  /** A ping and the payload of its pong. */
  ping?: {payload: string; pong?: string}
  closings: readonly Closing[]
}

/** What the simulated agent puts in front of what he was told. */
const REPEATS = 'You said: '

/** The digest that both ends compare. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Text that does not compress away. */
function noise(length: number): string {
  return randomBytes(Math.ceil(length / 2))
    .toString('hex')
    .slice(0, length)
}

async function openSocket(cast: Cast, deflate: boolean): Promise<{transport: WebSocketTransport; bayeux: BayeuxClient}> {
  const {transport, upgrade} = await WebSocketTransport.open(cast.user(), {deadlineMs: cast.budgets.answer, deflate})
  if (!upgrade.accepted) cast.stop('upgrade', upgrade.failure)
  const bayeux = new BayeuxClient(transport)
  mustSucceed(cast, 'handshake', need(cast, 'handshake', await bayeux.handshake(cast.budgets.answer)).message)
  return {transport, bayeux}
}

/** Resolves with `undefined` when `ms` pass first. */
async function within<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  let giveUp: () => void = () => undefined
  const late = new Promise<undefined>(resolve => {
    giveUp = () => resolve(undefined)
    timer = setTimeout(giveUp, ms)
    signal.addEventListener('abort', giveUp, {once: true})
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
  }
}

/** Sees a socket to its end. A peer that leaves the connection open is left in turn. */
async function seeEnd(cast: Cast, transport: WebSocketTransport, closing: Closing): Promise<void> {
  const patience = cast.budgets.answer
  transport.socket.once('error', error => (closing.trouble = oneLine(error.message)))
  const end = await within(transport.ended, patience, cast.signal)
  if (end === undefined) {
    closing.leftOpenMs = patience
    transport.terminate()
  }
  const {code, reason} = end ?? (await transport.ended)
  closing.heard = {code, reason}
}

/** Everything a chat puts on a WebSocket: small messages in a row, large ones, a ping, and every way of closing. */
export const frames: Flow<FramesInput, FramesResult> = {
  id: 'frames',
  title: 'Frames of every kind and size',
  needs: () => ['websocket'],
  run: (target, input, context) => {
    const ownTexts: string[] = []
    const agentTexts: string[] = []
    const messages: FramedMessage[] = []
    const closings: Closing[] = []
    const result: Omit<FramesResult, keyof Transcript> = {burst: [], ownTexts, agentTexts, messages, closings}
    return play('frames', target, context, result, async cast => {
      const close = (what: string, act: (transport: WebSocketTransport) => Pick<Closing, 'by' | 'sent'>) =>
        closeOne(cast, input.deflate, closings, what, act)
      await Promise.all([
        chatting(cast, target, input, {result, ownTexts, agentTexts, messages, closings}),
        ...[1000, 1001].map(code => close(`the client closes with ${code}`, byClient(code, ''))),
        close('GMS is sent what is no Bayeux', ({socket}) => {
          socket.send('[]')
          return {by: 'gms'}
        }),
        close(`GMS is sent a message of ${input.tooLarge} bytes`, ({socket}) => {
          socket.send(noise(input.tooLarge))
          return {by: 'gms'}
        }),
      ])
    })
  },
}

function byClient(code: number, reason: string): (transport: WebSocketTransport) => Pick<Closing, 'by' | 'sent'> {
  return ({socket}) => {
    socket.close(code, reason)
    return {by: 'client', sent: {code, reason}}
  }
}

async function closeOne(
  cast: Cast,
  deflate: boolean,
  closings: Closing[],
  what: string,
  act: (transport: WebSocketTransport) => Pick<Closing, 'by' | 'sent'>,
): Promise<void> {
  const {transport} = await openSocket(cast, deflate)
  const closing: Closing = {what, probe: transport.socket.probe, ...act(transport)}
  closings.push(closing)
  await seeEnd(cast, transport, closing)
}

/** The chat itself: a burst, then each size, then a ping, then the client leaves with a code of its own. */
async function chatting(
  cast: Cast,
  target: Target,
  {deflate, burst, sizes}: FramesInput,
  {
    result,
    ownTexts,
    agentTexts,
    messages,
    closings,
  }: {
    result: Omit<FramesResult, keyof Transcript>
    ownTexts: string[]
    agentTexts: string[]
    messages: FramedMessage[]
    closings: Closing[]
  },
): Promise<void> {
  const {answer} = cast.budgets
  const {transport, bayeux} = await openSocket(cast, deflate)
  const {socket} = transport
  let trouble: string | undefined
  socket.once('error', error => (trouble = oneLine(error.message)))
  if (bayeux.clientId !== undefined) result.clientId = bayeux.clientId
  if (socket.extensions !== '') result.extensions = socket.extensions
  mustSucceed(cast, 'first connect', need(cast, 'first connect', await bayeux.connect(answer, {immediate: true})).message)
  const log = listen(bayeux)
  const key = await openChat(cast, target, bayeux, log)
  const channel = chatChannel(target.chatService)

  const texts = Array.from({length: burst}, (_, index) => `burst ${index + 1} of ${burst}`)
  result.burst = texts
  await Promise.all(
    texts.map(message => bayeux.publish(channel, signed(target, {operation: 'sendMessage', secureKey: key, message}), answer)),
  )
  const told = () => log.notifications.flatMap(({messages: events = []}) => events.filter(({type}) => type === 'Message'))
  await log.waitFor(() => (told().length >= 2 * burst ? true : undefined), answer, cast.signal)
  for (const {from, text = ''} of told()) (from.type === 'Agent' ? agentTexts : ownTexts).push(text.replace(REPEATS, ''))

  for (const bytes of sizes) {
    const secureKey = log.secureKey ?? key
    const frameWith = (message: string) =>
      JSON.stringify([
        {
          id: `size${bytes}`,
          clientId: bayeux.clientId,
          channel,
          data: signed(target, {operation: 'sendMessage', secureKey, message}),
        },
      ])
    const text = noise(bytes - Buffer.byteLength(frameWith('')))
    const message: FramedMessage = {bytes, sha256: digestOf(text)}
    messages.push(message)
    const before = log.lastIndex
    socket.send(frameWith(text))
    const repeated = await Promise.race([log.waitFor(() => log.agentEvent(before, 'Message'), answer, cast.signal), transport.ended])
    if (repeated !== undefined && 'text' in repeated) message.repeatedSha256 = digestOf((repeated.text ?? '').replace(REPEATS, ''))
    if (transport.end !== undefined) break
  }

  const closing: Closing = {what: 'the client closes with 4000', by: 'client', probe: socket.probe}
  closings.push(closing)
  if (trouble !== undefined) closing.trouble = trouble
  if (transport.end === undefined) {
    const payload = noise(16)
    const pong = new Promise<string>(resolve => socket.once('pong', data => resolve(data.toString())))
    socket.ping(payload)
    const came = await within(Promise.race([pong, transport.ended.then(() => undefined)]), answer, cast.signal)
    result.ping = {payload, ...(came === undefined ? {} : {pong: came})}
    closing.sent = {code: 4000, reason: 'gms-proxy is done'}
    socket.close(closing.sent.code, closing.sent.reason)
  }
  await seeEnd(cast, transport, closing)
}
