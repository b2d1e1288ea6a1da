// The proxies that the benches compare: rendered, and as the vendor publishes them, run as `verify` runs them.
import {readFileSync, readdirSync, readlinkSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {register} from 'tsx/esm/api'

register()
const {readBundle} = await import('../../src/bundle/disk.ts')
const {silentLogger} = await import('../../src/log.ts')
const {loadParameters, loadForeignParameters} = await import('../../src/parameters/load.ts')
const {PROXIES} = await import('../../src/proxies/index.ts')
const {resolveRuntime} = await import('../../src/runtime/resolve.ts')
const {start} = await import('../../src/runtime/start.ts')
const {setStage} = await import('../../src/verify/stage.ts')
const {prepare} = await import('../../src/verify/subject.ts')

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
export const HOST = 'chat.example.com'
const SAMPLES = {
  nginx: 'fixtures/foreign/nginx/genesys-sample/nginx.conf',
  apache: 'fixtures/foreign/apache/genesys-sample/httpd.conf',
  haproxy: 'fixtures/foreign/haproxy/genesys-sample/haproxy.cfg',
}
const {signal} = new globalThis.AbortController()

/** Names of proxies in `BENCH_PROXIES` (default all three). */
export const PROXY_NAMES = (process.env.BENCH_PROXIES ?? 'nginx,apache,haproxy').split(',')

/**
 * `nginx, rendered`, `nginx, published sample`, and for `BENCH_ALSO=nginx:file,…` that file. Parameters: a fixture, and dotted overrides
 * from `BENCH_SET=limits.chats=500,…`.
 */
export function cases(fixture) {
  const parameters = join(root, 'fixtures/parameters', fixture)
  const also = (process.env.BENCH_ALSO ?? '').split(',').flatMap(entry => {
    const [, proxy, path] = /^(\w+):(.+)$/.exec(entry) ?? []
    return proxy === undefined ? [] : [{name: `${proxy}, ${path}`, proxy, path}]
  })
  return PROXY_NAMES.flatMap(proxy => [
    {name: `${proxy}, published sample`, proxy, path: join(root, SAMPLES[proxy])},
    ...also.filter(each => each.proxy === proxy),
    {name: `${proxy}, rendered`, proxy, parameters},
  ])
}

async function prepared({proxy: name, path, parameters}, chats) {
  const proxy = PROXIES[name]
  const runtime = await resolveRuntime(proxy, {prefer: 'auto'}, signal)
  const overrides = (process.env.BENCH_SET ?? '').split(',').filter(text => text !== '')
  const stdin = () => Promise.resolve('')
  const stated = parameters
    ? await loadParameters({file: parameters, overrides, stdin})
    : await loadForeignParameters({overrides: chats === undefined ? [] : [`limits.chats=${chats}`], stdin})
  const subject = parameters
    ? {kind: 'rendered', name, proxy, stated}
    : {kind: 'file', name: path, proxy, stated, bundle: (await readBundle(path, {proxy: name, proxies: Object.values(PROXIES)})).bundle}
  return {proxy, runtime, prepared: prepare(subject, runtime)}
}

/** Starts a case in front of nodes that stand already. */
export async function startCase(each, nodes) {
  const {proxy, runtime, prepared: made} = await prepared(each)
  const result = await start({proxy, bundle: made.bundle, runtime, nodes, allowExec: false, keep: false, signal, logger: silentLogger})
  if (!result.started) throw new Error(`${each.name}: ${result.messages.map(({text}) => text).join('\n')}`)
  return result.proxy
}

/** Sets a case up with simulated nodes, as a check gets it. */
export async function stageOf(each, chats) {
  const {proxy, runtime, prepared: made} = await prepared(each, chats)
  return setStage({proxy, prepared: made, runtime, allowExec: false, keep: false, signal, logger: silentLogger})
}

const TICKS_PER_SECOND = 100

/** CPU time that all processes of a proxy have taken so far, seconds. Linux; NaN elsewhere. */
export function cpuSeconds(folder) {
  const stats = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        const of = readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(folder) || readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
        return [{group: fields[2], of, ticks: Number(fields[11]) + Number(fields[12])}]
      } catch {
        return []
      }
    })
  const groups = new Set(stats.flatMap(({group, of}) => (of ? [group] : [])))
  return stats.reduce((sum, {group, ticks}) => sum + (groups.has(group) ? ticks : 0), 0) / TICKS_PER_SECOND
}
