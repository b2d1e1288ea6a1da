import pLimit from 'p-limit'
import {EnvironmentError, UsageError} from '../errors.ts'
import type {Logger} from '../log.ts'
import {redact} from '../model/redact.ts'
import {verdictOf} from '../model/report.ts'
import type {Finding, Outcome, Report, SubjectReport} from '../model/report.ts'
import type {ParsedConfig, Proxy} from '../proxies/proxy.ts'
import {resolveRuntime} from '../runtime/resolve.ts'
import type {Runtime, RuntimeRequest} from '../runtime/runtime.ts'
import type {Check, Draft, Judgement, Stage} from './check.ts'
import {CHECKS} from './checks/index.ts'
import {locate, placeOf} from './locate.ts'
import {telltaleLines} from './proxy-log.ts'
import {selectChecks} from './select.ts'
import {budgetsFor, mostChatsHere, setStage, targetOf} from './stage.ts'
import type {SetStage, StageOptions} from './stage.ts'
import {pathOf, prepare, promisesOfUrl} from './subject.ts'
import type {Subject} from './subject.ts'

/** What happens while it runs, for whoever shows progress. `longestWaitMs` is known when a check starts. */
export type Progress =
  | {event: 'subject-started'; subject: string; checks: readonly string[]; runtime?: Runtime}
  | {event: 'check-started'; subject: string; id: string; longestWaitMs: number}
  | {event: 'check-finished'; subject: string; outcome: Outcome}
  | {event: 'subject-finished'; subject: string; report: SubjectReport}

export interface VerifyOptions {
  /** How each subject is to be run. */
  runtimeFor(proxy: Proxy): RuntimeRequest
  only: readonly string[]
  skip: readonly string[]
  allowExec: boolean
  intrusive: boolean
  keep: boolean
  signal: AbortSignal
  logger: Logger
  toolVersion: string
  /** Command line that repeats this run. */
  reproduce: string
  onProgress?(progress: Progress): void
}

/**
 * Runs every subject, all at once, and judges it.
 * @throws UsageError when nothing can be selected, or a foreign file is refused (contract, section 7).
 * @throws EnvironmentError when a subject cannot be run here at all.
 */
export async function verify(subjects: readonly Subject[], options: VerifyOptions): Promise<Report> {
  const began = Date.now()
  const checks = selectChecks(CHECKS, options)
  const heavy = pLimit(1)
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const settled = await Promise.allSettled(
    subjects.map(async subject => {
      try {
        return await (subject.kind === 'url'
          ? verifyUrl(subject, checks, {...options, signal})
          : verifyConfiguration(subject, checks, {...options, signal}, heavy))
      } catch (error) {
        stop.abort(error)
        throw error
      }
    }),
  )
  const failure = settled.find(result => result.status === 'rejected')
  if (failure) throw options.signal.aborted ? options.signal.reason : (stop.signal.reason ?? failure.reason)
  options.signal.throwIfAborted()
  const reports = settled.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  return {
    schema: 'gms-proxy/report/v1',
    tool: {name: 'gms-proxy', version: options.toolVersion},
    command: 'verify',
    reproduce: options.reproduce,
    verdict: verdictOf(reports),
    durationMs: Date.now() - began,
    subjects: reports,
  }
}

async function verifyConfiguration(
  subject: Exclude<Subject, {kind: 'url'}>,
  checks: readonly Check[],
  options: VerifyOptions,
  heavy: ReturnType<typeof pLimit>,
): Promise<SubjectReport> {
  const {proxy, name} = subject
  const {signal, onProgress} = options
  const runtime = await resolveRuntime(proxy, options.runtimeFor(proxy), signal)
  const prepared = prepare(subject, runtime)
  const {promises, config} = prepared
  onProgress?.({event: 'subject-started', subject: name, checks: checks.map(check => check.meta.id), runtime})
  const stageOptions: StageOptions = {
    proxy,
    prepared,
    runtime,
    allowExec: options.allowExec,
    keep: options.keep,
    signal,
    logger: options.logger,
  }
  const shared = await setStage(stageOptions)
  try {
    const {accepted} = shared.stage.configuration ?? {accepted: true}
    const judge = (check: Check, set: SetStage) =>
      runCheck(check, set, {name, proxy, config, pathOf: file => pathOf(subject, file), ...options})
    const skipReason = (check: Check) =>
      whyNot(check, {accepted, affinity: promises.affinity === 'required', nodes: promises.nodes, url: false, intrusive: true})
    const run = async (check: Check): Promise<Outcome> => {
      const because = skipReason(check)
      if (because !== undefined) return conclude(check, name, {status: 'skipped', because}, 0, onProgress)
      if (check.isolation !== 'own-proxy') return judge(check, shared)
      return withOwnStage(stageOptions, set => judge(check, set))
    }
    const quick = checks.filter(check => check.isolation !== 'after' && !check.heavy)
    const running = quick.map(check => ({check, outcome: run(check)}))
    const quickDone = Promise.allSettled(running.filter(({check}) => !check.longestWaitMs).map(({outcome}) => outcome))
    const heavyRuns = checks.filter(check => check.heavy).map(check => ({check, outcome: quickDone.then(() => heavy(() => run(check)))}))
    await settle([...running, ...heavyRuns].map(({outcome}) => outcome))
    const after = checks.filter(check => check.isolation === 'after').map(check => ({check, outcome: run(check)}))
    const outcomes = await inOrder(checks, [...running, ...heavyRuns, ...after])
    const report: SubjectReport = {
      name,
      proxy: proxy.name,
      proxyVersion: runtime.version,
      runtime: runtime.kind,
      runtimeReason: runtime.reason,
      source: prepared.source,
      upstream: 'simulator',
      timing: 'real',
      sandboxDiff: redact(shared.sandbox.diff),
      ...(options.keep && shared.running ? {sandboxFolder: shared.running.folder} : {}),
      promises,
      verdict: verdictOf(outcomes),
      longestWaitMs: longestWait(checks, outcomes, check => check.longestWaitMs?.(promises) ?? 0),
      outcomes,
      causes: [],
    }
    onProgress?.({event: 'subject-finished', subject: name, report})
    return report
  } finally {
    await shared[Symbol.asyncDispose]()
  }
}

async function verifyUrl(
  subject: Extract<Subject, {kind: 'url'}>,
  checks: readonly Check[],
  options: VerifyOptions,
): Promise<SubjectReport> {
  const {name, url} = subject
  const {signal, onProgress} = options
  const promises = promisesOfUrl(subject)
  const budgets = budgetsFor(promises)
  const target = targetOf(url, promises)
  onProgress?.({event: 'subject-started', subject: name, checks: checks.map(check => check.meta.id)})
  const stage: Stage = {
    target,
    promises,
    budgets,
    signal,
    mostChats: await mostChatsHere(),
    flow: (flow, input, against = target) => flow.run(against, input, {budgets, signal}),
  }
  const set: SetStage = {stage, sandbox: {diff: '', nodes: []}, async [Symbol.asyncDispose]() {}}
  const oneByOne = pLimit(1)
  const run = (check: Check): Promise<Outcome> => {
    const because = whyNot(check, {
      accepted: true,
      affinity: promises.affinity === 'required',
      nodes: promises.nodes,
      url: true,
      intrusive: options.intrusive,
    })
    if (because !== undefined) return Promise.resolve(conclude(check, name, {status: 'skipped', because}, 0, onProgress))
    const judge = () => runCheck(check, set, {name, ...options})
    return check.isolation === 'own-proxy' ? oneByOne(judge) : judge()
  }
  const runs = checks.map(check => ({check, outcome: run(check)}))
  await settle(runs.map(({outcome}) => outcome))
  const outcomes = await inOrder(checks, runs)
  const report: SubjectReport = {
    name,
    runtime: 'remote',
    source: url.href,
    upstream: 'remote',
    timing: 'real',
    sandboxDiff: '',
    promises,
    verdict: verdictOf(outcomes),
    longestWaitMs: longestWait(checks, outcomes, check => check.longestWaitMs?.(promises) ?? 0),
    outcomes,
    causes: [],
  }
  onProgress?.({event: 'subject-finished', subject: name, report})
  return report
}

/** Why a check is not run here, in words; `undefined` when it is. */
function whyNot(
  check: Check,
  have: {accepted: boolean; affinity: boolean; nodes: number; url: boolean; intrusive: boolean},
): string | undefined {
  const needs = new Set(check.needs)
  if (have.url && needs.has('configuration')) return 'a proxy that already runs was not started by us'
  if (have.url && needs.has('evidence')) return 'what reached GMS cannot be seen behind a URL'
  if (have.url && needs.has('intrusive') && !have.intrusive) return 'a production system would notice it; allow it with --intrusive'
  if (needs.has('affinity') && !have.affinity)
    return have.nodes === 1 ? 'one node: every session is on it' : 'affinity.mode is none: no affinity is promised'
  if (!have.accepted && !needs.has('configuration')) return 'the proxy did not accept the configuration'
  return undefined
}

async function withOwnStage<T>(options: StageOptions, use: (set: SetStage) => Promise<T>): Promise<T> {
  const set = await setStage(options)
  try {
    return await use(set)
  } finally {
    await set[Symbol.asyncDispose]()
  }
}

interface JudgeContext {
  name: string
  proxy?: Proxy
  config?: ParsedConfig
  /** A file of the configuration as the command line would name it. */
  pathOf?(file: string): string
  signal: AbortSignal
  logger: Logger
  onProgress?(progress: Progress): void
}

async function runCheck(
  check: Check,
  set: SetStage,
  {name, proxy, config, pathOf: nameOf = file => file, signal, logger, onProgress}: JudgeContext,
): Promise<Outcome> {
  const {promises} = set.stage
  onProgress?.({event: 'check-started', subject: name, id: check.meta.id, longestWaitMs: check.longestWaitMs?.(promises) ?? 0})
  const began = Date.now()
  const budget = check.budgetMs(promises)
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(new Error(`not judged within ${Math.round(budget / 1000)} s`)), budget)
  let judgement: Judgement
  try {
    const within = AbortSignal.any([signal, over.signal])
    const stage: Stage = {
      ...set.stage,
      signal: within,
      flow: (scripted, input, against = set.stage.target) => scripted.run(against, input, {budgets: set.stage.budgets, signal: within}),
    }
    judgement = await Promise.race([check.run(stage), rejectOn(within)])
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof UsageError || error instanceof EnvironmentError) throw error
    const reason = error instanceof Error ? error : new Error(String(error))
    logger.debug(`${check.meta.id}: ${reason.stack ?? reason.message}`)
    judgement = {status: 'errored', because: reason.message}
  } finally {
    clearTimeout(timer)
  }
  const tookMs = Date.now() - began
  if (judgement.status !== 'failed') return conclude(check, name, judgement, tookMs, onProgress)
  const logs = set.running && (await set.running.logs())
  const findings = judgement.findings.map(draft =>
    complete(draft, check, {
      log: logs ? telltaleLines(logs, draft.evidence) : [],
      nameOf,
      ...(proxy ? {proxy} : {}),
      ...(config ? {config} : {}),
    }),
  )
  return conclude(check, name, {...judgement, findings}, tookMs, onProgress, findings)
}

/** Adds to what the check saw: the place, the proxy's own words and the mend. */
function complete(
  draft: Draft,
  {meta}: Check,
  {proxy, config, log, nameOf}: {proxy?: Proxy; config?: ParsedConfig; log: readonly string[]; nameOf(file: string): string},
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
    },
    remediation: proxy ? meta.remediation[proxy.name] : Object.values(meta.remediation).join('\n'),
  }
}

function conclude(
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
    findings,
  }
  onProgress?.({event: 'check-finished', subject, outcome})
  return outcome
}

/** Waits for all, so that every stage is taken down, before the first rejection goes on. */
async function settle(promises: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(promises)
  for (const result of settled) if (result.status === 'rejected') throw result.reason
}

async function inOrder(checks: readonly Check[], runs: readonly {check: Check; outcome: Promise<Outcome>}[]): Promise<readonly Outcome[]> {
  return Promise.all(checks.flatMap(check => runs.filter(run => run.check === check).map(({outcome}) => outcome)))
}

function longestWait(checks: readonly Check[], outcomes: readonly Outcome[], waitOf: (check: Check) => number): number {
  const judged = new Set(outcomes.filter(({status}) => status !== 'skipped').map(({id}) => id))
  return Math.max(0, ...checks.filter(({meta}) => judged.has(meta.id)).map(waitOf))
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, {once: true})
  })
}
