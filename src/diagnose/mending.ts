import {diffArrays} from 'diff'
import type {Rule} from '../lint/rule.ts'
import type {ConfigBundle, Edit} from '../model/bundle.ts'
import {applyEdits} from '../model/bundle.ts'
import type {Promises} from '../model/report.ts'
import type {Proxy} from '../proxies/proxy.ts'

/** What rules need to judge a configuration again after each edit. */
export interface Judged {
  proxy: Proxy
  version: string
  promises: Promises
}

/** A change of consecutive lines of one file as it was: the smallest thing that can be taken away. */
export interface Block {
  /** Whole lines of the file as it was; an insertion has an empty span. */
  edit: Edit
  rules: readonly string[]
  why: readonly string[]
}

/** Who changed a line, and why; one edit of one finding is one step. */
interface Step {
  rule: string
  why: readonly string[]
}

/** A line as it is now. */
interface Line {
  text: string
  /** Its index in the file as it was; absent: a step put it there. */
  origin?: number
  by?: Step
}

/** More rounds than any rule has findings. */
const ROUNDS = 50

/** A configuration that is mended step by step and still knows which of its lines were there before. */
export class Mending {
  bundle: ConfigBundle
  private readonly original: ConfigBundle
  private readonly lines: Map<string, readonly Line[]>
  private readonly removed = new Map<string, Map<number, Step>>()

  constructor(bundle: ConfigBundle) {
    this.bundle = bundle
    this.original = bundle
    this.lines = new Map(bundle.files.map(({path, text}) => [path, linesOf(text).map((line, origin) => ({text: line, origin}))]))
  }

  /** The same, to be mended in another way. */
  copy(): Mending {
    const copy = new Mending(this.original)
    copy.bundle = this.bundle
    for (const [path, lines] of this.lines) copy.lines.set(path, lines)
    for (const [path, removed] of this.removed) copy.removed.set(path, new Map(removed))
    return copy
  }

  /** Applies what `rules` offer, one finding after the other, until they offer nothing more. True when that changed something. */
  mendWith(rules: readonly Rule[], judged: Judged): boolean {
    const before = this.bundle
    for (const rule of rules) for (let round = 0; round < ROUNDS && this.step(rule, judged); round += 1);
    return this.bundle !== before
  }

  private step({meta, inspect}: Rule, {proxy, version, promises}: Judged): boolean {
    const config = proxy.parse(this.bundle)
    const site = config.problems.length === 0 ? proxy.site?.(config, version) : undefined
    if (!site) return false
    for (const {edits = []} of inspect?.({site, promises}) ?? []) {
      const next = applyEdits(this.bundle, edits)
      if (next.files.every(({text}, index) => text === this.bundle.files[index]?.text)) continue
      this.follow(next, {rule: meta.id, why: [...new Set(edits.map(({why}) => why))]})
      return true
    }
    return false
  }

  private follow(next: ConfigBundle, by: Step): void {
    for (const {path, text} of next.files) {
      const now = this.lines.get(path) ?? []
      const after = linesOf(text)
      if (now.length === after.length && now.every((line, index) => line.text === after[index])) continue
      const followed: Line[] = []
      let at = 0
      const changes = diffArrays(
        now.map(line => line.text),
        [...after],
      )
      for (const {added, removed, value} of changes) {
        if (added) followed.push(...value.map(line => ({text: line, by})))
        else {
          const same = now.slice(at, at + value.length)
          at += value.length
          if (removed) for (const {origin} of same) this.remember(path, origin, by)
          else followed.push(...same)
        }
      }
      this.lines.set(path, followed)
    }
    this.bundle = next
  }

  private remember(path: string, origin: number | undefined, by: Step): void {
    if (origin === undefined) return
    const removed = this.removed.get(path) ?? new Map<number, Step>()
    this.removed.set(path, removed)
    removed.set(origin, by)
  }

  /** Everything that was changed so far, in as many parts as can be told from one another, in the order of the files. */
  blocks(): readonly Block[] {
    return this.original.files.flatMap(({path, text}) => {
      const before = linesOf(text)
      const starts = before.reduce<number[]>((all, line) => [...all, (all.at(-1) ?? 0) + line.length], [0])
      const removed = this.removed.get(path) ?? new Map<number, Step>()
      const blocks: Block[] = []
      const close = (from: number, to: number, added: readonly Line[]) => {
        for (const [first, last, lines] of parts(from, to, added)) {
          const old = before.slice(first, last).join('')
          const now = lines.map(line => line.text).join('')
          if (old === now) continue
          const gone = Array.from({length: last - first}, (_, index) => removed.get(first + index))
          const steps = [...new Set([...gone, ...lines.map(line => line.by)])].flatMap(step => (step ? [step] : []))
          const why = [...new Set(steps.flatMap(step => step.why))]
          blocks.push({
            edit: {
              span: {file: path, start: starts[first] ?? 0, end: starts[last] ?? text.length, line: first + 1, column: 1},
              text: now,
              why: why.join('; '),
            },
            rules: [...new Set(steps.map(({rule}) => rule))],
            why,
          })
        }
      }
      let at = 0
      let added: Line[] = []
      for (const line of this.lines.get(path) ?? []) {
        if (line.origin === undefined) {
          added.push(line)
          continue
        }
        close(at, line.origin, added)
        added = []
        at = line.origin + 1
      }
      close(at, before.length, added)
      return blocks
    })
  }
}

/** Lines `from` to `to` became `added`: line by line where each became one, step by step where lines only came in. */
function parts(from: number, to: number, added: readonly Line[]): readonly (readonly [number, number, readonly Line[]])[] {
  if (to - from === added.length) return added.map((line, index) => [from + index, from + index + 1, [line]])
  if (to > from) return [[from, to, added]]
  const runs: Line[][] = []
  for (const line of added) {
    const run = runs.at(-1)
    if (run && run[0]?.by === line.by) run.push(line)
    else runs.push([line])
  }
  return runs.map(run => [from, to, run])
}

/** The configuration with some of its blocks changed. */
export function applyBlocks(bundle: ConfigBundle, blocks: readonly Block[]): ConfigBundle {
  return applyEdits(bundle, editsOf(blocks))
}

/** Of two insertions at one place the one that is applied first ends up behind the other. */
export function editsOf(blocks: readonly Block[]): readonly Edit[] {
  return blocks.map(({edit}) => edit).reverse()
}

/** With their line ends. */
function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}
