// Small publishes over long-polling, 32 connections: through the rendered configuration, through the published sample, and directly. All
// stand side by side and take turns, so that whatever else the machine does falls on all of them alike. Each request is sent once and
// must arrive once. CPU time of the proxy is the number that a busy machine changes least.
import {fork} from 'node:child_process'
import {once} from 'node:events'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {cases, cpuSeconds, HOST, startCase} from './proxies.mjs'

const USERS = Number(process.env.BENCH_USERS ?? 32)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7)
const MILLISECONDS = Number(process.env.BENCH_MS ?? 2000)
const folder = dirname(fileURLToPath(import.meta.url))

async function begin(file, ...args) {
  const child = fork(join(folder, file), args)
  const [first] = await once(child, 'message')
  const ask = async order => {
    child.send(order)
    const [answer] = await once(child, 'message')
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }
  return {first, ask, stop: () => child.disconnect()}
}

const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

const gms = await begin('gms-process.mjs', '2', process.env.BENCH_GMS ?? 'bare')
const load = await begin('load-process.mjs')
const ports = gms.first.ports
const running = [{name: 'direct', port: ports[0], rounds: []}]
const proxies = []
try {
  for (const each of cases(process.env.BENCH_PARAMETERS ?? 'two-nodes.yaml')) {
    const proxy = await startCase(
      each,
      ports.map(port => `127.0.0.1:${port}`),
    )
    proxies.push(proxy)
    running.push({...each, port: Number(proxy.url.port), folder: proxy.folder, rounds: []})
  }
  // The first round fills caches and pools, and is not counted.
  for (let round = 0; round <= ROUNDS; round++)
    for (const each of running) {
      const cpu = each.folder === undefined ? 0 : cpuSeconds(each.folder)
      await gms.ask('forget')
      const milliseconds = round === 0 ? Math.min(500, MILLISECONDS) : MILLISECONDS
      const seen = await load.ask({port: each.port, host: HOST, users: USERS, milliseconds})
      const arrived = await gms.ask('count')
      const took = each.folder === undefined ? 0 : cpuSeconds(each.folder) - cpu
      if (round > 0) each.rounds.push({...seen, ...arrived, cpu: (took / seen.requests) * 1e6})
    }
} finally {
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]()
  gms.stop()
  load.stop()
}

const of = (each, name) => median(each.rounds.map(round => round[name]))
const sum = (each, name) => each.rounds.reduce((total, round) => total + round[name], 0)
const direct = of(running[0], 'perSecond')
console.log(`${USERS} connections, ${ROUNDS} rounds of ${MILLISECONDS / 1000} s each in turn, medians; CPU is that of the proxy`)
console.log(
  '                                  requests/s   p50 ms   p99 ms   µs CPU   of direct   of sample   new node connections   failed   twice',
)
for (const each of running) {
  const sample = running.find(({name}) => name === `${each.proxy}, published sample`)
  const cells = [
    of(each, 'perSecond').toFixed(0).padStart(10),
    of(each, 'p50').toFixed(2).padStart(8),
    of(each, 'p99').toFixed(2).padStart(8),
    (each.folder === undefined ? '' : of(each, 'cpu').toFixed(0)).padStart(8),
    (of(each, 'perSecond') / direct).toFixed(2).padStart(11),
    (sample ? (of(each, 'perSecond') / of(sample, 'perSecond')).toFixed(2) : '').padStart(11),
    `${((sum(each, 'connections') / sum(each, 'requests')) * 100).toFixed(1)} %`.padStart(22),
    String(sum(each, 'failed')).padStart(8),
    String(sum(each, 'twice')).padStart(7),
  ]
  console.log(`${each.name.slice(-32).padEnd(34)}${cells.join(' ')}`)
}
if (running.some(each => sum(each, 'twice') > 0)) {
  console.error('a POST reached GMS twice')
  process.exitCode = 1
}
