import type {Outcome, Promises} from '../../src/model/report.ts'
import {CHECKS} from '../../src/verify/checks/index.ts'
import type {FileSubject} from '../../src/diagnose/fix.ts'
import {verify} from '../../src/verify/verify.ts'
import {readRuleFile, ruleFolders} from './rule-files.ts'
import type {RuleFolder} from './rule-files.ts'
import {suiteOptions} from './runtime.ts'

/** Longest single wait of a check that runs without being asked for, ms. */
const BRISK_MS = 12_000

/** A file that a rule fires on, and what traffic shows of it. */
interface RuleCase {
  name: string
  rule: RuleFolder['rule']
  subject: FileSubject
  promises: Promises
  /** Checks that must fail, and of which one must. */
  all: readonly string[]
  one: readonly string[]
}

/**
 * Those files of rules whose id begins with `only` that traffic shows; `every`: checks that wait for half a minute and more too. `otherwise`: checks
 * for files that traffic does not show; without any these are left out.
 */
export async function ruleCases({
  only,
  every,
  otherwise = [],
}: {
  only: string
  every: boolean
  otherwise?: readonly string[]
}): Promise<readonly RuleCase[]> {
  const folders = (await ruleFolders()).filter(({id}) => id.startsWith(only))
  const found = await Promise.all(
    folders.flatMap(({rule, files}) =>
      files
        .filter(({kind}) => kind === 'fires')
        .map(async (file): Promise<readonly RuleCase[]> => {
          const {breaks, breaksOneOf = [], provenBy} = rule.meta
          const short = file.name.split('/')[1] ?? ''
          const unseen = provenBy && (provenBy.on === undefined || provenBy.on.includes(short))
          const {subject, promises} = await readRuleFile(file)
          const brisk = (id: string) => every || waitOf(id, promises) <= BRISK_MS
          const one = breaksOneOf.every(brisk) ? breaksOneOf : []
          const all = breaks.filter(brisk)
          const shown = !unseen && all.length + one.length > 0
          if (shown) return [{name: file.name, rule, subject, promises, all, one}]
          return otherwise.length === 0 ? [] : [{name: file.name, rule, subject, promises, all: otherwise, one: []}]
        }),
    ),
  )
  return found.flat()
}

function waitOf(id: string, promises: Promises): number {
  return CHECKS.find(({meta}) => meta.id === id)?.longestWaitMs?.(promises) ?? 0
}

/** Checks that wait for nothing. */
export const QUICK: readonly string[] = CHECKS.filter(
  ({longestWaitMs, heavy, isolation}) => !longestWaitMs && !heavy && isolation !== 'after',
).map(({meta}) => meta.id)

/** What these checks say of a configuration. */
export async function outcomesOf(subject: FileSubject, only: readonly string[], signal: AbortSignal): Promise<readonly Outcome[]> {
  const report = await verify(
    [subject],
    suiteOptions({
      only,
      signal,
      reproduce: `gms-proxy verify ${subject.name}`,
    }),
  )
  return report.subjects[0]?.outcomes ?? []
}
