import type {BayeuxMessage} from '../wire/bayeux.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import type {ProbeTransport, Reply} from './bayeux-client.ts'
import type {Failure} from './failure.ts'
import type {RawExchange} from './journal.ts'
import type {Upgrade} from './socket.ts'
import {parseMessages, RecordedSocket} from './socket.ts'
import type {User} from './user.ts'

/** How and when a WebSocket ended. `at` is `performance.now()`. */
export interface SocketEnd {
  at: number
  code: number
  reason: string
}

/** Bayeux over one WebSocket; one text frame is one JSON array. It sends nothing by itself: left alone, the wire is silent. */
export class WebSocketTransport implements ProbeTransport {
  readonly type = 'websocket'
  onMessage: (message: BayeuxMessage) => void = () => undefined
  readonly socket: RecordedSocket
  /** Resolves when the socket ends. */
  readonly ended: Promise<SocketEnd>
  #end: SocketEnd | undefined
  readonly #waiting = new Map<string, (message: BayeuxMessage) => void>()
  readonly #user: User

  private constructor(user: User, socket: RecordedSocket) {
    this.#user = user
    this.socket = socket
    this.ended = new Promise(resolve => {
      socket.once('close', (code, reason) => {
        this.#end = {at: performance.now(), code, reason: reason.toString()}
        resolve(this.#end)
      })
    })
    socket.on('message', data => {
      for (const message of parseMessages(String(data)) ?? []) this.#receive(message)
    })
  }

  /** Upgrades to `/genesys/cometd`. The transport can be used when the upgrade was accepted. */
  static async open(
    user: User,
    {deadlineMs, deflate = false}: {deadlineMs: number; deflate?: boolean},
  ): Promise<{transport: WebSocketTransport; upgrade: Upgrade}> {
    const socket = new RecordedSocket(user, {path: COMETD_PATH, deadlineMs, deflate})
    const transport = new WebSocketTransport(user, socket)
    return {transport, upgrade: await socket.upgraded}
  }

  /** How the socket ended, if it did. */
  get end(): SocketEnd | undefined {
    return this.#end
  }

  async send(message: BayeuxMessage & {id: string}, _suffix: string, deadlineMs: number): Promise<Reply> {
    const {journal} = this.#user
    const before = journal.exchanges.length
    const arrived = new Promise<BayeuxMessage>(resolve => this.#waiting.set(message.id, resolve))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(() => resolve('late'), deadlineMs)
    })
    const open = this.socket.readyState === this.socket.OPEN
    if (open) this.socket.send(JSON.stringify([message]))
    const exchange: RawExchange =
      journal.exchanges[before] ?? journal.open({transport: 'websocket', what: `frame ${message.channel}`, probe: this.socket.probe})
    const won = await Promise.race([arrived, late, this.ended])
    clearTimeout(timer)
    this.#waiting.delete(message.id)
    if (won !== 'late' && 'channel' in won) return {answered: true, message: won, exchange}
    const failure: Failure =
      won === 'late'
        ? {ended: 'timed-out', reason: `no answer within ${deadlineMs} ms`}
        : {ended: 'closed', reason: `close ${won.code}${won.reason === '' ? '' : ` ${won.reason}`}`}
    journal.close(exchange, failure.reason)
    return {answered: false, failure, exchange}
  }

  #receive(message: BayeuxMessage): void {
    const waiting = message.data === undefined && message.id !== undefined ? this.#waiting.get(message.id) : undefined
    if (waiting === undefined) this.onMessage(message)
    else waiting(message)
  }

  /** Ends the socket at once. */
  terminate(): void {
    this.socket.terminate()
  }
}
