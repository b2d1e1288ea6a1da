import {monitorEventLoopDelay} from 'node:perf_hooks'
import {EnvironmentError, UsageError} from '../errors.ts'
import type {Ledger} from '../client/ledger.ts'
import type {Flow, Offering, Transcript} from '../flows/flow.ts'
import type {Logger} from '../log.ts'
import {PROXY_NAMES} from '../model/catalogue.ts'
import {redact} from '../model/redact.ts'
import {atPace} from '../model/pace.ts'
import type {Finding, Outcome, Promises} from '../model/report.ts'
import type {Proxy} from '../proxies/proxy.ts'
import type {ParsedConfig} from '../proxies/syntax.ts'
import type {Check, Draft, Judgement, Stage, Upstream} from './check.ts'
import {time} from './evidence.ts'
import {locate, placeOf} from './locate.ts'
import {mend} from '../parameters/mend.ts'
import {withLedger} from './manners.ts'
import type {Progress} from './progress.ts'
import {telltaleLines} from './proxy-log.ts'
import type {SetStage} from './stage.ts'

/** Why a check is not run, in words; and whether there is nothing to judge, or it cannot be judged here. */
export type NotRun = Pick<Extract<Judgement, {status: 'skipped'}>, 'because' | 'notPromised'>

/** Why a check is not run here; `undefined` when it is. */
export function whyNot(
  check: Check,
  have: {
    accepted: boolean
    affinity: boolean
    nodes: number
    /** `ours`: simulated; `real`: behind a tap; `hidden`: behind a proxy that already runs. */
    gms: 'ours' | 'real' | 'hidden'
    intrusive: boolean
    /** Several nodes are named, and one GMS stands for all of them. */
    oneForAll?: boolean
    lacks?: Lacks
  },
): NotRun | undefined {
  const needs = new Set(check.needs)
  const hidden = have.gms === 'hidden'
  if (hidden && needs.has('configuration')) return {because: 'a proxy that already runs was not started by us'}
  if (hidden && needs.has('evidence')) return {because: 'what reached GMS cannot be seen behind a URL'}
  if (have.gms !== 'ours' && needs.has('intrusive') && !have.intrusive)
    return {because: 'a production system would notice it; allow it with --intrusive'}
  if (have.gms !== 'ours' && needs.has('simulator')) return {because: 'a real GMS cannot be told what to do'}
  if (needs.has('affinity') && !have.affinity)
    return {
      because: have.nodes === 1 ? 'one node: every session is on it' : 'affinity.mode is none: no affinity is promised',
      notPromised: true,
    }
  if (needs.has('affinity') && have.oneForAll) return {because: 'one GMS stands for all nodes: it knows every session, wherever it is sent'}
  if (!have.accepted && !needs.has('configuration')) return {because: 'the proxy did not accept the configuration'}
  const {transport} = check
  const lack = transport === 'websocket' || transport === 'callback-polling' ? have.lacks?.[transport] : undefined
  return lack === undefined ? undefined : {because: lack}
}

/** What a deployment was seen to lack, and why. */
export type Lacks = Readonly<Partial<Record<Offering, string>>>

/** A flow of a check needs what the deployment does not offer. */
class NotOffered extends Error {}

/** The first thing that this run of the flow needs and the deployment lacks. */
function lackOf<I, T extends Transcript>(flow: Flow<I, T>, input: I, lacks: Lacks): string | undefined {
  const {transport} = (typeof input === 'object' && input !== null ? input : {}) as {transport?: unknown}
  const onWire: readonly Offering[] = transport === 'websocket' || transport === 'callback-polling' ? [transport] : []
  return [...(flow.needs?.(input) ?? []), ...onWire].map(offering => lacks[offering]).find(lack => lack !== undefined)
}

/**
 * Clients, simulated GMS and the deadlines of both live in this process. Standing still for a third of an answer's time, or for half of the
 * shortest time that is judged, it says nothing of the proxy.
 */
function standstillMs({budgets, promises: {holdMs, upgradeIdleMs}, upstream}: Stage, pace: number): number {
  // A simulated node that speaks TLS has to act, more than once, before a proxy calls it connected, and proxies wait 3 s for all of that.
  const least = pace === 1 ? 1000 : STANDSTILL_AT_PACE_MS
  return upstream?.tls ? least : Math.max(least, Math.min(budgets.answer / 3, holdMs / 2, upgradeIdleMs / 2))
}

/** In compressed time what is judged is that much shorter, ms. */
const STANDSTILL_AT_PACE_MS = 500

/** How often it is looked whether this process stands still, ms. */
const MONITOR_MS = 20

/** What a judgement needs to become an outcome. */
export interface JudgeContext {
  name: string
  proxy?: Proxy
  config?: ParsedConfig
  /** A file of the configuration as the command line would name it. */
  pathOf?(file: string): string
  /** Where it is noted what somebody has to close. */
  ledger?: Ledger
  /** Absent: the deployment offers everything. */
  lacks?: Lacks
  signal: AbortSignal
  logger: Logger
  onProgress?(progress: Progress): void
}

/**
 * Runs one check within its budget: past it, or for any error of its own, the outcome is errored.
 * @throws the signal's reason when the whole run is over; UsageError and EnvironmentError of the flow.
 */
export async function runCheck(
  check: Check,
  set: SetStage,
  {name, proxy, config, pathOf: nameOf = file => file, ledger, lacks = {}, signal, logger, onProgress}: JudgeContext,
): Promise<Outcome> {
  const {factor: pace, promises} = set.pace ?? {factor: 1, promises: set.stage.promises}
  onProgress?.({event: 'check-started', subject: name, id: check.meta.id, longestWaitMs: (check.longestWaitMs?.(promises) ?? 0) / pace})
  const began = Date.now()
  const standstill = monitorEventLoopDelay({resolution: MONITOR_MS})
  standstill.enable()
  const budget = check.budgetMs(promises)
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(new Error(`not judged within ${Math.round(budget / 1000)} s`)), budget)
  let judgement: Judgement
  try {
    const within = AbortSignal.any([signal, over.signal])
    const stage: Stage = {
      ...set.stage,
      signal: within,
      flow: async (scripted, input, against = set.stage.target) => {
        const lack = lackOf(scripted, input, lacks)
        if (lack !== undefined) throw new NotOffered(lack)
        return scripted.run(withLedger(against, ledger), input, {budgets: set.stage.budgets, signal: within})
      },
    }
    judgement = await Promise.race([atPace(pace, () => check.run(stage)), rejectOn(within)])
    const {upstream} = stage
    if (judgement.status === 'failed' && upstream && !upstream.control && isSeenByClients(check)) {
      // As long again: a finding that took its time must not be lost because of it.
      timer.refresh()
      judgement = await Promise.race([blameless(check, stage, upstream, judgement), rejectOn(within)])
    }
  } catch (error) {
    signal.throwIfAborted()
    // Flows of this check that still run have nobody left who looks at them.
    over.abort(error)
    if (error instanceof NotOffered)
      return conclude(check, name, {status: 'skipped', because: error.message}, Date.now() - began, onProgress)
    if (error instanceof UsageError || error instanceof EnvironmentError) throw error
    const reason = error instanceof Error ? error : new Error(String(error))
    logger.debug(`${check.meta.id}: ${reason.stack ?? reason.message}`)
    judgement = {status: 'errored', because: reason.message}
  } finally {
    clearTimeout(timer)
    // Deadlines that passed during a standstill end the check in the very turn in which it ends: the monitor has yet to notice.
    await new Promise(resolve => setTimeout(resolve, 3 * MONITOR_MS))
    standstill.disable()
  }
  const tookMs = Date.now() - began
  // Nodes that a proxy took for dead when it started are not back yet.
  const atStart = check.isolation === 'own-proxy' && set.stage.upstream?.tls ? (set.stoodStillMs ?? 0) : 0
  const stoodStillMs = Math.max(standstill.max / 1e6, atStart)
  if (judgement.status === 'failed' && stoodStillMs > standstillMs(set.stage, pace))
    judgement = {status: 'errored', because: `this machine was too busy to judge: nothing here moved for ${time(stoodStillMs)}`}
  if (judgement.status !== 'failed') return conclude(check, name, judgement, tookMs, onProgress)
  const logs = set.running && (await set.running.logs())
  const findings = judgement.findings.map(draft =>
    complete(draft, check, {
      log: logs ? telltaleLines(logs, draft.evidence) : [],
      nameOf,
      promises,
      ...(proxy ? {proxy} : {}),
      ...(config ? {config} : {}),
    }),
  )
  return conclude(check, name, {...judgement, findings}, tookMs, onProgress, findings)
}

/** Judged by what clients saw alone: then it can be judged without the proxy as well. The TLS of the proxy is not that of GMS. */
function isSeenByClients({meta, needs}: Check): boolean {
  return meta.concern !== 'tls' && !needs.includes('evidence') && !needs.includes('configuration')
}

/**
 * A real GMS may fail of its own accord. What fails in the same way without the proxy is nothing that can be said against the proxy. A run
 * without it that only happened to be disturbed does not clear it.
 */
async function blameless(
  check: Check,
  {upstream: _, configuration: __, ...stage}: Stage,
  {direct}: Upstream,
  failed: Extract<Judgement, {status: 'failed'}>,
): Promise<Judgement> {
  const seen = failed.findings.map(symptom)
  let other = ''
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const control = await check.run({...stage, target: direct, flow: (flow, input, against = direct) => stage.flow(flow, input, against)})
    if (control.status !== 'failed') return failed
    const alone = control.findings.map(symptom)
    other = control.findings[0]?.actual ?? 'it fails as well'
    if (seen.every(one => alone.includes(one)))
      return {status: 'skipped', because: `GMS does not keep it without the proxy either: ${other}`}
  }
  const [through] = failed.findings
  return {
    status: 'errored',
    because: `GMS fails without the proxy too, but in another way: ${other}; through the proxy: ${through?.actual ?? 'it fails'}`,
  }
}

/** What was wrong, without times, sizes and names that differ each time. */
function symptom({message, actual}: Draft): string {
  return `${message}: ${actual}`.replace(/\d+([.,]\d+)*/g, '#')
}

/** Adds to what the check saw: the place, the proxy's own words and the mend. */
function complete(
  draft: Draft,
  {meta}: Check,
  {
    proxy,
    config,
    log,
    nameOf,
    promises,
  }: {promises: Promises; proxy?: Proxy; config?: ParsedConfig; log: readonly string[]; nameOf(file: string): string},
): Finding {
  const named = draft.location && config ? placeOf(config, draft.location) : draft.location
  const location = named ?? (proxy && config ? locate(config, meta.directives[proxy.name]) : undefined)
  const {message, expected, actual, evidence} = draft
  return {
    message: redact(message),
    expected: redact(expected),
    actual: redact(actual),
    ...(location ? {location: {...location, file: nameOf(location.file)}} : {}),
    evidence: {
      client: evidence.client.map(redact),
      upstream: evidence.upstream.map(redact),
      ...(log.length > 0 ? {proxyLog: log.map(redact)} : {}),
      ...(evidence.moments ? {moments: evidence.moments.map(moment => ({...moment, text: redact(moment.text)}))} : {}),
    },
    remediation: proxy
      ? mend(meta.remediation[proxy.name], promises)
      : PROXY_NAMES.map(name => `${name}: ${mend(meta.remediation[name], promises)}`).join('\n'),
  }
}

/** A judgement as an outcome of the report, secrets redacted. */
export function conclude(
  {meta, transport}: Check,
  subject: string,
  judgement: Judgement,
  durationMs: number,
  onProgress: JudgeContext['onProgress'],
  findings: readonly Finding[] = [],
): Outcome {
  const outcome: Outcome = {
    id: meta.id,
    concern: meta.concern,
    title: meta.title,
    status: judgement.status,
    severity: meta.severity,
    ...(transport ? {transport} : {}),
    durationMs,
    ...('detail' in judgement && judgement.detail !== undefined ? {detail: redact(judgement.detail)} : {}),
    ...('because' in judgement ? {because: redact(judgement.because)} : {}),
    ...('notPromised' in judgement ? {notPromised: true as const} : {}),
    findings,
  }
  onProgress?.({event: 'check-finished', subject, outcome})
  return outcome
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, {once: true})
  })
}
