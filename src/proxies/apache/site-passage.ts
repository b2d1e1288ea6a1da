import type {Span} from '../../model/bundle.ts'
import type {Listener, Upstream} from '../site.ts'
import type {Exchange} from './site-exchange.ts'
import type {Line} from './site-lines.ts'
import type {Merged} from './site-routes.ts'
import type {Server} from './site-servers.ts'
import type {Surroundings} from './site-upstreams.ts'
import type {Balancer, Target, Worker} from './site-workers.ts'

/** One request on its way, with all that was found about it so far. */
export interface Passage {
  around: Surroundings
  server: Server
  listener: Listener
  exchange: Exchange
  /** Lines that decided where it goes. */
  route: Line[]
  /** Lines that wrote its headers last. */
  touched: Map<string, Line>
  /** Sections that take it. */
  section: Merged
}

/** Where a request is led before access is judged. */
export interface Led {
  line: Line
  /** `http://host:8080/genesys/cometd`, `balancer://gms/…`. */
  url?: string
  nocanon: boolean
  /** The path that reaches the node cannot be told. */
  pathless?: boolean
  answer?: {status?: number; of: string}
  redirect?: {status: number; to: string}
  unknown?: string
}

/** What a request is led to. */
export interface Reached {
  upstream: Upstream
  worker: Worker
  target: Target
  balancer?: Balancer
}

/** Directives that set the environment. */
export const SET_ENV = ['SetEnv', 'UnsetEnv', 'SetEnvIf', 'SetEnvIfNoCase', 'SetEnvIfExpr', 'BrowserMatch', 'BrowserMatchNoCase'] as const

const NO_SPAN: Span = {file: '', start: 0, end: 0, line: 1, column: 1}
/** Stands where no line decides. */
export const NOWHERE: Line = {
  directive: {name: '', args: [], span: NO_SPAN, nameSpan: NO_SPAN},
  name: '',
  values: [],
  unknown: false,
  within: [],
  order: -1,
}

export /** Nothing was chosen: files of this server, or nothing at all. */
function isLocal(of: string): boolean {
  return of === 'files' || of === 'no-route'
}

/** The client asks to switch protocols. */
export function isUpgrade({headers}: Exchange): boolean {
  return (headers.get('upgrade')?.sends ?? '') !== ''
}
