import type {CapturedRequest} from '../simulator/recorder.ts'
import type {Moment, Reader} from '../simulator/request-log.ts'
import {isBayeuxMessage, type BayeuxMessage} from '../wire/bayeux.ts'
import {excerpt} from './excerpt.ts'
import type {FeedLine} from './protocol.ts'

/** Lines that a page sees when it is opened. */
const KEPT = 400
/** Messages of one batch that are shown. */
const SHOWN_MESSAGES = 50
/** Credentials are the client's own; the keys of chats are the simulator's, and stay. */
const SECRET = new Set(['password', 'encoded', 'authorization'])

/** Turns what the recorder sees into lines, keeps the last of them, and tells whoever listens. */
export class Feed {
  readonly #kept: FeedLine[] = []
  readonly #listeners = new Set<(line: FeedLine) => void>()
  /** Number of a request, and the session that it was last known to belong to. */
  readonly #known = new WeakMap<CapturedRequest, {request: number; session: string | undefined}>()
  #count = 0
  #requests = 0

  get kept(): readonly FeedLine[] {
    return this.#kept
  }

  /** To be given to the log of the simulator. */
  readonly read: Reader = (capture, moment, messages) => {
    const said = textOf(capture, moment)
    if (said === undefined && messages.length === 0) return
    this.#count += 1
    const {request, session} = this.#place(capture, messages)
    const line: FeedLine = {
      n: this.#count,
      at: Date.now(),
      request,
      node: capture.node,
      kind: KIND[moment],
      ...(capture.transport && {transport: capture.transport}),
      ...(session !== undefined && {session}),
      ...(messages.length > 0 && {messages: messages.slice(0, SHOWN_MESSAGES).map(message => excerpt(message, SECRET) as BayeuxMessage)}),
      ...(messages.length > SHOWN_MESSAGES && {more: messages.length - SHOWN_MESSAGES}),
      ...(said !== undefined && {text: said}),
    }
    this.#kept.push(line)
    if (this.#kept.length > KEPT) this.#kept.shift()
    for (const listener of this.#listeners) listener(line)
  }

  /** A handshake names no session before it is answered; what comes over the same WebSocket later belongs to it all the same. */
  #place(capture: CapturedRequest, messages: readonly BayeuxMessage[]): {request: number; session: string | undefined} {
    const known = this.#known.get(capture) ?? {request: (this.#requests += 1), session: undefined}
    known.session = sessionOf(messages) ?? known.session
    this.#known.set(capture, known)
    return known
  }

  listen(listener: (line: FeedLine) => void): Disposable {
    this.#listeners.add(listener)
    return {[Symbol.dispose]: () => this.#listeners.delete(listener)}
  }
}

const KIND: Record<Moment, FeedLine['kind']> = {received: 'received', sent: 'sent', struck: 'fault', ended: 'request', closed: 'closed'}

/** What there is to say besides messages; nothing for an answer whose messages have been said. */
function textOf(capture: CapturedRequest, moment: Moment): string | undefined {
  const what = `${capture.method} ${capture.target.split('?')[0] ?? ''}`
  switch (moment) {
    case 'struck': {
      const strike = capture.strikes.at(-1)
      return strike && `${strike.kind} strikes ${strike.scene}`
    }
    case 'closed':
      return `WebSocket closed with ${capture.close?.code ?? ''} by ${capture.close?.by ?? ''}`
    case 'ended':
      if (capture.ended === 'peer-closed') return `${what}: the peer closed the connection`
      if (capture.ended === 'gms-closed') return `${what}: GMS closed the connection`
      if (capture.status === 200 && capture.messages.length > 0) return undefined
      return `${what} → ${capture.status ?? ''}`
    default:
      return undefined
  }
}

function sessionOf(messages: readonly BayeuxMessage[]): string | undefined {
  return messages.find(message => isBayeuxMessage(message) && typeof message.clientId === 'string')?.clientId
}
