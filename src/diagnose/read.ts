import {lint} from '../lint/lint.ts'
import type {Rule} from '../lint/rule.ts'
import type {Finding} from '../model/report.ts'
import {pathOf, prepare} from '../verify/subject.ts'
import type {Prepared, Subject} from '../verify/subject.ts'

/** A configuration that can be read: a file, or what is rendered. */
export type ReadableSubject = Exclude<Subject, {kind: 'url'}>

/** A rule that complains of a configuration. */
export interface Suspicion {
  rule: Rule
  /** One at least, in the order of the file. */
  findings: readonly Finding[]
}

/** A configuration with everything that rules say of it. */
export interface Reading extends Prepared {
  suspicions: readonly Suspicion[]
  /** Rules that threw: mistakes of ours. */
  bugs: readonly {rule: string; error: Error}[]
}

/**
 * Reads a configuration with every rule; comments that switch rules off are not heeded, because what is wrong stays wrong. Nothing is said of
 * a file that cannot be read to its end: the proxy refuses it, and says where.
 */
export function readWith(rules: readonly Rule[], subject: ReadableSubject, version: string): Reading {
  const prepared = prepare(subject, {version})
  const {config, promises} = prepared
  if (config.problems.length > 0) return {...prepared, suspicions: [], bugs: []}
  const {outcomes, bugs} = lint({proxy: subject.proxy, config, version, promises, rules, nameOf: file => pathOf(subject, file)})
  return {
    ...prepared,
    suspicions: outcomes.flatMap(({id, findings}) => {
      const rule = rules.find(({meta}) => meta.id === id)
      return rule && findings.length > 0 ? [{rule, findings}] : []
    }),
    bugs,
  }
}
