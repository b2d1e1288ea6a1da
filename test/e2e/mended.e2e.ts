import pLimit from 'p-limit'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {Outcome} from '../../src/model/report.ts'
import {mendedBy} from '../support/mended.ts'
import {outcomesOf, QUICK, ruleCases} from '../support/rule-runs.ts'
import {UNMENDED} from '../support/unmended.ts'

// An edit is a promise: each file that a rule fires on is mended by the edits of that rule and run, and the checks that the rule breaks must pass then.
// GMS_PROXY_EVERY_CHECK=1 runs the long ones too, and all that wait for nothing on the file as it was: nothing fails there but what the rule names.
// (GMS_PROXY_RULE=upgrade for some of them.)

const every = process.env['GMS_PROXY_EVERY_CHECK'] === '1'
/** What traffic does not show the proxy itself takes at least. */
const ACCEPTED = ['listener-config-accepted']
const only = process.env['GMS_PROXY_RULE'] ?? ''
const cases = await ruleCases({only, every})
const mended = (await ruleCases({only, every, otherwise: ACCEPTED})).filter(({name}) => UNMENDED[name] === undefined)
/** Runs at once: the waits overlap, and two cores are not starved. */
const AT_ONCE = 4
const PATIENCE_MS = 300_000

const interrupted = new AbortController()
const afterwards = new Map<string, Promise<readonly Outcome[]>>()
const before = new Map<string, Promise<readonly Outcome[]>>()

beforeAll(() => {
  const lane = pLimit(AT_ONCE)
  const queue = (runs: Map<string, Promise<readonly Outcome[]>>, name: string, run: () => Promise<readonly Outcome[]>) => {
    const outcomes = lane(run)
    outcomes.catch(() => undefined)
    runs.set(name, outcomes)
  }
  for (const {name, rule, subject, promises, all, one} of mended)
    queue(afterwards, name, () =>
      outcomesOf({...subject, bundle: mendedBy(subject.bundle, rule, promises)}, [...all, ...one, ...ACCEPTED], interrupted.signal),
    )
  if (every) for (const {name, subject} of cases) queue(before, name, () => outcomesOf(subject, QUICK, interrupted.signal))
})
afterAll(() => interrupted.abort(new Error('the tests are over')))

describe('the checks that a rule breaks pass on the files that its edits mend', () => {
  it.each(mended)(
    '$name',
    async ({name, all, one}) => {
      const outcomes = (await afterwards.get(name)) ?? []
      const statusOf = (id: string) => outcomes.find(outcome => outcome.id === id)
      for (const id of all) expect(statusOf(id)?.because ?? statusOf(id)?.status, `${id} on ${name} after its edits`).toBe('passed')
      const failing = outcomes.filter(({status}) => status === 'failed' || status === 'errored').map(({id}) => id)
      expect(failing, `${name} after its edits`).toEqual([])
      if (one.length > 0)
        expect(
          one.map(id => statusOf(id)?.status),
          `one of ${one.join(', ')} on ${name} after its edits`,
        ).toContain('passed')
    },
    PATIENCE_MS,
  )
})

describe.runIf(every)('no other check fails on the files it fires on', () => {
  it.each(cases)(
    '$name',
    async ({name, rule: {meta}}) => {
      const outcomes = (await before.get(name)) ?? []
      const named = [...meta.breaks, ...(meta.breaksOneOf ?? []), ...meta.mayBreak]
      const others = outcomes.filter(({id, status}) => status === 'failed' && !named.includes(id)).map(({id}) => id)
      expect(others, `${name}: neither in breaks nor in mayBreak`).toEqual([])
    },
    PATIENCE_MS,
  )
})
