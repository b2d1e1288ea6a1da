import {existsSync, readFileSync, readdirSync} from 'node:fs'
import {basename, dirname, join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import pLimit from 'p-limit'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {readBundle} from '../../src/bundle/disk.ts'
import type {Outcome, SubjectReport} from '../../src/model/report.ts'
import {loadForeignParameters} from '../../src/parameters/load.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {CHECKS} from '../../src/verify/checks/index.ts'
import {verify} from '../../src/verify/verify.ts'
import {suiteOptions} from '../support/runtime.ts'

// Every check is seen failing: each `broken.*` beside a check is run, and that check must fail on it with both witnesses heard.
// A `broken.yaml` beside them says what they are held to, where that is no promise that everybody makes; `broken.NAME.yaml`, what `broken.NAME.*` are.
// With GMS_PROXY_CASCADES=1 all checks are run on each of them and the table "what else fails" goes to stdout as markdown.

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const checksFolder = join(root, 'src/verify/checks')
const cascades = process.env.GMS_PROXY_CASCADES === '1'

/** They mostly wait (for a hold, for silence, for an answer that a full proxy never gives), so they run beside the others. */
const PATIENT: readonly string[] = [
  'upgrade-idle-survives',
  'polling-hold-survives',
  'upload-slow-client',
  'upload-late-answer',
  'access-slow-headers-cut',
  'limits-hold-idle-chats',
  'listener-stays-up',
  'health-dead-node-leaves',
  'health-node-returns',
  'health-recovers-from-outage',
  'upstream-follows-dns',
]
/** Runs at once in each lane: enough to overlap the waits, few enough for two cores. */
const AT_ONCE = cascades ? {patient: 3, brisk: 6} : {patient: 12, brisk: 4}
/** A check that only reads what others left behind needs others. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {'listener-stays-up': ['upgrade', 'polling', 'upload']}
/** nginx names no line for a variable that nobody fills. */
const PLACELESS = new Set(['src/verify/checks/listener-config-accepted/broken.nginx.conf'])
const PATIENCE_MS = cascades ? 1_800_000 : 240_000

interface Case {
  id: string
  /** Path from the root of the project, as an operator would type it. */
  path: string
}

const cases: readonly Case[] = CHECKS.flatMap(({meta: {id}}) =>
  readdirSync(join(checksFolder, id))
    .filter(file => file.startsWith('broken.') && !file.endsWith('.yaml'))
    .sort()
    .map(file => ({id, path: relative(root, join(checksFolder, id, file))})),
)

const runs = new Map<string, Promise<SubjectReport>>()
const interrupted = new AbortController()

beforeAll(() => {
  const patient = pLimit(AT_ONCE.patient)
  const brisk = pLimit(AT_ONCE.brisk)
  for (const each of cases) {
    const run = (PATIENT.includes(each.id) ? patient : brisk)(() => judge(each))
    run.catch(() => undefined)
    runs.set(each.path, run)
  }
})

afterAll(() => interrupted.abort(new Error('the tests are over')))

async function judge({id, path}: Case): Promise<SubjectReport> {
  const {bundle, proxy} = await readBundle(join(root, path), {proxies: Object.values(PROXIES)})
  const [, named] = /^broken\.([^.]+)\.[^.]+\./.exec(basename(path)) ?? []
  const promised = [`broken.${named}.yaml`, 'broken.yaml'].map(file => join(checksFolder, id, file)).find(file => existsSync(file))
  const stated = promised ? await loadForeignParameters({file: promised, overrides: [], stdin: () => Promise.resolve('')}) : undefined
  const report = await verify(
    [{kind: 'file', name: path, proxy, bundle, ...(stated ? {stated} : {})}],
    suiteOptions({
      only: cascades ? [] : [id, ...(TOGETHER[id] ?? [])],
      signal: interrupted.signal,
      reproduce: `gms-proxy verify ${path} --only ${id}`,
    }),
  )
  const [subject] = report.subjects
  if (!subject) throw new Error(`no subject in the report of ${path}`)
  return subject
}

async function outcomeOf({id, path}: Case): Promise<Outcome> {
  const outcome = (await runs.get(path))?.outcomes.find(candidate => candidate.id === id)
  if (!outcome) throw new Error(`${id} is not in the report of ${path}`)
  return outcome
}

describe('every check fails on its broken configurations', () => {
  it('has one for each check', () => {
    expect(CHECKS.filter(({meta}) => !cases.some(({id}) => id === meta.id)).map(({meta}) => meta.id)).toEqual([])
  })

  it.each(cases)(
    '$path',
    async each => {
      const outcome = await outcomeOf(each)
      expect(outcome.because ?? outcome.status, each.path).toBe('failed')
      expect(outcome.findings.length).toBeGreaterThan(0)
      for (const finding of outcome.findings) {
        expect(finding.message, 'message').toMatch(/^(Expected|Unknown|Missing|Too short)/)
        expect(finding.expected.trim(), 'expected').not.toBe('')
        expect(finding.actual.trim(), 'actual').not.toBe('')
        expect(finding.actual).not.toBe(finding.expected)
        expect(finding.remediation.trim(), 'remediation').not.toBe('')
        expect(finding.evidence.client.length, 'what the client saw').toBeGreaterThan(0)
        expect(finding.evidence.upstream.length, 'what GMS saw').toBeGreaterThan(0)
        for (const line of [...finding.evidence.client, ...finding.evidence.upstream])
          expect(line.trim(), 'a line of evidence').not.toBe('')
        if (!PLACELESS.has(each.path)) expectPlace(finding.location, each.path)
      }
    },
    PATIENCE_MS,
  )
})

/** The place must exist in the operator's own file, not in the sandbox's copy. */
function expectPlace(location: Outcome['findings'][number]['location'], path: string): void {
  expect(location, 'a place in the file').toBeDefined()
  if (!location) return
  const lines = readFileSync(join(root, path), 'utf8').split('\n')
  expect(path.endsWith(location.file), `${location.file} is ${path}`).toBe(true)
  expect(lines[location.line - 1]?.trim(), `line ${location.line} of ${path}`).toBeTruthy()
  if (location.column !== undefined) expect(location.column).toBeLessThanOrEqual((lines[location.line - 1] ?? '').length)
}

describe.runIf(cascades)('what else fails', () => {
  it(
    'is written to stdout',
    async () => {
      const rows: string[] = []
      for (const each of cases) {
        const {outcomes} = (await runs.get(each.path)) ?? {outcomes: []}
        const those = (status: Outcome['status']) =>
          outcomes.filter(outcome => outcome.status === status && outcome.id !== each.id).map(({id}) => `\`${id}\``)
        const own = outcomes.find(({id}) => id === each.id)?.status ?? 'absent'
        rows.push(
          `| \`${each.id}\` | ${each.path.split('/').at(-1)} | ${own} | ${those('failed').join(', ') || 'none'} | ${[...those('errored'), ...(those('skipped').length > 3 ? ['everything else skipped'] : those('skipped'))].join(', ') || 'none'} |`,
        )
      }
      process.stdout.write(
        ['', '| check | broken configuration | verdict | other checks that fail | not judged |', '|---|---|---|---|---|', ...rows, ''].join(
          '\n',
        ),
      )
    },
    PATIENCE_MS,
  )
})
