// How long `gms-proxy render nginx` takes, against the floor of the same machine in the same minute: `node -e 0`.
import {spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'

const ROUNDS = 10
const AIM = 2.5
const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const cache = mkdtempSync(join(tmpdir(), 'gms-proxy-bench-'))
process.once('exit', () => rmSync(cache, {recursive: true, force: true}))
const render = [join(root, 'bin/run.js'), 'render', 'nginx', '--params', join(root, 'fixtures/parameters/two-nodes.yaml')]
const cases = [
  {name: 'node -e 0', argv: ['-e', '0'], env: {}},
  {name: 'render nginx', argv: render, env: {GMS_PROXY_CACHE_DIR: cache}},
  {name: 'render nginx, nothing cached', argv: render, env: {GMS_PROXY_CACHE_DIR: ''}},
]

function once({argv, env}) {
  const began = process.hrtime.bigint()
  const {status} = spawnSync(process.execPath, argv, {stdio: 'ignore', env: {...process.env, ...env}})
  if (status !== 0) throw new Error(`exit ${status}: ${argv.join(' ')}`)
  return Number(process.hrtime.bigint() - began) / 1e6
}

const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

for (const each of cases) once(each)
const times = cases.map(() => [])
// In turn, so that whatever else the machine does falls on all of them alike.
for (let round = 0; round < ROUNDS; round++) cases.forEach((each, index) => times[index].push(once(each)))
const [floor, ...others] = times.map(median)
console.log(`${cases[0].name.padEnd(30)} ${floor.toFixed(0).padStart(5)} ms`)
others.forEach((time, index) =>
  console.log(`${cases[index + 1].name.padEnd(30)} ${time.toFixed(0).padStart(5)} ms   ${(time / floor).toFixed(2)} times`),
)
console.log(`aim: render nginx at most ${AIM} times`)
