import {setTimeout as pause} from 'node:timers/promises'
import {WebSocket} from 'ws'
import type {BayeuxMessage} from '../wire/bayeux.ts'
import {COMETD_PATH, META} from '../wire/bayeux.ts'
import {chatChannel} from '../wire/chat.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import type {Failure} from './failure.ts'
import {failureOf, isHostLimit} from './failure.ts'
import {parseMessages} from './socket.ts'
import type {Account} from './ledger.ts'
import type {Address} from './user.ts'
import {nextProbe} from './user.ts'
import type {ChatAuth, ChatRequest} from '../wire/chat-messages.ts'

export interface IdleChatsOptions {
  chats: number
  /** Addresses of this machine that chats connect from in turn, as customers have one each; that of the target when there are none. */
  from?: readonly string[]
  /** Chats being opened at the same time. */
  concurrency?: number
  /** Chats begun in a second at most; as many as are opened at the same time when absent. */
  perSecond?: number
  /** Deadline of each step of opening one chat (upgrade, handshake, first connect, requestChat), ms. */
  stepMs: number
  chatService: string
  /** Asks for an agent in each session. */
  requestChat: boolean
  /** Credentials of the chat service. */
  auth?: ChatAuth
  signal: AbortSignal
}

/** Chats that could not be opened are not tried further once this many failed. */
const GIVE_UP_AFTER = 3
const DEFAULT_CONCURRENCY = 64

/** One chat, with as little as possible per chat: thousands live in one process. */
class IdleChat {
  readonly #socket: WebSocket
  readonly #options: IdleChatsOptions
  readonly #account: Account | undefined
  #clientId: string | undefined
  #ids = 0
  #waiting: {id: string; settle: (result: BayeuxMessage | Failure) => void} | undefined
  #held = false
  /** Called once, when a chat that was held is no more. */
  onLost: (failure: Failure) => void = () => undefined

  constructor(address: Address, options: IdleChatsOptions, from = address.from) {
    this.#options = options
    this.#account = address.ledger?.account(() => '')
    this.#socket = new WebSocket(address.url.origin.replace(/^http/, 'ws') + COMETD_PATH, {
      headers: {Host: address.hostHeader, [PROBE_HEADER]: nextProbe(), ...address.headers},
      origin: address.origin ?? `${address.url.protocol}//${address.hostHeader}`,
      ...(from === undefined ? {} : {localAddress: from}),
      handshakeTimeout: options.stepMs,
      perMessageDeflate: false,
      ...(address.trust ? {secureContext: address.trust} : {}),
      ...(address.serverName === undefined ? {} : {servername: address.serverName}),
    })
    this.#socket.on('message', data => this.#receive(String(data)))
    this.#socket.on('close', code => this.#fail({ended: 'closed', reason: `close ${code}`}))
    this.#socket.on('error', () => undefined)
  }

  get held(): boolean {
    return this.#held && this.#socket.readyState === WebSocket.OPEN
  }

  /** Upgrade, handshake, first connect, chat; then the connect that GMS holds. `undefined` when all went well. */
  async open(): Promise<Failure | undefined> {
    const refused = await this.#upgraded()
    if (refused !== undefined) return refused
    const session = await this.#ask({channel: META.handshake, version: '1.0', supportedConnectionTypes: ['websocket']})
    if ('ended' in session) return session
    this.#clientId = session.clientId
    const connected = await this.#ask({channel: META.connect, connectionType: 'websocket', advice: {timeout: 0}})
    if ('ended' in connected) return connected
    if (this.#options.requestChat) {
      const {auth} = this.#options
      const data: ChatRequest = {operation: 'requestChat', nickname: 'Idle', ...(auth ? {auth} : {})}
      const taken = await this.#ask({channel: chatChannel(this.#options.chatService), data})
      if ('ended' in taken) return taken
    }
    this.#held = true
    this.#connectAgain()
    return undefined
  }

  terminate(): void {
    this.onLost = () => undefined
    this.#held = false
    this.#socket.terminate()
  }

  #upgraded(): Promise<Failure | undefined> {
    return new Promise(resolve => {
      this.#socket.once('open', () => resolve(undefined))
      this.#socket.once('unexpected-response', (_request, response) => {
        resolve({ended: 'refused', reason: `HTTP ${response.statusCode ?? 0} to the upgrade`})
        this.#socket.terminate()
      })
      this.#socket.once('error', error => {
        const late = error.message.includes('handshake has timed out')
        resolve(late ? {ended: 'timed-out', reason: `no answer to the upgrade within ${this.#options.stepMs} ms`} : failureOf(error))
      })
      this.#socket.once('close', code => resolve({ended: 'closed', reason: `close ${code} during the upgrade`}))
    })
  }

  #send(message: BayeuxMessage): string {
    this.#ids += 1
    const id = String(this.#ids)
    const text = JSON.stringify([{id, ...(this.#clientId === undefined ? {} : {clientId: this.#clientId}), ...message}])
    this.#account?.asks('', text)
    this.#socket.send(text)
    return id
  }

  #ask(message: BayeuxMessage): Promise<BayeuxMessage | Failure> {
    return new Promise(resolve => {
      const settle = (result: BayeuxMessage | Failure) => {
        clearTimeout(timer)
        this.#waiting = undefined
        if ('ended' in result || result.successful === true) resolve(result)
        else resolve({ended: 'refused', reason: `${message.channel}: ${result.error ?? 'unsuccessful'}`})
      }
      const timer = setTimeout(
        () => settle({ended: 'timed-out', reason: `no answer to ${message.channel} within ${this.#options.stepMs} ms`}),
        this.#options.stepMs,
      )
      if (this.#socket.readyState !== WebSocket.OPEN) settle({ended: 'closed', reason: `closed before ${message.channel}`})
      else this.#waiting = {id: this.#send(message), settle}
    })
  }

  #connectAgain(): void {
    this.#send({channel: META.connect, connectionType: 'websocket'})
  }

  #receive(text: string): void {
    this.#account?.hears(text, 'websocket')
    for (const message of parseMessages(text) ?? []) {
      if (message.data !== undefined) continue
      if (this.#waiting !== undefined && message.id === this.#waiting.id) this.#waiting.settle(message)
      else if (this.#held && message.channel === META.connect) {
        if (message.successful === true) this.#connectAgain()
        else this.#fail({ended: 'refused', reason: `${message.channel}: ${message.error ?? 'unsuccessful'}`})
      }
    }
  }

  #fail(failure: Failure): void {
    this.#waiting?.settle(failure)
    if (!this.#held) return
    this.#held = false
    this.onLost(failure)
  }
}

/** Many chats that say nothing but keep their `/meta/connect` answered. Always `closeAll` in the end. */
export class IdleChats {
  readonly #chats: IdleChat[] = []
  #failed = 0
  /** Why the first chat could not be opened. */
  firstFailure: Failure | undefined
  /** Why the first chat that had been open was lost. */
  firstLoss: Failure | undefined
  /** The first failure was this machine's own limit (descriptors, ports, memory), not a refusal. */
  hostLimit = false

  /** Opens up to `chats` chats; stops early when several fail, when the machine is exhausted or on abort. */
  async open(address: Address, options: IdleChatsOptions): Promise<void> {
    let next = 0
    const began = performance.now()
    const worker = async () => {
      while (next < options.chats && this.#failed < GIVE_UP_AFTER && !this.hostLimit && !options.signal.aborted) {
        const from = options.from?.[next % options.from.length]
        const turn = began + (next * 1000) / (options.perSecond ?? Infinity)
        next += 1
        if (turn > performance.now()) await pause(turn - performance.now(), undefined, {signal: options.signal}).catch(() => undefined)
        if (this.#failed >= GIVE_UP_AFTER || options.signal.aborted) return
        await this.#openOne(address, options, from)
      }
    }
    const abort = () => this.closeAll()
    options.signal.addEventListener('abort', abort)
    await Promise.all(Array.from({length: Math.min(options.concurrency ?? DEFAULT_CONCURRENCY, options.chats)}, worker))
    options.signal.removeEventListener('abort', abort)
    if (options.signal.aborted) this.closeAll()
  }

  async #openOne(address: Address, options: IdleChatsOptions, from: string | undefined): Promise<void> {
    const chat = new IdleChat(address, options, from)
    this.#chats.push(chat)
    chat.onLost = failure => {
      this.firstLoss ??= failure
    }
    const failure = await chat.open()
    if (failure === undefined) return
    chat.terminate()
    this.#failed += 1
    this.firstFailure ??= failure
    if (isHostLimit(failure)) {
      this.hostLimit = true
      this.firstFailure = failure
    }
  }

  /** Chats that are held now. */
  stillOpen(): number {
    return this.#chats.reduce((count, chat) => count + (chat.held ? 1 : 0), 0)
  }

  /** Ends all sockets at once. */
  closeAll(): void {
    for (const chat of this.#chats) chat.terminate()
    this.#chats.length = 0
  }
}
