import {createHash} from 'node:crypto'
import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import type {Fault, FaultScene, FaultStrike} from './faults.ts'
import type {CapturedRequest, Recorder} from './recorder.ts'

/** What is known when the head of a request has been read. */
interface RequestHead {
  node: string
  method: string
  target: string
  httpVersion: string
  /** Name, value, name, value, … as Node hands them over: repeats and order are kept. */
  rawHeaders: readonly string[]
  remoteAddress: string
}

/** Messages that are kept of one WebSocket; of more, the older half is forgotten: it may stay open for weeks. */
const KEPT_MESSAGES = 20_000

/** What has just happened to a request. */
export type Moment = 'received' | 'sent' | 'struck' | 'ended' | 'closed'

/** Reads along: called for every moment, with the messages that were received or sent. */
export type Reader = (capture: CapturedRequest, moment: Moment, messages: readonly BayeuxMessage[]) => void

function headersOf(rawHeaders: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    ;(headers[name] ??= []).push(rawHeaders[i + 1] ?? '')
  }
  return headers
}

/** One entry of the log, filled by the node while the request lives. Every change wakes those who wait for it. */
export class Capture implements CapturedRequest {
  readonly at = Date.now()
  readonly node: string
  readonly method: string
  readonly target: string
  readonly httpVersion: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly remoteAddress: string
  readonly probe?: string
  readonly messages: BayeuxMessage[] = []
  transport?: BayeuxTransport
  body?: {bytes: number; sha256: string}
  status?: number
  answeredAt?: number
  sent?: {contentType?: string; bytes: number; sha256: string}
  ended: CapturedRequest['ended'] = 'open'
  cutAt?: number
  readonly strikes: FaultStrike[] = []
  close?: {at: number; code: number; by: 'client' | 'gms' | 'cut'}
  readonly #log: RequestLog

  constructor(log: RequestLog, head: RequestHead) {
    this.#log = log
    this.node = head.node
    this.method = head.method
    this.target = head.target
    this.httpVersion = head.httpVersion
    this.headers = headersOf(head.rawHeaders)
    this.remoteAddress = head.remoteAddress
    const probe = this.headers[PROBE_HEADER]?.[0]
    if (probe !== undefined) this.probe = probe
  }

  /** Messages that were parsed out of the body, the query or a frame. */
  received(transport: BayeuxTransport, messages: readonly BayeuxMessage[]): void {
    this.transport = transport
    for (const message of messages) {
      this.messages.push(message)
      if (typeof message.clientId === 'string') this.#log.belongsTo(message.clientId, this)
    }
    if (this.messages.length > KEPT_MESSAGES) this.messages.splice(0, this.messages.length - KEPT_MESSAGES / 2)
    if (messages.length > 0) this.#log.reader?.(this, 'received', messages)
    this.#log.changed(this)
  }

  /** Messages that go to the client: read along, not kept. */
  answers(messages: readonly BayeuxMessage[]): void {
    this.#log.reader?.(this, 'sent', messages)
  }

  /** The handshake carried no clientId yet, but belongs to the session it created. */
  createdSession(clientId: string): void {
    this.#log.belongsTo(clientId, this)
    this.#log.changed(this)
  }

  bodyEnded(bytes: number, sha256: string): void {
    this.body = {bytes, sha256}
    this.#log.changed(this)
  }

  struck(kind: Fault['kind'], scene: FaultScene): void {
    this.strikes.push({at: Date.now(), kind, scene})
    this.#log.reader?.(this, 'struck', [])
    this.#log.changed(this)
  }

  /** The whole answer, before its first byte leaves. */
  sending(body: string | Buffer, contentType: string | undefined): void {
    const sha256 = createHash('sha256').update(body).digest('hex')
    this.sent = {bytes: Buffer.byteLength(body), sha256, ...(contentType === undefined ? {} : {contentType})}
  }

  /** The head of an answer is on its way; its body follows slowly. */
  answering(status: number): void {
    if (this.ended !== 'open') return
    this.status = status
    this.#log.changed(this)
  }

  answered(status: number): void {
    if (this.ended !== 'open') return
    this.status = status
    this.answeredAt = Date.now()
    this.ended = 'answered'
    this.#log.reader?.(this, 'ended', [])
    this.#log.changed(this)
  }

  peerClosed(): void {
    this.#cut('peer-closed')
  }

  /** GMS closes the connection without an answer: a fault, or the node stops. To be said before the connection is closed. */
  gmsClosed(): void {
    this.#cut('gms-closed')
  }

  #cut(ended: 'peer-closed' | 'gms-closed'): void {
    if (this.ended !== 'open') return
    this.ended = ended
    this.cutAt = Date.now()
    this.#log.reader?.(this, 'ended', [])
    this.#log.changed(this)
  }

  closed(code: number, by: 'client' | 'gms' | 'cut'): void {
    this.close = {at: Date.now(), code, by}
    this.#log.reader?.(this, 'closed', [])
    this.#log.changed(this)
  }
}

interface Waiter {
  matches(request: CapturedRequest): boolean
  settle(request: CapturedRequest | undefined): void
}

/** The recorder: one log for all nodes, indexed by probe and by session, with waiting driven by events. */
export class RequestLog implements Recorder {
  readonly reader: Reader | undefined
  readonly #capacity: number
  #requests: Capture[] = []
  readonly #byProbe = new Map<string, Capture>()
  readonly #bySession = new Map<string, Set<Capture>>()
  readonly #waiters = new Set<Waiter>()
  #ended = false

  /** @param capacity requests kept; beyond it the oldest tenth that has ended is forgotten, so that a simulator can run for weeks. */
  constructor(capacity: number, reader?: Reader) {
    this.#capacity = capacity
    this.reader = reader
  }

  get requests(): readonly CapturedRequest[] {
    return this.#requests
  }

  byProbe(probe: string): CapturedRequest | undefined {
    return this.#byProbe.get(probe)
  }

  bySession(clientId: string): readonly CapturedRequest[] {
    return [...(this.#bySession.get(clientId) ?? [])]
  }

  async waitFor(matches: (request: CapturedRequest) => boolean, timeoutMs: number): Promise<CapturedRequest | undefined> {
    const known = this.#requests.find(matches)
    if (known || this.#ended) return known
    return new Promise((resolve, reject) => {
      const settle = (request: CapturedRequest | undefined): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
        resolve(request)
      }
      const guarded = (request: CapturedRequest): boolean => {
        try {
          return matches(request)
        } catch (error) {
          clearTimeout(timer)
          this.#waiters.delete(waiter)
          reject(error instanceof Error ? error : new Error(String(error)))
          return false
        }
      }
      const waiter: Waiter = {matches: guarded, settle}
      const timer = setTimeout(() => settle(undefined), timeoutMs)
      this.#waiters.add(waiter)
    })
  }

  begin(head: RequestHead): Capture {
    const capture = new Capture(this, head)
    this.#requests.push(capture)
    // The first request keeps the probe: a proxy that sends a request twice must not hide the original.
    if (capture.probe !== undefined && !this.#byProbe.has(capture.probe)) this.#byProbe.set(capture.probe, capture)
    if (this.#requests.length > this.#capacity) this.#forgetOldest()
    this.changed(capture)
    return capture
  }

  belongsTo(clientId: string, capture: Capture): void {
    const captures = this.#bySession.get(clientId)
    if (captures) captures.add(capture)
    else this.#bySession.set(clientId, new Set([capture]))
  }

  /** A node stops: what it has not answered yet, it never will. */
  nodeStops(node: string): void {
    for (const capture of this.#requests) if (capture.node === node) capture.gmsClosed()
  }

  changed(capture: Capture): void {
    for (const waiter of [...this.#waiters]) if (waiter.matches(capture)) waiter.settle(capture)
  }

  /** The simulator stops: nothing will arrive any more. */
  end(): void {
    this.#ended = true
    for (const waiter of [...this.#waiters]) waiter.settle(undefined)
  }

  #forgetOldest(): void {
    let surplus = Math.ceil(this.#capacity / 10)
    const forgotten = new Set<Capture>()
    for (const capture of this.#requests) {
      if (surplus === 0) break
      if (capture.ended === 'open' || (capture.status === 101 && !capture.close)) continue
      forgotten.add(capture)
      surplus -= 1
    }
    this.#requests = this.#requests.filter(capture => !forgotten.has(capture))
    for (const [probe, capture] of this.#byProbe) if (forgotten.has(capture)) this.#byProbe.delete(probe)
    for (const [clientId, captures] of this.#bySession) {
      for (const capture of captures) if (forgotten.has(capture)) captures.delete(capture)
      if (captures.size === 0) this.#bySession.delete(clientId)
    }
  }
}
