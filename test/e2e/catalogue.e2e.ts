import pLimit from 'p-limit'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {explain} from '../../src/diagnose/diagnose.ts'
import {RULES} from '../../src/lint/rules/index.ts'
import {silentLogger} from '../../src/log.ts'
import type {Cause} from '../../src/model/report.ts'
import {CHECKS} from '../../src/verify/checks/index.ts'
import {verify} from '../../src/verify/verify.ts'
import type {CatalogueCase} from '../support/catalogue-cases.ts'
import {catalogueCases, readCase} from '../support/catalogue-cases.ts'
import {runtimeRequest} from '../support/runtime.ts'

// Known misconfigurations are run with the checks that feel them, and the right cause is named first, as certain. One entry for each cause;
// all of them: GMS_PROXY_EVERY_ENTRY=1 npx vitest run --project e2e test/e2e/catalogue.e2e.ts
// What diagnose and fix make of them when every check runs is measured: npm run bench -- catalogue

const every = process.env['GMS_PROXY_EVERY_ENTRY'] === '1'
/** Runs at once: two cores are not starved. */
const AT_ONCE = 3
const PATIENCE_MS = 240_000

/** Checks that wait for nothing. */
const brisk: ReadonlySet<string> = new Set(CHECKS.flatMap(check => (check.longestWaitMs || check.heavy ? [] : [check.meta.id])))

interface Felt extends CatalogueCase {
  checks: readonly string[]
}

const felt = catalogueCases().flatMap((each): readonly Felt[] => {
  const rule = RULES.find(({meta}) => meta.id === each.cause)
  const {breaks = [], breaksOneOf = [], provenBy} = rule?.meta ?? {}
  const checks = [...breaks, ...breaksOneOf]
  const felt = !provenBy || (provenBy.on !== undefined && !provenBy.on.some(file => each.path.endsWith(`/${file}`)))
  return felt && each.entry.onlyRead === undefined && checks.length > 0 && checks.every(id => brisk.has(id)) ? [{...each, checks}] : []
})
const cases = every ? felt : felt.filter(({cause}, index) => felt.findIndex(other => other.cause === cause) === index)

const interrupted = new AbortController()
const runs = new Map<string, Promise<readonly Cause[]>>()

beforeAll(() => {
  const lane = pLimit(AT_ONCE)
  for (const each of cases) {
    const run = lane(() => causesOf(each))
    run.catch(() => undefined)
    runs.set(each.name, run)
  }
})
afterAll(() => interrupted.abort(new Error('the tests are over')))

describe('the right cause of a known misconfiguration is named first', () => {
  it.each(cases)(
    '$name',
    async ({name, cause}) => {
      const [first] = (await runs.get(name)) ?? []
      expect(first && `${first.confidence} ${first.id}`).toBe(`certain ${cause}`)
    },
    PATIENCE_MS,
  )
})

async function causesOf(each: Felt): Promise<readonly Cause[]> {
  const {subject} = await readCase(each)
  const report = await verify([subject], {
    runtimeFor: column => runtimeRequest(column.name),
    only: each.checks,
    skip: [],
    allowExec: false,
    intrusive: true,
    keep: false,
    signal: interrupted.signal,
    logger: silentLogger,
    toolVersion: '0.0.0',
    reproduce: `gms-proxy diagnose ${each.path}`,
  })
  const [judged] = report.subjects
  return judged ? explain(judged, subject, RULES).causes : []
}
