import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import {META} from '../wire/bayeux.ts'
import type {Failure} from './failure.ts'
import type {HeaderValues, RawExchange} from './journal.ts'

/** The answer to one message, with the exchange that carried it. */
export type Reply =
  | {answered: true; message: BayeuxMessage; exchange: RawExchange; status?: number; headers?: HeaderValues}
  | {answered: false; failure: Failure; exchange: RawExchange; status?: number}

/** Carries one message at a time and hands over everything else that arrives. */
export interface ProbeTransport {
  readonly type: BayeuxTransport
  /** `suffix` is what HTTP transports append to the path: `handshake`, `connect`, `disconnect` or nothing. */
  send(message: BayeuxMessage & {id: string}, suffix: string, deadlineMs: number): Promise<Reply>
  /** Called with every message that is not the reply. */
  onMessage: (message: BayeuxMessage) => void
}

/** A poll that repeats itself until it is stopped. */
export interface ConnectLoop {
  stop(): void
  /** Resolves when the loop has ended: with the reply that ended it, or nothing when it was stopped. */
  readonly done: Promise<Reply | undefined>
}

/**
 * A small Bayeux client that does exactly what it is told and shows every exchange. It obeys no advice: what a real client does with
 * it is the official client's part.
 */
export class BayeuxClient {
  clientId: string | undefined
  readonly transport: ProbeTransport
  #ids = 0

  constructor(transport: ProbeTransport) {
    this.transport = transport
  }

  /** Called with every message that GMS sends on its own account. */
  onEvent(listener: (message: BayeuxMessage) => void): void {
    this.transport.onMessage = listener
  }

  /** `/meta/handshake`, naming this transport only. Keeps the session id of a successful answer. */
  async handshake(deadlineMs: number): Promise<Reply> {
    const reply = await this.#send(
      {
        channel: META.handshake,
        version: '1.0',
        minimumVersion: '1.0',
        supportedConnectionTypes: [this.transport.type],
        advice: {timeout: 60_000, interval: 0},
      },
      'handshake',
      deadlineMs,
    )
    if (reply.answered && reply.message.successful === true) this.clientId = reply.message.clientId
    return reply
  }

  /** `/meta/connect`. With `immediate` GMS is asked not to hold it (as the official client does on the first one). */
  connect(deadlineMs: number, {immediate = false}: {immediate?: boolean} = {}): Promise<Reply> {
    return this.#send(
      {channel: META.connect, connectionType: this.transport.type, ...(immediate ? {advice: {timeout: 0}} : {})},
      'connect',
      deadlineMs,
    )
  }

  publish(channel: string, data: unknown, deadlineMs: number): Promise<Reply> {
    return this.#send({channel, data}, '', deadlineMs)
  }

  /** `/meta/subscribe`. A service channel needs none to be heard; the vendor page allows both ways. */
  subscribe(subscription: string, deadlineMs: number): Promise<Reply> {
    return this.#send({channel: META.subscribe, subscription}, '', deadlineMs)
  }

  disconnect(deadlineMs: number): Promise<Reply> {
    return this.#send({channel: META.disconnect}, 'disconnect', deadlineMs)
  }

  /** Keeps a `/meta/connect` on its way, as a browser does, until stopped, refused or cut. */
  keepConnected(deadlineMs: number): ConnectLoop {
    let stopped = false
    const run = async (): Promise<Reply | undefined> => {
      for (;;) {
        const reply = await this.connect(deadlineMs)
        if (stopped) return undefined
        if (!reply.answered || reply.message.successful !== true) return reply
      }
    }
    return {
      stop: () => {
        stopped = true
      },
      done: run(),
    }
  }

  #send(message: BayeuxMessage, suffix: string, deadlineMs: number): Promise<Reply> {
    this.#ids += 1
    return this.transport.send(
      {id: String(this.#ids), ...(this.clientId === undefined ? {} : {clientId: this.clientId}), ...message},
      suffix,
      deadlineMs,
    )
  }
}
