import {isUtf8} from 'node:buffer'
import type {OutgoingHttpHeaders} from 'node:http'
import {BROWSER_COOKIE, isBayeuxMessage, type BayeuxMessage} from '../wire/bayeux.ts'
import {Violation, type BayeuxServer} from './bayeux-server.ts'
import {ofNoSession, scenesOf} from './faults.ts'
import type {Flavour} from './flavour.ts'
import type {HttpExchange} from './http-exchange.ts'
import {strikeBatch, type Strike} from './strike.ts'

/** CometD's limits on the JSONP callback name: a longer or stranger one is no Bayeux transport. */
const CALLBACK = /^[a-zA-Z0-9._-]{1,64}$/

interface Wire {
  transport: 'long-polling' | 'callback-polling'
  contentType: string
  wrap(json: string): string
}

/** Jetty's parser calls itself for every level and gives up somewhere above; so would we, where a message is read or shown. */
const DEEPEST = 1000

/** Whether lists and objects lie deeper in each other than `DEEPEST`. */
function isTooDeep(text: string): boolean {
  if (text.length <= DEEPEST) return false
  let depth = 0
  for (const [part] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (part === '[' || part === '{') depth += 1
    else if (part === ']' || part === '}') depth -= 1
    if (depth > DEEPEST) return true
  }
  return false
}

/**
 * The messages of a body, query or frame: one object or an array of objects, as CometD's parser takes them. `null` is no message at all.
 * @throws SyntaxError for what is no JSON.
 * @throws Violation for JSON that is no message.
 */
export function parseMessages(text: string): BayeuxMessage[] | null {
  if (isTooDeep(text)) throw new Violation('java.lang.StackOverflowError')
  const parsed = parseJson(text)
  if (parsed === null) return null
  if (typeof parsed !== 'object') throw new SyntaxError(text)
  const list: unknown[] = Array.isArray(parsed) ? parsed : [parsed]
  if (list.includes(null)) throw new Violation('java.lang.NullPointerException')
  if (!list.every(item => typeof item === 'object' && !Array.isArray(item))) throw new Violation(`java.text.ParseException: ${text}`)
  return list as BayeuxMessage[]
}

/** Jetty's parser minds neither control characters in text nor a comma before the end of a list. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    const tolerated = text.replace(/"(?:[^"\\]|\\.)*"|,(?=\s*\])/g, part =>
      part === ',' ? '' : part.replace(/\p{Cc}/gu, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
    )
    return JSON.parse(tolerated) as unknown
  }
}

/** Values of a cookie in the order they came, over all Cookie headers. */
function cookieValues(headers: readonly string[], name: string): string[] {
  return headers
    .flatMap(header => header.split(';'))
    .map(pair => pair.trim())
    .filter(pair => pair.startsWith(`${name}=`))
    .map(pair => pair.slice(name.length + 1).replace(/^"(.*)"$/, '$1'))
}

function longPolling({jsonType}: Flavour): Wire {
  return {transport: 'long-polling', contentType: jsonType, wrap: json => json}
}

function callbackPolling(callback: string): Wire {
  return {transport: 'callback-polling', contentType: 'text/javascript;charset=UTF-8', wrap: json => `${callback}(${json})`}
}

/** Answers one request to the CometD path: long-polling (POST), callback-polling (GET with `jsonp`), or what CometD says to anything else. */
export async function serveHttp(exchange: HttpExchange, bayeux: BayeuxServer, strike: Strike): Promise<void> {
  const {flavour, query, method} = exchange
  if (method === 'POST') {
    const body = await exchange.readBody()
    if (flavour.strictUtf8 && !isUtf8(body)) refuseGarbage(exchange, 'long-polling')
    else takeBatch(exchange, bayeux, strike, [body.toString('utf8')], longPolling(flavour))
    return
  }
  exchange.streamBody()
  if (flavour.badEscape === 400 && /%(?![0-9a-f]{2})/i.test(exchange.request.url ?? '')) {
    exchange.refuse(400, 'Unable to parse URI query', 'cometd', {Connection: 'close'})
    return
  }
  const callbacks = query.getAll('jsonp')
  const known = callbacks.length === 1 || (callbacks.length > 1 && flavour.repeatedCallback === 'first counts')
  if (method === 'OPTIONS') exchange.send(200, {})
  else if (method === 'GET' && known && CALLBACK.test(callbacks[0] ?? ''))
    takeBatch(exchange, bayeux, strike, query.getAll('message'), callbackPolling(callbacks[0] ?? ''))
  else exchange.refuse(400, 'Unknown Bayeux Transport', 'cometd')
}

/** What a batch that is no JSON is answered: the asynchronous transport of CometD 5 fails, all others refuse. */
function refuseGarbage(exchange: HttpExchange, transport: Wire['transport']): void {
  const {garbage, failures} = exchange.flavour
  if (transport === 'long-polling' && garbage === 'cut') exchange.send(500, {Connection: 'close'}, undefined, {length: false})
  else if (failures === 'page') exchange.refuse(400, 'Bad Request', 'cometd')
  else exchange.send(400, {})
}

/** What a batch is answered that CometD fails on. */
function refuseViolation(exchange: HttpExchange): void {
  if (exchange.flavour.failures === 'page') exchange.refuse(500, 'Server Error', 'cometd')
  else exchange.send(500, {})
}

function takeBatch(exchange: HttpExchange, bayeux: BayeuxServer, strike: Strike, texts: readonly string[], wire: Wire): void {
  let messages: BayeuxMessage[]
  try {
    // CometD's callback transport takes an empty parameter for no message, not for bad JSON.
    const parsed = texts.map(text => (text === '' && wire.transport === 'callback-polling' ? null : parseMessages(text)))
    if (parsed.length > 0 && parsed.every(list => list === null) && exchange.flavour.nothing === 200) {
      exchange.send(200, {})
      return
    }
    messages = parsed.flatMap(list => list ?? [])
  } catch (error) {
    if (error instanceof Violation) refuseViolation(exchange)
    else refuseGarbage(exchange, wire.transport)
    return
  }
  const taken = messages.filter(isBayeuxMessage)
  exchange.capture.received(wire.transport, taken)
  const answer = (asked: readonly BayeuxMessage[]): void => {
    try {
      answerBatch(exchange, bayeux, asked, wire)
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      refuseViolation(exchange)
    }
  }
  strikeBatch(
    exchange,
    strike(exchange.capture, scenesOf(taken), wire.transport),
    () => answer(messages),
    () => answer(ofNoSession(messages)),
  )
}

function answerBatch(exchange: HttpExchange, bayeux: BayeuxServer, messages: readonly BayeuxMessage[], wire: Wire): void {
  const cookies: OutgoingHttpHeaders = {}
  // CometD looks at the first cookie of that name only.
  const [browserId] = cookieValues(exchange.header('cookie'), BROWSER_COOKIE)
  const respond = (replies: readonly BayeuxMessage[]): void => {
    exchange.capture.answers(replies)
    exchange.send(200, {...cookies, 'Content-Type': wire.contentType}, wire.wrap(JSON.stringify(replies)))
  }
  const {session, replies, held, hadConnect} = bayeux.process(messages, {
    transport: wire.transport,
    ...(browserId === undefined ? {} : {browserId}),
    onHandshake(made) {
      exchange.capture.createdSession(made.id)
      if (browserId === undefined) cookies['Set-Cookie'] = `${BROWSER_COOKIE}=${made.browserId}; Path=/; HttpOnly`
    },
  })
  if (session && held) {
    bayeux.hold(session, held, respond, {duplicate: () => refuseViolation(exchange), isGone: () => exchange.gone})
    exchange.onGone(() => session.held?.cancel('gone'))
    return
  }
  // Callback-polling delivers through the connect only, so that a publish never carries an event (CometD's JSONPTransport).
  const queue = session && (wire.transport === 'long-polling' || hadConnect) ? session.takeQueue() : []
  respond([...queue, ...replies])
  if (session?.hasQueue) session.held?.resume()
}
