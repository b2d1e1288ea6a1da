import {randomBytes} from 'node:crypto'
import {Readable} from 'node:stream'
import type {SecureContext} from 'node:tls'
import {CookieJar} from 'tough-cookie'
import {Agent} from 'undici'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import type {Failure} from './failure.ts'
import {failureOf} from './failure.ts'
import type {HeaderValues, RawExchange} from './journal.ts'
import {Journal} from './journal.ts'
import type {Account, Ledger} from './ledger.ts'
import {LAST_ANSWER_MS} from './ledger.ts'

/** Where a user connects to, and the public name that it uses. */
export interface Address {
  readonly url: URL
  readonly hostHeader: string
  /** Whom to trust when the peer speaks TLS; the roots of Node when absent. */
  readonly trust?: SecureContext
  /** Name that TLS asks for and checks (SNI); the host of the URL when absent. */
  readonly serverName?: string
  /** Web origin of the page that the chat is in; that of the chat itself when absent. */
  readonly origin?: string
  /** Sent with every request and upgrade: a gateway in front may ask for a key. */
  readonly headers?: Readonly<Record<string, string>>
  /** Address of this machine that users connect from unless they have one of their own; the system's choice when absent. */
  readonly from?: string
  /** Where chats and sessions are noted that somebody will have to close. */
  readonly ledger?: Ledger
}

export interface HttpRequest {
  method: string
  /** Path and query. */
  path: string
  transport: BayeuxTransport | 'http'
  headers?: Readonly<Record<string, string>>
  /** A function gives the body bit by bit; `headers` then say its length. */
  body?: string | Buffer | (() => AsyncIterable<Buffer>)
  /**
   * Value of the probe header when it has to be known before. The request then goes over a connection of its own and is sent once: what
   * arrives twice was doubled on the way.
   */
  probe?: string
  /** From sending to the last byte of the answer, ms. */
  deadlineMs: number
  /** Bytes of answer that are read at most. */
  maxBytes?: number
  /** Gives the request up. */
  signal?: AbortSignal
}

export type HttpAnswer =
  | {answered: true; status: number; headers: HeaderValues; body: Buffer; exchange: RawExchange}
  | {answered: false; failure: Failure; exchange: RawExchange}

/** Shorter than any keep-alive time in use, so that a request rarely meets a connection that the peer is just closing. */
const KEEP_ALIVE_MS = 1000
/** A reused connection that turns out closed says so at once; browsers then send the request again (RFC 9110, 9.2.2; RFC 9112, 9.3.1). */
const STALE_WITHIN_MS = 1000
const MAX_ANSWER_BYTES = 1_048_576

let counter = 0
const processTag = randomBytes(4).toString('hex')

/** A value of the probe header that no other request of any process carries. */
export function nextProbe(): string {
  counter += 1
  return `${processTag}-${counter}`
}

function newJar(): CookieJar {
  return new CookieJar(undefined, {
    rejectPublicSuffixes: false,
    looseMode: true,
    allowSpecialUseDomain: true,
    // Loopback stands for a public name here: a Secure cookie does not travel over http.
    allowSecureOnLocal: false,
  })
}

/** Connections to one place. Only deadlines of requests end what goes over them. */
function newAgent(from: string | undefined, {trust, serverName}: Pick<Address, 'trust' | 'serverName'>): Agent {
  return new Agent({
    ...(from === undefined ? {} : {localAddress: from}),
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {timeout: 60_000, ...(trust ? {secureContext: trust} : {}), ...(serverName === undefined ? {} : {servername: serverName})},
  })
}

/** One simulated person with a browser: own cookies, own connections, own journal. Destroy it when done. */
export class User {
  readonly jar: CookieJar
  readonly journal: Journal
  readonly address: Address
  /** Address of this machine that every connection comes from; the system's choice when absent. */
  readonly from: string | undefined
  /** What this user has opened; absent where nobody keeps a ledger. */
  readonly account: Account | undefined
  readonly #agent: Agent
  /** Opened so far. */
  #connections = 0
  readonly #gone = new AbortController()
  readonly #extraHeaders: Readonly<Record<string, string>>
  readonly #onDestroy = new Set<() => void>()

  /** `headers` are sent with every request and upgrade, beside those of a browser. With the `jar` of another user it is the same browser's next page. */
  constructor(
    address: Address,
    {
      journal = new Journal(),
      headers = {},
      jar = newJar(),
      from = address.from,
    }: {journal?: Journal; headers?: Readonly<Record<string, string>>; jar?: CookieJar; from?: string} = {},
  ) {
    this.address = address
    this.journal = journal
    this.jar = jar
    this.from = from
    this.#extraHeaders = {...address.headers, ...headers}
    this.account = address.ledger?.account(() => this.jar.getCookieStringSync(this.origin + COMETD_PATH))
    this.#agent = newAgent(from, address)
    this.#agent.on('connect', () => (this.#connections += 1))
  }

  /** The origin as the browser shows it. */
  get origin(): string {
    return `${this.address.url.protocol}//${this.address.hostHeader}`
  }

  get destroyed(): boolean {
    return this.#gone.signal.aborted
  }

  /** Names of the cookies that would be sent to `path`. */
  cookieNames(path: string): readonly string[] {
    return this.jar.getCookiesSync(this.origin + path).map(cookie => cookie.key)
  }

  /** Takes over `Set-Cookie` headers of an answer from `path`. */
  storeCookies(path: string, headers: HeaderValues): void {
    for (const header of headers['set-cookie'] ?? []) this.jar.setCookieSync(header, this.origin + path, {ignoreError: true})
  }

  /** What a browser adds to every request, the user's extra headers last. */
  headers(path: string, probe: string): Record<string, string> {
    const cookie = this.jar.getCookieStringSync(this.origin + path)
    return {
      Host: this.address.hostHeader,
      Origin: this.address.origin ?? this.origin,
      [PROBE_HEADER]: probe,
      ...(cookie === '' ? {} : {Cookie: cookie}),
      ...this.#extraHeaders,
    }
  }

  /** Runs `end` when the user is destroyed; the returned function withdraws it. */
  onDestroy(end: () => void): () => void {
    this.#onDestroy.add(end)
    return () => this.#onDestroy.delete(end)
  }

  /** Sends one HTTP request on the user's own connections. Never throws: what went wrong is in the answer. */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    const first = await this.#send(request)
    if (first.answered || !first.stale || this.destroyed) return first
    return this.#send(request)
  }

  async #send({
    method,
    path,
    transport,
    headers = {},
    body,
    probe: given,
    deadlineMs,
    maxBytes = MAX_ANSWER_BYTES,
    signal,
  }: HttpRequest): Promise<HttpAnswer & {stale?: boolean}> {
    const probe = given ?? nextProbe()
    const agent = given === undefined ? this.#agent : newAgent(this.from, this.address)
    const exchange = this.journal.open({transport, what: `${method} ${path.split('?', 1)[0] ?? path}`, probe})
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), deadlineMs)
    const giveUp = () => deadline.abort()
    const withdraw = this.onDestroy(giveUp)
    signal?.addEventListener('abort', giveUp)
    if (this.destroyed || signal?.aborted === true) giveUp()
    let begun = false
    const connections = this.#connections
    this.account?.asks(path, typeof body === 'string' ? body : '')
    try {
      const response = await agent.request({
        origin: this.address.url.origin,
        path,
        method,
        headers: {...this.headers(path, probe), ...headers},
        body: typeof body === 'function' ? Readable.from(body()) : (body ?? null),
        signal: deadline.signal,
      })
      begun = true
      const seen: HeaderValues = Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, value === undefined ? [] : Array.isArray(value) ? value : [value]]),
      )
      this.storeCookies(path, seen)
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of response.body) {
        const bytes = chunk as Buffer
        chunks.push(bytes)
        size += bytes.length
        if (size > maxBytes) break
      }
      const whole = Buffer.concat(chunks)
      this.account?.hears(whole, transport === 'callback-polling' ? transport : 'long-polling')
      this.journal.close(exchange, excerptOf(whole, seen), {status: response.statusCode, headers: seen})
      return {answered: true, status: response.statusCode, headers: seen, body: whole, exchange}
    } catch (error) {
      const failure: Failure =
        this.destroyed || signal?.aborted === true
          ? {ended: 'closed', reason: 'given up by the client'}
          : deadline.signal.aborted
            ? {
                ended: 'timed-out',
                reason: begun ? `the answer was not complete within ${deadlineMs} ms` : `no answer within ${deadlineMs} ms`,
              }
            : failureOf(error)
      this.journal.close(exchange, failure.reason)
      return {
        answered: false,
        failure,
        exchange,
        stale:
          given === undefined &&
          !begun &&
          failure.ended === 'closed' &&
          (exchange.tookMs ?? 0) < STALE_WITHIN_MS &&
          // A reset in the middle of a body names no connection; when none was opened since, it was an old one.
          (wasReused(error) || this.#connections === connections),
      }
    } finally {
      clearTimeout(timer)
      withdraw()
      signal?.removeEventListener('abort', giveUp)
      if (agent !== this.#agent) void agent.destroy().catch(() => undefined)
    }
  }

  /** Ends every connection and every wait of this user: at once, or as soon as the key of a chat that is being opened has come. */
  destroy(): void {
    if (this.destroyed) return
    // The answer on its way is the only one that brings it, and without it nobody can close the chat.
    if (this.account?.asking === true) void this.account.answered(LAST_ANSWER_MS).then(() => this.#end())
    else this.#end()
  }

  #end(): void {
    if (this.destroyed) return
    this.#gone.abort()
    for (const end of this.#onDestroy) end()
    this.#onDestroy.clear()
    void this.#agent.destroy().catch(() => undefined)
  }
}

/** True when something had been read on this connection before: it had served an earlier request. */
function wasReused(error: unknown): boolean {
  if (!(error instanceof Error) || !('socket' in error)) return false
  const socket = error.socket
  return (
    typeof socket === 'object' && socket !== null && 'bytesRead' in socket && typeof socket.bytesRead === 'number' && socket.bytesRead > 0
  )
}

function excerptOf(body: Buffer, headers: HeaderValues): string {
  const type = headers['content-type']?.[0] ?? ''
  const readable = type === '' || /json|text|javascript|html|xml/.test(type)
  return readable ? body.subarray(0, 4000).toString() : `${body.length} bytes of ${type}`
}
