import {performance} from 'node:perf_hooks'
import {setTimeout as pause} from 'node:timers/promises'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import type {CustomerPage, PageSeen} from './customer-page.ts'
import {openPage} from './customer-page.ts'
import type {Flow, Transcript} from './flow.ts'
import type {HandshakeResult} from './handshake.ts'
import {handshake} from './handshake.ts'
import {within} from './script.ts'

/** An open chat at the moment of a blow. */
export interface ChatNow {
  transport: BayeuxTransport
  clientId: string
  secureKey: string
}

/** Something that happens to GMS while chats are open, and what is watched after it. */
export interface Blow {
  /** Makes it happen. What it is, the flow does not know. */
  strike(chats: readonly ChatNow[]): Promise<unknown>
  /** How long is watched after it, ms: `least` in any case, `most` where chats or newcomers do not get through. */
  least: number
  most: number
  /** Customers say something after it and are waited for. Default true. */
  customersSpeak?: boolean
  /** True when the newcomers after this blow have shown enough. Asked again after each of them; default: at once. */
  enough?(newcomers: readonly Newcomer[]): boolean
}

export interface HandoverInput {
  /** Transport of each chat that is opened, forced. */
  chats: readonly BayeuxTransport[]
  blows: readonly Blow[]
  /** Addresses of this machine that users connect from in turn; the system's choice when empty. */
  from?: readonly string[]
  /** Another newcomer arrives this often, ms; default 400. */
  newcomerEveryMs?: number
}

/** A user who comes for the first time: handshake and first connect. */
export interface Newcomer extends HandshakeResult {
  transport: 'long-polling' | 'websocket'
  /** Number of the blow after which he came, from 0. */
  blow: number
  /** ms from that blow to his coming, and to the end of his handshake. */
  cameAfterMs: number
  tookMs: number
  /** Share of that time for which this process had work to do, 0 to 1. Near 1 it is the machine that did not get around to it. */
  strain: number
}

export interface HandoverResult extends Transcript {
  /** In the order of the input; where one could not be opened, others on its transport were not tried. */
  chats: readonly (Transcript & PageSeen)[]
  newcomers: readonly Newcomer[]
  /** The moment before each blow, ms since the epoch. */
  struckAt: readonly number[]
}

/**
 * Chats with the official client while things happen to GMS: the customers' pages do what pages do (retry, handshake again, ask for what they
 * missed), customers go on talking, and newcomers arrive all the time.
 */
export const handover: Flow<HandoverInput, HandoverResult> = {
  id: 'handover',
  title: 'Chats that outlive their GMS node',
  needs: ({chats}) => ['agent', 'websocket', ...(chats.includes('callback-polling') ? (['callback-polling'] as const) : [])],
  async run(target, {chats: transports, blows, from = [], newcomerEveryMs = 400}, context) {
    const {signal} = context
    const address = (number: number) => {
      const chosen = from[number % Math.max(1, from.length)]
      return chosen === undefined ? {} : {from: chosen}
    }
    const newcomers: Newcomer[] = []
    const arriving: Promise<unknown>[] = []
    const struckAt: number[] = []
    // One after the other, as people come: a proxy that counts connections then spreads them.
    const pages: CustomerPage[] = []
    const open: CustomerPage[] = []
    const closed = new Set<BayeuxTransport>()
    for (const transport of transports) {
      if (closed.has(transport)) continue
      const page = openPage(target, {transport, ...address(pages.length)}, context)
      pages.push(page)
      if (await page.ready) open.push(page)
      else closed.add(transport)
    }
    try {
      for (const [number, {strike, least, most, customersSpeak = true, enough = () => true}] of (nowOf(pages).length === 0
        ? []
        : blows
      ).entries()) {
        signal.throwIfAborted()
        struckAt.push(Date.now())
        await strike(nowOf(open))
        const began = Date.now()
        const elapsed = () => Date.now() - began
        const own: Newcomer[] = []
        let heard = !customersSpeak
        if (customersSpeak) void Promise.all(open.map(page => page.say(`after ${number + 1}`, most))).then(() => (heard = true))
        for (let count = 0; elapsed() < least || (elapsed() < most && !(heard && enough(own))); count += 1) {
          const cameAfterMs = elapsed()
          const transport = ones(count) % 2 === 0 ? 'long-polling' : 'websocket'
          const load = performance.eventLoopUtilization()
          const arrival = handshake.run(target, {transport, ...address(transports.length + arriving.length)}, context).then(result => {
            const strain = performance.eventLoopUtilization(load).utilization
            const newcomer = {...result, transport, blow: number, cameAfterMs, tookMs: elapsed() - cameAfterMs, strain} as const
            own.push(newcomer)
            newcomers.push(newcomer)
          })
          // An abort is reported by the wait below.
          arrival.catch(() => undefined)
          arriving.push(arrival)
          await pause(newcomerEveryMs, undefined, {signal}).catch(() => undefined)
          signal.throwIfAborted()
        }
        await Promise.all(arriving)
      }
    } finally {
      for (const page of pages) page.leave()
      await within(signal, context.budgets.answer, Promise.allSettled(pages.map(({over}) => over)))
    }
    const chats = await Promise.all(pages.map(({over}) => over))
    const broken = chats.find(({ended}) => ended !== 'completed')
    return {
      flow: 'handover',
      ended: broken?.ended ?? 'completed',
      ...(broken?.stoppedAt === undefined ? {} : {stoppedAt: broken.stoppedAt}),
      exchanges: chats.flatMap(({exchanges}) => exchanges),
      chats,
      newcomers: newcomers.sort((a, b) => a.blow - b.blow || a.cameAfterMs - b.cameAfterMs),
      struckAt,
    }
  },
}

function nowOf(pages: readonly CustomerPage[]): readonly ChatNow[] {
  return pages.flatMap(page => {
    const {clientId, secureKey} = page.now()
    return clientId === undefined || secureKey === undefined ? [] : [{transport: page.transport, clientId, secureKey}]
  })
}

/** Ones in the binary form: odd and even follow each other without a period (Thue-Morse), so that no turn of a proxy keeps step with it. */
function ones(number: number): number {
  return number === 0 ? 0 : (number & 1) + ones(number >>> 1)
}
