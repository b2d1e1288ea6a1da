/** The twelve concerns: rows of the grid, parameter keys, template partials and id prefixes. The order is the order of every report. */
export const CONCERNS = [
  'listener',
  'tls',
  'upstream',
  'affinity',
  'upgrade',
  'polling',
  'upload',
  'health',
  'forwarding',
  'access',
  'limits',
  'logging',
] as const
export type Concern = (typeof CONCERNS)[number]

/** The three proxies: columns of the grid. */
export const PROXY_NAMES = ['nginx', 'apache', 'haproxy'] as const
export type ProxyName = (typeof PROXY_NAMES)[number]

/** SARIF's words, so that nothing is translated later. Worst first. */
export const SEVERITIES = ['error', 'warning', 'note'] as const
export type Severity = (typeof SEVERITIES)[number]

/** How a Bayeux session, or a file, travels. `http` is a plain REST request. */
export type Transport = 'websocket' | 'long-polling' | 'callback-polling' | 'http'

/** What every check (and later every rule) says about itself. One source for report, `explain` and page headers. */
export interface Meta {
  /** Equals the folder's name; begins with the concern; states the promise (check) or the defect (rule). */
  id: `${Concern}-${string}`
  /** A sentence an operator would say. */
  title: string
  concern: Concern
  severity: Severity
  /** What must hold, in the words of the protocol or the vendor. */
  requirement: string
  /** Imperative, at most three lines, names the directive. */
  remediation: Readonly<Record<ProxyName, string>>
  /** Directives that decide it, e.g. `timeout server`: the first one found in the file is the finding's place. */
  directives: Readonly<Record<ProxyName, readonly string[]>>
  /** RFC section, Bayeux section, vendor page or measurement. */
  references: readonly string[]
}

/**
 * How sure it is that a cause is the one. `certain`: a rule names the defect in the file, and the check that it always breaks failed. `likely`:
 * a check failed that the defect can break, or the log of the proxy names it. `possible`: only one of the two, and nothing joins it to a failure.
 */
export type Confidence = 'certain' | 'likely' | 'possible'
