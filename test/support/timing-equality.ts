import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import process from 'node:process'
import pLimit from 'p-limit'
import {CHECKS} from '../../src/verify/checks/index.ts'
import type {TimingCase} from './timing.ts'
import {timedReport, timingCases, verdictsOf} from './timing.ts'

/** Runs at once: most of them wait, and two cores are enough for so many. */
const AT_ONCE = {real: 8, compressed: 2}

interface Judged {
  verdicts: Readonly<Record<string, string>>
  ms: number
  /** Checks that ran in real time all the same. */
  realTime: readonly string[]
}

const {GMS_PROXY_TIMING_CACHE: cache, GMS_PROXY_TIMING_ONLY: only = ''} = process.env
const words = only.split(',').filter(word => word !== '')
const timed: ReadonlySet<string> = new Set(CHECKS.flatMap(check => (check.timed ? [check.meta.id] : [])))
// a check that runs in real time either way has nothing to compare
const cases = (await timingCases())
  .map(each => ({...each, checks: each.checks.filter(id => timed.has(id))}))
  .filter(({path, checks}) => checks.length > 0 && (words.length === 0 || words.some(word => path.includes(word))))
const signal = new AbortController().signal

async function judge(each: TimingCase, timing: 'real' | 'compressed'): Promise<Judged> {
  const began = Date.now()
  const report = await timedReport(each, timing, signal)
  return {
    verdicts: verdictsOf(report),
    ms: Date.now() - began,
    realTime: report.outcomes.flatMap(({id, realTime}) => (realTime === undefined ? [] : [`${id}: ${realTime}`])),
  }
}

const known: Record<string, Judged> =
  cache !== undefined && existsSync(cache) ? (JSON.parse(readFileSync(cache, 'utf8')) as Record<string, Judged>) : {}
const real = pLimit(AT_ONCE.real)
await Promise.all(
  cases.map(each =>
    real(async () => {
      const key = `${each.path} ${each.checks.join(' ')}`
      known[key] ??= await judge(each, 'real')
      if (cache !== undefined) writeFileSync(cache, JSON.stringify(known, undefined, 2))
    }),
  ),
)
const compressed = pLimit(AT_ONCE.compressed)
const began = Date.now()
const judged = await Promise.all(cases.map(each => compressed(async () => ({each, fast: await judge(each, 'compressed')}))))
let verdicts = 0
let equal = 0
let paced = 0
for (const {each, fast} of judged) {
  const slow = known[`${each.path} ${each.checks.join(' ')}`]
  for (const [id, status] of Object.entries(fast.verdicts)) {
    verdicts += 1
    const same = slow?.verdicts[id] === status
    if (same) equal += 1
    else process.stdout.write(`${each.path} ${id}: ${slow?.verdicts[id] ?? 'none'} in real time, ${status} in compressed time\n`)
    const why = fast.realTime.find(text => text.startsWith(`${id}: `))
    if (why === undefined) paced += 1
    else process.stdout.write(`${each.path} ${why}\n`)
  }
}
const seconds = (ms: number) => `${(ms / 1000).toFixed(0)} s`
process.stdout.write(
  [
    `${equal} of ${verdicts} verdicts equal; ${paced} of them in compressed time, the others in real time`,
    `${cases.length} files; in real time ${seconds(cases.reduce((sum, {path, checks}) => sum + (known[`${path} ${checks.join(' ')}`]?.ms ?? 0), 0))} one after the other,`,
    `compressed ${seconds(judged.reduce((sum, {fast}) => sum + fast.ms, 0))} (${seconds(Date.now() - began)} with ${AT_ONCE.compressed} at once)`,
    '',
  ].join('\n'),
)
process.exitCode = equal === verdicts ? 0 : 1
