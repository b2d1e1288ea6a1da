import type {Failure} from '../../client/failure.ts'
import type {HeldPollResult} from '../../flows/held-poll.ts'
import type {SilentSocket} from '../../flows/silent-sockets.ts'
import type {AnsweredBy, IdleCutOff, Live} from '../../model/live.ts'
import type {SubjectReport} from '../../model/report.ts'
import type {BayeuxTransport} from '../../wire/bayeux.ts'
import type {Recognised} from './fingerprint.ts'
import type {Connected, Greeted, Resolved} from './phases.ts'

/** What was asked, and what came back: one line of the picture that `diagnose URL` draws. Secrets redacted. Times in ms. */
export interface LiveAnswer {
  /** `POST /genesys/cometd/handshake`, `upgrade /genesys/cometd`. */
  what: string
  /** From connecting to the last byte of the answer. */
  tookMs: number
  statusLine?: string
  status?: number
  headers: Readonly<Record<string, readonly string[]>>
  headerNames: readonly string[]
  body: string
  by: AnsweredBy
  /** Why there is no complete answer. */
  failure?: Failure
}

/** The single questions, each on a connection of its own. */
export type AskName =
  /** A Bayeux handshake, as the official client sends it over long-polling. */
  | 'handshake'
  /** The same to the path without the suffix. */
  | 'exactPath'
  /** The same as callback-polling sends it. */
  | 'callback'
  /** A file operation without a chat. */
  | 'files'
  /** The largest file is announced, and not sent. */
  | 'largeFile'
  /** A WebSocket handshake as Chrome spells it, as Firefox does, in capitals, and without Origin. */
  | 'upgrade'
  | 'upgradeFirefox'
  | 'upgradeCapitals'
  | 'upgradeWithoutOrigin'

/** How a session over one forced transport went. */
export interface TransportSeen {
  works: boolean
  tookMs: number
  /** Where it ended, in words. */
  stoppedAt?: string
}

/** Everything that was seen from outside. What was not tried, because nothing could come of it, is absent. */
export interface Seen {
  url: string
  resolved: Resolved
  connected?: Connected
  greeted?: Greeted
  /** The listener speaks the other one of plain HTTP and TLS. */
  otherScheme?: 'tls' | 'plain'
  /** It answers once a PROXY protocol header stands before the request. */
  afterProxyHeader?: LiveAnswer
  asks: Readonly<Partial<Record<AskName, LiveAnswer>>>
  /** What the same handshake was answered under another Host. */
  underOtherHost?: {host: string; answer: LiveAnswer}
  transports: Readonly<Partial<Record<BayeuxTransport, TransportSeen>>>
  /** New users over long-polling: how many of them met a node that did not know their session. */
  affinity?: {users: number; strangers: number}
  hold?: HeldPollResult & {by?: AnsweredBy}
  silent?: readonly SilentSocket[]
  proxy?: Recognised
}

/** The part of a report that only a URL has, with all that was written down. */
export interface LiveDetails extends Live {
  seen: Seen
  idle?: IdleCutOff
  /** The same, asked of GMS without the proxy. */
  direct?: {seen: Seen; idle?: IdleCutOff}
}

/** A subject report with everything that was seen. */
export interface LiveReport extends SubjectReport {
  live: LiveDetails
}

/** True for what `diagnose URL` says, which has phases to tell of. */
export function isLive(report: SubjectReport): report is LiveReport {
  return 'live' in report
}
