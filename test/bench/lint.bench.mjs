// How fast configurations are read and judged: a tree of 20,000 lines of nginx, 10,000 of Apache and of HAProxy, one site of it for chat. The
// floor is the same bytes read from disk and split into lines; the test of the proxy itself is shown beside it where it is installed. All of it is
// processor time.
import {spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {register} from 'tsx/esm/api'
import {apacheTree, haproxyTree, nginxTree} from './trees.mjs'

register()
const {readBundle} = await import('../../src/bundle/disk.ts')
const {lint} = await import('../../src/lint/lint.ts')
const {RULES} = await import('../../src/lint/rules/index.ts')
const {PROXIES} = await import('../../src/proxies/index.ts')
const {prepare} = await import('../../src/verify/subject.ts')

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
/** The floor takes too little to be measured once. */
const FLOOR_RUNS = 20
const LINES = Number(process.env.BENCH_LINES ?? 20_000)
/** Lint of 20,000 lines of nginx, with the command's start, is to stay below what a person notices; a whole run as a multiple of the floor. */
const AIM_MS = 1000
const root = mkdtempSync(join(tmpdir(), 'gms-proxy-bench-'))
process.once('exit', () => rmSync(root, {recursive: true, force: true}))

const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** Processor time, so that what else the machine does does not count. */
async function timed(work) {
  const began = process.cpuUsage()
  const result = await work()
  const {user, system} = process.cpuUsage(began)
  return {ms: (user + system) / 1000, result}
}

function written(name, files) {
  const folder = join(root, name)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), {recursive: true})
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** The proxy's own test of the tree; nothing where it is not installed or does not take it. */
function ownTest(name, folder) {
  mkdirSync(join(folder, 'logs'), {recursive: true})
  const argv = {
    nginx: [
      'nginx',
      '-t',
      '-q',
      '-p',
      `${folder}/`,
      '-c',
      join(folder, 'nginx.conf'),
      '-e',
      join(folder, 'error.log'),
      '-g',
      `pid ${join(folder, 'pid')};`,
    ],
    haproxy: ['haproxy', '-c', '-q', '-f', join(folder, 'haproxy.cfg')],
  }[name]
  if (!argv) return undefined
  // `times` of the shell tells the processor time of its children
  const {status, stdout} = spawnSync('sh', ['-c', '"$@" >&2; code=$?; times; exit $code', 'sh', ...argv], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const spent = [...(stdout.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  )
  return status === 0 ? spent.reduce((sum, seconds) => sum + seconds, 0) * 1000 : undefined
}

async function measure(name, files) {
  const proxy = PROXIES[name]
  const version = proxy.versions.newest
  const folder = written(name, files)
  const paths = Object.keys(files).map(path => join(folder, path))
  const megabytes = Buffer.byteLength(Object.values(files).join('')) / 1e6
  const lines = Object.values(files).reduce((sum, text) => sum + text.split('\n').length - 1, 0)
  const times = {floor: [], read: [], site: [], lint: [], test: []}
  let first
  let outcomes = []
  for (let round = 0; round <= ROUNDS; round++) {
    const floor = await timed(() => {
      for (let again = 0; again < FLOOR_RUNS; again++) paths.reduce((sum, path) => sum + readFileSync(path, 'utf8').split('\n').length, 0)
    })
    const read = await timed(async () => {
      const {bundle} = await readBundle(folder, {proxy: name, proxies: Object.values(PROXIES)})
      return prepare({kind: 'file', name: folder, proxy, bundle}, {version})
    })
    const {config, promises} = read.result
    if (config.problems.length > 0 || config.bundle.files.length !== paths.length) throw new Error(`${name}: not read as it was written`)
    const site = await timed(() => proxy.site(config, version))
    const whole = await timed(() => lint({proxy, config, version, promises, rules: RULES, nameOf: file => file}))
    if (whole.result.bugs.length > 0) throw whole.result.bugs[0].error
    outcomes = whole.result.outcomes.filter(({status}) => status === 'failed').map(({id}) => id)
    // The first round is what a command pays, whose code nobody has run yet.
    if (round === 0) first = read.ms + whole.ms
    else {
      times.floor.push(floor.ms / FLOOR_RUNS)
      times.read.push(read.ms)
      times.site.push(site.ms)
      times.lint.push(read.ms + whole.ms)
      times.test.push(ownTest(name, folder))
    }
  }
  const floor = median(times.floor)
  const row = (what, ms) =>
    console.log(
      `${name.padEnd(8)} ${what.padEnd(28)} ${ms.toFixed(0).padStart(6)} ms ${(megabytes / (ms / 1000)).toFixed(1).padStart(7)} MB/s ${(ms / floor).toFixed(1).padStart(7)} times`,
    )
  console.log(`${name.padEnd(8)} ${lines} lines, ${megabytes.toFixed(2)} MB in ${paths.length} files; fires: ${outcomes.join(' ')}`)
  row('read and split (floor)', floor)
  row('read', median(times.read))
  row('what it means', median(times.site))
  row('lint, reading included', median(times.lint))
  row('lint, the first time', first)
  if (times.test.every(ms => ms !== undefined)) row('test of the proxy itself', median(times.test))
  return {name, first}
}

const results = [
  await measure('nginx', nginxTree(LINES)),
  await measure('apache', apacheTree(LINES / 2)),
  await measure('haproxy', haproxyTree(LINES / 2)),
]
console.log(
  `aim: lint, the first time, below ${AIM_MS} ms for each: ${results.map(({name, first}) => `${name} ${first.toFixed(0)} ms`).join(', ')}`,
)
