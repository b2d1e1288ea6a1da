import {setTimeout as pause} from 'node:timers/promises'
import pLimit from 'p-limit'
import {BayeuxClient} from '../client/bayeux-client.ts'
import type {Account, Ledger} from '../client/ledger.ts'
import {LAST_ANSWER_MS} from '../client/ledger.ts'
import {LongPollingTransport} from '../client/long-polling.ts'
import type {Address} from '../client/user.ts'
import {User} from '../client/user.ts'
import type {ChatAuth} from '../wire/chat-messages.ts'

export interface FarewellResult {
  /** Chats that were open, and of these the ones that GMS did not confirm to be closed. */
  chats: number
  left: number
}

export interface FarewellOptions {
  /** Where GMS is reached: one address a node, or that of the proxy. */
  at: readonly Address[]
  auth?: ChatAuth
  /** For each request, ms. */
  deadlineMs: number
}

/** Long enough for a GMS that answers; the others are not waited for. */
const ALL_MS = 15_000

/** Between two looks for a key that is on its way, ms. */
const ASK_AGAIN_MS = 50

/** Accounts that are closed at the same time. */
const AT_ONCE = 8

/**
 * Closes the chats and sessions of users that are gone, as they would have done. A session is known on one node only, a chat on all of
 * them: where its session has died, a new one says goodbye. Never throws; GMS may be gone as well.
 */
export async function farewell(ledger: Ledger, options: FarewellOptions): Promise<FarewellResult> {
  const limit = pLimit(AT_ONCE)
  await Promise.all(ledger.unsettled.map(account => account.answered(LAST_ANSWER_MS)))
  const accounts = ledger.unsettled
  const open = new Set(accounts.flatMap(({chat}) => (chat && !chat.ended ? [chat] : [])))
  const over = AbortSignal.timeout(ALL_MS)
  await Promise.all(accounts.map(account => limit(() => close(account, options, over))))
  // Where no key ever came there was no chat, as far as anybody can tell.
  const chats = [...open].filter(({secureKey}) => secureKey !== undefined)
  return {chats: chats.length, left: chats.filter(({ended}) => !ended).length}
}

async function close(account: Account, options: FarewellOptions, over: AbortSignal): Promise<void> {
  const {at: places} = options
  for (const clientId of [...account.sessions])
    for (const place of places) if (await goodbye(account, place, clientId, options, over)) break
  const [first] = places
  if (first && account.chat?.secureKey !== undefined && !account.chat.ended) await goodbye(account, first, undefined, options, over)
}

/** Says goodbye in the session `clientId`, or in a new one. False when the session is not known there. */
async function goodbye(
  account: Account,
  {ledger: _, ...place}: Address,
  clientId: string | undefined,
  {auth, deadlineMs}: FarewellOptions,
  over: AbortSignal,
): Promise<boolean> {
  const {chat, cookies} = account
  if (over.aborted) return false
  const user = new User(place, {headers: clientId === undefined || cookies === '' ? {} : {Cookie: cookies}})
  const giveUp = () => user.destroy()
  over.addEventListener('abort', giveUp)
  try {
    const bayeux = new BayeuxClient(new LongPollingTransport(user))
    bayeux.onEvent(message => account.hears(JSON.stringify([message])))
    bayeux.clientId = clientId
    if (clientId === undefined) await bayeux.handshake(deadlineMs)
    const poll = () => bayeux.connect(deadlineMs, {immediate: true})
    // What the user did not live to hear: the key of its chat.
    const connected = await poll()
    if (!connected.answered || connected.message.successful !== true) return false
    // The request may have been on its way when its user left.
    const since = performance.now()
    while (account.asking && performance.now() - since < LAST_ANSWER_MS && !over.aborted) {
      await pause(ASK_AGAIN_MS)
      await poll()
    }
    if (chat?.secureKey !== undefined && !chat.ended) {
      await bayeux.publish(chat.channel, {operation: 'disconnect', secureKey: chat.secureKey, ...(auth ? {auth} : {})}, deadlineMs)
      if (!chat.ended) await poll()
    }
    await bayeux.disconnect(deadlineMs)
    return true
  } finally {
    over.removeEventListener('abort', giveUp)
    user.destroy()
  }
}
