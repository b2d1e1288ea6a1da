import type {PageSeen} from '../flows/customer-page.ts'
import type {ChatNow, HandoverResult, Newcomer} from '../flows/handover.ts'
import type {Transcript} from '../flows/flow.ts'
import type {Recorder} from '../simulator/recorder.ts'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import type {Draft, Judgement} from './check.ts'
import {evidence} from './evidence.ts'

type Chat = Transcript & PageSeen

/** How long a node is down in a restart, ms: long enough that checks every 3 s have noticed three failures. */
export const DOWN_MS = 12_000
/** A node that runs again is used again within this time, ms. */
export const BACK_WITHIN_MS = 30_000

/** Enough on each transport that no node is without one, and few enough for a small machine. */
export const CHATS: readonly BayeuxTransport[] = [
  ...Array.from({length: 4}, () => ['websocket', 'long-polling'] as const).flat(),
  'callback-polling',
  'callback-polling',
]
/** Addresses that chats and newcomers of one run come from. */
export const ADDRESSES = 128

/** Between two newcomers, ms: as many come to each node of ten as to each of two, so that a proxy that draws lots leaves none of them out. */
export function newcomerEveryMs(nodes: number): number {
  return Math.max(80, 800 / Math.max(2, nodes))
}

/** The node that answered the handshake of a session; `undefined` when it never reached one. */
export function nodeOf(clientId: string | undefined, recorder: Recorder): string | undefined {
  return clientId === undefined ? undefined : recorder.bySession(clientId)[0]?.node
}

/** The node whose death shows most: with chats on most transports, then with most chats. */
export function busiest(chats: readonly ChatNow[], recorder: Recorder): string | undefined {
  const byNode = new Map<string, ChatNow[]>()
  for (const chat of chats) {
    const node = nodeOf(chat.clientId, recorder)
    if (node !== undefined) byNode.set(node, [...(byNode.get(node) ?? []), chat])
  }
  const weight = (own: readonly ChatNow[]) => 100 * new Set(own.map(({transport}) => transport)).size + own.length
  return [...byNode].sort(([, a], [, b]) => weight(b) - weight(a))[0]?.[0]
}

/** A handshake that succeeded and that GMS knows of. */
export function gotThrough({clientId}: Newcomer, recorder: Recorder): boolean {
  return nodeOf(clientId, recorder) !== undefined
}

/** An answer that this process was too busy to wait for, all the time: not the proxy's doing. */
const STRAINED = 0.9

/** A handshake that was refused, or got no answer although this machine had time for one. */
export function metAnError(newcomer: Newcomer, recorder: Recorder): boolean {
  return !gotThrough(newcomer, recorder) && !(newcomer.ended === 'timed-out' && newcomer.strain > STRAINED)
}

/** What a newcomer met, in a few words. */
export function fateOf({transport, stoppedAt, clientId}: Newcomer): string {
  return `${transport}: ${clientId === undefined ? (stoppedAt ?? 'no session') : 'a session that GMS does not know'}`
}

/** The open chats whose session was on `node` at that moment. */
export function wereOn(node: string | undefined, {chats}: HandoverResult, at: number, recorder: Recorder): readonly Chat[] {
  return chats.filter(
    ({opened, sessions}) => opened && nodeOf(sessions.filter(session => session.at <= at).at(-1)?.clientId, recorder) === node,
  )
}

/**
 * What was lost in a chat, or is in it twice: `spoken` is what the agent said on his own account, each once. `undefined` when all is there.
 */
export function lossIn({events, said}: Chat, spoken: readonly string[]): string | undefined {
  const times = (text: string) => events.filter(event => event.text === text).length
  for (const text of spoken) if (times(text) !== 1) return `"${text}" of the agent is in it ${count(times(text))}`
  for (const {attempts, answered} of said)
    for (const text of attempts) {
      const most = times(text)
      if (most > 1 || (text === answered && most !== 1)) return `"${text}" of the customer is in it ${count(most)}`
    }
  return undefined
}

function count(times: number): string {
  return times === 0 ? 'never' : times === 1 ? 'once' : `${times} times`
}

/** Names a chat in a report. */
function nameOf(chat: Chat, {chats}: HandoverResult): string {
  return `chat ${chats.indexOf(chat) + 1} (${chat.transport})`
}

/** Polling and WebSocket, as far as these chats use them: newcomers come in these two ways. */
export function kindsOf(chats: readonly ChatNow[]): readonly Newcomer['transport'][] {
  return (['long-polling', 'websocket'] as const).filter(kind =>
    chats.some(({transport}) => (transport === 'websocket') === (kind === 'websocket')),
  )
}

/**
 * The finding about the chats that `troubleOf` says something of; `undefined` when it is silent about all. One that could not be opened is
 * another check's matter.
 */
export function sufferingIn(
  result: HandoverResult,
  recorder: Recorder,
  finding: Pick<Draft, 'message' | 'expected'>,
  troubleOf: (chat: Chat) => string | undefined,
): Draft | undefined {
  const troubles = result.chats.flatMap(chat => {
    const trouble = chat.opened ? troubleOf(chat) : undefined
    return trouble === undefined ? [] : [{chat, trouble}]
  })
  const [first] = troubles
  if (!first) return undefined
  const named = troubles.slice(0, 3).map(({chat, trouble}) => `${nameOf(chat, result)} ${trouble}`)
  return {...finding, actual: named.join('; '), evidence: evidence(first.chat, recorder)}
}

/** There was nothing that `before` could have harmed, such as `a node dies`. */
export function noChatBefore(before: string, {chats, stoppedAt}: HandoverResult, recorder: Recorder): Judgement {
  return {
    status: 'failed',
    findings: [
      {
        message: `Expected a chat to be opened before ${before}`,
        expected: 'a chat on one of the nodes',
        actual: stoppedAt ?? 'no chat was opened',
        evidence: evidence(chats, recorder),
      },
    ],
  }
}
