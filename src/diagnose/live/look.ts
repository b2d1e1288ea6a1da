import type {RawRequest} from '../../client/raw.ts'
import {sendRaw} from '../../client/raw.ts'
import {multipart} from '../../client/multipart.ts'
import {nextProbe} from '../../client/user.ts'
import type {Budgets, Target} from '../../flows/flow.ts'
import {freshClients} from '../../flows/fresh-clients.ts'
import {handshake as openForced} from '../../flows/handshake.ts'
import {heldPoll} from '../../flows/held-poll.ts'
import {silentSockets} from '../../flows/silent-sockets.ts'
import {redact} from '../../model/redact.ts'
import {BAYEUX_TRANSPORTS, COMETD_PATH, META} from '../../wire/bayeux.ts'
import type {BayeuxTransport} from '../../wire/bayeux.ts'
import {FILES_PATH} from '../../wire/chat.ts'
import {PROBE_HEADER} from '../../wire/probe.ts'
import {answeredBy, recognise} from './fingerprint.ts'
import type {AskName, LiveAnswer, Seen, TransportSeen} from './live.ts'
import {connectOnce, greetOnce, resolveName} from './phases.ts'
import type {Greeted} from './phases.ts'

export interface LookOptions {
  budgets: Budgets
  /** Longest silence of a WebSocket that is tried, ms. */
  idleMs: number
  /** Largest file that was promised, bytes. */
  maxFileSize: number
  /** Other names under which the listener may know the chat: of its certificate, of its file. */
  hosts: readonly string[]
  signal: AbortSignal
  /** Called when a step begins, in words. */
  onStep?(step: string): void
}

/** Longest body that is kept, characters. */
const KEPT = 2000
/** New users that are asked for: without affinity and with two nodes, all of them stay on one by luck once in 2^18 runs. */
const NEW_USERS = 6
/** What a proxy takes at most to refuse a body by its announced length. */
const REFUSAL_MS = 2000
const PROXY_HEADER = 'PROXY UNKNOWN\r\n'

/** Looks at a listener from outside: one phase after the other, then everything that has to wait at once. Judges nothing. */
export async function look(target: Target, options: LookOptions): Promise<Seen> {
  const {budgets, signal, onStep} = options
  const {url} = target
  const within = {deadlineMs: budgets.answer, signal}
  const nothing = {url: url.href, asks: {}, transports: {}}
  onStep?.('asking for its address')
  const resolved = await resolveName(url, budgets.answer)
  if (resolved.failure) return {...nothing, resolved}
  onStep?.('connecting')
  const connected = await connectOnce(url, within)
  if (connected.failure) return {...nothing, resolved, connected}
  const seen: Mutable<Seen> = {...nothing, resolved, connected}
  const asker = new Asker(target, options)
  if (url.protocol === 'https:') {
    onStep?.('speaking TLS')
    seen.greeted = await greetOnce(target, within)
    if (seen.greeted.greeting.failure) {
      if ((await asker.plain()).status !== undefined) seen.otherScheme = 'plain'
      else await asker.behindProxyHeader(seen)
      return seen
    }
    if (distrusted(seen.greeted)) asker.unverified = true
  }
  onStep?.('asking GMS')
  const handshake = await asker.ask('handshake')
  seen.asks = {handshake}
  if (url.protocol === 'http:' && (handshake.status === undefined || handshake.status === 400) && handshake.by.who !== 'gms') {
    const {greeting} = await greetOnce({...target, url: new URL(url.href.replace(/^http:/, 'https:'))}, within)
    // The port of the other scheme is another listener: only a port that was named is the same one.
    if (greeting.version !== undefined && url.port !== '') return {...seen, otherScheme: 'tls'}
  }
  if (handshake.status === undefined) {
    await asker.behindProxyHeader(seen)
    return {...seen, ...recognised(seen)}
  }
  seen.asks = {handshake, ...(await asker.rest())}
  if (handshake.by.who !== 'gms') await asker.underOtherHosts(seen)
  Object.assign(seen, recognised(seen))
  if (asker.unverified === true) return seen
  onStep?.('opening sessions, waiting out a held poll, keeping silent')
  await everythingThatWaits(seen, target, options)
  Object.assign(seen, recognised(seen))
  return seen
}

type Mutable<T> = {-readonly [K in keyof T]: T[K]}

function distrusted({greeting}: Greeted): boolean {
  return greeting.distrust !== undefined || greeting.otherName !== undefined
}

function recognised(seen: Seen): Pick<Seen, 'proxy'> {
  const held = seen.hold?.by && seen.hold.exchanges.find(({probe}) => probe === seen.hold?.probe)
  const answers = [
    ...Object.values(seen.asks),
    ...(seen.underOtherHost ? [seen.underOtherHost.answer] : []),
    ...(seen.afterProxyHeader ? [seen.afterProxyHeader] : []),
  ]
  const proxy = recognise([...answers, ...(held ? [{headers: {}, body: held.answer}] : [])])
  return proxy ? {proxy} : {}
}

/** Sessions of every transport, a held poll and silent sockets: side by side, so that it takes as long as the longest of them. */
async function everythingThatWaits(seen: Mutable<Seen>, target: Target, {budgets, idleMs, signal}: LookOptions): Promise<void> {
  const context = {budgets, signal}
  const transports: Partial<Record<BayeuxTransport, TransportSeen>> = {}
  for (const transport of BAYEUX_TRANSPORTS) {
    const started = performance.now()
    const {ended, stoppedAt} = await openForced.run(target, {transport}, context)
    transports[transport] = {
      works: ended === 'completed',
      tookMs: Math.round(performance.now() - started),
      ...(stoppedAt === undefined ? {} : {stoppedAt}),
    }
  }
  seen.transports = transports
  // Affinity is judged with nothing else going on: round-robin looks sticky where others come between.
  if (seen.asks.handshake?.by.who === 'gms') {
    const {clients} = await freshClients.run(target, {clients: NEW_USERS}, context)
    // Who got no answer at all has met nobody.
    const heard = clients.filter(({accepted, sessionUnknown}) => accepted + sessionUnknown > 0)
    seen.affinity = {users: heard.length, strangers: clients.filter(({sessionUnknown}) => sessionUnknown > 0).length}
  }
  const poll = transports['long-polling']?.works === true ? heldPoll.run(target, {transport: 'long-polling'}, context) : undefined
  const silent = transports.websocket?.works === true ? silentSockets.run(target, {silencesMs: ladder(idleMs)}, context) : undefined
  const held = await poll
  if (held) {
    const exchange = held.exchanges.find(({probe}) => probe !== undefined && probe === held.probe)
    const by = exchange && answeredBy({...(held.status === undefined ? {} : {status: held.status}), headers: {}, body: exchange.answer})
    seen.hold = {...held, ...(by ? {by} : {})}
  }
  const sockets = await silent
  if (sockets) seen.silent = sockets.sockets
}

/** Each rung is this much shorter than the one above: so exactly is a cut known that nobody sees. */
const RUNG = 1.3
const MOST_RUNGS = 12
const LEAST_MS = 500

/** Silences from the longest down, ms. */
export function ladder(longestMs: number): readonly number[] {
  const rungs: number[] = []
  for (let at = longestMs; rungs.length < MOST_RUNGS && (rungs.length === 0 || at >= LEAST_MS); at /= RUNG) rungs.push(Math.round(at))
  return rungs
}

/** Asks one thing at a time, byte for byte as a browser would. */
class Asker {
  unverified?: true
  private readonly target: Target
  private readonly options: LookOptions

  constructor(target: Target, options: LookOptions) {
    this.target = target
    this.options = options
  }

  /** Everything but the handshake, which was asked first. */
  async rest(): Promise<Partial<Record<AskName, LiveAnswer>>> {
    const {onStep} = this.options
    onStep?.('asking for every path, and for upgrades')
    const names = [
      'exactPath',
      'callback',
      'files',
      'largeFile',
      'upgrade',
      'upgradeFirefox',
      'upgradeCapitals',
      'upgradeWithoutOrigin',
    ] as const
    const answers: Partial<Record<AskName, LiveAnswer>> = {}
    await Promise.all(names.map(async name => (answers[name] = await this.ask(name))))
    return answers
  }

  ask(name: AskName, more: {url?: URL; host?: string; preface?: string} = {}): Promise<LiveAnswer> {
    const {maxFileSize} = this.options
    switch (name) {
      case 'handshake':
        return this.send('POST', `${COMETD_PATH}/handshake`, {...more, headers: ['Content-Type: application/json'], body: HANDSHAKE})
      case 'exactPath':
        return this.send('POST', COMETD_PATH, {...more, headers: ['Content-Type: application/json'], body: HANDSHAKE})
      case 'callback':
        return this.send('GET', `${COMETD_PATH}/handshake?jsonp=callback&message=${encodeURIComponent(HANDSHAKE)}`, more)
      case 'files': {
        const form = multipart({operation: 'fileGetLimits', secureKey: 'none'})
        return this.send('POST', FILES_PATH, {...more, headers: [`Content-Type: ${form.contentType}`], body: form.body})
      }
      case 'largeFile':
        return this.send('POST', FILES_PATH, {
          ...more,
          headers: ['Content-Type: multipart/form-data; boundary=none', `Content-Length: ${maxFileSize}`],
          deadlineMs: Math.min(REFUSAL_MS, this.options.budgets.answer),
        })
      case 'upgrade':
        return this.upgrade({connection: 'Upgrade', protocol: 'websocket'}, more)
      case 'upgradeFirefox':
        return this.upgrade({connection: 'keep-alive, Upgrade', protocol: 'websocket'}, more)
      case 'upgradeCapitals':
        return this.upgrade({connection: 'upgrade', protocol: 'WebSocket'}, more)
      case 'upgradeWithoutOrigin':
        return this.upgrade({connection: 'Upgrade', protocol: 'websocket', origin: false}, more)
    }
  }

  /** The same port, asked without TLS. */
  plain(): Promise<LiveAnswer> {
    const url = new URL(this.target.url.href.replace(/^https:/, 'http:'))
    if (this.target.url.port === '') url.port = '443'
    return this.ask('handshake', {url})
  }

  /** Whoever waits for a PROXY protocol header answers once it is there (version 1, `UNKNOWN`: it says nothing of the client). */
  async behindProxyHeader(seen: Mutable<Seen>): Promise<void> {
    this.unverified = true
    const answer = await this.ask('handshake', {preface: PROXY_HEADER})
    // Who takes no such header says so, or hangs up.
    if (answer.status !== undefined && answer.status !== 400) seen.afterProxyHeader = answer
  }

  /** Looks for a Host under which GMS answers. */
  async underOtherHosts(seen: Mutable<Seen>): Promise<void> {
    const {url, hostHeader} = this.target
    const bare = hostHeader.replace(/:\d+$/, '')
    const names = (seen.greeted?.chain[0]?.names ?? []).filter(name => !name.includes('*'))
    for (const name of new Set([...this.options.hosts, ...names])) {
      const host = name.includes(':') || url.port === '' ? name : `${name}:${url.port}`
      if (host === hostHeader || (name === bare && host === hostHeader)) continue
      const answer = await this.ask('handshake', {host})
      if (answer.by.who === 'gms') return void (seen.underOtherHost = {host, answer})
    }
    if (bare === hostHeader) return
    const answer = await this.ask('handshake', {host: bare})
    if (answer.by.who === 'gms') seen.underOtherHost = {host: bare, answer}
  }

  private upgrade(
    {connection, protocol, origin = true}: {connection: string; protocol: string; origin?: boolean},
    more: {url?: URL; host?: string; preface?: string},
  ): Promise<LiveAnswer> {
    const headers = [
      `Connection: ${connection}`,
      `Upgrade: ${protocol}`,
      'Sec-WebSocket-Version: 13',
      // The sample nonce of RFC 6455, 1.3.
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    return this.send('GET', COMETD_PATH, {...more, headers, origin, what: `upgrade ${COMETD_PATH}`})
  }

  private async send(
    method: string,
    path: string,
    {
      url = this.target.url,
      host = this.target.hostHeader,
      headers = [],
      body,
      origin = true,
      preface,
      what = `${method} ${path.split('?', 1)[0] ?? path}`,
      deadlineMs = this.options.budgets.answer,
    }: {
      url?: URL
      host?: string
      headers?: readonly string[]
      body?: string | Buffer
      origin?: boolean
      preface?: string
      what?: string
      deadlineMs?: number
    } = {},
  ): Promise<LiveAnswer> {
    const {target} = this
    const request: RawRequest = {
      head: [
        `${method} ${path} HTTP/1.1`,
        `Host: ${host}`,
        ...(origin ? [`Origin: ${target.origin ?? `${url.protocol}//${host}`}`] : []),
        `${PROBE_HEADER}: ${nextProbe()}`,
        ...Object.entries(target.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
        ...headers,
        ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
      ],
      ...(body === undefined ? {} : {body}),
      ...(target.trust ? {trust: target.trust} : {}),
      ...(target.serverName === undefined ? {} : {serverName: target.serverName}),
      ...(this.unverified ? {unverified: true} : {}),
      ...(preface === undefined ? {} : {preface}),
      deadlineMs,
      signal: this.options.signal,
    }
    const answer = await sendRaw(url, request)
    const {status, statusLine, failure, headerNames = [], tookMs, answeredMs = tookMs} = answer
    const text = answer.body.toString()
    const shown = Object.fromEntries(
      Object.entries(answer.headers).map(([name, values]) => [name, values.map(value => redactHeader(name, value))]),
    )
    return {
      what,
      tookMs: Math.round(answeredMs),
      ...(statusLine === undefined ? {} : {statusLine}),
      ...(status === undefined ? {} : {status}),
      headers: shown,
      headerNames,
      body: redact(text).slice(0, KEPT),
      by: answeredBy({...(status === undefined ? {} : {status}), headers: answer.headers, headerNames, body: text}),
      ...(failure ? {failure} : {}),
    }
  }
}

/** A header as it may be shown: names of cookies, never their values. */
function redactHeader(name: string, value: string): string {
  // A challenge holds no secret, and looks as if it did.
  if (name === 'www-authenticate') return value
  return redact(`${name}: ${value}`).slice(name.length + 2)
}

const HANDSHAKE = JSON.stringify([
  {
    id: '1',
    channel: META.handshake,
    version: '1.0',
    minimumVersion: '1.0',
    supportedConnectionTypes: ['websocket', 'long-polling', 'callback-polling'],
    advice: {timeout: 60_000, interval: 0},
  },
])
