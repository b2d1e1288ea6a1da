import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import type {FaultStrike} from './faults.ts'

/** One HTTP request (or WebSocket upgrade) as a GMS node received it. Times in ms since the epoch, sizes in bytes. */
export interface CapturedRequest {
  readonly at: number
  /** `gms1`, `gms2`, … */
  readonly node: string
  readonly method: string
  /** Request target exactly as received (path and query, or absolute form). */
  readonly target: string
  readonly httpVersion: string
  /** Lower-case names; repeated headers keep every value, in order. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly remoteAddress: string
  /** Value of the probe header, when it arrived. */
  readonly probe?: string
  readonly transport?: BayeuxTransport
  /** What was parsed out of the body, the query or, for a WebSocket, the frames received so far. */
  readonly messages: readonly BayeuxMessage[]
  /** Body as received: filled when the body has ended. */
  readonly body?: {readonly bytes: number; readonly sha256: string}
  /** Status that GMS answered; absent while it holds the request. An answer that trickles has it before it has ended. */
  readonly status?: number
  readonly answeredAt?: number
  /** What GMS answered, as it left: held against what the client got. Absent before that, and for an upgrade. */
  readonly sent?: {readonly contentType?: string; readonly bytes: number; readonly sha256: string}
  /** `open` while held; `answered`; before that, `peer-closed` when the proxy closed the connection and `gms-closed` when GMS did. */
  readonly ended: 'open' | 'answered' | 'peer-closed' | 'gms-closed'
  /** When it was closed; only for `peer-closed` and `gms-closed`. */
  readonly cutAt?: number
  /** Faults that struck this request, or frames of this WebSocket, in order. */
  readonly strikes: readonly FaultStrike[]
  /** Only for WebSockets: how the socket ended. */
  readonly close?: {readonly at: number; readonly code: number; readonly by: 'client' | 'gms' | 'cut'}
}

/** Everything that reached the simulated GMS: the second witness. */
export interface Recorder {
  readonly requests: readonly CapturedRequest[]
  /** The request that carried this probe header, if it arrived. */
  byProbe(probe: string): CapturedRequest | undefined
  /** Every request (or WebSocket) that carried a Bayeux message of this session. */
  bySession(clientId: string): readonly CapturedRequest[]
  /** Resolves when a matching request is, or arrives, in the log; `undefined` when `timeoutMs` passes first. */
  waitFor(matches: (request: CapturedRequest) => boolean, timeoutMs: number): Promise<CapturedRequest | undefined>
}
