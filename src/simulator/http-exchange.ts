import {createHash} from 'node:crypto'
import type {IncomingMessage, OutgoingHttpHeaders, ServerResponse} from 'node:http'
import type {Writable} from 'node:stream'
import {SERVER_HEADER, badMessage, errorPage, splitTarget} from './jetty.ts'
import type {Capture} from './request-log.ts'

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** One HTTP request and its answer, recorded. Safe to answer after the peer has gone: then nothing is written. */
export class HttpExchange {
  readonly request: IncomingMessage
  readonly path: string
  readonly query: URLSearchParams
  readonly capture: Capture
  readonly #response: ServerResponse
  #whenGone: (() => void) | undefined

  constructor(request: IncomingMessage, response: ServerResponse, capture: Capture) {
    this.request = request
    this.#response = response
    this.capture = capture
    const {path, query} = splitTarget(request.url ?? '/')
    this.path = path
    this.query = query
    // Without listeners an aborted request or a broken pipe would be an uncaught error.
    request.on('error', () => {})
    response.on('error', () => {})
    response.on('close', () => {
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
  send(status: number, headers: OutgoingHttpHeaders, body?: string | Buffer, {date = true, length = true} = {}): void {
    const response = this.#response
    if (response.writableEnded || this.gone) return
    response.sendDate = date
    response.statusCode = status
    // Jetty's words for 500 differ from Node's.
    if (status === 500) response.statusMessage = 'Server Error'
    // Jetty names the connection only when it closes it; Node would add keep-alive headers of its own.
    if (headers['Connection'] === undefined && this.request.httpVersion === '1.1' && response.shouldKeepAlive)
      response.removeHeader('Connection')
    if (length) response.setHeader('Content-Length', Buffer.byteLength(body ?? ''))
    else {
      response.removeHeader('Content-Length')
      response.removeHeader('Transfer-Encoding')
    }
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value)
    response.setHeader('Server', SERVER_HEADER)
    this.capture.answered(status)
    response.end(body)
  }

  /** Jetty's error page. */
  refuse(status: number, message: string, servlet: 'cometd' | 'none' = 'none', headers: OutgoingHttpHeaders = {}): void {
    const page = errorPage(status, message, this.request.url ?? '/', servlet)
    this.send(status, {...headers, ...page.headers}, page.body, {date: false})
  }

  /** Jetty's answer to what its parser does not take. */
  rejectMessage(status: number, reason: string): void {
    const page = badMessage(status, reason)
    this.send(status, page.headers, page.body, {date: false})
  }

  /** Values of a header, every repeat split at nothing: as received. */
  header(name: string): readonly string[] {
    return this.capture.headers[name] ?? []
  }
}
