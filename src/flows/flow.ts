import type {Address} from '../client/user.ts'
import type {Transport} from '../model/catalogue.ts'
import type {ChatAuth} from '../wire/chat-messages.ts'

/** Where the user of a flow connects to: one side of the proxy, or a GMS node directly. */
export interface Target extends Address {
  /** Where the TCP connection goes, `http://127.0.0.1:20801`. Paths are GMS's own. */
  readonly url: URL
  /**
   * Address of what stands for a load balancer and tells the listener in a PROXY protocol header who connects: the proxy knows the user's own
   * address, whatever network lies between.
   */
  readonly announcedBy?: string | undefined
  /** Host header that users send: the public name with its port. */
  readonly hostHeader: string
  readonly chatService: string
  /** Credentials of a chat service with Basic authentication; sent with every operation. */
  readonly auth?: ChatAuth
  /** What the agents of this deployment do by themselves. Default `answer`, as the simulated one. */
  readonly agent?: AgentHabit
}

/** `answer`: one joins each chat and answers each message; `join`: one joins and says nothing unasked; `absent`: none is logged in. */
export type AgentHabit = 'answer' | 'join' | 'absent'

/** What a deployment may lack: then the flows that need it are skipped aloud. `agent`: one who answers. */
export type Offering = 'websocket' | 'callback-polling' | 'files' | 'agent'

/** Deadlines, ms. Each is what a healthy proxy on a busy machine never reaches. */
export interface Budgets {
  /** TCP connection, upgrade, and every answer that GMS gives at once. */
  answer: number
  /** GMS's hold of a quiet poll. */
  hold: number
  /** Beyond the hold: what the official client waits for the network (maxNetworkDelay). */
  networkDelay: number
}

/** One exchange as the client saw it. `at` in ms since the flow began. */
export interface Exchange {
  at: number
  tookMs: number
  transport: Transport
  /** `POST /genesys/cometd/connect`, `frame /meta/connect`, `upgrade /genesys/cometd`. */
  what: string
  /** HTTP status; absent for frames and when no answer came. */
  status?: number
  /** One line: Bayeux error, body excerpt, close code. Secrets redacted. */
  answer: string
  /** Value of the probe header that was sent. */
  probe?: string
}

/** What one scripted user saw. A flow records; it never judges. */
export interface Transcript {
  flow: string
  exchanges: readonly Exchange[]
  /** `completed`: every step got its answer, whatever it said. */
  ended: 'completed' | 'timed-out' | 'refused' | 'closed'
  /** The step that did not complete, in words, and the reason. */
  stoppedAt?: string
}

/** A scripted user. `run` resolves whatever happens; it rejects only when `signal` aborts or for a bug. */
export interface Flow<Input, Result extends Transcript> {
  id: string
  title: string
  /** What this run needs of the deployment beyond a chat over long-polling. */
  needs?(input: Input): readonly Offering[]
  run(target: Target, input: Input, context: {budgets: Budgets; signal: AbortSignal}): Promise<Result>
}
