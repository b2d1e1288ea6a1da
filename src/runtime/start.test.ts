import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {rm} from 'node:fs/promises'
import {createServer} from 'node:net'
import type {AddressInfo} from 'node:net'
import {dirname, join} from 'node:path'
import {createInterface} from 'node:readline'
import {execa} from 'execa'
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest'
import {childrenOf, processesOn, proxyOf, SMALL_CONFIG, startNginx, startNode} from '../../test/support/nginx-run.ts'
import {EnvironmentError, UsageError} from '../errors.ts'
import {silentLogger} from '../log.ts'
import {nginx} from '../proxies/nginx/index.ts'
import type {Proxy} from '../proxies/proxy.ts'
import {unprivilegedAccount} from './account.ts'
import {reapFolders} from './folder.ts'
import {askUntil} from './patience.ts'
import {resolveRuntime} from './resolve.ts'
import type {Runtime} from './runtime.ts'

// Runs of their own have to be started, and nginx asks five times, half a second apart, for a port that is taken.
vi.setConfig({testTimeout: 40_000})

const never = new AbortController().signal
let runtime: Runtime
let node: Awaited<ReturnType<typeof startNode>>
const options = () => ({runtime, nodes: [`127.0.0.1:${node.port}`]})

beforeAll(async () => {
  runtime = await resolveRuntime(nginx, {prefer: 'binary'}, never)
  node = await startNode()
})
afterAll(() => node[Symbol.asyncDispose]())

describe('a proxy that runs', () => {
  it('answers from its node, keeps logs, has no complaints, and leaves nothing behind', async () => {
    const result = await startNginx(SMALL_CONFIG, options())
    const proxy = proxyOf(result)
    expect(await (await fetch(new URL('/chat', proxy.url))).text()).toBe('GMS saw /chat')
    expect(await proxy.complaints()).toEqual([])
    // The line is written after the answer.
    const logged = async () => ((await proxy.logs()).access.includes('/chat') ? true : undefined)
    expect(await askUntil(logged, {budgetMs: 5000})).toBe(true)
    expect(result.sandbox.nodes).toEqual(['gms1.network.local:8080'])
    expect(result.sandbox.diff).toMatch(/^# nginx\.conf:5:\d+ .+$/m)
    expect(result.sandbox.diff).toContain('--- a/nginx.conf\n+++ b/nginx.conf\n')
    expect(result.sandbox.diff).toContain('-        listen 80;')
    expect(result.sandbox.diff).not.toContain(proxy.folder)
    await proxy[Symbol.asyncDispose]()
    expect(existsSync(dirname(proxy.folder))).toBe(false)
    expect(processesOn(proxy.folder)).toEqual([])
    await expect(fetch(proxy.url)).rejects.toThrow()
  })

  it('answers again after a reload', async () => {
    await using proxy = proxyOf(await startNginx(SMALL_CONFIG, options()))
    await proxy.reload()
    expect(await (await fetch(new URL('/again', proxy.url))).text()).toBe('GMS saw /again')
    expect(await proxy.complaints()).toEqual([])
  })

  it('keeps its folder when asked', async () => {
    const proxy = proxyOf(await startNginx(SMALL_CONFIG, {...options(), keep: true}))
    await proxy[Symbol.asyncDispose]()
    await reapFolders(silentLogger, await unprivilegedAccount())
    expect(existsSync(join(proxy.folder, 'nginx.conf'))).toBe(true)
    await rm(dirname(proxy.folder), {recursive: true})
  })

  it('never runs as root', async () => {
    await using proxy = proxyOf(await startNginx(SMALL_CONFIG, options()))
    const [master] = processesOn(proxy.folder)
    const {stdout} = await execa('ps', ['-o', 'uid=', '-p', String(master?.pid)])
    expect(Number(stdout)).not.toBe(0)
  })

  it('does not disturb others that start at the same time', async () => {
    const proxies = await Promise.all(Array.from({length: 4}, async () => proxyOf(await startNginx(SMALL_CONFIG, options()))))
    expect(new Set(proxies.map(({url}) => url.port)).size).toBe(4)
    const [first, ...others] = proxies
    await first?.[Symbol.asyncDispose]()
    for (const proxy of others) expect((await fetch(new URL('/x', proxy.url))).status).toBe(200)
    await Promise.all(others.map(proxy => proxy[Symbol.asyncDispose]()))
  })
})

describe('a proxy that dies', () => {
  it('is a complaint when the whole proxy was killed', async () => {
    await using proxy = proxyOf(await startNginx(SMALL_CONFIG, options()))
    const master = processesOn(proxy.folder)[0]
    process.kill(master?.pid ?? 0, 'SIGKILL')
    const complaints = await askUntil(async () => ((await proxy.complaints()).length > 0 ? proxy.complaints() : undefined), {
      budgetMs: 5000,
    })
    expect(complaints).toEqual(['nginx ended on its own: signal SIGKILL'])
  })

  it('is a complaint when a worker was killed', async () => {
    await using proxy = proxyOf(await startNginx(SMALL_CONFIG, options()))
    const [worker] = childrenOf(processesOn(proxy.folder)[0]?.pid ?? 0)
    process.kill(worker ?? 0, 'SIGKILL')
    const complaints = await askUntil(async () => ((await proxy.complaints()).length > 0 ? proxy.complaints() : undefined), {
      budgetMs: 5000,
    })
    expect(complaints?.join()).toMatch(/exited on signal 9/)
  })

  it('is none when we stopped it', async () => {
    const proxy = proxyOf(await startNginx(SMALL_CONFIG, options()))
    await proxy[Symbol.asyncDispose]()
    expect(await proxy.complaints()).toEqual([])
  })
})

describe('a configuration that cannot run', () => {
  it('is refused with the place in the file of the user', async () => {
    const result = await startNginx(SMALL_CONFIG.replace('location / {', 'proxy_bufering off;\n        location / {'), options())
    expect(result).toMatchObject({started: false, messages: [{level: 'error', location: {file: 'nginx.conf', line: 6}}]})
    expect(JSON.stringify(result)).not.toContain('/gms-proxy-')
  })

  it('is this machine’s fault when its build lacks a module', async () => {
    const started = startNginx(SMALL_CONFIG.replace('location / {', 'brotli on;\n        location / {'), options())
    await expect(started).rejects.toThrow(EnvironmentError)
    await expect(started).rejects.toThrow(/too old for it, or lacks a module: unknown directive "brotli"/)
  })

  it('is not run when it would load code of its author', async () => {
    const started = startNginx(`load_module /tmp/evil.so;\n${SMALL_CONFIG}`, options())
    await expect(started).rejects.toThrow(UsageError)
    await expect(started).rejects.toThrow(/nginx\.conf:1:1 load_module: /)
  })
})

describe('a port that is taken between choice and use', () => {
  const taken = (times: number, port: number): Proxy => {
    let left = times
    return {...nginx, sandbox: (config, plan) => nginx.sandbox(config, left-- > 0 ? {...plan, ports: [port]} : plan)}
  }

  it('is tried again with another one, a few times', async () => {
    const squatter = createServer().listen(0, '127.0.0.1')
    await once(squatter, 'listening')
    const {port} = squatter.address() as AddressInfo
    await using proxy = proxyOf(await startNginx(SMALL_CONFIG, {...options(), proxy: taken(1, port)}))
    expect((await fetch(proxy.url)).status).toBe(200)
    await expect(startNginx(SMALL_CONFIG, {...options(), proxy: taken(99, port)})).rejects.toThrow(/port in use 3 times/)
    squatter.close()
  })
})

describe('an interruption', () => {
  it('while it starts leaves nothing behind', async () => {
    const interruption = new AbortController()
    const folders: string[] = []
    const proxy: Proxy = {
      ...nginx,
      start(binary, entry, folder) {
        folders.push(folder)
        interruption.abort(new Error('enough'))
        return nginx.start(binary, entry, folder)
      },
    }
    await expect(startNginx(SMALL_CONFIG, {...options(), proxy, signal: interruption.signal})).rejects.toThrow('enough')
    expect(folders).toHaveLength(1)
    expect(existsSync(folders[0] ?? '')).toBe(false)
    expect(processesOn(folders[0] ?? '')).toEqual([])
  })

  it('that ends the process at once leaves nothing behind', async () => {
    const {folder, ended} = await startOtherRun('exit')
    await ended
    expect(existsSync(folder)).toBe(false)
    expect(await gone(folder)).toBe(true)
  })

  it('by SIGKILL is cleaned up by the next run, live runs are not', async () => {
    const live = await startOtherRun('hold')
    const dead = await startOtherRun('hold')
    dead.kill()
    await dead.ended
    expect(existsSync(dead.folder)).toBe(true)
    await reapFolders(silentLogger, await unprivilegedAccount())
    expect(existsSync(dead.folder)).toBe(false)
    expect(await gone(dead.folder)).toBe(true)
    expect((await fetch(live.url)).status).toBe(502)
    live.kill()
    await live.ended
    await reapFolders(silentLogger, await unprivilegedAccount())
    expect(await gone(live.folder)).toBe(true)
  })
})

async function gone(folder: string): Promise<boolean> {
  return (await askUntil(() => (processesOn(folder).length === 0 ? true : undefined), {budgetMs: 5000})) === true
}

async function startOtherRun(end: 'exit' | 'hold') {
  const script = join(import.meta.dirname, '../../test/support/hold-proxy.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', script, end], {stdio: ['ignore', 'pipe', 'inherit']})
  const ended = once(child, 'exit')
  const [line] = (await once(createInterface({input: child.stdout}), 'line')) as [string]
  const {folder, url} = JSON.parse(line) as {folder: string; url: string}
  return {folder, url, ended, kill: () => child.kill('SIGKILL')}
}
