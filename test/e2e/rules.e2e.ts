import pLimit from 'p-limit'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {Outcome} from '../../src/model/report.ts'
import {outcomesOf, ruleCases} from '../support/rule-runs.ts'

// A rule is a cause: each file that it fires on is run, and the checks that it says it breaks must fail there. What waits for half a minute and more runs on demand: GMS_PROXY_EVERY_CHECK=1 npx vitest run --project e2e test/e2e/rules.e2e.ts
// (GMS_PROXY_RULE=upgrade for some of them).

const cases = await ruleCases({only: process.env['GMS_PROXY_RULE'] ?? '', every: process.env['GMS_PROXY_EVERY_CHECK'] === '1'})
/** Runs at once: the waits overlap, and two cores are not starved. */
const AT_ONCE = 4
const PATIENCE_MS = 300_000

const interrupted = new AbortController()
const runs = new Map<string, Promise<readonly Outcome[]>>()

beforeAll(() => {
  const lane = pLimit(AT_ONCE)
  for (const {name, subject, all, one} of cases) {
    const run = lane(() => outcomesOf(subject, [...all, ...one], interrupted.signal))
    run.catch(() => undefined)
    runs.set(name, run)
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
