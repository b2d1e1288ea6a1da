import {setMaxListeners} from 'node:events'
import type {Budgets, Target} from '../../flows/flow.ts'
import {RULES} from '../../lint/rules/index.ts'
import type {ProxyName} from '../../model/catalogue.ts'
import {SEVERITIES} from '../../model/catalogue.ts'
import type {Severity} from '../../model/catalogue.ts'
import type {Cause, Confidence, Outcome, Promises, SubjectReport} from '../../model/report.ts'
import {verdictOf} from '../../model/report.ts'
import {expectationsOfForeign} from '../../parameters/expectations.ts'
import {mend} from '../../parameters/mend.ts'
import {PROXIES} from '../../proxies/index.ts'
import type {Access} from '../../verify/gms.ts'
import {ANYBODY} from '../../verify/gms.ts'
import {budgetsFor} from '../../verify/stage.ts'
import type {Felt, FeltId, Judgement, Suspected} from './judge.ts'
import {FELT, judge} from './judge.ts'
import type {LiveDetails, LiveReport, Seen} from './live.ts'
import {look} from './look.ts'
import {OWN_CAUSES} from './own-causes.ts'

export interface DiagnoseUrlOptions {
  /** What the deployment is held to. Default those of a URL without parameters. */
  promises?: Promises
  /** Default `ANYBODY`. */
  access?: Access
  /** GMS without the proxy: it is asked the same. */
  direct?: URL
  /** Longest silence of a WebSocket that is tried, ms. Default 65 s: the default cuts of nginx and Apache lie at 60 s. */
  idleMs?: number
  /** Bound on the whole run, ms: the silence is shortened so that it fits. Absent: none. */
  limitMs?: number
  /** Deadlines; default those of `verify`. */
  budgets?: Budgets
  /** Host names that a configuration file names: GMS may answer under one of them. */
  hosts?: readonly string[]
  /** The file's side: the causes that a configuration shows for what failed here. */
  explain?(judged: SubjectReport): readonly Cause[]
  signal: AbortSignal
  /** Called when a step begins, in words. */
  onStep?(step: string): void
}

/** Longest silence that is tried unasked, ms: just above 60 s. */
const IDLE_MS = 65_000
/** What everything but the silence takes at most on a healthy listener, ms. */
const BESIDE_MS = 10_000
const LEAST_IDLE_MS = 2000

/**
 * Looks at a proxy that runs, from outside: every phase, every transport forced, who answers, how long it waits and how long it lets be silent;
 * and says what explains it. Starts nothing, and takes no chat from anybody.
 * @throws the signal's reason when it aborts.
 */
export async function diagnoseUrl(url: URL, options: DiagnoseUrlOptions): Promise<LiveReport> {
  const {access = ANYBODY, direct, signal, onStep, hosts = [], limitMs, idleMs = IDLE_MS} = options
  // Many questions share one signal: that is no leak.
  setMaxListeners(0, signal)
  const promises = options.promises ?? expectationsOfForeign({name: 'unknown', nodes: 1})
  const budgets = options.budgets ?? budgetsFor(promises)
  const longest = limitMs === undefined ? idleMs : Math.max(LEAST_IDLE_MS, Math.min(idleMs, limitMs - BESIDE_MS))
  const lookAt = (at: URL, names: readonly string[], tell?: (step: string) => void) =>
    look(targetAt(at, access), {
      budgets,
      idleMs: longest,
      maxFileSize: promises.maxFileSize,
      hosts: names,
      signal,
      ...(tell ? {onStep: tell} : {}),
    })
  // One after the other in what is quick, side by side in what waits: both look at most once through the longest wait.
  const [seen, seenDirect] = await Promise.all([lookAt(url, hosts, onStep), direct ? lookAt(direct, []) : undefined])
  signal.throwIfAborted()
  const own = judge(seen, promises)
  const other = seenDirect && judge(seenDirect, promises)
  const outcomes = own.felt.map(felt => outcomeOf(felt, seen, {direct: seenDirect, judged: other, promises}))
  const suspected = compared(own, other, seenDirect)
  const fromOutside = suspected.map(each => causeOf(each, {proxy: seen.proxy?.proxy, promises, own}))
  const live: LiveDetails = {
    seen,
    ...(own.idle ? {idle: own.idle} : {}),
    ...(seenDirect ? {direct: {seen: seenDirect, ...(other?.idle ? {idle: other.idle} : {})}} : {}),
  }
  const judged: SubjectReport = {
    name: url.origin,
    ...(seen.proxy ? {proxy: seen.proxy.proxy} : {}),
    ...(seen.proxy?.version === undefined ? {} : {proxyVersion: seen.proxy.version}),
    runtime: 'remote',
    source: url.origin,
    upstream: direct ? direct.origin : 'remote',
    timing: 'real',
    sandboxDiff: '',
    promises,
    verdict: verdictOf(outcomes),
    longestWaitMs: Math.max(0, ...outcomes.map(({durationMs}) => durationMs)),
    outcomes,
    causes: [],
  }
  const causes = joined(fromOutside, options.explain?.(judged) ?? [])
  // What is only possible explains nothing yet.
  const explained = new Set(causes.filter(({confidence}) => confidence !== 'possible').flatMap(({explains}) => explains))
  const unexplained = outcomes.filter(({id, status}) => status === 'failed' && !explained.has(id)).map(({id}) => id)
  return {...judged, causes, unexplained, live}
}

/** Users of a listener: Host and Origin as a browser writes them, without the port that the scheme has by default. */
function targetAt(url: URL, access: Access): Target {
  return {url, hostHeader: url.host, ...access}
}

interface Context {
  direct: Seen | undefined
  judged: Judgement | undefined
  promises: Promises
}

function outcomeOf(felt: Felt, seen: Seen, {judged, promises}: Context): Outcome {
  const {id, status, severity = 'error', tookMs, detail, because, expected = '', actual = '', client = []} = felt
  const {concern, title} = FELT[id]
  const there = judged?.felt.find(other => other.id === id)
  const upstream =
    there === undefined || there.status === 'skipped'
      ? []
      : [
          `GMS itself, asked directly: ${there.status === 'passed' ? `as it should be${there.detail === undefined ? '' : `, ${there.detail}`}` : (there.actual ?? 'no better')}`,
        ]
  return {
    id,
    concern,
    title,
    status,
    severity,
    durationMs: tookMs,
    ...(detail === undefined ? {} : {detail}),
    ...(because === undefined ? {} : {because}),
    findings:
      status === 'failed'
        ? [
            {
              message: `Expected ${expected}`,
              expected,
              actual,
              evidence: {client, upstream},
              remediation: remediationOf(CHECKED_BY[id], seen.proxy?.proxy, promises) ?? '',
            },
          ]
        : [],
  }
}

/** The rule whose mend a failure asks for in general, where there is one. */
const CHECKED_BY: Readonly<Partial<Record<FeltId, string>>> = {
  'affinity-same-node': 'affinity-missing',
  'upgrade-idle-survives': 'upgrade-idle-cut',
  'polling-hold-survives': 'polling-timeout-below-hold',
  'upload-largest-file': 'upload-body-limit-too-small',
}

/** Failures that say something of the way to the listener, which GMS itself has no part in. */
const OF_THE_LISTENER: readonly FeltId[] = ['listener-name-resolves', 'listener-accepts-connections', 'tls-terminates']

/** What is suspected, after GMS was asked the same: what it does itself is no fault of the proxy. */
function compared({suspected, felt}: Judgement, other: Judgement | undefined, direct: Seen | undefined): readonly Suspected[] {
  if (!other || !direct) return suspected
  const failedThere = new Map(other.felt.filter(({status}) => status === 'failed').map(there => [there.id, there]))
  const reachable = direct.asks.handshake?.status !== undefined
  const shared = felt
    .filter(({id, status}) => status === 'failed' && failedThere.has(id) && !OF_THE_LISTENER.includes(id))
    .map(({id}) => id)
  if (!reachable) {
    const why =
      direct.resolved.failure?.reason ?? direct.connected?.failure?.reason ?? direct.greeted?.greeting.failure?.reason ?? 'no answer'
    // From here is not from there: the proxy may reach what we cannot.
    return suspected.map(one =>
      one.id === 'upstream-down' ? {...one, because: [...one.because, `GMS does not answer here either: ${why}`]} : one,
    )
  }
  const gms: Suspected[] =
    shared.length === 0
      ? []
      : [
          {
            id: 'upstream-gms-itself',
            confidence: 'certain',
            because: shared.map(id => `${id}, asked directly: ${failedThere.get(id)?.actual ?? 'failed'}`),
            explains: shared,
          },
        ]
  const others = suspected.flatMap((one): readonly Suspected[] => {
    const left = one.explains.filter(id => !shared.includes(id))
    if (left.length === 0 && one.explains.length > 0) return []
    const [first] = left
    const told = first !== undefined && other.felt.find(({id}) => id === first)?.status === 'passed'
    // A node that answers us may still be out of reach of the proxy, so a node that is down is not ruled out.
    return [{...one, explains: left, because: told ? [...one.because, 'GMS itself, asked directly, does this well'] : one.because}]
  })
  return [...gms, ...others]
}

function causeOf(
  {id, confidence, because, explains, remediation}: Suspected,
  {proxy, promises, own}: {proxy: ProxyName | undefined; promises: Promises; own: Judgement},
): Cause {
  const rule = RULES.find(({meta}) => meta.id === id)
  const known = (OWN_CAUSES as Readonly<Record<string, {title: string; severity: Severity; remediation: string} | undefined>>)[id]
  const failed = explains.filter(each => own.felt.some(felt => felt.id === each && felt.status === 'failed'))
  return {
    id,
    confidence,
    severity: rule?.meta.severity ?? known?.severity ?? 'error',
    title: rule?.meta.title ?? known?.title ?? id,
    because,
    explains: failed,
    remediation: remediation ?? known?.remediation ?? remediationOf(id, proxy, promises) ?? '',
  }
}

/** The directive to change, of the proxy that was recognised; of each that can have the defect where none was. */
function remediationOf(id: string | undefined, proxy: ProxyName | undefined, promises: Promises): string | undefined {
  const texts = RULES.find(({meta}) => meta.id === id)?.meta.remediation
  if (!texts) return undefined
  const own = proxy && texts[proxy]
  if (own !== undefined) return mend(own, promises)
  return Object.entries(texts)
    .map(([name, text]) => `${PROXIES[name as ProxyName].title}: ${mend(text, promises)}`)
    .join('\n')
}

const CONFIDENCES: readonly Confidence[] = ['certain', 'likely', 'possible']

/**
 * What was felt from outside together with what the file shows: both name it, then it is certain, and the file says where. A cause that
 * only traffic speaks for stays as sure as traffic makes it.
 */
function joined(fromOutside: readonly Cause[], fromFile: readonly Cause[]): readonly Cause[] {
  const both = fromOutside.map(cause => {
    const read = fromFile.find(({id}) => id === cause.id)
    if (!read) return cause
    return {
      ...read,
      confidence: 'certain' as const,
      because: [...cause.because, ...read.because],
      explains: [...new Set([...cause.explains, ...read.explains])],
      remediation: read.remediation === '' ? cause.remediation : read.remediation,
    }
  })
  return [...both, ...fromFile.filter(({id}) => !fromOutside.some(cause => cause.id === id))].sort(
    (a, b) =>
      CONFIDENCES.indexOf(a.confidence) - CONFIDENCES.indexOf(b.confidence) ||
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      b.explains.length - a.explains.length,
  )
}

/** `nginx 1.22.1 (certain)`: who stands in front, for a headline. */
export function inFront({proxy}: Seen): string {
  if (!proxy) return 'the proxy was not recognised'
  return `${proxy.confidence === 'certain' ? '' : `${proxy.confidence === 'likely' ? 'probably' : 'perhaps'} `}${PROXIES[proxy.proxy].title}${proxy.version === undefined ? '' : ` ${proxy.version}`}`
}
