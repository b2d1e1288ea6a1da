import type {OutgoingHttpHeaders} from 'node:http'
import {BROWSER_COOKIE, META, isBayeuxMessage, type BayeuxMessage} from '../wire/bayeux.ts'
import type {BayeuxServer} from './bayeux-server.ts'
import type {HttpExchange} from './http-exchange.ts'

/** CometD's limits on the JSONP callback name: a longer or stranger one is no Bayeux transport. */
const CALLBACK = /^[a-zA-Z0-9._-]{1,63}$/

type Wire = {
  transport: 'long-polling' | 'callback-polling'
  contentType: string
  /** What a batch that is no JSON is answered: the asynchronous transport fails, the older one refuses. */
  refuseGarbage(exchange: HttpExchange): void
  wrap(json: string): string
}

/** The messages of a body or query: one object or an array of objects, as CometD's parser takes them; `undefined` when it is neither. */
export function parseMessages(text: string): BayeuxMessage[] | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  const list: unknown[] = Array.isArray(parsed) ? parsed : [parsed]
  if (!list.every(item => typeof item === 'object' && item !== null && !Array.isArray(item))) return undefined
  return list as BayeuxMessage[]
}

/** Values of a cookie in the order they came, over all Cookie headers. */
function cookieValues(headers: readonly string[], name: string): string[] {
  return headers
    .flatMap(header => header.split(';'))
    .map(pair => pair.trim())
    .filter(pair => pair.startsWith(`${name}=`))
    .map(pair => pair.slice(name.length + 1).replace(/^"(.*)"$/, '$1'))
}

const LONG_POLLING: Wire = {
  transport: 'long-polling',
  contentType: 'application/json;charset=utf-8',
  refuseGarbage: exchange => exchange.send(500, {Connection: 'close'}, undefined, {length: false}),
  wrap: json => json,
}

function callbackPolling(callback: string): Wire {
  return {
    transport: 'callback-polling',
    contentType: 'text/javascript;charset=UTF-8',
    refuseGarbage: exchange => exchange.send(400, {}),
    wrap: json => `${callback}(${json})`,
  }
}

/** Answers one request to the CometD path: long-polling (POST), callback-polling (GET with `jsonp`), or what CometD says to anything else. */
export async function serveHttp(exchange: HttpExchange, bayeux: BayeuxServer): Promise<void> {
  if (exchange.method === 'POST') {
    const body = await exchange.readBody()
    answerBatch(exchange, bayeux, body.toString('utf8'), LONG_POLLING)
    return
  }
  exchange.streamBody()
  const callback = exchange.query.get('jsonp') ?? ''
  if (exchange.method === 'OPTIONS') exchange.send(200, {})
  else if (exchange.method === 'GET' && CALLBACK.test(callback))
    answerBatch(exchange, bayeux, exchange.query.get('message') ?? '', callbackPolling(callback))
  else exchange.refuse(400, 'Unknown Bayeux Transport', 'cometd')
}

function answerBatch(exchange: HttpExchange, bayeux: BayeuxServer, text: string, wire: Wire): void {
  const messages = parseMessages(text)
  if (!messages) {
    wire.refuseGarbage(exchange)
    return
  }
  exchange.capture.received(wire.transport, messages.filter(isBayeuxMessage))
  const handshakes = messages.filter(({channel}) => channel === META.handshake).length
  if (messages.length === 0 || (handshakes > 0 && messages.length > 1)) {
    exchange.send(500, {})
    return
  }
  const cookies: OutgoingHttpHeaders = {}
  // CometD looks at the first cookie of that name only.
  const [browserId] = cookieValues(exchange.header('cookie'), BROWSER_COOKIE)
  const respond = (replies: readonly BayeuxMessage[]): void => {
    exchange.send(200, {...cookies, 'Content-Type': wire.contentType}, wire.wrap(JSON.stringify(replies)))
  }
  const answer = bayeux.process(messages, {
    transport: wire.transport,
    ...(browserId === undefined ? {} : {browserId}),
    onHandshake(session) {
      exchange.capture.createdSession(session.id)
      if (browserId === undefined) cookies['Set-Cookie'] = `${BROWSER_COOKIE}=${session.browserId}; Path=/; HttpOnly`
    },
  })
  const {session, replies, holdMs} = answer
  const [reply] = replies
  if (session && reply && holdMs !== undefined) {
    bayeux.hold(session, reply, holdMs, respond, () => exchange.send(500, {}))
    exchange.onGone(() => session.held?.cancel('gone'))
    return
  }
  // Callback-polling delivers through the connect only, so that a publish never carries an event (CometD's JSONPTransport).
  const queue = session && (wire.transport === 'long-polling' || answer.hadConnect) ? session.takeQueue() : []
  respond([...queue, ...replies])
  if (session?.hasQueue) session.held?.resume()
}
