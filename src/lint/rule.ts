import type {Edit, Span} from '../model/bundle.ts'
import type {Concern, ProxyName, Severity} from '../model/catalogue.ts'
import type {Promises} from '../model/report.ts'
import type {Site} from '../proxies/site.ts'

/** What every rule says about itself. A rule is a cause: its id names the defect. */
export interface RuleMeta {
  /** Equals the folder's name; begins with the concern. */
  id: `${Concern}-${string}`
  /** A sentence an operator would say. */
  title: string
  concern: Concern
  severity: Severity
  /** What must hold, in the words of the protocol or the vendor. */
  requirement: string
  /** Imperative, at most three lines, names the directive. A proxy that is missing cannot have the defect. */
  remediation: Readonly<Partial<Record<ProxyName, string>>>
  /** RFC section, Bayeux section, vendor page or measurement. */
  references: readonly string[]
  /** Checks that fail on every configuration on which the rule fires, and those that may fail besides. Ids of checks. */
  breaks: readonly string[]
  mayBreak: readonly string[]
  /** Besides `breaks`: one at least of these fails; which one depends on the way the defect is written. */
  breaksOneOf?: readonly string[]
  /** What proves the defect where traffic in the sandbox cannot: needed when `breaks` is empty. */
  provenBy?: {
    by: 'evidence' | 'binary' | 'none'
    because: string
    /** Names of the `fires.*` files of this rule to which it applies, where traffic shows the others; absent: all. */
    on?: readonly string[]
  }
}

export interface Inspection {
  site: Site
  promises: Promises
}

/** A finding of a rule before the engine adds what the rule says of itself. */
export interface RuleDraft {
  /** Where it is written, or would have to be. */
  span: Span
  /** Leads with `Expected …`, `Missing …`, `Unknown …`, `Too short …`; quotes the value. */
  message: string
  expected: string
  actual: string
  /** The change for exactly this place, instead of the general remediation. */
  remediation?: string
  /** Edits that mend it; absent or empty: not known. */
  edits?: readonly Edit[]
}

export interface Rule {
  meta: RuleMeta
  /** Reads a configuration. Absent: no file shows the defect, it is found from evidence. Never throws; silent about what the model calls unknown. */
  inspect?(inspection: Inspection): readonly RuleDraft[]
}
