import type {ClientRequest, IncomingMessage} from 'node:http'
import {WebSocket} from 'ws'
import type {BayeuxMessage} from '../wire/bayeux.ts'
import {isBayeuxMessage} from '../wire/bayeux.ts'
import type {Failure} from './failure.ts'
import {failureOf} from './failure.ts'
import type {HeaderValues, RawExchange} from './journal.ts'
import type {User} from './user.ts'
import {nextProbe} from './user.ts'

/** How an upgrade ended. A refusal keeps what the peer said. */
export type Upgrade =
  | {accepted: true; status: 101; headers: HeaderValues; exchange: RawExchange}
  | {accepted: false; failure: Failure; status?: number; headers?: HeaderValues; body?: string; exchange: RawExchange}

export interface SocketOptions {
  /** Path of the upgrade. */
  path: string
  /** From connecting to the answer of the upgrade, ms. */
  deadlineMs: number
  /** Offer permessage-deflate as a browser does. */
  deflate: boolean
}

/** How much of a refusal's body is read, and for how long it is waited for. */
const REFUSAL_BYTES = 2000
const REFUSAL_WAIT_MS = 300

/** JSON text to Bayeux messages; `undefined` when it is anything else. */
export function parseMessages(text: string): readonly BayeuxMessage[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    return list.every(isBayeuxMessage) ? list : undefined
  } catch {
    return undefined
  }
}

/** Writes the headers of an answer in the journal's form. */
export function headersOf(response: IncomingMessage): HeaderValues {
  return Object.fromEntries(Object.entries(response.headersDistinct).map(([name, values]) => [name, values ?? []]))
}

/**
 * A WebSocket of one user: its cookies, Origin and Host go into the upgrade, and the upgrade and every frame into its journal.
 * (The stock adapter sends neither cookie nor Origin; seen in cometd-nodejs-client 2.0.0.)
 */
export class RecordedSocket extends WebSocket {
  /** Resolves when the upgrade was answered, or will not be. */
  readonly upgraded: Promise<Upgrade>
  readonly #user: User
  readonly #upgradeEntry: RawExchange
  readonly #unanswered = new Map<string, RawExchange>()
  #lastTraffic = performance.now()

  constructor(user: User, {path, deadlineMs, deflate}: SocketOptions) {
    const probe = nextProbe()
    const {Origin: origin, ...headers} = user.headers(path, probe)
    super(user.address.url.origin.replace(/^http/, 'ws') + path, {
      headers,
      ...(origin === undefined ? {} : {origin}),
      ...(user.from === undefined ? {} : {localAddress: user.from}),
      handshakeTimeout: deadlineMs,
      perMessageDeflate: deflate,
      maxPayload: 4 * 1_048_576,
      ...(user.address.trust ? {secureContext: user.address.trust} : {}),
      ...(user.address.serverName === undefined ? {} : {servername: user.address.serverName}),
    })
    this.#user = user
    this.#upgradeEntry = user.journal.open({transport: 'websocket', what: `upgrade ${path}`, probe})
    this.upgraded = this.#watchUpgrade(path, deadlineMs)
    this.on('message', (data, isBinary) => this.#received(isBinary ? '' : String(data)))
    this.on('close', code => this.#closed(code))
    const withdraw = user.onDestroy(() => this.terminate())
    this.on('close', withdraw)
  }

  /** Value of the probe header of the upgrade. */
  get probe(): string {
    return this.#upgradeEntry.probe ?? ''
  }

  /** `performance.now()` of the last frame in either direction. */
  get lastTraffic(): number {
    return this.#lastTraffic
  }

  override send(data: string, ...rest: unknown[]): void {
    this.#lastTraffic = performance.now()
    this.#user.account?.asks('', data)
    for (const message of parseMessages(data) ?? []) {
      const entry = this.#user.journal.open({transport: 'websocket', what: `frame ${message.channel}`, probe: this.probe})
      if (message.id !== undefined) this.#unanswered.set(message.id, entry)
    }
    super.send(data, ...(rest as [(error?: Error) => void]))
  }

  #received(text: string): void {
    this.#lastTraffic = performance.now()
    this.#user.account?.hears(text, 'websocket')
    const {journal} = this.#user
    const messages = parseMessages(text)
    if (messages === undefined)
      journal.close(journal.open({transport: 'websocket', what: 'frame that is not Bayeux', probe: this.probe}), text)
    for (const message of messages ?? []) {
      const id = message.data === undefined ? message.id : undefined
      const entry = id === undefined ? undefined : this.#unanswered.get(id)
      if (id !== undefined) this.#unanswered.delete(id)
      journal.close(
        entry ?? journal.open({transport: 'websocket', what: `frame ${message.channel} from GMS`, probe: this.probe}),
        JSON.stringify(message),
      )
    }
  }

  #closed(code: number): void {
    for (const entry of this.#unanswered.values()) this.#user.journal.close(entry, `close ${code}`)
    this.#unanswered.clear()
  }

  #watchUpgrade(path: string, deadlineMs: number): Promise<Upgrade> {
    const {journal} = this.#user
    const entry = this.#upgradeEntry
    return new Promise(resolve => {
      this.once('upgrade', (response: IncomingMessage) => {
        const headers = headersOf(response)
        this.#user.storeCookies(path, headers)
        journal.close(entry, response.statusMessage ?? '', {status: 101, headers})
        this.once('open', () => resolve({accepted: true, status: 101, headers, exchange: entry}))
      })
      this.once('unexpected-response', (_request: ClientRequest, response: IncomingMessage) => {
        const status = response.statusCode ?? 0
        const headers = headersOf(response)
        this.#user.storeCookies(path, headers)
        void excerptOf(response).then(body => {
          journal.close(entry, body, {status, headers})
          resolve({
            accepted: false,
            failure: {ended: 'refused', reason: `HTTP ${status} to the upgrade`},
            status,
            headers,
            body,
            exchange: entry,
          })
          this.terminate()
        })
      })
      this.once('error', error => {
        const late = error.message.includes('handshake has timed out')
        const failure: Failure = late ? {ended: 'timed-out', reason: `no answer to the upgrade within ${deadlineMs} ms`} : failureOf(error)
        journal.close(entry, failure.reason)
        resolve({accepted: false, failure, exchange: entry})
      })
      // A second error (terminate during the upgrade) must not become an uncaught exception.
      this.on('error', () => undefined)
      this.once('close', code => {
        journal.close(entry, `close ${code}`)
        resolve({accepted: false, failure: {ended: 'closed', reason: `close ${code} during the upgrade`}, exchange: entry})
      })
    })
  }
}

/** The beginning of a refusal's body, without waiting for a peer that never ends it. */
function excerptOf(response: IncomingMessage): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    const done = () => {
      clearTimeout(timer)
      resolve(text)
    }
    const timer = setTimeout(done, REFUSAL_WAIT_MS)
    response.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.length >= REFUSAL_BYTES) done()
    })
    response.once('end', done)
    response.once('error', done)
    response.once('close', done)
  })
}
