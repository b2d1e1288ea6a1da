import type {Budgets, Flow, Target, Transcript} from './flow.ts'
import {ask, leave, listen, mustSucceed, openSession, REQUEST_CHAT} from './probe.ts'
import type {Cast} from './script.ts'
import {need, play} from './script.ts'

export interface HeldPollInput {
  transport: 'long-polling' | 'callback-polling'
  /** Absent: nothing happens until GMS ends its hold. */
  delivers?: {
    /** Awaited once the poll is on its way; `probe` is its probe header, so that its arrival at GMS can be waited for. */
    held?: (probe: string) => Promise<unknown>
    /** Lets the agent of this chat speak. Absent: the customer writes a message and the agent's answer is awaited. */
    speak?: (secureKey: string) => unknown
  }
}

export interface HeldPollResult extends Transcript {
  clientId?: string
  /** Probe header of the poll that was held. */
  probe?: string
  /** How long the poll was on its way, ms. */
  heldMs?: number
  status?: number
  /** The poll was answered with a successful `/meta/connect`. */
  successful: boolean
  /** From speaking to the arrival of the agent's words, ms. Only with `delivers`. */
  deliveredAfterMs?: number
  /** With the answer to the poll, or (GMS is free to) with the answer to the customer's own message. */
  deliveredBy?: 'poll' | 'publish'
}

/** A poll that GMS holds: quiet to its end, or ended early by an event. */
export const heldPoll: Flow<HeldPollInput, HeldPollResult> = {
  id: 'held-poll',
  title: 'A poll that GMS holds',
  // Who cannot let an agent speak has to make one answer.
  needs: ({delivers}) => (delivers !== undefined && delivers.speak === undefined ? ['agent'] : []),
  run: (target, input, context) => {
    const result: Omit<HeldPollResult, keyof Transcript> = {successful: false}
    return play('held-poll', target, context, result, cast =>
      input.delivers === undefined ? quiet(cast, target, input, result) : delivering(cast, target, input, input.delivers, result),
    )
  },
}

type Delivers = NonNullable<HeldPollInput['delivers']>
type Result = Omit<HeldPollResult, keyof Transcript>

/** GMS's hold, the delay that a client grants to the network, and room for a busy machine. */
function patience({hold, networkDelay, answer}: Budgets): number {
  return hold + networkDelay + answer
}

async function quiet(cast: Cast, target: Target, {transport}: HeldPollInput, result: Result): Promise<void> {
  const {bayeux} = await openSession(cast, cast.user(), transport)
  if (bayeux.clientId !== undefined) result.clientId = bayeux.clientId
  const reply = await bayeux.connect(patience(cast.budgets))
  if (reply.exchange.probe !== undefined) result.probe = reply.exchange.probe
  if (reply.exchange.tookMs !== undefined) result.heldMs = Math.round(reply.exchange.tookMs)
  if (reply.status !== undefined) result.status = reply.status
  const {message} = need(cast, 'held connect', reply)
  result.successful = message.successful === true
  mustSucceed(cast, 'held connect', message)
  await leave(cast, target, bayeux)
}

async function delivering(cast: Cast, target: Target, {transport}: HeldPollInput, {held, speak}: Delivers, result: Result): Promise<void> {
  const {budgets, signal, journal} = cast
  const {bayeux} = await openSession(cast, cast.user(), transport)
  if (bayeux.clientId !== undefined) result.clientId = bayeux.clientId
  const log = listen(bayeux)
  await ask(cast, target, bayeux, REQUEST_CHAT)
  const poll = async (step: string, deadlineMs: number) =>
    mustSucceed(cast, step, need(cast, step, await bayeux.connect(deadlineMs)).message)
  while (log.secureKey === undefined || log.agentEvent() === undefined) await poll('agent joins', budgets.answer)

  const heard = log.events.at(-1)?.index ?? 0
  let arrivedAt: number | undefined
  const arrival = log
    .waitFor(() => log.agentEvent(heard, 'Message'), patience(budgets), signal)
    .then(event => {
      if (event !== undefined) arrivedAt = performance.now()
    })
  const polled = poll('held connect', patience(budgets))
  // Its failure is looked at below; until then nobody listens.
  polled.catch(() => undefined)
  result.probe = journal.exchanges.at(-1)?.probe ?? ''
  await held?.(result.probe)
  const spokenAt = performance.now()
  if (speak === undefined) await ask(cast, target, bayeux, {operation: 'sendMessage', secureKey: log.secureKey, message: 'Are you there?'})
  else await speak(log.secureKey)

  await Promise.race([arrival, polled])
  // Another event may have ended the poll first.
  while (arrivedAt === undefined && performance.now() - spokenAt < patience(budgets) && !signal.aborted)
    await Promise.race([arrival, poll('held connect', patience(budgets))])
  if (arrivedAt === undefined)
    cast.stop('delivery', {ended: 'timed-out', reason: `what the agent said did not arrive within ${patience(budgets)} ms`})
  result.deliveredAfterMs = Math.round(arrivedAt - spokenAt)
  // What arrived in the poll has ended it; what came with the answer to a message has not.
  result.deliveredBy = await Promise.race([polled.then(() => 'poll' as const), afterThisTurn('publish' as const)])
  const exchange = journal.exchanges.find(({probe}) => probe === result.probe)
  if (exchange?.status !== undefined) result.status = exchange.status
  if (exchange?.tookMs !== undefined) result.heldMs = Math.round(exchange.tookMs)
  result.successful = true
  await leave(cast, target, bayeux, log.secureKey)
}

function afterThisTurn<T>(value: T): Promise<T> {
  return new Promise(resolve => setImmediate(resolve, value))
}
