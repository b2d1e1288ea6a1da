import pLimit from 'p-limit'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {silentLogger} from '../../src/log.ts'
import type {Outcome, Promises} from '../../src/model/report.ts'
import {CHECKS} from '../../src/verify/checks/index.ts'
import type {Subject} from '../../src/verify/subject.ts'
import {verify} from '../../src/verify/verify.ts'
import {readRuleFile, ruleFolders} from '../support/rule-files.ts'
import {runtimeRequest} from '../support/runtime.ts'

// A rule is a cause: each file that it fires on is run, and the checks that it says it breaks must fail there. What waits for half a minute and more runs on demand: GMS_PROXY_EVERY_CHECK=1 npx vitest run --project e2e test/e2e/rules.e2e.ts
// (GMS_PROXY_RULE=upgrade for some of them).

const every = process.env['GMS_PROXY_EVERY_CHECK'] === '1'
const only = process.env['GMS_PROXY_RULE'] ?? ''
/** Longest single wait of a check that runs without being asked for, ms. */
const BRISK_MS = 12_000
/** Runs at once: the waits overlap, and two cores are not starved. */
const AT_ONCE = 4
const PATIENCE_MS = 300_000

interface Case {
  name: string
  subject: Subject
  /** Checks that must fail, and of which one must. */
  all: readonly string[]
  one: readonly string[]
}

const folders = (await ruleFolders()).filter(({id}) => id.startsWith(only))
const cases = await Promise.all(
  folders.flatMap(({rule, files}) =>
    files
      .filter(({kind}) => kind === 'fires')
      .map(async (file): Promise<readonly Case[]> => {
        const {breaks, breaksOneOf = [], provenBy} = rule.meta
        const short = file.name.split('/')[1] ?? ''
        if (provenBy && (provenBy.on === undefined || provenBy.on.includes(short))) return []
        const {subject, promises} = await readRuleFile(file)
        const brisk = (id: string) => every || waitOf(id, promises) <= BRISK_MS
        const one = breaksOneOf.every(brisk) ? breaksOneOf : []
        const all = breaks.filter(brisk)
        return all.length + one.length === 0 ? [] : [{name: file.name, subject, all, one}]
      }),
  ),
).then(found => found.flat())

function waitOf(id: string, promises: Promises): number {
  const check = CHECKS.find(({meta}) => meta.id === id)
  return check?.longestWaitMs?.(promises) ?? 0
}

const interrupted = new AbortController()
const runs = new Map<string, Promise<readonly Outcome[]>>()

beforeAll(() => {
  const lane = pLimit(AT_ONCE)
  for (const each of cases) {
    const run = lane(() => outcomesOf(each))
    run.catch(() => undefined)
    runs.set(each.name, run)
  }
})
afterAll(() => interrupted.abort(new Error('the tests are over')))

describe('the checks that a rule breaks fail on the files it fires on', () => {
  it.each(cases)(
    '$name',
    async ({name, all, one}) => {
      const outcomes = (await runs.get(name)) ?? []
      const statusOf = (id: string) => outcomes.find(outcome => outcome.id === id)
      for (const id of all) expect(statusOf(id)?.because ?? statusOf(id)?.status, `${id} on ${name}`).toBe('failed')
      if (one.length > 0)
        expect(
          one.map(id => statusOf(id)?.status),
          `one of ${one.join(', ')} on ${name}`,
        ).toContain('failed')
    },
    PATIENCE_MS,
  )
})

async function outcomesOf({name, subject, all, one}: Case): Promise<readonly Outcome[]> {
  const report = await verify([subject], {
    runtimeFor: column => runtimeRequest(column.name),
    only: [...all, ...one],
    skip: [],
    allowExec: false,
    intrusive: true,
    keep: false,
    signal: interrupted.signal,
    logger: silentLogger,
    toolVersion: '0.0.0',
    reproduce: `gms-proxy verify ${name}`,
  })
  return report.subjects[0]?.outcomes ?? []
}
