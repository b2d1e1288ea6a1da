import {EnvironmentError, UsageError} from '../errors.ts'
import type {Rule} from '../lint/rule.ts'
import type {ConfigBundle} from '../model/bundle.ts'
import type {Fix, Hunk, Outcome, Report, SubjectReport} from '../model/report.ts'
import type {Check} from '../verify/check.ts'
import {CHECKS} from '../verify/checks/index.ts'
import {selectChecks} from '../verify/select.ts'
import {pathOf} from '../verify/subject.ts'
import type {Subject} from '../verify/subject.ts'
import {verify} from '../verify/verify.ts'
import type {VerifyOptions} from '../verify/verify.ts'
import {diffOf, explain, replacementsOf} from './diagnose.ts'
import {applyBlocks, Mending} from './mending.ts'
import type {Block} from './mending.ts'
import {readWith} from './read.ts'
import {smallest} from './smallest.ts'

/** A configuration on disk. */
export type FileSubject = Extract<Subject, {kind: 'file'}>

export interface FixOptions {
  /** How a candidate is run; every run is one of these. */
  verify: VerifyOptions
  rules: readonly Rule[]
  /** Says what is being tried. */
  tell(line: string): void
}

export interface Fixed {
  report: Report
  /** The files with the patch applied. */
  mended: ConfigBundle
}

/** Rounds of mending: a file that did not start shows what else is wrong with it only once it does. */
const ROUNDS = 4
/** Candidates that run side by side. */
const AT_ONCE = 3
/** Checks that read what other checks left behind. */
const COMPANY: readonly string[] = ['upgrade', 'polling', 'upload']

/**
 * The smallest set of edits after which everything passes that edits of rules can mend, proven by running it: with it the checks pass, and
 * without any one of its hunks something of it fails again.
 * @throws UsageError, EnvironmentError as `verify` does for the file as it is.
 */
export async function fix(subject: FileSubject, options: FixOptions): Promise<Fixed> {
  return new Fixer(subject, options).run()
}

class Fixer {
  private readonly subject: FileSubject
  private readonly options: FixOptions
  private readonly checks: readonly Check[]
  private readonly began = Date.now()
  private runs = 0
  private readonly cameBack = new Map<string, readonly string[]>()

  constructor(subject: FileSubject, options: FixOptions) {
    this.subject = subject
    this.options = options
    this.checks = selectChecks(CHECKS, options.verify)
  }

  async run(): Promise<Fixed> {
    const {subject} = this
    const {bundle} = subject
    const first = await this.whole(bundle)
    const [before] = first.subjects
    if (!before) throw new Error('a run without a subject')
    const explanation = explain(before, subject, this.options.rules)
    const failed = idsOf(before, 'failed')
    if (failed.length === 0) return this.conclude(first, {before, after: before, blocks: []})
    this.options.tell(`${failed.length} of ${before.outcomes.length} checks fail`)

    const {mending, mended} = await this.candidate(before)
    let target = mended
    let blocks = mending.blocks()
    if (target.length === 0 || blocks.length === 0) return this.conclude(first, {before, after: before, blocks: [], explanation})
    for (let round = 1; ; round += 1) {
      blocks = round < 3 ? await this.smallest(mending.blocks(), target) : mending.blocks()
      const last = await this.whole(applyBlocks(bundle, blocks))
      const [after] = last.subjects
      if (!after) throw new Error('a run without a subject')
      const lost = idsOf(after, 'failed').filter(id => target.includes(id) || idsOf(before, 'passed').includes(id))
      if (lost.length === 0 || round === 3) return this.conclude(last, {before, after, blocks, explanation})
      this.options.tell(`${lost.join(', ')} would fail: that must be mended too`)
      target = [...new Set([...target, ...lost])]
    }
  }

  /** Everything that rules can mend of what failed, and what it mends. */
  private async candidate(before: SubjectReport): Promise<{mending: Mending; mended: readonly string[]}> {
    const {subject, options} = this
    const {bundle} = subject
    const version = before.proxyVersion ?? subject.proxy.versions.newest
    const judged = {proxy: subject.proxy, version, promises: before.promises}
    const was = idsOf(before, 'passed')
    let mending = new Mending(bundle)
    let now = before
    for (let round = 1, everything = false; round <= ROUNDS; round += 1) {
      const current: FileSubject = {...subject, bundle: mending.bundle}
      const suspected = readWith(options.rules, current, version).suspicions.map(({rule}) => rule)
      const named = explain(now, current, options.rules)
        .causes.filter(({confidence}) => confidence !== 'possible')
        .map(({id}) => id)
      // What explains no failure is tried as well, once nothing else is left: what is needless goes again.
      const likely = named.flatMap(id => suspected.filter(({meta}) => meta.id === id))
      let next = mending.copy()
      let changed = !everything && next.mendWith(likely, judged)
      if (!changed && !everything) {
        everything = true
        changed = next.mendWith(suspected, judged)
      }
      if (!changed) break
      options.tell(
        `trying ${plural(next.blocks().length, 'change')} of ${plural(new Set(next.blocks().flatMap(each => each.rules)).size, 'rule')}`,
      )
      const wanted = [...new Set([...idsOf(before, 'failed'), ...idsOf(before, 'skipped'), ...this.quick()])]
      let [after] = await this.judge([next.bundle], wanted)
      if (worse(after, was)) {
        ;({next, after} = await this.oneByOne(mending, everything ? suspected : likely, {judged, wanted, was}))
        if (!after) break
      }
      mending = next
      now = after ?? now
      if (idsOf(now, 'failed').length === 0) break
    }
    const passing = idsOf(now, 'passed')
    return {mending, mended: now === before ? [] : idsOf(before, 'failed').filter(id => passing.includes(id))}
  }

  /** Together the edits spoil something: those of each rule alone are kept that do not. */
  private async oneByOne(
    from: Mending,
    rules: readonly Rule[],
    {judged, wanted, was}: {judged: Parameters<Mending['mendWith']>[1]; wanted: readonly string[]; was: readonly string[]},
  ): Promise<{next: Mending; after: SubjectReport | undefined}> {
    let kept = from
    let best: SubjectReport | undefined
    for (const rule of rules) {
      const next = kept.copy()
      if (!next.mendWith([rule], judged)) continue
      this.options.tell(`trying what ${rule.meta.id} asks for alone`)
      const [after] = await this.judge([next.bundle], wanted)
      if (worse(after, was)) continue
      kept = next
      best = after
    }
    return {next: kept, after: best}
  }

  /** No hunk of it can be left out. */
  private async smallest(all: readonly Block[], target: readonly string[]): Promise<readonly Block[]> {
    const {bundle} = this.subject
    this.cameBack.clear()
    return smallest(all, async sets => {
      this.options.tell(`${plural(all.length, 'change')}: trying ${plural(sets.length, 'smaller set')}`)
      const reports = await this.passing(
        sets.map(set => applyBlocks(bundle, set)),
        target,
      )
      for (const [index, set] of sets.entries()) this.cameBack.set(keyOf(set), reports[index] ?? [])
      return reports.map(back => back.length === 0)
    })
  }

  /** Which of `target` do not pass with each candidate. Who fails a quick check is not sent to the long ones. */
  private async passing(candidates: readonly ConfigBundle[], target: readonly string[]): Promise<readonly (readonly string[])[]> {
    const quick = target.filter(id => this.quick().includes(id))
    const long = target.filter(id => !quick.includes(id))
    const back = candidates.map((): readonly string[] => [])
    for (const ids of [quick, long]) {
      const asked = [...back.keys()].filter(index => ids.length > 0 && back[index]?.length === 0)
      const reports = await this.judge(
        asked.flatMap(index => candidates[index] ?? []),
        ids,
      )
      for (const [place, index] of asked.entries()) {
        const report = reports[place]
        const passed = report ? idsOf(report, 'passed') : []
        back[index] = ids.filter(id => !passed.includes(id))
      }
    }
    return back
  }

  /** Ids of checks that wait for nothing. */
  private quick(): readonly string[] {
    return this.checks
      .filter(({longestWaitMs, heavy, isolation}) => !longestWaitMs && !heavy && isolation !== 'after')
      .map(({meta}) => meta.id)
  }

  private async whole(bundle: ConfigBundle): Promise<Report> {
    this.runs += 1
    return verify([{...this.subject, bundle}], this.options.verify)
  }

  /** Runs candidates with some of the checks. `undefined`: it cannot be run at all. */
  private async judge(bundles: readonly ConfigBundle[], ids: readonly string[]): Promise<readonly (SubjectReport | undefined)[]> {
    const {onProgress: _, ...quiet} = this.options.verify
    const wanted = this.checks.filter(({meta}) => ids.includes(meta.id))
    const only = [...wanted.map(({meta}) => meta.id), ...(wanted.some(({isolation}) => isolation === 'after') ? COMPANY : [])]
    const reports: (SubjectReport | undefined)[] = []
    for (let at = 0; at < bundles.length; at += AT_ONCE) {
      const some = bundles.slice(at, at + AT_ONCE)
      this.runs += some.length
      const run = (several: readonly ConfigBundle[]) =>
        verify(
          several.map(bundle => ({...this.subject, bundle})),
          {...quiet, only, keep: false},
        )
      try {
        reports.push(...(await run(some)).subjects)
      } catch (error) {
        this.refused(error)
        // One of them cannot be run: which one?
        for (const bundle of some) reports.push(some.length === 1 ? undefined : await this.alone(() => run([bundle])))
      }
    }
    return reports
  }

  private async alone(run: () => Promise<Report>): Promise<SubjectReport | undefined> {
    try {
      return (await run()).subjects[0]
    } catch (error) {
      this.refused(error)
      return undefined
    }
  }

  /** @throws anything but the refusal of a candidate. */
  private refused(error: unknown): void {
    this.options.verify.signal.throwIfAborted()
    if (!(error instanceof UsageError) && !(error instanceof EnvironmentError)) throw error
    this.options.verify.logger.debug(`a candidate cannot be run: ${error.message}`)
  }

  private conclude(
    report: Report,
    {
      before,
      after,
      blocks,
      explanation,
    }: {before: SubjectReport; after: SubjectReport; blocks: readonly Block[]; explanation?: ReturnType<typeof explain>},
  ): Fixed {
    const {subject, options} = this
    const {bundle} = subject
    const mendedBundle = applyBlocks(bundle, blocks)
    const mended = idsOf(before, 'failed').filter(id => idsOf(after, 'passed').includes(id))
    const stillFailing = after.outcomes.filter(({status}) => status === 'failed')
    const current: FileSubject = {...subject, bundle: mendedBundle}
    const remaining = explain(after, current, options.rules)
    const found: Fix = {
      patch: diffOf(bundle, blocks, subject),
      hunks: blocks.map(block => this.hunk(block, blocks, mended)),
      mended,
      left: stillFailing.map(outcome => ({id: outcome.id, remediation: remediationOf(outcome, remaining)})),
      unfelt: this.unfelt(current, after, new Set(remaining.causes.filter(({explains}) => explains.length > 0).map(({id}) => id))),
      runs: this.runs,
    }
    return {
      mended: mendedBundle,
      report: {
        ...report,
        command: 'fix',
        durationMs: Date.now() - this.began,
        subjects: [
          {
            ...after,
            causes: (explanation?.causes ?? []).filter(({explains}) => explains.length > 0),
            unexplained: explanation?.unexplained ?? [],
            fix: found,
          },
        ],
      },
    }
  }

  private hunk(block: Block, all: readonly Block[], mended: readonly string[]): Hunk {
    const {edit, rules, why} = block
    const without = all.filter(other => other !== block)
    return {
      file: pathOf(this.subject, edit.span.file),
      line: edit.span.line,
      patch: diffOf(this.subject.bundle, [block], this.subject),
      ...replacementsOf(this.subject.bundle, [block], this.subject),
      rules,
      why,
      // The only one mends everything.
      mends: without.length === 0 ? mended : (this.cameBack.get(keyOf(without)) ?? mended),
    }
  }

  /** Errors and warnings that rules still see, and no failure joins. */
  private unfelt(subject: FileSubject, {proxyVersion}: SubjectReport, felt: ReadonlySet<string>): Fix['unfelt'] {
    const {suspicions} = readWith(this.options.rules, subject, proxyVersion ?? subject.proxy.versions.newest)
    return suspicions
      .filter(({rule: {meta}}) => meta.severity !== 'note' && !felt.has(meta.id))
      .map(({rule, findings: [finding]}) => ({
        rule: rule.meta.id,
        ...(finding?.location ? {location: finding.location} : {}),
        message: finding?.message ?? rule.meta.title,
        ...(finding?.patch === undefined ? {} : {patch: finding.patch}),
      }))
  }
}

function remediationOf({id, findings}: Outcome, {causes}: ReturnType<typeof explain>): string {
  const cause = causes.find(({explains, confidence}) => confidence !== 'possible' && explains.includes(id))
  return cause ? `${cause.id}: ${cause.remediation}` : (findings[0]?.remediation ?? '')
}

/** A run that lost something that passed, or did not happen. */
function worse(report: SubjectReport | undefined, was: readonly string[]): boolean {
  if (!report) return true
  return report.outcomes.some(({id, status}) => (status === 'failed' || status === 'errored') && was.includes(id))
}

const idsOf = ({outcomes}: SubjectReport, status: Outcome['status']) => outcomes.filter(each => each.status === status).map(({id}) => id)

/** Blocks by their place: a file, an offset and what stands there then. */
function keyOf(blocks: readonly Block[]): string {
  return blocks.map(({edit: {span, text}}) => `${span.file}:${span.start}:${span.end}:${text}`).join('\0')
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
