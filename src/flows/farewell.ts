import {setTimeout as pause} from 'node:timers/promises'
import pLimit from 'p-limit'
import type {ProbeTransport} from '../client/bayeux-client.ts'
import {BayeuxClient} from '../client/bayeux-client.ts'
import {CallbackPollingTransport} from '../client/callback-polling.ts'
import type {Account, Ledger, OpenChat} from '../client/ledger.ts'
import {LAST_ANSWER_MS} from '../client/ledger.ts'
import {LongPollingTransport} from '../client/long-polling.ts'
import type {Address} from '../client/user.ts'
import {User} from '../client/user.ts'
import {WebSocketTransport} from '../client/websocket.ts'
import type {BayeuxTransport} from '../wire/bayeux.ts'
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
  const lost = new Set<OpenChat>()
  await Promise.all(
    accounts.map(account =>
      limit(async () => {
        const {chat, asking} = account
        const hadSession = account.sessions.size > 0
        const found = await close(account, options, over)
        // Nobody could ask whether the chat had been granted.
        if (chat && asking && hadSession && !found) lost.add(chat)
      }),
    ),
  )
  // Where a session was found and no key came, there was no chat.
  const chats = [...open].filter(chat => chat.secureKey !== undefined || lost.has(chat))
  return {chats: chats.length, left: chats.filter(({ended}) => !ended).length}
}

/** True when a session of the account was found. */
async function close(account: Account, options: FarewellOptions, over: AbortSignal): Promise<boolean> {
  const {at: places} = options
  let found = false
  for (const [clientId, travel] of [...account.sessions])
    for (const place of places)
      if (await goodbye(account, place, {clientId, travel}, options, over)) {
        found = true
        break
      }
  const [first] = places
  if (first && account.chat?.secureKey !== undefined && !account.chat.ended) await goodbye(account, first, undefined, options, over)
  return found
}

/** Says goodbye in this session, or in a new one. False when the session is not known there. */
async function goodbye(
  account: Account,
  {ledger: _, ...place}: Address,
  session: {clientId: string; travel: BayeuxTransport} | undefined,
  {auth, deadlineMs}: FarewellOptions,
  over: AbortSignal,
): Promise<boolean> {
  const {chat, cookies} = account
  if (over.aborted) return false
  const user = new User(place, {headers: !session || cookies === '' ? {} : {Cookie: cookies}})
  const giveUp = () => user.destroy()
  over.addEventListener('abort', giveUp)
  try {
    const bayeux = new BayeuxClient(await transportOf(user, session?.travel ?? 'long-polling', deadlineMs))
    bayeux.onEvent(message => account.hears(JSON.stringify([message]), session?.travel ?? 'long-polling'))
    bayeux.clientId = session?.clientId
    if (!session) await bayeux.handshake(deadlineMs)
    const poll = () => bayeux.connect(deadlineMs, {immediate: true})
    // What the user did not live to hear: the key of its chat.
    const connected = await poll()
    if (!connected.answered || connected.message.successful !== true) return false
    const until = async (done: () => boolean) => {
      const since = performance.now()
      while (!done() && performance.now() - since < LAST_ANSWER_MS && !over.aborted) {
        await pause(ASK_AGAIN_MS)
        await poll()
      }
    }
    // The request may have been on its way when its user left.
    await until(() => !account.asking)
    if (chat?.secureKey !== undefined && !chat.ended) {
      await bayeux.publish(chat.channel, {operation: 'disconnect', secureKey: chat.secureKey, ...(auth ? {auth} : {})}, deadlineMs)
      await until(() => chat.ended)
    }
    await bayeux.disconnect(deadlineMs)
    return true
  } finally {
    over.removeEventListener('abort', giveUp)
    user.destroy()
  }
}

async function transportOf(user: User, travel: BayeuxTransport, deadlineMs: number): Promise<ProbeTransport> {
  switch (travel) {
    case 'websocket':
      return (await WebSocketTransport.open(user, {deadlineMs})).transport
    case 'callback-polling':
      return new CallbackPollingTransport(user)
    case 'long-polling':
      return new LongPollingTransport(user)
  }
}
