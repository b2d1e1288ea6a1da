import pLimit from 'p-limit'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {Outcome} from '../../src/model/report.ts'
import {CHECKS} from '../../src/verify/checks/index.ts'
import {verify} from '../../src/verify/verify.ts'
import {foreignFolders, readForeign} from '../support/foreign-files.ts'
import type {ForeignFolder} from '../support/foreign-files.ts'
import {suiteOptions} from '../support/runtime.ts'

// What the rules are silent about has to work: each right configuration of fixtures/foreign is run. By default with checks that wait for
// nothing and share one proxy; all of them on demand: GMS_PROXY_EVERY_CHECK=1 npx vitest run --project e2e test/e2e/foreign.e2e.ts
// (GMS_PROXY_FOREIGN=apache/debian for some of the configurations).

const every = process.env['GMS_PROXY_EVERY_CHECK'] === '1'
const only = process.env['GMS_PROXY_FOREIGN'] ?? ''
/** Runs at once: the waits overlap, and two cores are not starved. */
const AT_ONCE = 4
const PATIENCE_MS = every ? 3_600_000 : 600_000

const folders = foreignFolders().filter(({name}) => name.startsWith(only))
const quick = CHECKS.filter(({longestWaitMs, isolation}) => longestWaitMs === undefined && isolation === 'shared').map(({meta}) => meta.id)

const interrupted = new AbortController()
const runs = new Map<string, Promise<readonly Outcome[]>>()

beforeAll(() => {
  const lane = pLimit(AT_ONCE)
  for (const folder of folders) {
    const run = lane(() => outcomesOf(folder))
    run.catch(() => undefined)
    runs.set(folder.name, run)
  }
})
afterAll(() => interrupted.abort(new Error('the tests are over')))

describe('configurations that others might have written work', () => {
  it.each(folders)(
    '$name',
    async ({name}) => {
      const outcomes = (await runs.get(name)) ?? []
      const bad = outcomes.filter(({status}) => status === 'failed' || status === 'errored')
      expect(bad.map(({id, because, findings}) => `${id}: ${because ?? findings.map(({actual}) => actual).join('; ')}`)).toEqual([])
      const passed = outcomes.filter(({status}) => status === 'passed').map(({id}) => id)
      expect(passed).toEqual(expect.arrayContaining(['upstream-path-intact', 'upgrade-chat', 'polling-chat', 'upload-largest-file']))
    },
    PATIENCE_MS,
  )
})

async function outcomesOf(folder: ForeignFolder): Promise<readonly Outcome[]> {
  const subject = await readForeign(folder)
  const report = await verify(
    [subject],
    suiteOptions({
      only: every ? [] : quick,
      signal: interrupted.signal,
      reproduce: `gms-proxy verify ${folder.name}`,
    }),
  )
  return report.subjects[0]?.outcomes ?? []
}
