import {UsageError} from '../errors.ts'
import {META, type BayeuxMessage, type BayeuxTransport} from '../wire/bayeux.ts'

/**
 * What GMS does wrong on demand. Times in ms. A request is always taken in whole before its fault strikes, and GMS does nothing with one that
 * it then hangs, drops or refuses: nothing is half done.
 */
export type Fault =
  /**
   * Everything is right, but `ms` late. Bayeux messages and upgrades are worked on late (longer than CometD's `maxInterval` lets a session
   * that waits for nothing else expire meanwhile), files and health requests at once but answered late. On a WebSocket later frames never overtake a late one, except that
   * `/meta/connect` and all else do not wait for each other.
   */
  | {kind: 'delay'; ms: number}
  /** The request is taken in and never answered; a WebSocket stays open. */
  | {kind: 'hang'}
  /** The connection is cut without an answer; a WebSocket without a close frame. */
  | {kind: 'drop'}
  /** CometD's answer for a session that this node does not know: HTTP 200 and `402::session_unknown`. */
  | {kind: 'session-unknown'}
  /** Jetty's error page with that status, 400 to 599; a WebSocket is closed with 1011. */
  | {kind: 'status'; status: number}
  /** The right answer, trickled: a body bit by bit, a WebSocket message in fragments. */
  | {kind: 'slow-body'; bytesPerSecond: number}
  /** Whatever came is called too big: a WebSocket is closed with 1009, over HTTP the answer is 413. */
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

const BAYEUX_SCENES = ['handshake', 'connect', 'subscribe', 'publish', 'disconnect'] as const satisfies readonly FaultScene[]
/** Scenes that have an HTTP answer of their own. */
const PLAIN_SCENES = ['files', 'health'] as const satisfies readonly FaultScene[]

/** Where each kind can strike. Elsewhere it would be no fault that a GMS can have. */
const POSSIBLE: Readonly<Record<Fault['kind'], {on: readonly FaultScene[]; why: string}>> = {
  delay: {on: FAULT_SCENES, why: ''},
  hang: {on: FAULT_SCENES, why: ''},
  drop: {on: FAULT_SCENES, why: ''},
  'session-unknown': {
    on: ['connect', 'subscribe', 'publish', 'disconnect'],

    why: 'Choose other scenes: only a message of a session can be told that it is unknown.',
  },
  status: {on: FAULT_SCENES, why: ''},
  'slow-body': {on: [...BAYEUX_SCENES, ...PLAIN_SCENES], why: 'Choose other scenes: the answer to an upgrade has no body.'},
  oversize: {on: [...BAYEUX_SCENES, 'files'], why: 'Choose other scenes: only what has content can be too big.'},
}

/** Longest delay, ms: what a timer takes. */
const MAX_DELAY_MS = 2 ** 31 - 1

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

/** A fault that has struck, as the recorder keeps it. `at`: ms since the epoch. */
export interface FaultStrike {
  readonly at: number
  readonly kind: Fault['kind']
  readonly scene: FaultScene
}

/** What is asked before a node answers. */
export interface Occasion {
  node: string
  scene: FaultScene
  transport?: BayeuxTransport
  probe?: string
}

/** The scenes of a batch or frame, in the order of its messages. */
export function scenesOf(messages: readonly BayeuxMessage[]): readonly FaultScene[] {
  return messages.map(sceneOf).filter(scene => scene !== undefined)
}

/** The same messages as if from a session that nobody knows. */
export function ofNoSession(messages: readonly BayeuxMessage[]): BayeuxMessage[] {
  return messages.map(message => ({...message, clientId: ''}))
}

/** The scene of a Bayeux message; `undefined` for a channel that is none of the protocol's. */
function sceneOf({channel}: BayeuxMessage): FaultScene | undefined {
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
  readonly #nodes: readonly string[]
  readonly #rules = new Map<string, FaultRule & {struck: number}>()
  #count = 0

  /** @param nodes names that a rule may name. */
  constructor(nodes: readonly string[]) {
    this.#nodes = nodes
  }

  get active(): readonly ActiveFault[] {
    return [...this.#rules].map(([id, rule]) => ({id, ...rule}))
  }

  /**
   * Switches a fault on. Returns its id.
   * @throws UsageError when it could never strike (an unknown node, a kind that a scene or transport cannot have) or its numbers make no sense.
   */
  add(rule: FaultRule): string {
    const problem = problemOf(rule, this.#nodes)
    if (problem) throw new UsageError(`Fault ${rule.fault.kind}: ${problem.what}`, {suggestions: problem.advice ? [problem.advice] : []})
    this.#count += 1
    const id = `fault-${this.#count}`
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

function strikes({fault, nodes, on, transports, probe}: FaultRule, {node, scene, transport, probe: met}: Occasion): boolean {
  const possible = POSSIBLE[fault.kind]
  if (nodes && !nodes.includes(node)) return false
  if (!(on ?? possible.on).includes(scene)) return false
  if (transports && !(transport !== undefined && transports.includes(transport))) return false
  return probe === undefined || probe === met
}

function problemOf(rule: FaultRule, known: readonly string[]): {what: string; advice?: string} | undefined {
  const {fault, nodes, on, transports, times} = rule
  const possible = POSSIBLE[fault.kind]
  const stranger = nodes?.find(name => !known.includes(name))
  if (stranger !== undefined) return {what: `there is no node "${stranger}"`, advice: `Name one of ${known.join(', ')}.`}
  for (const [name, list] of Object.entries({nodes, on, transports}))
    if (list?.length === 0) return {what: `${name} is empty, so it would never strike`, advice: `Leave ${name} out to mean any.`}
  const scene = on?.find(asked => !possible.on.includes(asked))
  if (scene !== undefined) return {what: `it cannot strike on ${scene}`, advice: possible.why}
  const plain = on?.find(asked => PLAIN_SCENES.some(candidate => candidate === asked))
  if (transports && plain !== undefined)
    return {what: `${plain} travels on no Bayeux transport`, advice: `Leave transports out, or ${plain}.`}
  if (on?.includes('upgrade') && transports && !transports.includes('websocket'))
    return {what: 'an upgrade is always for websocket', advice: 'Leave transports out, or name websocket among them.'}
  if (times !== undefined && !whole(times, 1, Number.MAX_SAFE_INTEGER)) return {what: `times must be a whole number from 1, not ${times}`}
  return numbersOf(fault)
}

function numbersOf(fault: Fault): {what: string} | undefined {
  switch (fault.kind) {
    case 'delay':
      return whole(fault.ms, 0, MAX_DELAY_MS) ? undefined : {what: `ms must be a whole number from 0 to ${MAX_DELAY_MS}, not ${fault.ms}`}
    case 'status':
      return whole(fault.status, 400, 599) ? undefined : {what: `status must be from 400 to 599, not ${fault.status}`}
    case 'slow-body':
      return whole(fault.bytesPerSecond, 1, Number.MAX_SAFE_INTEGER)
        ? undefined
        : {what: `bytesPerSecond must be a whole number from 1, not ${fault.bytesPerSecond}`}
    default:
      return undefined
  }
}

function whole(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most
}
