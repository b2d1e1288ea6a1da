import {createHash} from 'node:crypto'
import {UsageError} from '../errors.ts'

/** What makes a finding the same in later runs: never its line number. */
export interface Mark {
  rule: string
  /** With forward slashes. */
  file: string
  /** The line, secrets hidden, white space made one. */
  text: string
}

/** Findings that were there before. */
export interface Baseline {
  schema: 'gms-proxy/baseline/v1'
  findings: readonly (Mark & {count: number})[]
}

/** A line as a mark holds it. */
export function normalised(text: string): string {
  return text.trim().replace(/\s+/g, ' ')
}

/** One text for a mark. */
export function keyOf({rule, file, text}: Mark): string {
  return JSON.stringify([rule, file, text])
}

/** SHA-256 of a mark and of which of several equal ones it is, from 0; hexadecimal, the first 32 digits. */
export function fingerprintOf(mark: Mark, nth: number): string {
  return createHash('sha256')
    .update(`${keyOf(mark)}:${nth}`)
    .digest('hex')
    .slice(0, 32)
}

/** A baseline of these findings, in an order that does not change from run to run. */
export function baselineOf(marks: readonly Mark[]): Baseline {
  const counted = new Map<string, Mark & {count: number}>()
  for (const mark of marks) {
    const before = counted.get(keyOf(mark))
    counted.set(keyOf(mark), {...mark, count: (before?.count ?? 0) + 1})
  }
  const findings = [...counted.values()].sort((a, b) => compare(a.file, b.file) || compare(a.rule, b.rule) || compare(a.text, b.text))
  return {schema: 'gms-proxy/baseline/v1', findings}
}

/**
 * The text of a baseline file.
 * @throws UsageError when it is none.
 */
export function parseBaseline(text: string, file: string): Baseline {
  const wrong = (what: string, cause?: unknown) =>
    new UsageError(`the baseline ${file} ${what}`, {suggestions: [`write it anew: --baseline ${file} --write-baseline`], cause})
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw wrong('is not JSON', error)
  }
  if (!isRecord(value) || value['schema'] !== 'gms-proxy/baseline/v1')
    throw wrong('is not a baseline of this version: schema gms-proxy/baseline/v1 is read')
  const {findings} = value
  if (!Array.isArray(findings) || !findings.every(isEntry)) throw wrong('holds something that is no finding')
  return {schema: 'gms-proxy/baseline/v1', findings}
}

/** No configuration has so many findings of one kind. */
const MOST = 100_000

function isEntry(value: unknown): value is Mark & {count: number} {
  if (!isRecord(value)) return false
  const {rule, file, text, count} = value
  return [rule, file, text].every(word => typeof word === 'string') && Number.isInteger(count) && Number(count) > 0 && Number(count) <= MOST
}

/** Whether a file with this text may be written over by a baseline: it is one, of whatever version, or empty. */
export function isReplaceable(text: string): boolean {
  if (text.trim() === '') return true
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) && String(value['schema']).startsWith('gms-proxy/baseline/')
  } catch {
    return false
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Findings of a baseline that have not been seen yet. */
export class KnownFindings {
  private readonly left: Map<string, Mark & {count: number}>

  constructor({findings}: Baseline) {
    this.left = new Map(findings.map(finding => [keyOf(finding), finding]))
  }

  /** True when this one was there before; each of the baseline answers for one. */
  take(mark: Mark): boolean {
    const known = this.left.get(keyOf(mark))
    if (!known || known.count === 0) return false
    this.left.set(keyOf(mark), {...known, count: known.count - 1})
    return true
  }

  /** Those that nobody asked for, of these files and rules. */
  vanished(files: ReadonlySet<string>, rules: ReadonlySet<string>): readonly Mark[] {
    return [...this.left.values()]
      .filter(({file, rule}) => files.has(file) && rules.has(rule))
      .flatMap(({count, rule, file, text}) => Array.from({length: count}, () => ({rule, file, text})))
  }
}
