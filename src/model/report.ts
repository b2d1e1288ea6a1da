import type {Concern, Confidence, ProxyName, Severity, Transport} from './catalogue.ts'
import {SEVERITIES} from './catalogue.ts'
import type {Live} from './live.ts'

export type {Confidence} from './catalogue.ts'

/** A place in the user's own file (never in the sandbox's copy). Lines and columns count from 1. */
export interface Location {
  file: string
  line: number
  column?: number
  /** Where it ends, half-open, on the same line or below; absent: not known. */
  endLine?: number
  endColumn?: number
  /** The line itself, redacted. */
  text?: string
}

/** Lines of the user's file around a finding, redacted. */
export interface Excerpt {
  /** Number of the first of `lines`. */
  line: number
  lines: readonly string[]
  /** What to point at: a range of one line, half-open, columns from 1. */
  mark: {line: number; column: number; endColumn: number}
}

/** A range of the user's file, half-open, and what belongs there instead. */
export interface Replacement {
  file: string
  line: number
  column: number
  endLine: number
  endColumn: number
  text: string
  why: string
}

/** Why a finding does not count. */
export interface Suppression {
  /** `comment`: beside the line, in the file. `baseline`: it was there before. */
  by: 'comment' | 'baseline'
  reason?: string
}

/** When a line of the evidence happened, ms since the first of them, as it would be in production. */
export interface Moment {
  end: 'client' | 'upstream'
  /** The line, as it stands in the evidence of that end. */
  text: string
  at: number
  /** ms; absent: it had no end yet. */
  tookMs?: number
}

/** What each end of the proxy saw, one line of text per exchange, secrets redacted. */
export interface Evidence {
  client: readonly string[]
  upstream: readonly string[]
  /** Lines of the proxy's own log that belong to the failure. */
  proxyLog?: readonly string[]
  /** Times of those lines that have one, on one clock; absent: none has. */
  moments?: readonly Moment[]
}

/** One thing that is wrong. `expected` and `actual` are concrete values. */
export interface Finding {
  message: string
  expected: string
  actual: string
  location?: Location
  evidence: Evidence
  remediation: string
  /** The lines around `location`. */
  excerpt?: Excerpt
  /** What mends it: replacements, and the same as a unified diff, redacted. Absent: not known. */
  replacements?: readonly Replacement[]
  patch?: string
  /** Equal for the same defect of the same line in later runs, wherever the line has moved to. Hexadecimal. */
  fingerprint?: string
}

/** A finding that does not count. */
export interface SuppressedFinding extends Finding {
  suppression: Suppression
}

export type Status = 'passed' | 'failed' | 'skipped' | 'errored'

/** How one check ended (report/v1, CLI contract section 5). Times in ms. */
export interface Outcome {
  id: string
  concern: Concern
  title: string
  status: Status
  severity: Severity
  transport?: Transport
  durationMs: number
  /** One short fact worth reading on success, e.g. "35 s of 3600 s promised". */
  detail?: string
  /** Only for `skipped`: the deployment neither does nor promises what the check is about. That is no half of a run: the verdict can be passed. */
  notPromised?: true
  /** Only for `skipped`: no configuration can show it (a rule that is found from evidence, or that this proxy cannot break). That is no half of a run. */
  notInFile?: true
  /** Why it was not judged: only for `skipped` and `errored`. */
  because?: string
  /** Only in compressed time: why this one was run in real time all the same. */
  realTime?: string
  /** Id of the failed outcome that most likely explains this failure: mend that one first. */
  followsFrom?: string
  /** Filled only when `failed`. */
  findings: readonly Finding[]
  /** Findings that do not count, whatever the status; absent: none. */
  suppressed?: readonly SuppressedFinding[]
}

/** Why something fails. */
export interface Cause {
  /** Of the catalogue of causes: id of a rule. */
  id: string
  confidence: Confidence
  severity: Severity
  title: string
  /** What was read or heard that speaks for it, one line each. */
  because: readonly string[]
  location?: Location
  excerpt?: Excerpt
  /** Further places with the same defect. */
  also?: readonly Location[]
  /** Ids of failed outcomes. */
  explains: readonly string[]
  remediation: string
  /** Unified diff that mends every place, redacted; absent: not known. */
  patch?: string
  /** The same as replacements; absent also where a secret stands in one. */
  replacements?: readonly Replacement[]
}

/** Changes of one place of a file, none of which can be left out. */
export interface Hunk {
  file: string
  /** First line in the file as it was. */
  line: number
  /** Unified diff, redacted. */
  patch: string
  /** The same as replacements of whole lines of the file as it was; absent where a secret stands in one. */
  replacements?: readonly Replacement[]
  /** Rules whose edits it came from. */
  rules: readonly string[]
  why: readonly string[]
  /** Outcomes that fail again when it alone is taken away: found by doing so. */
  mends: readonly string[]
}

/** What `fix` found: a set of hunks after which nothing of `mended` fails, and from which none can be taken away. */
export interface Fix {
  /** Unified diff of all hunks, redacted; empty: nothing was to be mended, or nothing could be. */
  patch: string
  hunks: readonly Hunk[]
  /** Ids of outcomes that failed before and pass with the patch. */
  mended: readonly string[]
  /** Ids of outcomes that still fail, each with what is to be done by hand. */
  left: readonly {id: string; remediation: string}[]
  /** Rules that complain, and whose complaint no check could feel: not part of the patch. */
  unfelt: readonly {rule: string; location?: Location; message: string; patch?: string}[]
  /** Runs of the proxy that it took. */
  runs: number
  /** Files that were written, with the copy of what was there before; absent: nothing was written. */
  written?: readonly {file: string; backup: string}[]
}

/** What is to be said of a configuration that was read, beside the findings. */
export interface ReadingNotes {
  /** What was not understood: rules are silent about it. */
  unknown: readonly {location: Location; because: string}[]
  /** Suppressions that suppress nothing. */
  unusedSuppressions: readonly {location: Location; ids: readonly string[]}[]
  /** Findings of the baseline that are gone. */
  vanished: readonly {rule: string; file: string; text: string}[]
}

/** What the deployment is held to and where each number comes from. ms and bytes. */
export interface Promises {
  chats: number
  maxFileSize: number
  nodes: number
  holdMs: number
  upgradeIdleMs: number
  paths: readonly string[]
  /** `none`: sessions need not stay on one node. `required`: any means will do (a foreign file with several nodes). */
  affinity: 'required' | 'none'
  /** Clients connect over TLS. */
  tls: boolean
  /** The proxy speaks TLS to the nodes. */
  upstreamTls: boolean
  /** No node has to prove its name: said so by the operator. */
  upstreamUnverified?: true
  /** Nobody has to notice that a node died: said so by the operator (`health.mode: none`). */
  nodesUnchecked?: true
  /** Clients that speak nothing newer than TLS 1.1 are served: said so by the operator. */
  oldTls?: true
  /** Web origins that may use the chat; empty: all. */
  origins: readonly string[]
  /** Node names are followed when their addresses change, after so many ms; absent: they are not. */
  dnsTtlMs?: number
  /** The proxy asks nodes whether they are ONLINE. */
  asksStatus?: boolean
  /** A reload ends chats that are still open after so many ms; absent: never. */
  drainMs?: number
  /** `paths` and no others reach GMS; absent: nothing is promised of other paths. */
  onlyPaths?: true
  /** Networks that may connect; absent: everybody. */
  allow?: readonly string[]
  /** Networks that may reach the administration of GMS; absent: nobody. */
  adminAllow?: readonly string[]
  /** Who answers browsers of other origins; absent: nothing is promised. */
  cors?: 'gms' | 'proxy'
  /** A client that has not sent its whole header after this time, ms, is given up; absent: nothing is promised. */
  headerTimeoutMs?: number
  /** A client that sends nothing of its file for so long, ms, is given up; absent: nothing is promised. */
  stallMs?: number
  /** Attributes of the cookie that the proxy sets; absent: nothing is promised of them. */
  cookie?: {httpOnly: boolean; partitioned: boolean; sameSite?: 'lax' | 'strict' | 'none'}
  /** The cookie of GMS that sessions are told apart by, where it ends with the route of no node; absent: nobody said so. */
  unroutedCookie?: string
  /** Limits of one client address; absent: none. */
  connectionsPerClient?: number
  requestsPerSecond?: number
  /** Port of the counters of the proxy, for this machine alone; absent: there is none. */
  metricsPort?: number
  /**
   * By port of the listener, whether a load balancer begins each connection with a PROXY protocol header. A port that is not named: what the
   * configuration itself expects.
   */
  proxyProtocol?: Readonly<Record<string, boolean>>
  /** Host name that clients use, when the configuration names one. */
  serverName?: string
  /** Where each promise comes from, e.g. `{chats: 'default', nodes: 'haproxy.cfg'}`. */
  source: Readonly<Record<string, string>>
}

export type Verdict = 'passed' | 'partial' | 'failed' | 'errored'

/** Everything about one subject of the command line. */
export interface SubjectReport {
  name: string
  proxy?: ProxyName
  proxyVersion?: string
  runtime: 'binary' | 'docker' | 'remote' | 'none'
  /** Why this runtime, or (nothing was run) this version was taken: "nginx 1.22.1 found on the PATH". */
  runtimeReason?: string
  /** `rendered`, the path or the URL. */
  source: string
  /** `simulator`; the URLs of a real GMS, one a node, divided by `, `; `remote` behind a proxy that runs already; `none` where nothing was run. */
  upstream: string
  /** `compressed`: durations of the proxy, of GMS and of clients were divided by `timingFactor`; times of outcomes are those of production. */
  timing: 'real' | 'compressed'
  /** Only for `compressed`. */
  timingFactor?: number
  /** Unified diff of what was changed to run it; empty when nothing was. */
  sandboxDiff: string
  /** Folder kept with `--keep`. */
  sandboxFolder?: string
  promises: Promises
  verdict: Verdict
  /** Longest single wait a check had to sit through, ms. */
  longestWaitMs: number
  outcomes: readonly Outcome[]
  /** Why it fails, the best explanation first; filled where something failed (`lint` finds no failures, so it names no causes). */
  causes: readonly Cause[]
  /** Failed outcomes that no cause explains; absent: nobody looked for causes. */
  unexplained?: readonly string[]
  /** What mends it, proven; only of `fix`. */
  fix?: Fix
  /** Only where the configuration was read by rules. */
  reading?: ReadingNotes
  /** What was seen of a proxy that runs: only of `diagnose URL`. */
  live?: Live
}

/** `--format json`, version 1: additions only. */
export interface Report {
  schema: 'gms-proxy/report/v1'
  tool: {name: 'gms-proxy'; version: string}
  command: 'verify' | 'lint' | 'diagnose' | 'fix'
  reproduce: string
  verdict: Verdict
  durationMs: number
  subjects: readonly SubjectReport[]
}

/** `errored` wins over `failed`, `failed` over `partial` (something skipped that the deployment does or promises, or nothing judged). */
export function verdictOf(parts: readonly {status?: Status; notPromised?: true; notInFile?: true; verdict?: Verdict}[]): Verdict {
  const has = (status: Status, verdict: Verdict) => parts.some(part => part.status === status || part.verdict === verdict)
  if (parts.length === 0 || has('errored', 'errored')) return 'errored'
  if (has('failed', 'failed')) return 'failed'
  const half = parts.some(part => isHalf(part) || part.verdict === 'partial')
  // What has nothing to judge is no half of a run, and no run either.
  return half || !has('passed', 'passed') ? 'partial' : 'passed'
}

/** True for what could not be judged here, although there is something to judge. */
export function isHalf({status, notPromised, notInFile}: {status?: Status; notPromised?: true; notInFile?: true}): boolean {
  return status === 'skipped' && !notPromised && !notInFile
}

/** True when `severity` is at or above `threshold`. */
export function reaches(severity: Severity, threshold: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(threshold)
}
