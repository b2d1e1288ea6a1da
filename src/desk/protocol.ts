import type {BayeuxMessage, BayeuxTransport} from '../wire/bayeux.ts'
import type {ChatView} from '../simulator/chat-store.ts'
import type {ActiveFault} from '../simulator/faults.ts'
import type {PushedNotification} from '../simulator/push.ts'
import type {NodeStatus} from '../simulator/health.ts'
import type {ClientWarning} from '../simulator/warnings.ts'

/* What the page and the desk say to each other. */

/** Every path of the desk begins so, on its own port and on those of the nodes: outside of GMS's `/genesys`. */
export const CONTROL_PATH = '/_simulator/'
/** Demanded of every call: a page of another site cannot send it without asking first, and is never allowed to. */
export const CONTROL_HEADER = 'x-simulator-control'

export interface NodeState {
  name: string
  port: number
  running: boolean
  status: NodeStatus
  sessions: number
}

/** A chat with its last events, and how many there were. */
export interface ChatState extends ChatView {
  events: number
}

/** Everything but the messages, as it is now; of a long life the newest. */
export interface DeskState {
  nodes: readonly NodeState[]
  faults: readonly ActiveFault[]
  chats: readonly ChatState[]
  pushed: readonly PushedNotification[]
  warnings: readonly ClientWarning[]
  /** Channel of the chat service. */
  channel: string
}

/** Something that a node has just received, answered or suffered. Secrets of the client are redacted. */
export interface FeedLine {
  /** Counts up. */
  n: number
  /** ms since the epoch */
  at: number
  /** Counts the requests; everything on one WebSocket has the number of its upgrade. */
  request: number
  node: string
  kind: 'received' | 'sent' | 'request' | 'fault' | 'closed'
  transport?: BayeuxTransport
  /** The Bayeux session, where it is known. */
  session?: string
  /** Long ones are cut. */
  messages?: readonly BayeuxMessage[]
  /** So many messages of the batch are left out. */
  more?: number
  text?: string
}

/** One line of `GET /_simulator/feed`: newline-delimited JSON, for as long as the connection lives. */
export type FeedEvent = {type: 'state'; state: DeskState} | {type: 'line'; line: FeedLine}

export const NODE_ACTIONS = ['stop', 'start', 'online', 'offline', 'sweep'] as const
export type NodeAction = (typeof NODE_ACTIONS)[number]
