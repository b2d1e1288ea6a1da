import {WebSocket} from 'ws'
import type {BayeuxMessage} from '../wire/bayeux.ts'
import type {Capture} from './request-log.ts'
import {trickle} from './trickle.ts'

/** A deflater costs a connection about 250 kB for its life: thousands of idle chats must not pay that for short answers. */
const COMPRESS_FROM_BYTES = 1024

type Lane = {due: number; work: () => void}[]

/** What goes in and out of one WebSocket keeps its order, however late or slow a fault makes parts of it. */
export class FrameLine {
  readonly #webSocket: WebSocket
  readonly #capture: Capture
  readonly #waiting: {text: string; bytesPerSecond: number | undefined}[] = []
  /** A held connect holds up nobody: connects wait in a lane of their own. */
  readonly #lanes: {connect: Lane; other: Lane} = {connect: [], other: []}
  #stop: (() => void) | undefined
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(webSocket: WebSocket, capture: Capture) {
    this.#webSocket = webSocket
    this.#capture = capture
    webSocket.once('close', () => {
      this.#stop?.()
      for (const timer of this.#timers) clearTimeout(timer)
    })
  }

  /** Sends one frame, or fragments at that rate when one is given; what is sent meanwhile follows after them. */
  send(messages: readonly BayeuxMessage[], bytesPerSecond?: number): void {
    if (messages.length === 0 || this.#webSocket.readyState !== WebSocket.OPEN) return
    this.#capture.answers(messages)
    this.#send(JSON.stringify(messages), bytesPerSecond)
  }

  /** Does the work for a frame, `lateMs` from now and after that for earlier frames of its lane; never on a socket that has closed. */
  take(lane: 'connect' | 'other', lateMs: number, work: () => void): void {
    const queue = this.#lanes[lane]
    if (lateMs === 0 && queue.length === 0) {
      work()
      return
    }
    const due = Math.max(performance.now() + lateMs, queue.at(-1)?.due ?? 0)
    queue.push({due, work})
    if (queue.length === 1) this.#wait(queue)
  }

  #send(text: string, bytesPerSecond: number | undefined): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return
    if (this.#stop) this.#waiting.push({text, bytesPerSecond})
    else if (bytesPerSecond === undefined) this.#webSocket.send(text, {compress: text.length >= COMPRESS_FROM_BYTES})
    else this.#trickle(text, bytesPerSecond)
  }

  #wait(queue: Lane): void {
    const [first] = queue
    if (!first) return
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        first.work()
        queue.shift()
        this.#wait(queue)
      },
      Math.max(0, first.due - performance.now()),
    )
    this.#timers.add(timer)
  }

  #trickle(text: string, bytesPerSecond: number): void {
    this.#stop = trickle(Buffer.from(text), bytesPerSecond, (part, last) => {
      if (this.#webSocket.readyState !== WebSocket.OPEN) {
        this.#stop?.()
        return
      }
      this.#webSocket.send(part, {binary: false, compress: false, fin: last})
      if (!last) return
      this.#stop = undefined
      // Until one of them trickles as well.
      while (!this.#stop && this.#waiting.length > 0) {
        const next = this.#waiting.shift()
        if (next) this.#send(next.text, next.bytesPerSecond)
      }
    })
  }
}
