import {randomInt} from 'node:crypto'
import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'

/** A `/meta/connect` that the server has not answered yet. */
interface HeldConnect {
  /** Answers it now with everything queued. */
  resume(): void
  /** Forgets it: the peer went away or a later connect took its place. `duplicate` is answered as CometD does. */
  cancel(reason: 'gone' | 'duplicate'): void
}

/** Where a WebSocket session's messages go at once. */
export interface Outlet {
  send(messages: readonly BayeuxMessage[]): void
}

/** Base-36 text of `length` characters, the alphabet of CometD's ids. */
export function randomId(length: number): string {
  let id = ''
  while (id.length < length) id += randomInt(36).toString(36)
  return id
}

/** One Bayeux session: lives on one node only. */
export class BayeuxSession {
  readonly id: string
  readonly node: string
  /** Value of BAYEUX_BROWSER: HTTP requests must bring it along with the clientId. */
  readonly browserId: string | undefined
  /** Transport of its handshake. */
  readonly bornOn: BayeuxTransport
  transport: BayeuxTransport
  connected = false
  removed = false
  /** Transport whose advice the client has already been told in answer to a connect. */
  advised: BayeuxTransport | undefined
  held: HeldConnect | undefined
  outlet: Outlet | undefined
  /** Channels that this session has subscribed to. */
  readonly subscriptions = new Set<string>()
  /** `advice.interval` that the client asked for with its last connect, ms. */
  intervalMs = 0
  /** Time of expiry, ms since the epoch; infinite while a connect is held. */
  expiresAt = Number.POSITIVE_INFINITY
  #queue: BayeuxMessage[] = []
  #batches = 0
  readonly #whenRemoved: (() => void)[] = []

  constructor(id: string, node: string, transport: BayeuxTransport, browserId: string | undefined) {
    this.id = id
    this.node = node
    this.transport = transport
    this.bornOn = transport
    this.browserId = browserId
  }

  /** Sends to the client: a WebSocket gets it at once, an HTTP client with the answer in progress or by waking its held connect. */
  deliver(message: BayeuxMessage): void {
    if (this.removed) return
    this.#queue.push(message)
    if (this.outlet) this.outlet.send(this.takeQueue())
    else if (this.#batches === 0) this.held?.resume()
  }

  /** While `work` runs, messages wait for its answer instead of waking a held connect. */
  batch<T>(work: () => T): T {
    this.#batches += 1
    try {
      return work()
    } finally {
      this.#batches -= 1
    }
  }

  takeQueue(): BayeuxMessage[] {
    const queue = this.#queue
    this.#queue = []
    return queue
  }

  get hasQueue(): boolean {
    return this.#queue.length > 0
  }

  onRemoved(listener: () => void): void {
    this.#whenRemoved.push(listener)
  }

  remove(): void {
    if (this.removed) return
    this.removed = true
    for (const listener of this.#whenRemoved) listener()
  }
}
