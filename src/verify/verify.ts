import {ownAddresses} from '../flows/own-addresses.ts'
import {availableParallelism} from 'node:os'
import {EnvironmentError, UsageError} from '../errors.ts'
import type {LimitFunction} from 'p-limit'
import pLimit from 'p-limit'
import type {Ledger} from '../client/ledger.ts'
import {plainRequest} from '../flows/plain-request.ts'
import type {Logger} from '../log.ts'
import {redact} from '../model/redact.ts'
import {verdictOf} from '../model/report.ts'
import type {Outcome, Promises, Report, SubjectReport} from '../model/report.ts'
import type {Compression} from '../proxies/compressed.ts'
import type {Proxy} from '../proxies/proxy.ts'
import {resolveRuntime} from '../runtime/resolve.ts'
import type {RuntimeRequest} from '../runtime/runtime.ts'
import {COMETD_PATH, DEFAULT_HOLD_MS} from '../wire/bayeux.ts'
import type {Check, Stage} from './check.ts'
import type {Access} from './gms.ts'
import {ANYBODY, assigned} from './gms.ts'
import {GENTLE, goodManners} from './manners.ts'
import {compressionFor, isPaced} from './pacing.ts'
import {directTarget, preflight, whyTls, whyUnreachable} from './preflight.ts'
import {watchBusyness} from './busyness.ts'
import {CHECKS} from './checks/index.ts'
import type {Progress} from './progress.ts'
import {conclude, runCheck, whyNot} from './run-check.ts'
import {selectChecks} from './select.ts'
import {addressesOf, budgetsFor, mostChatsHere, promisesWith, setStage, settleIn, targetOf} from './stage.ts'
import type {RealGms, SetStage, StageOptions} from './stage.ts'
import {pathOf, prepare, promisesOfUrl, writtenForAnother} from './subject.ts'
import type {Subject} from './subject.ts'

export interface VerifyOptions {
  /** How each subject is to be run. */
  runtimeFor(proxy: Proxy): RuntimeRequest
  /** Default `real`. */
  timing?: 'real' | 'compressed'
  only: readonly string[]
  skip: readonly string[]
  /** A real GMS, one URL a node or one for all; empty or absent: GMS is simulated. */
  upstream?: readonly URL[]
  /** Default `ANYBODY`. */
  access?: Access
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
  if (options.timing === 'compressed') assertCompressible(subjects, options)
  const began = Date.now()
  const checks = selectChecks(CHECKS, options)
  const heavy = pLimit(1)
  const brisk = pLimit(BRISK * availableParallelism())
  const again = pLimit(2)
  // Somebody works with a real GMS: a handful of chats at a time, whatever number of subjects there is.
  const gently = pLimit(GENTLE)
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const started = subjects.some(({kind}) => kind !== 'url')
  const asked =
    options.upstream !== undefined && options.upstream.length > 0 && started ? askGms(options.upstream, {...options, signal}) : undefined
  const settled = await Promise.allSettled(
    subjects.map(async subject => {
      try {
        const real = await asked
        return await (subject.kind === 'url'
          ? verifyUrl(subject, checks, {...options, signal}, gently)
          : verifyConfiguration(subject, checks, {...options, signal}, {heavy, brisk, again, ...(real ? {real, gently} : {})}))
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

/** Checks per core that run side by side while they only work and wait for nothing: more of them would wait for each other, and see that as the proxy's fault. */
const BRISK = 6

/** What is said of a check that held when there was time for it. */
const REPEATED = 'at the second attempt: this machine was too busy at the first'

/** How a check ended, and whether that may be the fault of a busy machine. */
interface Heard {
  outcome: Outcome
  again: boolean
}

/** Who may run beside whom, over all subjects. */
interface Turns {
  /** One at a time. */
  heavy: LimitFunction
  /** Checks without a long wait. */
  brisk: LimitFunction
  /** Checks that are repeated. */
  again: LimitFunction
}

/** The first addresses are those that checks hand out to their own users. */
const BEYOND_OTHERS = 100

/**
 * Customers have an address each. To a proxy that limits what one address may do, checks that run side by side from one address would look like
 * a single customer who does everything at once.
 */
async function fromOwnAddress(set: SetStage, from: string | undefined): Promise<SetStage> {
  const {stage} = set
  if (from === undefined || !stage.configuration?.accepted) return set
  const target = {...stage.target, from}
  await settleIn(target, stage.budgets, stage.signal, false)
  return {...set, stage: {...stage, target}}
}

/** Where the proxy refuses its configuration that is the finding, whatever was selected: nothing else can be judged. */
function orRefusal(checks: readonly Check[], {stage}: SetStage): readonly Check[] {
  if (stage.configuration?.accepted !== false) return checks
  return [...CHECKS.filter(check => check.meta.id === 'listener-config-accepted' && !checks.includes(check)), ...checks]
}

async function verifyConfiguration(
  subject: Exclude<Subject, {kind: 'url'}>,
  selected: readonly Check[],
  options: VerifyOptions,
  {heavy, brisk, again, real, gently}: Turns & {real?: RealGms; gently?: LimitFunction},
): Promise<SubjectReport> {
  const {proxy, name} = subject
  const {signal, onProgress} = options
  const runtime = await resolveRuntime(proxy, options.runtimeFor(proxy), signal)
  const prepared = prepare(subject, runtime)
  const {config} = prepared
  const promises = promisesWith(prepared.promises, real)
  const named = addressesOf(proxy, prepared).length
  if (real) assigned(real.urls, Math.max(1, named))
  onProgress?.({event: 'subject-started', subject: name, checks: selected.map(check => check.meta.id), runtime})
  const stageOptions: StageOptions = {
    proxy,
    prepared,
    runtime,
    ...(options.access ? {access: options.access} : {}),
    ...(real ? {real} : {}),
    allowExec: options.allowExec,
    keep: options.keep,
    signal,
    logger: options.logger,
  }
  const shared = await setStage(stageOptions).catch((error: unknown) => {
    const otherVersion = writtenForAnother(proxy, prepared.bundle, runtime)
    if (otherVersion === undefined || !(error instanceof EnvironmentError)) throw error
    throw new EnvironmentError(`${error.message}\n${otherVersion}`, {suggestions: error.suggestions, cause: error})
  })
  const checks = orRefusal(selected, shared)
  const {fast, compression} = await compressed(checks, shared, stageOptions, {promises, ...options}).catch(async (error: unknown) => {
    await shared[Symbol.asyncDispose]()
    throw error
  })
  try {
    const {accepted} = shared.stage.configuration ?? {accepted: true}
    const addresses = real ? [] : await ownAddresses(shared.stage.target.url, checks.length, BEYOND_OTHERS)
    const judge = async (check: Check, set: SetStage, tell: VerifyOptions['onProgress'], ledger?: Ledger) =>
      runCheck(check, set === shared || set === fast ? await fromOwnAddress(set, addresses[checks.indexOf(check)]) : set, {
        name,
        proxy,
        config,
        pathOf: file => pathOf(subject, file),
        ...(ledger ? {ledger} : {}),
        ...(real ? {lacks: real.offer.lacks} : {}),
        ...options,
        ...(tell ? {onProgress: tell} : {}),
      })
    const skipReason = (check: Check) =>
      whyNot(check, {
        accepted,
        affinity: promises.affinity === 'required',
        nodes: promises.nodes,
        gms: real ? 'real' : 'ours',
        intrusive: options.intrusive,
        oneForAll: real !== undefined && named > 1 && new Set(real.urls.map(({origin}) => origin)).size === 1,
        ...(real ? {lacks: real.offer.lacks} : {}),
      })
    const act = (check: Check, tell: VerifyOptions['onProgress'], ledger?: Ledger) =>
      check.isolation === 'own-proxy'
        ? withOwnStage(isPaced(check, compression) && compression ? {...stageOptions, compression} : stageOptions, set =>
            judge(check, set, tell, ledger),
          )
        : judge(check, isPaced(check, compression) && fast ? fast : shared, tell, ledger)
    /** Of what has to be heard again nobody is told yet. */
    const hear = async (check: Check): Promise<Heard> => {
      const notRun = skipReason(check)
      if (notRun) return {outcome: conclude(check, name, {status: 'skipped', ...notRun}, 0, onProgress), again: false}
      if (real && gently) return {outcome: await real.turn(gently, ledger => act(check, onProgress, ledger)), again: false}
      const kept: Progress[] = []
      const wasBusy = watchBusyness()
      const outcome = await act(check, progress => {
        if (progress.event === 'check-finished') kept.push(progress)
        else onProgress?.(progress)
      })
      const repeat = (outcome.status === 'failed' || outcome.status === 'errored') && wasBusy()
      if (!repeat) for (const progress of kept) onProgress?.(progress)
      return {outcome, again: repeat}
    }
    const hearAgain = async (check: Check): Promise<Outcome> => {
      const outcome = await again(() => act(check, () => {}))
      const heard = outcome.status === 'passed' ? {...outcome, detail: [outcome.detail, REPEATED].filter(Boolean).join('; ')} : outcome
      onProgress?.({event: 'check-finished', subject: name, outcome: heard})
      return heard
    }
    const quick = checks.filter(check => check.isolation !== 'after' && !check.heavy)
    const running = quick.map(check => ({check, heard: check.longestWaitMs ? hear(check) : brisk(() => hear(check))}))
    const quickDone = Promise.allSettled(running.filter(({check}) => !check.longestWaitMs).map(({heard}) => heard))
    const heavyRuns = checks.filter(check => check.heavy).map(check => ({check, heard: quickDone.then(() => heavy(() => hear(check)))}))
    const calm = Promise.allSettled([quickDone, ...heavyRuns.map(({heard}) => heard)])
    const settled = [...running, ...heavyRuns].map(({check, heard}) => ({
      check,
      outcome: heard.then(async first => (first.again ? calm.then(() => hearAgain(check)) : first.outcome)),
    }))
    await settle(settled.map(({outcome}) => outcome))
    const after = checks
      .filter(check => check.isolation === 'after')
      .map(check => ({check, outcome: hear(check).then(first => (first.again ? hearAgain(check) : first.outcome))}))
    const outcomes = (await inOrder(checks, [...settled, ...after])).map(outcome => told(outcome, compression))
    const report: SubjectReport = {
      name,
      proxy: proxy.name,
      proxyVersion: runtime.version,
      runtime: runtime.kind,
      runtimeReason: runtime.reason,
      source: prepared.source,
      upstream: real ? real.urls.map(({origin}) => origin).join(', ') : 'simulator',
      ...(compression ? {timing: 'compressed' as const, timingFactor: compression.factor} : {timing: 'real' as const}),
      sandboxDiff: redact((fast ?? shared).sandbox.diff),
      ...(options.keep && shared.running ? {sandboxFolder: shared.running.folder} : {}),
      promises,
      verdict: verdictOf(outcomes),
      longestWaitMs: longestWait(
        checks,
        outcomes,
        check => (check.longestWaitMs?.(promises) ?? 0) / (isPaced(check, compression) ? (compression?.factor ?? 1) : 1),
      ),
      outcomes,
      causes: [],
    }
    onProgress?.({event: 'subject-finished', subject: name, report})
    return report
  } finally {
    await fast?.[Symbol.asyncDispose]()
    await shared[Symbol.asyncDispose]()
  }
}

/** @throws UsageError when there are durations that are not ours to divide. */
function assertCompressible(subjects: readonly Subject[], {upstream = []}: VerifyOptions): void {
  const url = subjects.find(({kind}) => kind === 'url')
  if (!url && upstream.length === 0) return
  throw new UsageError(
    `--timing compressed cannot be used with ${url ? `${url.name}, a proxy that already runs` : 'a real GMS'}: its durations are its own`,
    {
      suggestions: ['leave out --timing'],
    },
  )
}

/** The stage of the checks that run in compressed time beside others; absent when none does. */
async function compressed(
  checks: readonly Check[],
  shared: SetStage,
  stageOptions: StageOptions,
  {timing, promises}: Pick<VerifyOptions, 'timing'> & {promises: Promises},
): Promise<{fast?: SetStage; compression?: Compression}> {
  const {proxy, prepared, runtime} = stageOptions
  if (timing !== 'compressed') return {}
  const compression = compressionFor(proxy, prepared, {version: runtime.version, promises, checks})
  if (!shared.stage.configuration?.accepted || !checks.some(check => isPaced(check, compression))) return {compression}
  const fast = await setStage({...stageOptions, compression})
  if (fast.stage.configuration?.accepted) return {fast, compression}
  const [refusal] = fast.stage.configuration?.messages ?? []
  await fast[Symbol.asyncDispose]()
  const because = `${proxy.title} refuses the file with compressed durations${refusal ? `: ${redact(refusal.text)}` : ''}`
  return {compression: {...compression, realTime: new Map(checks.map(({meta: {id}}) => [id, because]))}}
}

/** In compressed time a report says which checks were run in real time, and why. */
function told(outcome: Outcome, compression: Compression | undefined): Outcome {
  const because = compression?.realTime.get(outcome.id)
  const judged = outcome.status === 'passed' || outcome.status === 'failed'
  return because !== undefined && judged && CHECKS.some(check => check.meta.id === outcome.id && check.longestWaitMs)
    ? {...outcome, realTime: because}
    : outcome
}

/** @throws EnvironmentError when no chat can be had there. */
async function askGms(urls: readonly URL[], {access = ANYBODY, signal, logger}: VerifyOptions): Promise<RealGms> {
  const turn = goodManners({access, at: urls.map(url => directTarget(url, access)), signal, logger})
  const budgets = budgetsFor({holdMs: DEFAULT_HOLD_MS})
  const offer = await turn(pLimit(1), ledger => preflight(urls, {access, budgets, ledger, signal, logger}))
  return {urls, offer, turn}
}

async function verifyUrl(
  subject: Extract<Subject, {kind: 'url'}>,
  checks: readonly Check[],
  options: VerifyOptions,
  gently: LimitFunction,
): Promise<SubjectReport> {
  const {name, url} = subject
  const {signal, onProgress, access = ANYBODY} = options
  const promises = promisesOfUrl(subject)
  const budgets = budgetsFor(promises)
  const target = targetOf(url, promises, access)
  onProgress?.({event: 'subject-started', subject: name, checks: checks.map(check => check.meta.id)})
  const stage: Stage = {
    target,
    promises,
    budgets,
    signal,
    mostChats: await mostChatsHere(2),
    flow: (flow, input, against = target) => flow.run(against, input, {budgets, signal}),
  }
  await assertReachable(stage, url)
  const set: SetStage = {stage, sandbox: {diff: '', nodes: []}, async [Symbol.asyncDispose]() {}}
  const oneByOne = pLimit(1)
  const turn = goodManners({access, at: [target], signal, logger: options.logger})
  const run = (check: Check): Promise<Outcome> => {
    const notRun = whyNot(check, {
      accepted: true,
      affinity: promises.affinity === 'required',
      nodes: promises.nodes,
      gms: 'hidden',
      intrusive: options.intrusive,
    })
    if (notRun) return Promise.resolve(conclude(check, name, {status: 'skipped', ...notRun}, 0, onProgress))
    return turn(check.isolation === 'own-proxy' ? oneByOne : gently, ledger => runCheck(check, set, {name, ledger, ...options}))
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

async function withOwnStage<T>(options: StageOptions, use: (set: SetStage) => Promise<T>): Promise<T> {
  const set = await setStage(options)
  try {
    return await use(set)
  } finally {
    await set[Symbol.asyncDispose]()
  }
}

/** @throws EnvironmentError when there is no connection to the URL at all: nothing could be judged. */
async function assertReachable(stage: Stage, url: URL): Promise<void> {
  const seen = await stage.flow(plainRequest, {target: COMETD_PATH})
  const unreachable = whyUnreachable(url, (seen.stoppedAt ?? '').replace(/^.*?: /, '')) ?? (await whyTls(stage.target, seen, stage))
  if (unreachable) throw unreachable
}

/** Waits for all, so that every stage is taken down, before the first rejection goes on. */
async function settle(promises: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(promises)
  for (const result of settled) if (result.status === 'rejected') throw result.reason
}

/** The outcomes in the order of the checks; a failure that another one explains names it. */
async function inOrder(checks: readonly Check[], runs: readonly {check: Check; outcome: Promise<Outcome>}[]): Promise<readonly Outcome[]> {
  const outcomes = await Promise.all(checks.flatMap(check => runs.filter(run => run.check === check).map(({outcome}) => outcome)))
  const failed = new Set(outcomes.filter(({status}) => status === 'failed').map(({id}) => id))
  return outcomes.map(outcome => {
    const root = checks.find(({meta}) => meta.id === outcome.id)?.presupposes?.find(id => failed.has(id))
    return outcome.status === 'failed' && root !== undefined ? {...outcome, followsFrom: root} : outcome
  })
}

function longestWait(checks: readonly Check[], outcomes: readonly Outcome[], waitOf: (check: Check) => number): number {
  const judged = new Set(outcomes.filter(({status}) => status !== 'skipped').map(({id}) => id))
  return Math.max(0, ...checks.filter(({meta}) => judged.has(meta.id)).map(waitOf))
}
