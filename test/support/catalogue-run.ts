import {explain} from '../../src/diagnose/diagnose.ts'
import type {FileSubject} from '../../src/diagnose/fix.ts'
import {fix} from '../../src/diagnose/fix.ts'
import {Mending} from '../../src/diagnose/mending.ts'
import {RULES} from '../../src/lint/rules/index.ts'
import type {Check} from '../../src/verify/check.ts'
import {CHECKS} from '../../src/verify/checks/index.ts'
import type {SubjectReport} from '../../src/model/report.ts'
import {verify} from '../../src/verify/verify.ts'
import type {CatalogueCase} from './catalogue-cases.ts'
import {readCase} from './catalogue-cases.ts'
import {findingsIn} from './rule-files.ts'
import {suiteOptions} from './runtime.ts'

/** What diagnose and fix make of one configuration of the catalogue. */
export interface CatalogueResult {
  /** Checks that failed on the file as it is. */
  failed: readonly string[]
  /** Causes, the best first: `certain upgrade-headers-missing`. */
  causes: readonly string[]
  /** Failed checks that no cause explains. */
  unexplained: readonly string[]
  /** A check failed, or the rule of the cause fired. */
  detected: boolean
  first: boolean
  /** `run`: everything passes after it, and nothing of it can be left out; `read`: no check felt the defect, the rule is silent after it and nothing failed. */
  fixed: 'run' | 'read' | 'no'
  /** `affinity-missing:3` for each hunk: its rules, and how many checks fail without it. */
  hunks: readonly string[]
  /** Checks that fail with the change, or without one. */
  left: readonly string[]
  /** Checks that nothing of the mistake breaks, and that held when they were asked alone: this machine was busy. */
  again?: readonly string[]
  /** What could not be judged. */
  errored: readonly string[]
  runs: number
  ms: number
}

/**
 * Checks to run: those that the cause breaks, with a chat of each kind (`felt`); all but those that wait for long in compressed time too, and
 * load, where the cause is none that they feel (`most`); all.
 */
export type Breadth = 'felt' | 'most' | 'all'

function checksFor({cause, entry}: CatalogueCase, breadth: Breadth): readonly string[] {
  const felt = RULES.filter(({meta}) => meta.id === cause || meta.id === entry.cause).flatMap(({meta: {breaks, breaksOneOf = []}}) => [
    ...breaks,
    ...breaksOneOf,
  ])
  const brisk = ({longestWaitMs, timed, heavy}: Check) => heavy !== true && (!longestWaitMs || timed !== undefined)
  return CHECKS.filter(check => {
    const {id} = check.meta
    return felt.includes(id) || KINDS.includes(id) || breadth === 'all' || (breadth === 'most' && brisk(check))
  }).map(({meta}) => meta.id)
}

/** Beside what failed: chat of each kind goes on. */
const KINDS: readonly string[] = [
  'listener-reaches-gms',
  'polling-chat',
  'polling-callback-chat',
  'upgrade-chat',
  'upload-download-intact',
  'affinity-same-node',
]

/** Reads, runs, explains and mends one configuration, in compressed time. */
export async function runCase(each: CatalogueCase, {breadth, signal}: {breadth: Breadth; signal: AbortSignal}): Promise<CatalogueResult> {
  const began = Date.now()
  const {subject, promises, version} = await readCase(each)
  const rulesOf = (file: FileSubject) => findingsIn(file.bundle, RULES, {promises, version}).map(({rule}) => rule)
  const fired = readable(subject) && rulesOf(subject).includes(each.cause)
  const mendedByReading = () => {
    const mending = new Mending(subject.bundle)
    const rules = RULES.filter(({meta}) => meta.id === each.cause)
    return mending.mendWith(rules, {proxy: subject.proxy, version, promises}) ? {...subject, bundle: mending.bundle} : undefined
  }
  if (each.entry.onlyRead !== undefined) {
    const mended = mendedByReading()
    return {
      failed: [],
      causes: fired ? [`read ${each.cause}`] : [],
      unexplained: [],
      detected: fired,
      first: fired,
      fixed: mended && !rulesOf(mended).includes(each.cause) ? 'read' : 'no',
      hunks: [],
      left: [],
      errored: [],
      runs: 0,
      ms: Date.now() - began,
    }
  }
  const options = suiteOptions({
    timing: 'compressed',
    only: checksFor(each, breadth),
    signal,
    reproduce: `gms-proxy fix ${each.path} --timing compressed`,
  })
  const before = (await verify([subject], options)).subjects[0]
  if (!before) throw new Error(`no subject in the report of ${each.path}`)
  const {breaks, breaksOneOf = [], mayBreak} = metaOf(each.cause)
  const strange = idsOf(before, 'failed').filter(id => ![...breaks, ...breaksOneOf, ...mayBreak].includes(id))
  const judged = await heardAgain(before, strange, subject)
  const failed = idsOf(judged, 'failed')
  const {causes: ranked, unexplained} = explain(judged, subject, RULES)
  // Where nothing failed the ranking is that of what was read.
  const causes = failed.length > 0 ? ranked.filter(({explains}) => explains.length > 0) : ranked
  const only = breadth === 'all' ? options.only : [...new Set([...failed, ...KINDS])]
  const fixed = failed.length > 0 ? await fix(subject, {verify: {...options, only}, rules: RULES, tell: () => {}}) : undefined
  const {left: first = [], hunks = [], runs = 0} = fixed?.report.subjects[0]?.fix ?? {}
  const [after] = fixed?.report.subjects ?? []
  const second =
    fixed && after && hunks.length > 0
      ? await heardAgain(
          after,
          first.map(({id}) => id),
          {...subject, bundle: fixed.mended},
        )
      : after
  const left = second ? idsOf(second, 'failed') : []
  const idsWith = (status: string) =>
    judged.outcomes.filter(outcome => outcome.status === status).map(({id, because}) => `${id}: ${because ?? ''}`)
  return {
    failed,
    causes: causes.map(({id, confidence}) => `${confidence} ${id}`),
    unexplained,
    detected: failed.length > 0 || fired,
    first: causes[0]?.id === each.cause,
    fixed: failed.length > 0 ? (left.length === 0 && hunks.length > 0 ? 'run' : 'no') : await harmless(mendedByReading()),
    hunks: hunks.map(({rules, mends}) => `${rules.join('+')}:${mends.length}`),
    left,
    again: strange.filter(id => !failed.includes(id)),
    errored: idsWith('errored'),
    runs: runs + 1,
    ms: Date.now() - began,
  }

  /** The outcomes with those of a second run, of these checks alone. */
  async function heardAgain(report: SubjectReport, ids: readonly string[], file: FileSubject): Promise<SubjectReport> {
    if (ids.length === 0) return report
    const again = (await verify([file], {...options, only: ids})).subjects[0]
    const outcomes = report.outcomes.map(outcome => again?.outcomes.find(({id}) => id === outcome.id && ids.includes(id)) ?? outcome)
    return {...report, outcomes}
  }

  async function harmless(file: FileSubject | undefined): Promise<CatalogueResult['fixed']> {
    if (!file || rulesOf(file).includes(each.cause)) return 'no'
    const after = await verify([file], options)
    const [first] = after.subjects
    const second = first && (await heardAgain(first, idsOf(first, 'failed'), file))
    return second && idsOf(second, 'failed').length === 0 ? 'read' : 'no'
  }
}

const idsOf = ({outcomes}: SubjectReport, status: string) => outcomes.filter(each => each.status === status).map(({id}) => id)

function metaOf(cause: string) {
  const rule = RULES.find(({meta}) => meta.id === cause)
  if (!rule) throw new Error(`no rule ${cause}`)
  return rule.meta
}

function readable({proxy, bundle}: FileSubject): boolean {
  return proxy.parse(bundle).problems.length === 0
}
