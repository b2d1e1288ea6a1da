import {BAYEUX_TRANSPORTS, META, type Advice, type BayeuxMessage, type BayeuxTransport} from '../wire/bayeux.ts'
import {BayeuxSession, randomId, type Outlet} from './bayeux-session.ts'

/** CometD's `sweepPeriod`, ms. */
const SWEEP_PERIOD_MS = 997
/** CometD's `multiSessionInterval`, ms: how often a second session of one browser polls instead of being held. */
const MULTI_SESSION_INTERVAL_MS = 2000
/** CometD's `maxSessionsPerBrowser` for HTTP/1.1. */
const MAX_SESSIONS_PER_BROWSER = 1

interface BayeuxServerOptions {
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
  /** WebSocket only. */
  outlet?: Outlet
  onHandshake(session: BayeuxSession): void
}

/** What a batch is answered: at once, or when the held connect is resumed. */
export interface Answer {
  replies: BayeuxMessage[]
  session?: BayeuxSession
  /** The batch had a connect, so queued messages may go with it on every transport. */
  hadConnect: boolean
  /** The last reply may be held for this long, ms. */
  holdMs?: number
}

/** The `id` of a message, as a string: on the wire it may be a number. */
function idOf({id}: {id?: string | number}): {id?: string} {
  return id === undefined ? {} : {id: String(id)}
}

/** The client may ask for another hold; 2^31-1 ms is the longest that a timer takes. */
function askedTimeout(message: BayeuxMessage): number | undefined {
  const timeout: unknown = message.advice?.timeout
  return typeof timeout === 'number' ? Math.min(timeout, 2 ** 31 - 1) : undefined
}

/** The Bayeux protocol of one node, as CometD 5 speaks it: sessions, advice, holding, sweeping. Knows nothing of sockets. */
export class BayeuxServer {
  readonly #options: BayeuxServerOptions
  readonly #sessions = new Map<string, BayeuxSession>()
  /** Connects held at this moment per browser. */
  readonly #heldPerBrowser = new Map<string, number>()
  readonly #sweeper: NodeJS.Timeout

  constructor(options: BayeuxServerOptions) {
    this.#options = options
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(SWEEP_PERIOD_MS, Math.max(10, options.maxIntervalMs / 4)))
    this.#sweeper.unref()
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /** Runs the messages of one batch in order. */
  process(messages: readonly BayeuxMessage[], origin: Origin): Answer {
    const answer: Answer = {replies: [], hadConnect: false}
    for (const message of messages) {
      if (typeof message.channel !== 'string') {
        answer.replies.push({...idOf(message), error: '400::channel_missing', successful: false} as BayeuxMessage)
        continue
      }
      if (message.channel === META.handshake) {
        answer.session = this.#handshake(message, origin, answer.replies)
        continue
      }
      const session = this.#find(message, origin)
      if (!session) {
        const advice = message.channel === META.connect ? {advice: {interval: 0, reconnect: 'handshake'} satisfies Advice} : {}
        answer.replies.push({...advice, channel: message.channel, ...idOf(message), error: '402::session_unknown', successful: false})
        continue
      }
      answer.session = session
      session.outlet = origin.outlet
      session.transport = origin.transport
      session.batch(() => this.#handle(message, session, answer, messages.length === 1 || origin.outlet !== undefined))
    }
    return answer
  }

  /**
   * Holds a connect: `respond` is called once, with what was queued and the reply, when an event comes, the hold is over or the session ends.
   * A second session of the same browser is not held but told to poll (`multiple-clients`).
   */
  hold(
    session: BayeuxSession,
    reply: BayeuxMessage,
    holdMs: number,
    respond: (messages: BayeuxMessage[]) => void,
    duplicate: () => void,
  ): void {
    const browserId = session.outlet ? undefined : session.browserId
    if (browserId !== undefined && (this.#heldPerBrowser.get(browserId) ?? 0) >= MAX_SESSIONS_PER_BROWSER) {
      const advice: Advice = {interval: MULTI_SESSION_INTERVAL_MS, reconnect: 'retry', 'multiple-clients': true}
      session.advised = undefined
      this.#touch(session, MULTI_SESSION_INTERVAL_MS)
      respond([...session.takeQueue(), {...reply, advice}])
      return
    }
    this.#countHeld(browserId, 1)
    session.expiresAt = Number.POSITIVE_INFINITY
    const settle = (): void => {
      clearTimeout(timer)
      this.#countHeld(browserId, -1)
      session.held = undefined
      this.#touch(session)
    }
    const resume = (): void => {
      settle()
      respond([...session.takeQueue(), session.removed ? {advice: {reconnect: 'none'}, ...reply} : reply])
    }
    const timer = setTimeout(resume, holdMs)
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
      session.held?.cancel('gone')
      this.#touch(session)
    }
  }

  /** Forgets every session as if all had expired; a held connect is answered. Returns how many there were. */
  forget(): number {
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    for (const session of sessions) {
      session.remove()
      session.held?.resume()
    }
    return sessions.length
  }

  /** Forgets every session without answering anybody. */
  stop(): void {
    clearInterval(this.#sweeper)
    for (const session of this.#sessions.values()) {
      session.held?.cancel('gone')
      session.remove()
    }
    this.#sessions.clear()
  }

  #handshake(message: BayeuxMessage, origin: Origin, replies: BayeuxMessage[]): BayeuxSession {
    const browserId = origin.outlet ? undefined : (origin.browserId ?? randomId(16))
    const session = new BayeuxSession(randomId(25), this.#options.node, origin.transport, browserId)
    session.outlet = origin.outlet
    this.#sessions.set(session.id, session)
    this.#touch(session)
    origin.onHandshake(session)
    replies.push({
      minimumVersion: '1.0',
      clientId: session.id,
      supportedConnectionTypes: BAYEUX_TRANSPORTS,
      advice: this.#advice(),
      channel: META.handshake,
      ...idOf(message),
      version: '1.0',
      successful: true,
    })
    return session
  }

  /** HTTP sessions are found by cookie and clientId together, WebSocket sessions by clientId alone (CometD's AbstractHttpTransport). */
  #find(message: BayeuxMessage, origin: Origin): BayeuxSession | undefined {
    const session = this.#sessions.get(String(message.clientId))
    if (!session || origin.outlet) return session
    return session.browserId !== undefined && session.browserId === origin.browserId ? session : undefined
  }

  #handle(message: BayeuxMessage, session: BayeuxSession, answer: Answer, mayHold: boolean): void {
    const head = {channel: message.channel, ...idOf(message)}
    if (message.channel === META.connect) {
      this.#connect(message, session, answer, mayHold)
      return
    }
    if (!session.held) this.#touch(session)
    switch (message.channel) {
      case META.subscribe:
      case META.unsubscribe:
        if (message.subscription === undefined) answer.replies.push({...head, error: '403::subscription_missing', successful: false})
        else answer.replies.push({...head, subscription: message.subscription, successful: true})
        return
      case META.disconnect:
        session.remove()
        this.#sessions.delete(session.id)
        // The held connect is answered before the disconnect: the official clients close their socket only then.
        session.held?.resume()
        answer.replies.push({...head, successful: true})
        return
      default:
        if (message.channel.startsWith('/meta/')) {
          answer.replies.push({...head, error: '404::unknown_meta_channel', successful: false})
          return
        }
        if (message.channel.startsWith('/service/')) this.#options.onService(message.channel, message.data, session)
        answer.replies.push({...head, successful: true})
    }
  }

  #connect(message: BayeuxMessage, session: BayeuxSession, answer: Answer, mayHold: boolean): void {
    const wasConnected = session.connected
    session.connected = true
    session.held?.cancel('duplicate')
    answer.hadConnect = true
    const advised = session.advised === session.transport
    session.advised = session.transport
    const timeout = askedTimeout(message) ?? this.#options.holdMs
    const advice = advised ? {} : {advice: this.#advice()}
    answer.replies.push({...advice, channel: META.connect, ...idOf(message), successful: true})
    this.#touch(session)
    // The first connect is answered at once, whatever its advice.
    if (wasConnected && mayHold && timeout > 0) answer.holdMs = timeout
  }

  #advice(): Advice {
    return {interval: 0, timeout: this.#options.holdMs, reconnect: 'retry'}
  }

  #touch(session: BayeuxSession, intervalMs = 0): void {
    session.expiresAt = Date.now() + intervalMs + this.#options.maxIntervalMs
  }

  #countHeld(browserId: string | undefined, by: 1 | -1): void {
    if (browserId === undefined) return
    const count = (this.#heldPerBrowser.get(browserId) ?? 0) + by
    if (count > 0) this.#heldPerBrowser.set(browserId, count)
    else this.#heldPerBrowser.delete(browserId)
  }

  /** The socket of an expired WebSocket session stays open: measured on CometD 5. */
  #sweep(): void {
    const now = Date.now()
    for (const session of this.#sessions.values()) {
      if (session.expiresAt > now) continue
      this.#sessions.delete(session.id)
      session.remove()
    }
  }
}
