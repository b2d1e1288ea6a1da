import type {BayeuxTransport} from '../wire/bayeux.ts'

/** Header values as they came, names in lower case, repeated headers keep every value. */
export type HeaderValues = Readonly<Record<string, readonly string[]>>

/** One exchange with everything a client saw. Holds secrets: redact before it is shown. Times in ms. */
export interface RawExchange {
  /** `performance.now()` when the request was sent. */
  readonly at: number
  readonly transport: BayeuxTransport | 'http'
  /** `POST /genesys/cometd/connect`, `frame /meta/connect`, `upgrade /genesys/cometd`; never a query string. */
  readonly what: string
  /** Value of the probe header that was sent; for a frame, that of its upgrade. */
  readonly probe?: string
  /** Absent while no answer has come. */
  tookMs?: number
  status?: number
  headers?: HeaderValues
  /** Beginning of the answer, or why there is none. */
  answer: string
}

/** Longest part of an answer that is kept, in characters. */
const EXCERPT = 2000

/** What one user sent and got, in order of sending. */
export class Journal {
  readonly exchanges: RawExchange[] = []

  /** Writes down a request; complete it with `close`. */
  open(entry: Pick<RawExchange, 'transport' | 'what'> & {probe?: string}): RawExchange {
    const exchange: RawExchange = {...entry, at: performance.now(), answer: ''}
    this.exchanges.push(exchange)
    return exchange
  }

  /** Writes down the answer; the first one wins. */
  close(exchange: RawExchange, answer: string, seen: {status?: number; headers?: HeaderValues} = {}): void {
    if (exchange.tookMs !== undefined) return
    exchange.tookMs = performance.now() - exchange.at
    exchange.answer = answer.slice(0, EXCERPT)
    Object.assign(exchange, seen)
  }
}
