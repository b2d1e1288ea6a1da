import type {Budgets, Flow, Target, Transcript} from '../flows/flow.ts'
import type {Meta, Transport} from '../model/catalogue.ts'
import type {Evidence, Location, Promises} from '../model/report.ts'
import type {Recorder} from '../simulator/recorder.ts'
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
  signal: AbortSignal
}

/** What the proxy said of its configuration, and of its own state since it runs. */
export interface Configuration {
  /** False when its own test refused the file: then there is no traffic to judge. */
  accepted: boolean
  messages: readonly {level: 'error' | 'warning'; text: string; location?: Location}[]
  /** Crashes, `[alert]` and `[emerg]` lines up to now. */
  complaints(): Promise<readonly string[]>
  /** Access and error log up to now, secrets redacted. */
  log(): Promise<string>
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
  /** The host or GMS does not allow a verdict although nothing is wrong with the proxy. */
  | {status: 'skipped'; because: string}
  | {status: 'errored'; because: string}

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
