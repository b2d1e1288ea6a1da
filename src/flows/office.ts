import {setTimeout as pause} from 'node:timers/promises'
import type {User} from '../client/user.ts'
import {COMETD_PATH, META} from '../wire/bayeux.ts'
import type {Flow, Transcript} from './flow.ts'
import {openTransport} from './probe.ts'
import {oneLine, play} from './script.ts'

export interface OfficeInput {
  /** Address that everybody in the office has; the system's choice when absent. */
  from?: string
  /** Customers, each with a session and a held poll. */
  chats: number
  /** Requests of all of them together, a second. */
  perSecond: number
  /** Requests in all, those that open the sessions included; held polls come on top. */
  requests: number
}

/** How one request fared. */
export interface OfficeAnswer {
  status?: number
  trouble?: string
  probe?: string
}

export interface OfficeResult extends Transcript {
  answers: readonly OfficeAnswer[]
  /** Polls that were on hold in the end. */
  held: number
  /** From the first request to the last, ms. */
  tookMs: number
}

/** GMS holds a quiet poll; who answers earlier than that does not. */
const HELD_AT_LEAST_MS = 500
const HANDSHAKE = JSON.stringify([{id: '1', channel: META.handshake, version: '1.0', supportedConnectionTypes: ['long-polling']}])

/** An office full of customers behind one address: they poll, and write now and then, at an even pace. */
export const office: Flow<OfficeInput, OfficeResult> = {
  id: 'office',
  title: 'Customers behind one address',
  run: (target, {from, chats, perSecond, requests}, context) => {
    const answers: OfficeAnswer[] = []
    const result: Omit<OfficeResult, keyof Transcript> = {answers, held: 0, tookMs: 0}
    return play('office', target, context, result, async cast => {
      const {answer} = cast.budgets
      const began = performance.now()
      const more = from === undefined ? {} : {from}
      const running: Promise<unknown>[] = []
      const open = new Set<number>()
      /** One after the other at the pace of the office, and never two at once to make up for lost time. */
      const next = () => pause(1000 / perSecond, undefined, {signal: cast.signal}).catch(() => undefined)
      const users: User[] = []
      for (let number = 0; number < chats && !cast.signal.aborted; number += 1) {
        const user = cast.user({}, more)
        users.push(user)
        const {bayeux} = await openTransport(cast, user, 'long-polling')
        for (const step of ['handshake', 'connect'] as const) {
          await next()
          const reply = step === 'handshake' ? await bayeux.handshake(answer) : await bayeux.connect(answer, {immediate: true})
          const {probe} = reply.exchange
          answers.push({
            ...(reply.status === undefined ? {} : {status: reply.status}),
            ...(reply.answered ? {} : {trouble: oneLine(reply.failure.reason)}),
            ...(probe === undefined ? {} : {probe}),
          })
        }
        if (bayeux.clientId === undefined) continue
        await next()
        open.add(number)
        void poll(bayeux, cast.budgets.hold + cast.budgets.networkDelay + answer).finally(() => open.delete(number))
      }
      for (let count = answers.length; count < requests && !cast.signal.aborted; count += 1) {
        await next()
        const user = users[count % users.length]
        if (user) running.push(handshakeOf(user, answer).then(seen => answers.push(seen)))
      }
      await Promise.all(running)
      result.held = open.size
      result.tookMs = performance.now() - began
    })
  },
}

/** Polls as a quiet customer does, for as long as polls are answered as they should. */
async function poll(bayeux: Awaited<ReturnType<typeof openTransport>>['bayeux'], deadlineMs: number): Promise<void> {
  for (let quiet = true; quiet;) {
    const began = performance.now()
    const reply = await bayeux.connect(deadlineMs)
    // One that is answered at once would be asked for again at once, for ever.
    quiet = reply.answered && reply.message?.successful === true && performance.now() - began > HELD_AT_LEAST_MS
  }
}

export interface FloodInput {
  from?: string
  /** Requests, as fast as they go. */
  requests: number
  /** Stops when so many were refused. */
  enough: number
}

export interface FloodResult extends Transcript {
  sent: number
  statuses: Readonly<Record<string, number>>
  /** Requests a second that were answered, refused ones too. */
  perSecond: number
  refusedAfter?: number
}

const LANES = 16

/** One client that sends as fast as it can. */
export const flood: Flow<FloodInput, FloodResult> = {
  id: 'flood',
  title: 'One client that sends as fast as it can',
  run: (target, {from, requests, enough}, context) => {
    const statuses: Record<string, number> = {}
    const result: Omit<FloodResult, keyof Transcript> & {refusedAfter?: number} = {sent: 0, statuses, perSecond: 0}
    return play('flood', target, context, result, async cast => {
      const began = performance.now()
      let refused = 0
      const lane = async () => {
        const user = cast.user({}, from === undefined ? {} : {from})
        while (result.sent < requests && refused < enough && !cast.signal.aborted) {
          result.sent += 1
          const {status, trouble} = await handshakeOf(user, cast.budgets.answer)
          const name = status === undefined ? (trouble ?? 'no answer') : String(status)
          statuses[name] = (statuses[name] ?? 0) + 1
          if (isRefusal(status)) {
            refused += 1
            result.refusedAfter ??= result.sent
          }
        }
      }
      await Promise.all(Array.from({length: LANES}, lane))
      result.perSecond = result.sent / ((performance.now() - began) / 1000)
    })
  },
}

/** What proxies answer to those who ask too much (RFC 6585, 4; nginx answers 503 unless told otherwise). */
function isRefusal(status: number | undefined): boolean {
  return status === 429 || status === 503
}

async function handshakeOf(user: User, deadlineMs: number): Promise<OfficeAnswer> {
  const answer = await user.request({
    method: 'POST',
    path: `${COMETD_PATH}/handshake`,
    transport: 'http',
    headers: {'Content-Type': 'application/json'},
    body: HANDSHAKE,
    deadlineMs,
  })
  const {probe} = answer.exchange
  return {
    ...(answer.answered ? {status: answer.status} : {trouble: oneLine(answer.failure.reason)}),
    ...(probe === undefined ? {} : {probe}),
  }
}
