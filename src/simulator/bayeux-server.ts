import {BAYEUX_TRANSPORTS, META, type Advice, type BayeuxMessage, type BayeuxTransport} from '../wire/bayeux.ts'
import {CHANNEL_PREFIX} from '../wire/chat.ts'
import {hasMisplacedWildcard, isChannelName, wildcardsOf} from './bayeux-channel.ts'
import {BayeuxSession, randomId, type Outlet} from './bayeux-session.ts'

/** CometD's `sweepPeriod`, ms. */
const SWEEP_PERIOD_MS = 997
/** Sweeps that a channel survives without subscribers (CometD's ServerChannelImpl). */
const CHANNEL_SWEEPS = 3
/** CometD's `multiSessionInterval`, ms: how often a second session of one browser polls instead of being held. */
const MULTI_SESSION_INTERVAL_MS = 2000
/** CometD's `maxSessionsPerBrowser` for HTTP/1.1. */
const MAX_SESSIONS_PER_BROWSER = 1
/** Longest hold that a timer takes, ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1
const SESSION_UNKNOWN = '402::session_unknown'

export interface BayeuxServerOptions {
  node: string
  holdMs: number
  maxIntervalMs: number
  /** A message was published to a `/service/` channel by a living session. */
  onService(channel: string, data: unknown, session: BayeuxSession): void
}

/** Whence a batch of messages came, and how a session is found in it. */
export interface Origin {
  transport: BayeuxTransport
  /** HTTP only: value of BAYEUX_BROWSER. */
  browserId?: string
  /** WebSocket only: where messages go at once, and the session that the connection is bound to. */
  outlet?: Outlet
  session?: BayeuxSession | undefined
  onHandshake(session: BayeuxSession): void
}

/** What a batch is answered: at once, or when the held connect is resumed. */
export interface Answer {
  replies: BayeuxMessage[]
  session?: BayeuxSession
  /** The batch had a connect, so queued messages may go with it on every transport. */
  hadConnect: boolean
  /** This reply is held for so long, ms, and the others with it. */
  held?: {reply: BayeuxMessage; ms: number}
}

/** A batch that CometD fails on as a whole. The message is the text of the Java exception. */
export class Violation extends Error {}

/** CometD writes the fields of a message in the order in which a Java HashMap has them. */
const FIELD_ORDER = [
  'ext',
  'data',
  'minimumVersion',
  'clientId',
  'supportedConnectionTypes',
  'advice',
  'channel',
  'id',
  'subscription',
  'error',
  'version',
  'successful',
] as const satisfies readonly (keyof BayeuxMessage)[]

function ordered(message: BayeuxMessage): BayeuxMessage {
  return Object.fromEntries(
    FIELD_ORDER.flatMap(name => (message[name] === undefined ? [] : [[name, message[name]]])),
  ) as unknown as BayeuxMessage
}

/** What Java makes of a value as text: the id of a message may be anything. */
function javaText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return `{${Object.entries(value)
    .map(([key, field]) => `${key}=${javaText(field)}`)
    .join(', ')}}`
}

/** A field that must be text or absent. @throws Violation */
function textOf(message: BayeuxMessage, name: 'channel' | 'clientId'): string | undefined {
  const value: unknown = message[name] ?? undefined
  if (value !== undefined && typeof value !== 'string') throw new Violation('java.lang.ClassCastException: not a String')
  return value
}

/** A number of `advice`, -1 when it has none. @throws Violation */
function advised(message: BayeuxMessage, name: 'timeout' | 'interval'): number {
  const advice: unknown = message.advice ?? {}
  if (typeof advice !== 'object' || advice === null || Array.isArray(advice)) throw new Violation('java.lang.ClassCastException: not a Map')
  const value: unknown = (advice as Record<string, unknown>)[name] ?? -1
  if (typeof value !== 'number') throw new Violation('java.lang.ClassCastException: not a Number')
  return Math.min(value, MAX_TIMEOUT_MS)
}

/** The Bayeux protocol of one node, as CometD 5 and 8 speak it: sessions, advice, holding, sweeping. Knows nothing of sockets. */
export class BayeuxServer {
  readonly #options: BayeuxServerOptions
  readonly #sessions = new Map<string, BayeuxSession>()
  /** Connects held at this moment per browser. */
  readonly #heldPerBrowser = new Map<string, number>()
  readonly #channels = new Map<string, {subscribers: Set<BayeuxSession>; idleSweeps: number}>()
  readonly #sweeper: NodeJS.Timeout

  constructor(options: BayeuxServerOptions) {
    this.#options = options
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(SWEEP_PERIOD_MS, Math.max(10, options.maxIntervalMs / 4)))
    this.#sweeper.unref()
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /** The session of this id, unless it has ended. */
  find(clientId: unknown): BayeuxSession | undefined {
    return typeof clientId === 'string' ? this.#sessions.get(clientId) : undefined
  }

  /**
   * Runs the messages of one batch in order. The first message decides on the session, the others must be of the same.
   * @throws Violation when CometD fails on the batch; what came before stays done.
   */
  process(messages: readonly BayeuxMessage[], origin: Origin): Answer {
    const answer: Answer = {replies: [], hadConnect: false}
    const [first] = messages
    if (!first) throw new Violation('java.io.IOException: bayeux protocol violation')
    const session = textOf(first, 'channel') === META.handshake ? undefined : this.#sessionOf(first, origin)
    if (session) answer.session = session
    for (const message of messages) {
      const channel = textOf(message, 'channel')
      if (channel === META.handshake && messages.length > 1) throw new Violation('java.io.IOException: protocol violation')
      if (session && !session.removed) this.#attach(session, origin)
      const reply = this.#replyTo(message)
      const invalid = problemOf(reply)
      if (invalid !== undefined) this.#refuse(answer, reply, invalid)
      else if (channel === META.handshake) this.#handshake(reply, origin, answer)
      else if (!session || session.removed || session.id !== textOf(message, 'clientId')) this.#refuse(answer, reply, SESSION_UNKNOWN)
      else session.batch(() => this.#handle(message, reply, session, answer, messages.length === 1 || origin.outlet !== undefined))
    }
    return answer
  }

  /**
   * Holds a connect: `respond` is called once, with what was queued and the reply, when an event comes, the hold is over or the session ends;
   * never when nobody is there any more: what is queued waits for the next connect.
   */
  hold(
    session: BayeuxSession,
    {reply, ms}: {reply: BayeuxMessage; ms: number},
    respond: (messages: BayeuxMessage[]) => void,
    {duplicate, isGone}: {duplicate(): void; isGone(): boolean},
  ): void {
    const browserId = session.outlet ? undefined : session.browserId
    const {transport} = session
    this.#countHeld(browserId, 1)
    session.expiresAt = Number.POSITIVE_INFINITY
    const settle = (): void => {
      clearTimeout(timer)
      this.#countHeld(browserId, -1)
      session.held = undefined
      this.#expireLater(session)
    }
    const resume = (): void => {
      settle()
      if (isGone()) return
      const advice = session.advised === transport ? reply.advice : this.#advice(session)
      const told: Advice | undefined = session.removed ? {...advice, reconnect: 'none'} : advice
      respond([...session.takeQueue(), ordered({...reply, ...(told && {advice: told})})])
    }
    const timer = setTimeout(resume, ms)
    session.held = {
      resume,
      cancel(reason) {
        settle()
        if (reason === 'duplicate') duplicate()
      },
    }
    if (session.hasQueue || session.removed) resume()
  }

  /** A WebSocket has closed: its sessions live on for maxInterval, waiting for another connection. */
  detach(outlet: Outlet): void {
    for (const session of this.#sessions.values()) {
      if (session.outlet !== outlet) continue
      session.outlet = undefined
      if (session.held) session.held.cancel('gone')
    }
  }

  /** Forgets every session as if all had expired. A held connect is answered first, so that its client learns with the next one. Returns how many there were. */
  forget(): number {
    const sessions = [...this.#sessions.values()]
    for (const session of sessions) {
      session.held?.resume()
      this.#remove(session)
    }
    return sessions.length
  }

  /** Forgets every session without answering anybody. */
  stop(): void {
    clearInterval(this.#sweeper)
    for (const session of this.#sessions.values()) {
      session.held?.cancel('gone')
      this.#remove(session)
    }
  }

  #replyTo(message: BayeuxMessage): BayeuxMessage {
    const id: unknown = message.id ?? undefined
    const subscription: unknown = message.subscription ?? undefined
    return {
      ...(message.channel != null && {channel: message.channel}),
      ...(id !== undefined && {id: javaText(id)}),
      ...(subscription !== undefined && {subscription}),
    } as BayeuxMessage
  }

  #refuse(answer: Answer, reply: BayeuxMessage, error: string): void {
    const advice: Advice | undefined =
      error === SESSION_UNKNOWN && reply.channel === META.connect ? {interval: 0, reconnect: 'handshake'} : undefined
    answer.replies.push(ordered({...reply, ...(advice && {advice}), error, successful: false}))
  }

  #handshake(reply: BayeuxMessage, origin: Origin, answer: Answer): void {
    const browserId = origin.outlet ? undefined : (origin.browserId ?? randomId(16))
    const session = new BayeuxSession(randomId(25), this.#options.node, origin.transport, browserId)
    if (origin.outlet) session.outlet = origin.outlet
    this.#sessions.set(session.id, session)
    this.#expireLater(session)
    origin.onHandshake(session)
    answer.session = session
    answer.replies.push(
      ordered({
        ...reply,
        minimumVersion: '1.0',
        clientId: session.id,
        supportedConnectionTypes: BAYEUX_TRANSPORTS,
        advice: this.#advice(session),
        version: '1.0',
        successful: true,
      }),
    )
  }

  /** HTTP sessions are found by cookie and clientId together, WebSocket sessions by clientId alone (CometD's AbstractHttpTransport). */
  #sessionOf(message: BayeuxMessage, origin: Origin): BayeuxSession | undefined {
    if (origin.outlet) return origin.session
    const session = this.find(textOf(message, 'clientId'))
    // Each polling transport of CometD keeps a list of its own: a session cannot go from one to the other.
    const known = session?.browserId !== undefined && session.browserId === origin.browserId && session.bornOn === origin.transport
    return known ? session : undefined
  }

  /** The session goes on over the transport, and on WebSocket the connection, that its last message came by. */
  #attach(session: BayeuxSession, {outlet, transport}: Origin): void {
    session.transport = transport
    if (session.outlet === outlet) return
    if (outlet) session.held?.cancel('duplicate')
    session.outlet = outlet
    if (outlet) for (const message of session.takeQueue()) outlet.send([message])
  }

  #handle(message: BayeuxMessage, reply: BayeuxMessage, session: BayeuxSession, answer: Answer, mayHold: boolean): void {
    const {channel} = reply
    if (channel === META.connect) {
      this.#connect(message, reply, session, answer, mayHold)
      return
    }
    if (Number.isFinite(session.expiresAt)) session.expiresAt = Math.max(session.expiresAt, Date.now() + this.#options.maxIntervalMs)
    switch (channel) {
      case META.subscribe:
      case META.unsubscribe: {
        const done = channel === META.subscribe ? this.#subscribe(session, reply) : this.#unsubscribe(session, reply)
        if (typeof done === 'string') this.#refuse(answer, reply, done)
        else answer.replies.push(ordered({...reply, ...done}))
        return
      }
      case META.disconnect:
        this.#remove(session)
        // The held connect is answered before the disconnect: the official clients close their socket only then.
        session.held?.resume()
        break
      default:
        if (channel.startsWith('/meta/')) {
          this.#refuse(answer, reply, '403:denied_by_security_policy:channel_create_denied')
          return
        }
        this.#publish(channel, message.data, session)
    }
    answer.replies.push(ordered({...reply, successful: true}))
  }

  #connect(message: BayeuxMessage, reply: BayeuxMessage, session: BayeuxSession, answer: Answer, mayHold: boolean): void {
    session.held?.cancel('duplicate')
    const wasConnected = session.connected
    session.connected = true
    answer.hadConnect = true
    const asked = advised(message, 'timeout')
    session.intervalMs = Math.max(0, advised(message, 'interval'))
    // A client that sends advice may have forgotten ours.
    const known = message.advice == null && session.advised === session.transport
    let advice = known ? undefined : this.#advice(session)
    const timeout = asked >= 0 ? asked : this.#options.holdMs
    const overHttp = session.outlet === undefined
    const maySuspend = mayHold && !(overHttp && session.hasQueue)
    const tooMany = maySuspend && overHttp && (this.#heldPerBrowser.get(session.browserId ?? '') ?? 0) >= MAX_SESSIONS_PER_BROWSER
    if (tooMany) {
      const told = {'multiple-clients': true, reconnect: 'retry'} as const
      const interval = MULTI_SESSION_INTERVAL_MS
      advice = advice ? {interval, ...told, timeout: this.#options.holdMs} : {'multiple-clients': true, interval, reconnect: 'retry'}
    }
    this.#expireLater(session)
    const full = ordered({...reply, ...(advice && {advice}), successful: true})
    // The first connect is answered at once, whatever its advice.
    if (maySuspend && !tooMany && wasConnected && timeout > 0) answer.held = {reply: full, ms: timeout}
    else answer.replies.push(full)
  }

  #subscribe(session: BayeuxSession, {subscription}: BayeuxMessage): string | {successful?: boolean} {
    const names = channelsOf(subscription)
    if (typeof names === 'string') return names
    for (const name of names) {
      if (Object.values(META).includes(name as never)) return '403:denied_by_security_policy:subscribe_denied'
      if (name.startsWith('/meta/')) return '403:denied_by_security_policy:create_denied'
      this.#channel(name).subscribers.add(session)
      session.subscriptions.add(name)
    }
    return names.length > 0 ? {successful: true} : {}
  }

  #unsubscribe(session: BayeuxSession, {subscription}: BayeuxMessage): string | {successful?: boolean} {
    const names = channelsOf(subscription)
    if (typeof names === 'string') return names
    for (const name of names) {
      if (!this.#channels.has(name) && !name.startsWith(CHANNEL_PREFIX)) return '400::channel_missing'
      this.#channels.get(name)?.subscribers.delete(session)
      session.subscriptions.delete(name)
    }
    return names.length > 0 ? {successful: true} : {}
  }

  #publish(channel: string, data: unknown, session: BayeuxSession): void {
    this.#channel(channel)
    if (channel.startsWith('/service/')) {
      this.#options.onService(channel, data, session)
      return
    }
    const subscribers = new Set([channel, ...wildcardsOf(channel)].flatMap(name => [...(this.#channels.get(name)?.subscribers ?? [])]))
    for (const subscriber of subscribers) subscriber.deliver({data, channel})
  }

  /** The channel, made when there is none. @throws Violation for a wildcard in a wrong place. */
  #channel(name: string) {
    const known = this.#channels.get(name)
    if (known) {
      known.idleSweeps = 0
      return known
    }
    if (hasMisplacedWildcard(name)) throw new Violation('java.lang.IllegalArgumentException: Invalid channel')
    const channel = {subscribers: new Set<BayeuxSession>(), idleSweeps: 0}
    this.#channels.set(name, channel)
    return channel
  }

  #advice(session: BayeuxSession): Advice {
    session.advised = session.transport
    return {interval: session.intervalMs, timeout: this.#options.holdMs, reconnect: 'retry'}
  }

  #expireLater(session: BayeuxSession): void {
    session.expiresAt = Date.now() + session.intervalMs + this.#options.maxIntervalMs
  }

  #countHeld(browserId: string | undefined, by: 1 | -1): void {
    if (browserId === undefined) return
    const count = (this.#heldPerBrowser.get(browserId) ?? 0) + by
    if (count > 0) this.#heldPerBrowser.set(browserId, count)
    else this.#heldPerBrowser.delete(browserId)
  }

  #remove(session: BayeuxSession): void {
    this.#sessions.delete(session.id)
    for (const name of session.subscriptions) this.#channels.get(name)?.subscribers.delete(session)
    session.remove()
  }

  /** The socket of an expired WebSocket session stays open: measured on CometD 5. */
  #sweep(): void {
    const now = Date.now()
    for (const session of this.#sessions.values()) if (session.expiresAt <= now) this.#remove(session)
    for (const [name, channel] of this.#channels) {
      channel.idleSweeps = channel.subscribers.size > 0 ? 0 : channel.idleSweeps + 1
      if (channel.idleSweeps > CHANNEL_SWEEPS) this.#channels.delete(name)
    }
  }
}

/** CometD's validation of every message. */
function problemOf({channel, id}: Partial<BayeuxMessage>): string | undefined {
  if (channel === undefined) return '400::channel_missing'
  if (!isChannelName(channel)) return '405::channel_invalid'
  return id !== undefined && !/^[A-Za-z0-9]+$/.test(id) ? '405::message_id_invalid' : undefined
}

/** The channels of a subscription, or the error that names what is wrong with it. */
function channelsOf(subscription: unknown): string | string[] {
  if (subscription === undefined) return '403::subscription_missing'
  const names = typeof subscription === 'string' ? [subscription] : Array.isArray(subscription) ? subscription.map(javaText) : undefined
  return names?.every(isChannelName) ? names : '403::subscription_invalid'
}
