import type {CometD, Message} from 'cometd'
import {WebSocket} from 'ws'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import {BAYEUX_TRANSPORTS, COMETD_PATH} from '../wire/bayeux.ts'
import {unwrapCallback} from './callback-polling.ts'
import type {Failure} from './failure.ts'
import {RecordedSocket} from './socket.ts'
import type {User} from './user.ts'

export interface OfficialOptions {
  /** Every other transport is taken away; absent: the client chooses, as in a stock page. */
  transport?: BayeuxTransport
  /** Deadline of a WebSocket upgrade, ms. The stock client waits for ever. */
  connectTimeoutMs: number
  /** What is added to the hold before a request is given up, ms (stock: 10 000). */
  networkDelayMs: number
}

/** The official CometD client in the hands of one user. */
export interface OfficialClient {
  readonly client: CometD
  /** Transport in use now. */
  transport(): string | undefined
  /** Why the last upgrade was not accepted: the client itself knows no more than that its socket was closed. */
  upgradeFailure(): Failure | undefined
  /** Called with what the client throws when an answer surprises it; in a page that would be a line in the console and a dead chat. */
  onThrow(listener: (reason: string) => void): void
  /** Ends its sockets, requests and timers at once; the client is dead afterwards. */
  destroy(): void
}

/** What the stock long-polling transport hands to `xhrSend` (cometd 9.0.0, LongPollingTransport). */
interface Packet {
  url: string
  body: string
  onSuccess(response: unknown): void
  onError(reason: string): void
}

/** Methods of the stock transports that take the user's place at the browser's border (cometd 9.0.0). */
interface TransportBorder {
  send(envelope: unknown, metaConnect: boolean): void
  xhrSend(packet: Packet): {readyState: number; status: number; abort(): void}
  jsonpSend(packet: Packet): void
}

/** The stock client's deadlines rule its requests; this one only ends what it forgot. */
const FORGOTTEN_MS = 600_000
const HANDLERS = ['onopen', 'onmessage', 'onclose', 'onerror'] as const

let opener: (() => WebSocket) | undefined

/**
 * What the client takes from a page's `window`. Its console is silent: the process's own is not touched. A WebSocket is opened in the
 * name of the user whose transport is sending at this moment (opening happens inside `send`, in the same stack).
 */
const browser = {
  setTimeout: (run: () => void, ms: number) => setTimeout(run, ms),
  clearTimeout: (timer: NodeJS.Timeout) => clearTimeout(timer),
  console: {},
  XMLHttpRequest: {UNSENT: 0},
  // Called with `new`: a function that returns an object gives that object (ECMAScript, [[Construct]]).
  WebSocket: function () {
    if (opener === undefined) throw new Error('a WebSocket was opened by nobody')
    return opener()
  },
}

let loading: Promise<typeof CometD> | undefined

/** Loads the client on first use; it reads the free name `window`. */
function load(): Promise<typeof CometD> {
  loading ??= (async () => {
    if (!('window' in globalThis)) Object.defineProperty(globalThis, 'window', {value: browser, configurable: true, enumerable: false})
    const {CometD} = await import('cometd')
    return CometD
  })()
  return loading
}

/**
 * Gives `user` the official client. Each has its own cookies, connections, Origin and journal, so that any number can run in one
 * process: the adapter `cometd-nodejs-client` 2.0.0 shares one cookie jar between all clients, sends no cookie and no Origin with an
 * upgrade and replaces `console.debug`, which would falsify every affinity check. Only the border to the browser is replaced
 * (XMLHttpRequest, script element, WebSocket constructor, timers); negotiation, fallback, retry and batching are the client's own.
 */
export async function openOfficialClient(
  user: User,
  {transport, connectTimeoutMs, networkDelayMs}: OfficialOptions,
): Promise<OfficialClient> {
  const Client = await load()
  const client = new Client()
  const timers = new Set<NodeJS.Timeout>()
  const sockets = new Set<RecordedSocket>()
  let dead = false
  let upgradeFailure: Failure | undefined
  let thrown: (reason: string) => void = () => undefined
  /** Every way back into the client: whatever a peer answers, its exceptions must not end the process. */
  const enter = (run: () => void) => {
    if (dead) return
    try {
      run()
    } catch (error) {
      thrown(`the CometD client threw: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  client.setTimeout = (run: () => void, ms: number) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      enter(run)
    }, ms)
    timers.add(timer)
    if (dead) clearTimeout(timer)
    return timer
  }
  client.clearTimeout = (timer: NodeJS.Timeout) => {
    timers.delete(timer)
    clearTimeout(timer)
  }

  const openSocket = () => {
    const socket = new RecordedSocket(user, {path: COMETD_PATH, deadlineMs: connectTimeoutMs, deflate: true})
    sockets.add(socket)
    for (const handler of HANDLERS) guardHandler(socket, handler, enter)
    socket.once('close', () => sockets.delete(socket))
    void socket.upgraded.then(upgrade => {
      upgradeFailure = upgrade.accepted ? undefined : upgrade.failure
    })
    return socket
  }
  const borderOf = (type: BayeuxTransport) => client.findTransport(type) as unknown as TransportBorder

  const webSocket = borderOf('websocket')
  const send = webSocket.send.bind(webSocket)
  webSocket.send = (envelope, metaConnect) => {
    if (dead) return
    opener = openSocket
    try {
      send(envelope, metaConnect)
    } finally {
      opener = undefined
    }
  }

  borderOf('long-polling').xhrSend = ({url, body, onSuccess, onError}) => {
    const givenUp = new AbortController()
    const xhr = {readyState: 1, status: 0, abort: () => givenUp.abort()}
    const headers = {'Content-Type': 'application/json'}
    void user
      .request({
        method: 'POST',
        path: new URL(url).pathname,
        transport: 'long-polling',
        headers,
        body,
        deadlineMs: FORGOTTEN_MS,
        signal: givenUp.signal,
      })
      .then(answer => {
        xhr.readyState = 4
        if (answer.answered) xhr.status = answer.status
        enter(() => {
          if (answer.answered && answer.status === 200) onSuccess(answer.body.toString())
          else onError(answer.answered ? `HTTP ${answer.status}` : answer.failure.reason)
        })
      })
    return xhr
  }

  let calls = 0
  borderOf('callback-polling').jsonpSend = ({url, body, onSuccess, onError}) => {
    const callback = `_cometd_jsonp_${calls++}`
    const path = `${new URL(url).pathname}?jsonp=${callback}&message=${encodeURIComponent(body)}`
    void user.request({method: 'GET', path, transport: 'callback-polling', deadlineMs: FORGOTTEN_MS}).then(answer => {
      const text = answer.answered && answer.status === 200 ? unwrapCallback(answer.body.toString(), callback) : undefined
      enter(() => (text === undefined ? onError('jsonp error') : onSuccess(text)))
    })
  }

  for (const type of BAYEUX_TRANSPORTS) if (transport !== undefined && type !== transport) client.unregisterTransport(type)
  client.configure({
    url: user.origin + COMETD_PATH,
    logLevel: 'warn',
    useWorkerScheduler: false,
    // The socket's own deadline comes first: it knows the reason.
    connectTimeout: connectTimeoutMs + 500,
    maxNetworkDelay: networkDelayMs,
  })

  const destroy = () => {
    dead = true
    for (const timer of timers) clearTimeout(timer)
    timers.clear()
    for (const socket of sockets) socket.terminate()
    sockets.clear()
  }
  user.onDestroy(destroy)
  return {
    client,
    transport: () => client.getTransport()?.type,
    upgradeFailure: () => upgradeFailure,
    onThrow: listener => (thrown = listener),
    destroy,
  }
}

/** Calls of the handler that the client puts into `socket[name]` go through `enter`. */
function guardHandler(socket: RecordedSocket, name: (typeof HANDLERS)[number], enter: (run: () => void) => void): void {
  const {set} = Object.getOwnPropertyDescriptor(WebSocket.prototype, name) ?? {}
  Object.defineProperty(socket, name, {
    set(handler: (event: unknown) => void) {
      set?.call(socket, (event: unknown) => enter(() => handler(event)))
    },
  })
}

/** What the official client says about a message that failed: Bayeux error, HTTP status or close code. Its failure objects hold whole sockets. */
export function reasonOf(message: Message): string {
  const failure: unknown = 'failure' in message ? message.failure : undefined
  if (typeof message.error === 'string') return message.error
  if (typeof failure !== 'object' || failure === null) return 'unsuccessful without a reason'
  const {httpCode, websocketCode, reason} = failure as {httpCode?: unknown; websocketCode?: unknown; reason?: unknown}
  const parts = [
    typeof httpCode === 'number' && httpCode > 0 ? `HTTP ${httpCode}` : '',
    typeof websocketCode === 'number' ? `close ${websocketCode}` : '',
    typeof reason === 'string' ? reason : '',
  ]
  return parts.filter(part => part !== '').join(' ') || 'failed without a reason'
}

/** What kind of failure the official client's words mean. */
export function meaningOf(reason: string): Failure {
  if (/no answer within|expired waiting/.test(reason)) return {ended: 'timed-out', reason}
  return {ended: /\bclose 1\d\d\d\b|closed before/.test(reason) ? 'closed' : 'refused', reason}
}
