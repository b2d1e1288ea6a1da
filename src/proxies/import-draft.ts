import {isDeepStrictEqual} from 'node:util'
import type {z} from 'zod'
import type {Span} from '../model/bundle.ts'
import {contradictions} from '../parameters/consistency.ts'
import {foreignParametersSchema} from '../parameters/schema.ts'
import {formatDuration} from '../parameters/units.ts'
import type {Imported, LeftBehind} from './proxy.ts'

type Container = Record<string, unknown> | unknown[]

/** Values that are taken out before the rest is given up: more cannot be wrong in one configuration. */
const MOST_PROBLEMS = 500

/**
 * The parameters of an import while a column collects them. What the schema refuses in the end (a name with a variable, a path that is not
 * absolute) or what contradicts the rest is taken out again and left behind, so that the parameters load whatever the configuration says.
 */
export class Draft {
  private readonly root: Record<string, unknown> = {}
  private readonly spans = new WeakMap<Container, (Span | undefined)[] | Map<string, Span>>()
  private readonly taken = new Set<string>()
  private readonly leftBehind: LeftBehind[] = []

  /** Puts a value at a dotted path, `tls.0.certificate` or `upstream.nodes.1.weight`; `undefined` is nothing. Items of a list come in order. */
  set(path: string, value: unknown, span?: Span): void {
    if (value === undefined) return
    const keys = path.split('.')
    let here: Container = this.root
    keys.forEach((key, index) => {
      const next = keys[index + 1]
      if (next === undefined) return this.put(here, key, value, span)
      const inner = read(here, key)
      if (!isContainer(inner)) this.put(here, key, /^\d+$/.test(next) ? [] : {}, span)
      here = read(here, key) as Container
    })
  }

  /** Puts a value behind the last one of a list. */
  add(path: string, value: unknown, span?: Span): void {
    this.set(`${path}.${this.list(path).length}`, value, span)
  }

  /** What was put at a path; `undefined` for nothing. */
  get(path: string): unknown {
    return path.split('.').reduce<unknown>((here, key) => (isContainer(here) ? read(here, key) : undefined), this.root)
  }

  list(path: string): readonly unknown[] {
    const found = this.get(path)
    return Array.isArray(found) ? (found as readonly unknown[]) : []
  }

  /** Something was put in from this place. */
  took({file, start}: Span): boolean {
    return this.taken.has(`${file}:${start}`)
  }

  /** Says once that the directive at `span` was not carried over. */
  leave(span: Span, because: string): void {
    const known = this.leftBehind.some(one => one.span.file === span.file && one.span.start === span.start && one.because === because)
    if (!known) this.leftBehind.push({span, because})
  }

  /** The parameters, without what is a default anyway; what was left behind in the order of the files. `home` is the place of what has no other. */
  finish(home: Span): Imported {
    for (let round = 0; round < MOST_PROBLEMS; round++) {
      const problem = this.problem()
      if (!problem) break
      const taken = this.take(problem.path)
      if (!taken) break
      if (problem.said)
        this.leave(taken.span ?? home, `${taken.shown} is not what ${problem.path.filter(isWord).join('.')} takes: ${problem.message}`)
    }
    this.unwrap()
    this.prune()
    this.shortenNodes()
    const files = [...new Set(this.leftBehind.map(({span}) => span.file))]
    const left = this.leftBehind.sort((a, b) => files.indexOf(a.span.file) - files.indexOf(b.span.file) || a.span.start - b.span.start)
    return {parameters: this.root, left}
  }

  private put(here: Container, key: string, value: unknown, span: Span | undefined): void {
    if (Array.isArray(here)) here[Number(key)] = value
    else here[key] = value
    if (!span) return
    this.taken.add(`${span.file}:${span.start}`)
    if (Array.isArray(here)) {
      const known = this.spans.get(here)
      const own = Array.isArray(known) ? known : []
      own[Number(key)] = span
      this.spans.set(here, own)
    } else {
      const known = this.spans.get(here)
      this.spans.set(here, (known instanceof Map ? known : new Map<string, Span>()).set(key, span))
    }
  }

  /** The first thing that would keep the parameters from loading; a list that became empty goes without a word. */
  private problem(): {path: readonly string[]; message: string; said: boolean} | undefined {
    const result = foreignParametersSchema.safeParse(this.root)
    if (result.success) {
      const [first] = contradictions(result.data)
      return first && {path: first.path.split('.'), message: first.message, said: true}
    }
    const issue = deepest(result.error.issues)
    if (!issue) return undefined
    const at = issue.path.join('.')
    // Nodes are what nothing stands in for: without any, loading says that they are missing.
    if (at === 'upstream.nodes' && this.list(at).length === 0) return {path: ['upstream'], message: '', said: false}
    // Without its address a node is none.
    if (/^upstream\.nodes\.\d+\.(?:host|port)$/.test(at)) return {path: issue.path.slice(0, 3), message: issue.message, said: true}
    return {path: issue.path, message: issue.message, said: !(Array.isArray(this.get(at)) && this.list(at).length === 0)}
  }

  /** Takes out what stands at a path, or the innermost thing around it that was put in. */
  private take(path: readonly string[]): {span?: Span; shown: string} | undefined {
    let here: Container = this.root
    let found: {container: Container; key: string} | undefined
    for (const key of path) {
      const inner = read(here, key)
      if (inner === undefined) break
      found = {container: here, key}
      if (!isContainer(inner)) break
      here = inner
    }
    if (!found) return undefined
    const {container, key} = found
    const value = read(container, key)
    const own = this.spans.get(container)
    const span = Array.isArray(own) ? own[Number(key)] : own?.get(key)
    if (Array.isArray(container)) {
      container.splice(Number(key), 1)
      if (Array.isArray(own)) own.splice(Number(key), 1)
    } else Reflect.deleteProperty(container, key)
    return {shown: shownOf(value), ...(span ? {span} : {})}
  }

  /** One listener is written without the list around it. */
  private unwrap(): void {
    for (const key of ['listener', 'tls']) {
      const [only, ...more] = this.list(key)
      if (only !== undefined && more.length === 0) this.root[key] = only
    }
  }

  /** What means the same when it is not written is not written; items of lists stay as they are. */
  private prune(): void {
    const meant = () => foreignParametersSchema.safeParse(this.root).data
    const whole = meant()
    if (whole === undefined) return
    const visit = (here: Record<string, unknown>): void => {
      for (const key of Object.keys(here)) {
        const value = here[key]
        if (isContainer(value) && !Array.isArray(value)) visit(value)
        Reflect.deleteProperty(here, key)
        if (!isDeepStrictEqual(meant(), whole)) here[key] = value
      }
    }
    visit(this.root)
  }

  /** `host:port` for a node of which nothing else is said. */
  private shortenNodes(): void {
    const nodes = this.get('upstream.nodes')
    if (!Array.isArray(nodes)) return
    nodes.forEach((node: unknown, index) => {
      if (!isContainer(node) || Array.isArray(node)) return
      const {host, port, ...rest} = node
      if (Object.keys(rest).length === 0 && typeof host === 'string' && typeof port === 'number') nodes[index] = `${host}:${port}`
    })
  }
}

/** For a person: a node is its address. */
function shownOf(value: unknown): string {
  if (typeof value === 'string') return value
  const host = isContainer(value) ? read(value, 'host') : undefined
  return typeof host === 'string' ? host : JSON.stringify(value)
}

function isWord(key: string): boolean {
  return !/^\d+$/.test(key)
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}

function read(here: Container, key: string): unknown {
  return Array.isArray(here) ? here[Number(key)] : Object.hasOwn(here, key) ? here[key] : undefined
}

interface Issue {
  path: readonly string[]
  message: string
}

/** Of the first issue, what its alternatives say furthest inside: a list of objects is one alternative, a single object another. */
function deepest(issues: readonly z.core.$ZodIssue[], around: readonly string[] = []): Issue | undefined {
  const [first] = issues
  if (!first) return undefined
  const path = [...around, ...first.path.map(String)]
  const unknownKey = first.code === 'unrecognized_keys' ? first.keys[0] : undefined
  if (unknownKey !== undefined) return {path: [...path, unknownKey], message: first.message}
  const inner =
    first.code === 'invalid_union'
      ? first.errors.flatMap(own => deepest(own, path) ?? []).sort((a, b) => b.path.length - a.path.length)[0]
      : undefined
  return inner && inner.path.length > path.length ? inner : {path, message: inner?.message ?? first.message}
}

/** ms as parameters write them: `30s`, `1h`; parts of a millisecond are dropped. */
export function durationText(ms: number): string {
  return formatDuration(Math.floor(ms))
}

/** Bytes as parameters write them: `10MiB`, `500KiB`, `1500B`. */
export function sizeText(bytes: number): string {
  if (bytes > 0 && bytes % 1_048_576 === 0) return `${bytes / 1_048_576}MiB`
  return bytes > 0 && bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes}B`
}
