import type {Confidence, ProxyName} from './catalogue.ts'

/*
 * What was seen of a proxy that runs, as far as every format of a report shows it. Times in ms, secrets redacted. What was not tried, because
 * nothing could come of it, is absent.
 */

/** Whoever wrote an answer. `unknown`: nothing tells. */
export type Speaker = ProxyName | 'gms' | 'another' | 'unknown'

/** Who wrote an answer, and what tells so. */
export interface AnsweredBy {
  who: Speaker
  confidence: Confidence
  /** `1.22.1`, `9.4.57.v20241219`, when the answer says so. */
  version?: string
  /** What in the answer says so, one line each. */
  because: readonly string[]
}

/** One phase of a connection that did not come about. */
interface Broken {
  failure?: {reason: string}
}

/** What was asked, and what came back. */
export interface Answer extends Broken {
  /** `POST /genesys/cometd/handshake`, `upgrade /genesys/cometd`. */
  what: string
  /** From connecting to the last byte of the answer. */
  tookMs: number
  statusLine?: string
  status?: number
  headers: Readonly<Record<string, readonly string[]>>
  body: string
  by: AnsweredBy
}

/** What one listener showed. */
export interface Look {
  url: string
  resolved: Broken & {addresses: readonly string[]; tookMs: number}
  connected?: Broken & {address?: string; tookMs: number}
  greeted?: {
    greeting: Broken & {version?: string; cipher?: string; names?: string; distrust?: string; otherName?: string; tookMs: number}
    /** From the leaf up, as the peer sent it. `validTo`: ISO 8601. */
    chain: readonly {subject: string; issuer: string; validTo: string; names?: readonly string[]}[]
  }
  /** The single questions, by name: `handshake`, `upgrade`, `files`… */
  asks: Readonly<Partial<Record<string, Answer>>>
  underOtherHost?: {host: string; answer: Answer}
  /** Sessions over each transport, forced. */
  transports: Readonly<Partial<Record<string, {works: boolean; tookMs: number; stoppedAt?: string}>>>
  /** New users over long-polling: how many of them met a node that did not know their session. */
  affinity?: {users: number; strangers: number}
  /** A quiet poll: how long it was held. */
  hold?: {heldMs?: number; status?: number; successful: boolean; by?: AnsweredBy}
  /** WebSockets that said nothing, each for a time of its own. */
  silent?: readonly {silenceMs: number; alive: boolean; cut?: {afterMs: number; code: number}; trouble?: string}[]
  /** The proxy that clients talk to. */
  proxy?: {proxy: ProxyName; version?: string; confidence: Confidence; because: readonly string[]}
}

/** How long an idle WebSocket lives, ms. */
export interface IdleCutOff {
  /** Longest silence that was tried, and longest that was survived. */
  triedMs: number
  survivedMs: number
  /** When it was cut; absent: it was not, or nobody was seen cutting it. */
  cutMs?: number
  /** No answer came after this much silence, though the connection looked open. */
  deafAfterMs?: number
  /** Close code that came with the cut; 1006: none. */
  code?: number
}

/** The part of a report that only a URL has. */
export interface Live {
  seen: Look
  idle?: IdleCutOff
  /** The same, asked of GMS without the proxy. */
  direct?: {seen: Look; idle?: IdleCutOff}
}

const SPEAKERS: Readonly<Record<Speaker, string>> = {
  nginx: 'nginx',
  apache: 'Apache',
  haproxy: 'HAProxy',
  gms: 'GMS',
  another: 'somebody else',
  unknown: 'nobody who can be told',
}

/** `by nginx 1.22.1`, `probably by HAProxy`. */
export function writer({who, confidence, version}: AnsweredBy): string {
  const sure: Readonly<Record<Confidence, string>> = {certain: 'by', likely: 'probably by', possible: 'perhaps by'}
  const named =
    version === undefined ? SPEAKERS[who] : who === 'gms' ? `${SPEAKERS[who]} (Jetty ${version})` : `${SPEAKERS[who]} ${version}`
  return `${who === 'unknown' ? 'by' : sure[confidence]} ${named}`
}
