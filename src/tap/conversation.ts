import type {Hash} from 'node:crypto'
import {createHash} from 'node:crypto'
import {brotliDecompressSync, gunzipSync, inflateSync} from 'node:zlib'
import type {Capture, RequestLog} from '../simulator/request-log.ts'
import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import {COMETD_PATH, isBayeuxMessage, META} from '../wire/bayeux.ts'
import type {FrameReader} from './frames.ts'
import {readFrames} from './frames.ts'
import type {Framing, Head} from './http-reader.ts'
import {HttpReader, statedFraming, valuesOf} from './http-reader.ts'

/** Bodies are searched for Bayeux messages up to this size. */
const MOST_TEXT = 1_048_576
/** RFC 6455, 7.4.1: the connection ended without a close frame. */
const ABNORMAL = 1006

/** A body as it goes by. */
class Body {
  bytes = 0
  readonly #hash: Hash = createHash('sha256')
  readonly #chunks: Buffer[] = []

  add(chunk: Buffer): void {
    this.bytes += chunk.length
    this.#hash.update(chunk)
    if (this.bytes <= MOST_TEXT) this.#chunks.push(chunk)
  }

  digest(): string {
    return this.#hash.digest('hex')
  }

  /** Empty when it is too long to be Bayeux. */
  get content(): Buffer {
    return this.bytes <= MOST_TEXT ? Buffer.concat(this.#chunks) : Buffer.alloc(0)
  }
}

/** A request that GMS has not answered completely. */
interface Pending {
  capture: Capture
  /** The proxy ended its side before the answer. */
  left: boolean
  sends: Body
}

export interface ConversationOptions {
  node: string
  remoteAddress: string
  log: RequestLog
}

/**
 * What is said on one connection between proxy and GMS, read from copies of the bytes of both directions and written into the log as a
 * simulated node would write it.
 */
export class Conversation {
  readonly #options: ConversationOptions
  readonly #requests: HttpReader
  readonly #answers: HttpReader
  /** The request that is being read, and those that wait for their answers, the oldest first (RFC 9112, 9.3.2: pipelining). */
  #reading: {capture: Capture; body: Body; path: string} | undefined
  readonly #pending: Pending[] = []
  #answering: {status: number; head: Head; body: Body; to: Pending | undefined} | undefined
  /** Set after a 101 to a WebSocket upgrade. */
  #frames: {fromClient: FrameReader; fromGms: FrameReader} | undefined
  #unread: Promise<void> | undefined
  #socket: Capture | undefined
  #closing: {code: number; by: 'client' | 'gms'} | undefined

  constructor(options: ConversationOptions) {
    this.#options = options
    this.#requests = new HttpReader({
      head: head => this.#onRequest(head),
      body: chunk => this.#reading?.body.add(chunk),
      end: () => this.#onRequestEnd(),
      foreign: chunk => {
        this.#unread = this.#frames?.fromClient.push(chunk)
      },
    })
    this.#answers = new HttpReader({
      head: head => this.#onAnswer(head),
      body: chunk => this.#answering?.body.add(chunk),
      end: () => this.#onAnswerEnd(),
      foreign: chunk => {
        this.#unread = this.#frames?.fromGms.push(chunk)
      },
    })
  }

  /** Reads what the proxy sends. To be awaited before the bytes go on: nobody answers what has not been noted. */
  fromProxy(chunk: Buffer): Promise<void> | undefined {
    return this.#read(this.#requests, chunk)
  }

  /** Reads what GMS sends. */
  fromGms(chunk: Buffer): Promise<void> | undefined {
    return this.#read(this.#answers, chunk)
  }

  /** The proxy ends, or cuts, its side. */
  proxyEnded(): void {
    for (const pending of this.#pending) {
      pending.left = true
      pending.capture.peerClosed()
    }
    this.#reading?.capture.peerClosed()
    this.#socketEnded({code: ABNORMAL, by: 'cut'})
  }

  /** GMS ends, or cuts, its side. */
  gmsEnded(): void {
    this.#answers.finish()
    for (const {capture} of this.#pending) capture.gmsClosed()
    this.#socketEnded({code: ABNORMAL, by: 'gms'})
  }

  #read(reader: HttpReader, chunk: Buffer): Promise<void> | undefined {
    reader.push(chunk)
    const unread = this.#unread
    this.#unread = undefined
    return unread
  }

  #onRequest(head: Head): Framing {
    const [, method = '', target = '', httpVersion = ''] = /^(\S+) (.*) HTTP\/(\d\.\d)$/.exec(head.startLine) ?? []
    if (method === '') return {kind: 'foreign'}
    const {node, remoteAddress, log} = this.#options
    const capture = log.begin({node, method, target, httpVersion, rawHeaders: head.rawHeaders, remoteAddress})
    const path = pathOf(target)
    this.#reading = {capture, body: new Body(), path}
    this.#pending.push({capture, left: false, sends: new Body()})
    const framing = statedFraming(head, {kind: 'none'})
    const mayLeaveHttp = method === 'CONNECT' || valuesOf(head, 'upgrade').length > 0
    if (!mayLeaveHttp || framing.kind !== 'none') return framing
    return {kind: 'undecided'}
  }

  /** The request for another protocol was refused: it had no body, and the next one may follow. */
  #onRefused(to: Pending | undefined): void {
    if (to && this.#reading?.capture === to.capture && this.#requests.undecided) this.#onRequestEnd()
  }

  #onRequestEnd(): void {
    const request = this.#reading
    if (!request) return
    this.#reading = undefined
    const {capture, body, path} = request
    capture.bodyEnded(body.bytes, body.digest())
    if (path !== COMETD_PATH && !path.startsWith(`${COMETD_PATH}/`)) return
    const query = new URLSearchParams(capture.target.split('?').slice(1).join('?'))
    const [transport, text]: [BayeuxTransport, string] =
      capture.method === 'POST' ? ['long-polling', postedText(capture, body.content)] : ['callback-polling', query.get('message') ?? '']
    if (capture.method !== 'POST' && !(capture.method === 'GET' && query.has('jsonp'))) return
    const messages = messagesIn(text)
    if (messages) capture.received(transport, messages)
  }

  #onAnswer(head: Head): Framing {
    const status = Number(/^HTTP\/\d\.\d (\d{3})/.exec(head.startLine)?.[1] ?? Number.NaN)
    if (Number.isNaN(status)) return {kind: 'foreign'}
    // An interim answer: the real one follows.
    if (status < 200 && status !== 101) return {kind: 'none'}
    const to = this.#pending[0]
    this.#answering = {status, head, body: new Body(), to}
    const method = to?.capture.method
    if (status === 101 || (method === 'CONNECT' && status < 300)) {
      this.#leaveHttp(head, status)
      return {kind: 'foreign'}
    }
    if (to?.capture === this.#reading?.capture) {
      this.#onRefused(to)
      this.#requests.decide('http')
    }
    if (to) {
      if (to.left) rejoin(to.capture)
      to.capture.answering(status)
    }
    if (method === 'HEAD' || status === 204 || status === 304) return {kind: 'none'}
    return statedFraming(head, {kind: 'until-close'})
  }

  #onAnswerEnd(): void {
    const answer = this.#answering
    if (!answer) return
    this.#answering = undefined
    const {status, head, body, to} = answer
    this.#pending.shift()
    if (!to) return
    const {capture} = to
    const contentType = valuesOf(head, 'content-type')[0]
    if (capture.transport && status === 200) this.#noteSessions(capture, textOf(body.content, valuesOf(head, 'content-encoding')[0]))
    capture.sent = {bytes: body.bytes, sha256: body.digest(), ...(contentType === undefined ? {} : {contentType})}
    capture.answered(status)
  }

  #leaveHttp(head: Head, status: number): void {
    const to = this.#pending.shift()
    this.#answering = undefined
    this.#reading = undefined
    const isWebSocket = valuesOf(head, 'upgrade').some(value => value.toLowerCase() === 'websocket')
    if (to && isWebSocket) {
      const {capture} = to
      this.#socket = capture
      capture.received('websocket', [])
      const extensions = valuesOf(head, 'sec-websocket-extensions').join(', ')
      this.#frames = {
        fromClient: readFrames(
          {fromClient: true, extensions},
          {
            text: text => capture.received('websocket', messagesIn(text) ?? []),
            close: code => (this.#closing ??= {code, by: 'client'}),
          },
        ),
        fromGms: readFrames(
          {fromClient: false, extensions},
          {
            text: text => this.#noteSessions(capture, text),
            close: code => (this.#closing ??= {code, by: 'gms'}),
          },
        ),
      }
    }
    to?.capture.answered(status)
    this.#requests.decide('foreign')
  }

  /** A handshake carries no clientId yet, but belongs to the session it created. */
  #noteSessions(capture: Capture, text: string): void {
    for (const {channel, successful, clientId} of messagesIn(unwrapped(text)) ?? [])
      if (channel === META.handshake && successful === true && clientId !== undefined) capture.createdSession(clientId)
  }

  #socketEnded(how: {code: number; by: 'gms' | 'cut'}): void {
    const {code, by} = this.#closing ?? how
    this.#socket?.closed(code, by)
    this.#socket = undefined
  }
}

/** A peer that only half closed still gets its answer. */
function rejoin(capture: Capture): void {
  if (capture.ended === 'peer-closed') capture.ended = 'open'
}

/** Path of a target in origin or absolute form. */
function pathOf(target: string): string {
  return target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '').split('?')[0] ?? ''
}

/** CometD takes JSON, and the same in the parameter `message` of a form. */
function postedText(capture: Capture, body: Buffer): string {
  const type = capture.headers['content-type']?.[0] ?? ''
  const text = textOf(body, capture.headers['content-encoding']?.[0])
  return type.includes('x-www-form-urlencoded') ? (new URLSearchParams(text).get('message') ?? '') : text
}

function textOf(body: Buffer, coding = ''): string {
  try {
    switch (coding.trim().toLowerCase()) {
      case 'gzip':
        return gunzipSync(body).toString()
      case 'deflate':
        return inflateSync(body).toString()
      case 'br':
        return brotliDecompressSync(body).toString()
      default:
        return body.toString()
    }
  } catch {
    return ''
  }
}

/** `callback([…])` of callback-polling, without the callback. */
function unwrapped(text: string): string {
  return /^[\w.$-]+\((.*)\);?\s*$/s.exec(text.replace(/^\/\*\*\//, ''))?.[1] ?? text
}

function messagesIn(text: string): readonly BayeuxMessage[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    const messages = list.filter(isBayeuxMessage)
    return messages.length === list.length ? messages : undefined
  } catch {
    return undefined
  }
}
