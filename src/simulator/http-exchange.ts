import {createHash} from 'node:crypto'
import {STATUS_CODES, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse} from 'node:http'
import type {Writable} from 'node:stream'
import {FLAVOURS, type Flavour} from './flavour.ts'
import {PHRASES, answerHead, badMessage, errorPage, splitTarget} from './jetty.ts'
import type {Capture} from './request-log.ts'
import {trickle} from './trickle.ts'

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

interface SendOptions {
  date?: boolean
  /** False: the end of the connection ends the body. */
  length?: boolean
  keepAlive?: boolean
  /** Reason phrase. */
  phrase?: string
}

/** One HTTP request and its answer, recorded. Safe to answer after the peer has gone: then nothing is written. */
export class HttpExchange {
  readonly request: IncomingMessage
  readonly path: string
  readonly query: URLSearchParams
  readonly capture: Capture
  readonly flavour: Flavour
  readonly #response: ServerResponse
  #whenGone: (() => void) | undefined
  /** What still waits to be done or written, undone when the connection closes. */
  readonly #pending = new Set<() => void>()
  #lateMs = 0
  #bytesPerSecond: number | undefined
  #cookie: string | undefined

  constructor(request: IncomingMessage, response: ServerResponse, capture: Capture, flavour: Flavour = FLAVOURS['cometd-5']) {
    this.flavour = flavour
    this.request = request
    this.#response = response
    this.capture = capture
    const {path, query} = splitTarget(request.url ?? '/', flavour)
    this.path = path
    this.query = query
    // Without listeners an aborted request or a broken pipe would be an uncaught error.
    request.on('error', () => {})
    response.on('error', () => {})
    response.on('close', () => {
      for (const undo of this.#pending) undo()
      if (this.#response.writableEnded) return
      this.capture.peerClosed()
      this.#whenGone?.()
    })
  }

  get method(): string {
    return this.request.method ?? ''
  }

  /** Called once when the peer closes before the answer. */
  onGone(listener: () => void): void {
    this.#whenGone = listener
    if (this.gone && !this.#response.writableEnded) listener()
  }

  get gone(): boolean {
    return this.#response.destroyed || this.#response.socket?.destroyed === true
  }

  /** Does `work` that much later, unless the connection has closed by then. */
  later(ms: number, work: () => void): void {
    const undo = (): void => clearTimeout(timer)
    const timer = setTimeout(() => {
      this.#pending.delete(undo)
      if (!this.gone) work()
    }, ms)
    this.#pending.add(undo)
  }

  /** From now on `send` waits that long. */
  answerLate(ms: number): void {
    this.#lateMs = ms
  }

  /** From now on `send` writes its body at that rate. */
  trickle(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond
  }

  /** The answer sets this cookie, beside those that it sets itself. */
  setCookie(cookie: string): void {
    this.#cookie = cookie
  }

  /** Closes the connection without an answer. */
  cut(): void {
    this.capture.gmsClosed()
    this.request.socket.destroy()
  }

  /** Streams the body into `sink`, or nowhere, and into the log's digest. */
  streamBody(sink?: Writable): void {
    const hash = createHash('sha256')
    let bytes = 0
    this.request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      hash.update(chunk)
    })
    this.request.on('end', () => this.capture.bodyEnded(bytes, bytes === 0 ? EMPTY_SHA256 : hash.digest('hex')))
    if (sink) this.request.pipe(sink)
  }

  /** The whole body; never settles when the peer goes away in the middle of it. */
  readBody(): Promise<Buffer> {
    const chunks: Buffer[] = []
    this.request.on('data', (chunk: Buffer) => chunks.push(chunk))
    this.streamBody()
    return new Promise(resolve => this.request.on('end', () => resolve(Buffer.concat(chunks))))
  }

  /** Answers with exactly these headers, `Server` and (unless `date` is false) `Date`. */
  send(status: number, headers: OutgoingHttpHeaders, body?: string | Buffer, options: SendOptions = {}): void {
    const lateMs = this.#lateMs
    this.#lateMs = 0
    if (lateMs > 0) this.later(lateMs, () => this.#write(status, headers, body, options))
    else this.#write(status, headers, body, options)
  }

  #write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer | undefined,
    {date = true, length = true, keepAlive = true, phrase}: SendOptions,
  ): void {
    const response = this.#response
    if (response.writableEnded || this.gone) return
    const {Connection: decided, ...own} = headers
    const wish = (this.request.headers.connection ?? '').toLowerCase()
    const persistent = this.request.httpVersion === '1.0' ? 'keep-alive' : 'close'
    const said = decided === 'close' ? 'close' : wish.includes(persistent) ? persistent : undefined
    // Node would add lines of its own, in an order of its own.
    response.sendDate = false
    for (const name of ['Connection', 'Content-Length', 'Transfer-Encoding']) response.removeHeader(name)
    if (said === 'close' || !keepAlive) response.shouldKeepAlive = false
    const head = answerHead(this.flavour, {
      headers: [
        ...(this.#cookie === undefined ? [] : ['Set-Cookie', this.#cookie]),
        ...Object.entries(own).flatMap(([name, value]) => [value ?? []].flat().flatMap((one: string | number) => [name, String(one)])),
      ],
      length: length ? Buffer.byteLength(body ?? '') : undefined,
      date,
      connection: said && {value: said, asked: phrase === undefined && wish.includes(said)},
    })
    response.writeHead(status, phrase ?? PHRASES[status] ?? STATUS_CODES[status] ?? '', head)
    const contentType = headers['Content-Type']
    this.capture.sending(body ?? '', typeof contentType === 'string' ? contentType : undefined)
    const end = (rest?: string | Buffer): void => {
      this.capture.answered(status)
      response.end(rest)
    }
    const bytes = Buffer.from(body ?? '')
    if (this.#bytesPerSecond === undefined || bytes.length === 0) {
      end(body)
      return
    }
    this.capture.answering(status)
    response.flushHeaders()
    this.#pending.add(
      trickle(bytes, this.#bytesPerSecond, (part, last) => {
        if (last) end(part)
        else response.write(part)
      }),
    )
  }

  /** Jetty's error page. */
  refuse(status: number, message: string, servlet: 'cometd' | 'none' = 'none', headers: OutgoingHttpHeaders = {}): void {
    const {flavour, request} = this
    const {localAddress = '', localPort = 0} = request.socket
    const asked = {method: this.method, target: request.url ?? '/', host: request.headers.host ?? `${localAddress}:${localPort}`}
    const page = errorPage(flavour, status, message, asked, servlet)
    this.send(status, {...headers, ...page.headers}, page.body, {date: flavour.datedErrors})
  }

  /** Jetty's answer to what its parser does not take. */
  rejectMessage(status: number, reason: string, {uri, host}: {uri?: string; host?: string} = {}): void {
    const {flavour, request} = this
    const page = badMessage(flavour, status, reason, {target: uri ?? request.url ?? '/', host})
    const closing = flavour.badMessage === 'page' && uri === '/badMessage' ? {} : {Connection: 'close'}
    this.send(status, {...page.headers, ...closing}, page.body, {date: flavour.datedErrors, keepAlive: false, phrase: page.phrase})
  }

  /** Values of a header, every repeat split at nothing: as received. */
  header(name: string): readonly string[] {
    return this.capture.headers[name] ?? []
  }
}
