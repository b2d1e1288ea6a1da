// As publishes.bench.mjs, with native programs at both ends, so that nearly all of the time is the proxy's: `ab` (apache2-utils) sends, an
// nginx that returns a fixed answer is GMS. Nobody counts here whether a POST arrived twice. Needs both on the PATH.
import {execFile, spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {connect, createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {cases, cpuSeconds, HOST, startCase} from './proxies.mjs'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7)
const SECONDS = Math.max(1, Math.round(Number(process.env.BENCH_MS ?? 2000) / 1000))
const USERS = process.env.BENCH_USERS ?? '32'
const NODES = 2
const ANSWER = '[{"channel":"/service/chatV2/customer-support","id":"5","successful":true}]'
const PUBLISH =
  '[{"channel":"/service/chatV2/customer-support","id":"5","clientId":"s1","data":{"operation":"sendMessage","secureKey":"0123456789abcdef","message":"message of a person who waits"}}]'
const run = promisify(execFile)
const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

async function freePorts(count) {
  const servers = Array.from({length: count}, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const ports = servers.map(server => server.address().port)
  for (const server of servers) server.close()
  return ports
}

/** nginx that answers everything with the same Bayeux message and keeps connections for ever. */
function startGms(folder, ports) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/gms/${name};`).join(' ')
  mkdirSync(join(folder, 'gms'))
  const listen = ports.map(port => `listen 127.0.0.1:${port} backlog=2048;`).join(' ')
  const text = `daemon off; master_process off; pid ${folder}/gms/pid; error_log ${folder}/gms/error.log;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; ${temporary}
  server { ${listen} location / { default_type application/json; return 200 '${ANSWER}'; } } }
`
  writeFileSync(join(folder, 'gms.conf'), text)
  return spawn('nginx', ['-c', join(folder, 'gms.conf')], {stdio: 'inherit'})
}

/** What it answers to the first request of a user: the cookie that the others carry. */
async function cookieOf(port) {
  const socket = connect({port, host: '127.0.0.1'})
  socket.write(`POST /genesys/cometd HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\nContent-Length: ${PUBLISH.length}\r\n\r\n${PUBLISH}`)
  let answer = ''
  for await (const chunk of socket) answer += chunk
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`port ${port} answers ${answer.slice(0, 200)}`)
  return /\nset-cookie: *([^;\r]+)/i.exec(answer)?.[1]
}

async function load(port, cookie, folder) {
  const {stdout} = await run('ab', [
    ...['-q', '-k', '-c', USERS, '-t', String(SECONDS), '-n', '10000000', '-s', '30'],
    ...['-p', join(folder, 'publish'), '-T', 'application/json;charset=UTF-8', '-H', `Host: ${HOST}`],
    ...(cookie === undefined ? [] : ['-C', cookie]),
    `http://127.0.0.1:${port}/genesys/cometd`,
  ])
  const of = pattern => Number(pattern.exec(stdout)?.[1] ?? 0)
  return {
    requests: of(/Complete requests:\s+(\d+)/),
    perSecond: of(/Requests per second:\s+([\d.]+)/),
    p99: of(/99%\s+(\d+)/),
    failed: of(/Failed requests:\s+(\d+)/) + of(/Non-2xx responses:\s+(\d+)/),
  }
}

const folder = mkdtempSync(join(tmpdir(), 'gms-proxy-bench-'))
const proxies = []
let gms
try {
  writeFileSync(join(folder, 'publish'), PUBLISH)
  const ports = await freePorts(NODES)
  gms = startGms(folder, ports)
  const running = [{name: 'direct', port: ports[0], rounds: []}]
  for (const each of cases(process.env.BENCH_PARAMETERS ?? 'two-nodes.yaml')) {
    const proxy = await startCase(
      each,
      ports.map(port => `127.0.0.1:${port}`),
    )
    proxies.push(proxy)
    running.push({...each, port: Number(proxy.url.port), folder: proxy.folder, rounds: []})
  }
  for (const each of running) each.cookie = await cookieOf(each.port)
  for (let round = 0; round <= ROUNDS; round++)
    for (const each of running) {
      const before = each.folder === undefined ? 0 : cpuSeconds(each.folder)
      const seen = await load(each.port, each.cookie, folder)
      const cpu = each.folder === undefined ? 0 : ((cpuSeconds(each.folder) - before) / seen.requests) * 1e6
      if (round > 0) each.rounds.push({...seen, cpu})
    }
  const of = (each, name) => median(each.rounds.map(round => round[name]))
  const direct = of(running[0], 'perSecond')
  console.log(`${USERS} connections, ${ROUNDS} rounds of ${SECONDS} s each in turn, medians; CPU is that of the proxy`)
  console.log('                                  requests/s   p99 ms   µs CPU   of direct   of sample   failed')
  for (const each of running) {
    const sample = running.find(({name}) => name === `${each.proxy}, published sample`)
    const cells = [
      of(each, 'perSecond').toFixed(0).padStart(10),
      of(each, 'p99').toFixed(0).padStart(8),
      (each.folder === undefined ? '' : of(each, 'cpu').toFixed(0)).padStart(8),
      (of(each, 'perSecond') / direct).toFixed(2).padStart(11),
      (sample ? (of(each, 'perSecond') / of(sample, 'perSecond')).toFixed(2) : '').padStart(11),
      String(each.rounds.reduce((total, {failed}) => total + failed, 0)).padStart(8),
    ]
    console.log(`${each.name.slice(-32).padEnd(34)}${cells.join(' ')}`)
  }
} finally {
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]()
  gms?.kill()
  rmSync(folder, {recursive: true, force: true})
}
