import {randomUUID} from 'node:crypto'
import {META, type BayeuxMessage, type BayeuxTransport} from '../wire/bayeux.ts'

/** What GMS does wrong on demand. Times in ms. */
export type Fault =
  /** Everything is right, but only after `ms`. */
  | {kind: 'delay'; ms: number}
  /** The request is taken in and never answered; a WebSocket stays open. */
  | {kind: 'hang'}
  /** The connection is cut without an answer. */
  | {kind: 'drop'}
  /** CometD's answer for a session that this node does not know: HTTP 200 and `402::session_unknown`. */
  | {kind: 'session-unknown'}
  /** Jetty's error page with that status, 400 to 599; a WebSocket is closed with 1011. */
  | {kind: 'status'; status: number}
  /** The right answer, trickled. */
  | {kind: 'slow-body'; bytesPerSecond: number}
  /** The WebSocket is closed as for a message that is too big: 1009. */
  | {kind: 'oversize'}

/** The kinds in the order in which they are listed to people. */
export const FAULT_KINDS = [
  'delay',
  'hang',
  'drop',
  'session-unknown',
  'status',
  'slow-body',
  'oversize',
] as const satisfies readonly Fault['kind'][]

/** What a fault can be put on: a Bayeux operation on any transport, the upgrade itself, the file operations, the health endpoints. */
export const FAULT_SCENES = ['handshake', 'connect', 'subscribe', 'publish', 'disconnect', 'upgrade', 'files', 'health'] as const
export type FaultScene = (typeof FAULT_SCENES)[number]

/** Where and how often a fault strikes. What is left out means any. */
export interface FaultRule {
  fault: Fault
  /** Names of nodes. */
  nodes?: readonly string[]
  on?: readonly FaultScene[]
  transports?: readonly BayeuxTransport[]
  /** Only requests (or frames of a WebSocket) that came with this probe header. */
  probe?: string
  /** Strikes this often, then is gone. */
  times?: number
}

/** A rule that is in force. */
export interface ActiveFault extends FaultRule {
  readonly id: string
  readonly struck: number
}

/** What is asked before a node answers. */
export interface Occasion {
  node: string
  scene: FaultScene
  transport?: BayeuxTransport
  probe?: string
}

/** The scene of a Bayeux message; `undefined` for a channel that is none of the protocol's. */
export function sceneOf({channel}: BayeuxMessage): FaultScene | undefined {
  switch (channel) {
    case META.handshake:
      return 'handshake'
    case META.connect:
      return 'connect'
    case META.subscribe:
    case META.unsubscribe:
      return 'subscribe'
    case META.disconnect:
      return 'disconnect'
    default:
      return channel.startsWith('/service/') ? 'publish' : undefined
  }
}

/** The faults that are switched on; they may change at any moment while the simulator runs. */
export class FaultBoard {
  readonly #rules = new Map<string, FaultRule & {struck: number}>()

  get active(): readonly ActiveFault[] {
    return [...this.#rules].map(([id, rule]) => ({id, ...rule}))
  }

  /** Switches a fault on. Returns its id. */
  add(rule: FaultRule): string {
    const id = randomUUID().slice(0, 8)
    this.#rules.set(id, {...rule, struck: 0})
    return id
  }

  /** False when there is no such fault (any more). */
  remove(id: string): boolean {
    return this.#rules.delete(id)
  }

  clear(): void {
    this.#rules.clear()
  }

  /** The first fault that strikes here, and counts it; `undefined` when all is well. */
  strike(occasion: Occasion): Fault | undefined {
    for (const [id, rule] of this.#rules) {
      if (!strikes(rule, occasion)) continue
      rule.struck += 1
      if (rule.times !== undefined && rule.struck >= rule.times) this.#rules.delete(id)
      return rule.fault
    }
    return undefined
  }
}

function strikes({nodes, on, transports, probe}: FaultRule, occasion: Occasion): boolean {
  if (nodes && !nodes.includes(occasion.node)) return false
  if (on && !on.includes(occasion.scene)) return false
  if (transports && !(occasion.transport !== undefined && transports.includes(occasion.transport))) return false
  return probe === undefined || probe === occasion.probe
}
