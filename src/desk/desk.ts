import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {EnvironmentError, UsageError} from '../errors.ts'
import type {ChatView} from '../simulator/chat-store.ts'
import type {Beside} from '../simulator/gms-node.ts'
import type {PushedNotification} from '../simulator/push.ts'
import type {Simulator} from '../simulator/simulator.ts'
import type {ClientWarning} from '../simulator/warnings.ts'
import type {ChatEvent} from '../wire/chat-messages.ts'
import {chatChannel} from '../wire/chat.ts'
import {excerpt} from './excerpt.ts'
import {Feed} from './feed.ts'
import {ownOrigins, strangerBecause} from './guard.ts'
import {obey, readJson} from './orders.ts'
import {CONTROL_HEADER, CONTROL_PATH, type DeskState, type FeedEvent} from './protocol.ts'

/** How soon a page learns of a change, ms. */
const LOOK_EVERY_MS = 200
/** What is told of a simulator that has run for weeks: the newest. */
const TOLD = {chats: 50, events: 50, pushed: 100, warnings: 100} as const
/** A page that takes nothing any more is let go before so many bytes wait for it; it asks again when it wakes up. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024
const HOST = '127.0.0.1'
/** Stands in the page where the address of the control calls goes. */
const CONTROL_MARK = '%CONTROL%'

/** The files of the page as the build has made them. */
export interface PageFiles {
  html: string
  css: string
  js: string
}

interface DeskOptions {
  page: PageFiles
  /** Port of the control calls; 0: chosen by the system. */
  port: number
  chatService: string
}

/**
 * The simulator for a person: a page at `/` of every node, and control calls on a port of their own, which lives while nodes come and go.
 * The calls are for this machine only, below `/_simulator/`, with the header `x-simulator-control`, JSON in and out:
 *
 * - `GET state`: nodes, faults, chats, pushed notifications, warnings
 * - `GET feed`: the same at every change, and every message that a node receives or sends, as lines of JSON
 * - `POST nodes/NAME` with `{"action": "stop" | "start" | "online" | "offline" | "sweep"}`
 * - `POST faults` with a `FaultRule`, answers `{"id"}`; `DELETE faults/ID`; `DELETE faults`
 * - `POST agent` with `{"says": TEXT}`, `{"types": true}` or `{"file": {"name", "base64"}}`, each with `"chat": NUMBER` or for all
 *
 * `await using` it, after the simulator is gone.
 */
export class Desk implements AsyncDisposable {
  readonly feed = new Feed()
  readonly #options: DeskOptions
  readonly #server: Server
  #simulator: Simulator | undefined
  #origins: ReadonlySet<string> = new Set()

  constructor(options: DeskOptions) {
    this.#options = options
    this.#server = createServer((request, response) => void this.#onCall(request, response))
  }

  /** @throws EnvironmentError when the port is taken. */
  async listen(): Promise<void> {
    const {port} = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const what = error.code === 'EADDRINUSE' ? `port ${port} is taken` : error.message
        reject(new EnvironmentError(`Control of the simulator: ${what}`, {suggestions: ['Choose another --control-port.'], cause: error}))
      })
      this.#server.listen({host: HOST, port}, resolve)
    })
  }

  /** Where the control calls go, without the path. */
  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`
  }

  /** The simulator that is controlled from now on, by its pages. */
  attach(simulator: Simulator, scheme: 'http' | 'https'): void {
    this.#simulator = simulator
    this.#origins = new Set(simulator.nodes.flatMap(({host, port}) => ownOrigins(scheme, host, port)))
  }

  /** The page, for the nodes to serve. */
  readonly serve: Beside = (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false
    const {html, css, js} = this.#options.page
    switch (pathOf(request)) {
      case '/':
        this.#answer(response, 'text/html; charset=utf-8', html.replaceAll(CONTROL_MARK, this.url))
        return true
      case `${CONTROL_PATH}page.css`:
        this.#answer(response, 'text/css; charset=utf-8', css)
        return true
      case `${CONTROL_PATH}page.js`:
        this.#answer(response, 'text/javascript; charset=utf-8', js)
        return true
      default:
        return false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>(resolve => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  /** The page loads nothing from elsewhere, and is shown in no frame. */
  #answer(response: ServerResponse, type: string, text: string): void {
    const content = Buffer.from(text)
    response.writeHead(200, {
      'Content-Type': type,
      'Content-Length': content.length,
      'Cache-Control': 'no-store',
      'Content-Security-Policy': `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss: ${this.url}; worker-src blob:; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    })
    response.end(response.req.method === 'HEAD' ? undefined : content)
  }

  async #onCall(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => {})
    response.on('error', () => {})
    const {origin} = request.headers
    const stranger = strangerBecause(request, this.#origins)
    if (stranger !== undefined) {
      answerJson(response, 403, {error: stranger})
      return
    }
    if (origin !== undefined) response.setHeader('Access-Control-Allow-Origin', origin).setHeader('Vary', 'Origin')
    if (request.method === 'OPTIONS') {
      const allowed = {
        'Access-Control-Allow-Methods': 'GET, POST, DELETE',
        'Access-Control-Allow-Headers': `content-type, ${CONTROL_HEADER}`,
      }
      response.writeHead(204, allowed).end()
      return
    }
    try {
      await this.#control(request, response)
    } catch (error) {
      if (error instanceof UsageError) answerJson(response, 400, {error: error.message, suggestions: error.suggestions})
      else if (error instanceof EnvironmentError) answerJson(response, 409, {error: error.message, suggestions: error.suggestions})
      else if (request.complete) answerJson(response, 500, {error: error instanceof Error ? error.message : String(error)})
      else request.destroy()
    }
  }

  async #control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request)
    const simulator = this.#simulator
    if (!simulator) throw new EnvironmentError('The simulator is still starting')
    const call = `${request.method ?? ''} ${path}`
    if (call === `GET ${CONTROL_PATH}state`) answerJson(response, 200, this.#stateOf(simulator))
    else if (call === `GET ${CONTROL_PATH}feed`) this.#stream(response, simulator)
    else if (!path.startsWith(CONTROL_PATH)) answerJson(response, 404, {error: `Calls go below ${CONTROL_PATH}`})
    else answerJson(response, 200, await obey(simulator, request.method ?? '', path.slice(CONTROL_PATH.length), () => readJson(request)))
  }

  #stateOf({nodes, faults, chats, pushed, warnings}: Simulator): DeskState {
    return {
      nodes: nodes.map(({name, port, running, status, sessions}) => ({name, port, running, status, sessions})),
      faults: faults.active,
      chats: newest(chats).map(({number, nickname, ended, nodes: at, userData, transcript}) => ({
        number,
        nickname: String(excerpt(nickname)),
        ended,
        nodes: at,
        userData: excerpt(userData) as Record<string, string>,
        transcript: transcript.slice(-TOLD.events).map(event => excerpt(event) as ChatEvent),
        events: transcript.length,
      })),
      pushed: pushed.slice(-TOLD.pushed).map(one => excerpt(one) as PushedNotification),
      warnings: warnings.slice(-TOLD.warnings).map(one => excerpt(one) as ClientWarning),
      channel: chatChannel(this.#options.chatService),
    }
  }

  #stream(response: ServerResponse, simulator: Simulator): void {
    response.writeHead(200, {'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store'})
    const say = (event: FeedEvent): void => {
      if (response.writableLength > MOST_WAITING_BYTES) response.destroy()
      response.write(`${JSON.stringify(event)}\n`)
    }
    let last = ''
    const look = (): void => {
      const state = this.#stateOf(simulator)
      const now = JSON.stringify(state)
      if (now === last) return
      last = now
      say({type: 'state', state})
    }
    look()
    for (const line of this.feed.kept) say({type: 'line', line})
    const listening = this.feed.listen(line => say({type: 'line', line}))
    const timer = setInterval(look, LOOK_EVERY_MS)
    response.on('close', () => {
      clearInterval(timer)
      listening[Symbol.dispose]()
    })
  }
}

/** Those in which somebody listens first, then the open ones, then the ended: the newest of each. */
function newest(chats: readonly ChatView[]): readonly ChatView[] {
  if (chats.length <= TOLD.chats) return chats
  const rank = ({ended, nodes}: ChatView): number => (ended ? 2 : nodes.length > 0 ? 0 : 1)
  const ranks = new Map(chats.map(chat => [chat, rank(chat)]))
  return [...chats]
    .sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0) || b.number - a.number)
    .slice(0, TOLD.chats)
    .sort((a, b) => a.number - b.number)
}

function pathOf({url = '/'}: IncomingMessage): string {
  return url.split('?')[0] ?? url
}

function answerJson(response: ServerResponse, status: number, value: unknown): void {
  const headers = {'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff'}
  // What was not read of the request would be taken for the next one.
  if (!response.req.complete) response.shouldKeepAlive = false
  response.writeHead(status, headers).end(`${JSON.stringify(value)}\n`)
}
