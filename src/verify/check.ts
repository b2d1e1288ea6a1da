import type {Budgets, Flow, Target, Transcript} from '../flows/flow.ts'
import type {Meta, Transport} from '../model/catalogue.ts'
import type {Evidence, Location, Promises} from '../model/report.ts'
import type {Felt} from '../proxies/compressed.ts'
import type {Recorder} from '../simulator/recorder.ts'
import type {Shown} from './node-identities.ts'
import type {ReachedListener} from '../runtime/runtime.ts'
import type {GmsControl, SimulatedNode} from '../simulator/simulator.ts'

/**
 * What a check needs beyond a URL: `evidence` what GMS received (judges with both witnesses); `simulator` a GMS that does as it is told
 * (an agent who speaks, a node that dies, an answer that is late); `affinity` several nodes with affinity
 * promised; `intrusive` would be noticed in production (thousands of chats, large files), so it runs against a URL only with `--intrusive`;
 * `configuration` a configuration that we started ourselves.
 */
export type Need = 'evidence' | 'simulator' | 'affinity' | 'intrusive' | 'configuration'

/** Where a node is reached without the proxy. */
export type GmsAddress = Pick<SimulatedNode, 'name' | 'host' | 'port'>

/** What GMS saw: present unless the subject is a URL. */
export interface Upstream {
  recorder: Recorder
  nodes: readonly GmsAddress[]
  /** Makes the simulated GMS do things. Absent when the GMS is a real one. */
  control?: GmsControl
  /** The address that the configuration writes for each of them, in the same order. */
  written: readonly string[]
  /** A server the configuration does not name, `host:port` as the proxy would reach it: whatever arrives there was forwarded for a stranger. */
  bystander: {name: string; address: string}
  /** A node addressed directly, with no proxy between: the control measurement. */
  direct: Target
  /** Absent where nodes are real, or all speak plain text. */
  tls?: UpstreamTls
  /** How the configuration finds its nodes by name. Absent where there is no configuration. */
  names?: UpstreamNames
}

/** What a configuration says of host names of its nodes. */
export interface UpstreamNames {
  /** Host names among the addresses of nodes, each once. */
  hosts: readonly string[]
  /** Those of them that the proxy asks name servers for again while it runs. */
  followed: readonly string[]
  /** `always-system`: this proxy asks what the system asks, whatever its configuration says. */
  asks: 'named-servers' | 'nobody' | 'always-system'
}

/** Simulated nodes that speak TLS. */
export interface UpstreamTls {
  /** Names of those that do. */
  nodes: readonly string[]
  /** Times that somebody spoke TLS with one of them until he had seen its certificate: to the end, or up to an alert about it. */
  greetings(): number
}

/** What is different about a second stage with the same configuration. */
export interface Staging {
  /** What nodes show to a proxy that speaks TLS to them. Default `right`. */
  shown?: Shown
  /** Names of nodes that the configuration follows stay names, and this name server, `host:port`, is asked for them. */
  nameServer?: string
}

/** A stage of its own beside the one that a check stands on. */
export interface OtherStage extends AsyncDisposable {
  stage: Stage
}

/** The stage a check stands on: a proxy that runs, users that can be sent through it, and both witnesses. */
export interface Stage {
  target: Target
  promises: Promises
  budgets: Budgets
  upstream?: Upstream
  /** What the proxy itself said: present unless the subject is a URL. */
  configuration?: Configuration
  /** Chats for which this machine has file descriptors, on both sides of the proxy. */
  mostChats: number
  /** Runs a flow through the proxy, or `against` another target. */
  flow<I, T extends Transcript>(flow: Flow<I, T>, input: I, against?: Target): Promise<T>
  /** Sets another stage with the same configuration, a proxy and simulated nodes of its own. Absent behind a URL and with a real GMS. */
  another?(staging: Staging, signal: AbortSignal): Promise<OtherStage>
  signal: AbortSignal
}

/** What the proxy said of its configuration, and of its own state since it runs. */
export interface Configuration {
  /** False when its own test refused the file: then there is no traffic to judge. */
  accepted: boolean
  /** Where clients connect, the chat listener first; none when the proxy does not run. */
  listeners: readonly ReachedListener[]
  messages: readonly {level: 'error' | 'warning'; text: string; location?: Location}[]
  /** Says that the file was written for another version than the one that runs it; absent when it was not. */
  writtenForAnother?: string
  /** Crashes, `[alert]` and `[emerg]` lines up to now. */
  complaints(): Promise<readonly string[]>
  /** Access and error log up to now, secrets redacted. */
  log(): Promise<string>
  /** Memory of all processes of the proxy, bytes; `undefined` where the system does not tell. */
  memory(): Promise<number | undefined>
  /** Has the proxy read its configuration again, as an operator does after a change. */
  reload(): Promise<void>
  /**
   * Which of these texts stand in the logs as they are written, and the first line of each with all of them hidden. With `patiently` lines that
   * are on their way into a log are waited for, until there is one for each text, or for a few seconds.
   */
  findInLog(texts: readonly string[], patiently?: 'patiently'): Promise<readonly {text: string; line: string}[]>
}

/** `Stage` of a check that declared the need `evidence`. */
export interface WitnessedStage extends Stage {
  upstream: Upstream
}

/** `Stage` of a check that declared the needs `evidence` and `simulator`. */
export interface ControlledStage extends WitnessedStage {
  gms: GmsControl
}

/** A finding before the engine adds place and remediation. */
export interface Draft {
  message: string
  expected: string
  actual: string
  evidence: Evidence
  /** When the check knows the place itself; otherwise the engine looks for the directives its meta names. */
  location?: Location
}

export type Judgement =
  | {status: 'passed'; detail?: string}
  | {status: 'failed'; findings: readonly Draft[]}
  /** The host or GMS does not allow a verdict although nothing is wrong with the proxy; or there is nothing to judge (`notPromised`). */
  | {status: 'skipped'; because: string; notPromised?: true}
  | {status: 'errored'; because: string}

/** The judgement where the deployment neither does nor promises what a check is about. */
export function notPromised(because: string): Judgement {
  return {status: 'skipped', because, notPromised: true}
}

/** One promise, felt in live traffic. */
export interface Check {
  meta: Meta
  transport?: Transport
  needs: readonly Need[]
  /**
   * `own-proxy`: others would disturb it, or it them; it gets a proxy and a simulator of its own.
   * `after`: judged on the shared proxy when everything else is over.
   */
  isolation: 'shared' | 'own-proxy' | 'after'
  /** Checks whose failure explains this one's, the deepest first: their mend comes first. */
  presupposes?: readonly string[]
  /** Loads the machine (thousands of chats): runs when the quick checks are over, one at a time. */
  heavy?: boolean
  /** Upper bound of the run on a busy machine, ms; past it the check is errored. */
  budgetMs(promises: Promises): number
  /**
   * What it compares with durations of the proxy, and its own durations, ms of production: it runs in compressed time when all of them keep their
   * order. Such a check keeps to its own durations with `lasting`. Absent: it runs in real time.
   */
  timed?: {feels: readonly Felt[]; moments(promises: Promises): readonly number[]}
  /** The wait that cannot be shortened, ms: what the whole run is measured against. */
  longestWaitMs?(promises: Promises): number
  run(stage: Stage): Promise<Judgement>
}

/** A check that judges with both witnesses: `needs` gains `evidence`, and the stage is sure to have the upstream. */
export function withWitnesses(
  check: Omit<Check, 'run' | 'needs'> & {needs?: readonly Need[]; run(stage: WitnessedStage): Promise<Judgement>},
): Check {
  return {
    ...check,
    needs: ['evidence', ...(check.needs ?? [])],
    run(stage) {
      const {upstream} = stage
      if (!upstream) throw new Error(`${check.meta.id} was given a stage without the second witness`)
      return check.run({...stage, upstream})
    },
  }
}

/** A check that judges with both witnesses and makes GMS do something: `needs` gains `evidence` and `simulator`. */
export function withSimulator(
  check: Omit<Check, 'run' | 'needs'> & {needs?: readonly Need[]; run(stage: ControlledStage): Promise<Judgement>},
): Check {
  return withWitnesses({
    ...check,
    needs: ['simulator', ...(check.needs ?? [])],
    run(stage) {
      const gms = stage.upstream.control
      if (!gms) throw new Error(`${check.meta.id} was given a stage whose GMS takes no orders`)
      return check.run({...stage, gms})
    },
  })
}
