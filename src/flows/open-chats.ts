import {setTimeout as pause} from 'node:timers/promises'
import {IdleChats} from '../client/idle-chats.ts'
import type {Flow, Transcript} from './flow.ts'
import {ownAddresses as addressesFor} from './own-addresses.ts'
import {oneLine, play} from './script.ts'

export interface OpenChatsInput {
  /** WebSocket chats to hold at the same time. */
  chats: number
  /** Every chat comes from an address of its own where this machine has them, as customers do. Default: all from that of the target. */
  ownAddresses?: boolean
  /** How long they are held before they are counted again, ms. Default 0. */
  holdMs?: number
  /** Chats being opened at the same time. Default 64. */
  concurrency?: number
  /** Chats begun in a second at most; as many as are opened at the same time when absent. */
  perSecond?: number
  /** Ask for an agent in each session. Default true. */
  requestChat?: boolean
  /** Called when all are open, before they are closed. */
  whileOpen?: () => Promise<void>
}

export interface OpenChatsResult extends Transcript {
  asked: number
  /** Chats held when all were opened. */
  opened: number
  /** Chats still held in the end. */
  held: number
  openingMs: number
  /** Why the first chat was not opened. */
  failure?: string
  /** Why the first open chat was lost. */
  loss?: string
  /** The failure is this machine's own limit (descriptors, ports, memory). */
  hostLimit: boolean
}

/** The first addresses are those that are handed out to other users. */
const OTHERS = 1000

/** Opens many idle WebSocket chats at once and counts those that stay. */
export const openChats: Flow<OpenChatsInput, OpenChatsResult> = {
  id: 'open-chats',
  title: 'Many idle chats at once',
  needs: () => ['websocket'],
  run: (target, {chats, ownAddresses = false, holdMs = 0, concurrency, perSecond, requestChat = true, whileOpen}, context) => {
    const result: Omit<OpenChatsResult, keyof Transcript> = {asked: chats, opened: 0, held: 0, openingMs: 0, hostLimit: false}
    return play('open-chats', target, context, result, async cast => {
      const idle = new IdleChats()
      const began = performance.now()
      const exchange = cast.journal.open({transport: 'websocket', what: `upgrade × ${chats}`})
      try {
        await idle.open(target, {
          chats,
          stepMs: cast.budgets.answer,
          chatService: target.chatService,
          requestChat,
          ...(target.auth ? {auth: target.auth} : {}),
          signal: cast.signal,
          ...(ownAddresses ? {from: await addressesFor(target.url, chats, OTHERS)} : {}),
          ...(concurrency === undefined ? {} : {concurrency}),
          ...(perSecond === undefined ? {} : {perSecond}),
        })
        result.openingMs = Math.round(performance.now() - began)
        result.opened = idle.stillOpen()
        result.hostLimit = idle.hostLimit
        if (idle.firstFailure !== undefined) result.failure = oneLine(idle.firstFailure.reason)
        cast.journal.close(
          exchange,
          `${result.opened} of ${chats} opened${idle.firstFailure === undefined ? '' : `: ${idle.firstFailure.reason}`}`,
        )
        await whileOpen?.()
        if (holdMs > 0) await pause(holdMs, undefined, {signal: cast.signal}).catch(() => undefined)
        result.held = idle.stillOpen()
        if (idle.firstLoss !== undefined) result.loss = oneLine(idle.firstLoss.reason)
        if (idle.firstFailure !== undefined) cast.stop(`chat ${result.opened + 1}`, idle.firstFailure)
      } finally {
        idle.closeAll()
      }
    })
  },
}
