import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {createInterface} from 'node:readline'
import {describe, expect, it, vi} from 'vitest'
import {dockerLines, testImage} from '../../test/support/docker.ts'
import {proxyOf, SMALL_CONFIG, startNginx, startNode} from '../../test/support/nginx-run.ts'
import {EnvironmentError} from '../errors.ts'
import {silentLogger} from '../log.ts'
import {haproxy} from '../proxies/haproxy/index.ts'
import {nginx} from '../proxies/nginx/index.ts'
import {unprivilegedAccount} from './account.ts'
import {reapContainers} from './containers.ts'
import {reapFolders} from './folder.ts'
import {askUntil} from './patience.ts'
import {resolveRuntime} from './resolve.ts'
import {upstreamAddress} from './upstream-address.ts'

vi.setConfig({testTimeout: 90_000})

const image = testImage('nginx')
const never = new AbortController().signal
const containersOf = (pid: number) => dockerLines(['ps', '--all', '--filter', `name=gms-proxy-${pid}-`, '--format', '{{.ID}} {{.Names}}'])

describe.skipIf(image === undefined)('nginx in a container', () => {
  const prepare = async () => {
    const runtime = await resolveRuntime(nginx, {prefer: 'docker', ...(image === undefined ? {} : {image})}, never)
    const address = await upstreamAddress(runtime, never)
    const node = await startNode(address.listen)
    return {runtime, address, node, nodes: [`${address.reach}:${node.port}`]}
  }

  it('reaches a node that listens on the bridge, is published on loopback, and leaves nothing behind', async () => {
    const {runtime, address, node, nodes} = await prepare()
    await using _ = node
    expect(address.listen).not.toBe('0.0.0.0')
    const proxy = proxyOf(await startNginx(SMALL_CONFIG, {runtime, nodes}))
    expect(proxy.url.hostname).toBe('127.0.0.1')
    expect(await (await fetch(new URL('/chat', proxy.url))).text()).toBe('GMS saw /chat')
    expect(await proxy.complaints()).toEqual([])
    // The line is written after the answer.
    const logged = async () => ((await proxy.logs()).access.includes('/chat') ? true : undefined)
    expect(await askUntil(logged, {budgetMs: 5000})).toBe(true)
    expect(containersOf(process.pid)).toHaveLength(1)
    await proxy[Symbol.asyncDispose]()
    expect(containersOf(process.pid)).toEqual([])
    expect(existsSync(dirname(proxy.folder))).toBe(false)
  })

  it('names the place in the file of the user when it refuses a file', async () => {
    const {runtime, node, nodes} = await prepare()
    await using _ = node
    const result = await startNginx(SMALL_CONFIG.replace('location / {', 'proxy_bufering off;\n        location / {'), {runtime, nodes})
    expect(result).toMatchObject({started: false, messages: [{level: 'error', location: {file: 'nginx.conf', line: 6}}]})
    expect(containersOf(process.pid)).toEqual([])
  })

  it('is a complaint when its container was killed', async () => {
    const {runtime, node, nodes} = await prepare()
    await using _ = node
    await using proxy = proxyOf(await startNginx(SMALL_CONFIG, {runtime, nodes}))
    dockerLines(['kill', containersOf(process.pid)[0]?.split(' ')[0] ?? ''])
    const complaints = await askUntil(async () => ((await proxy.complaints()).length > 0 ? proxy.complaints() : undefined), {
      budgetMs: 10_000,
    })
    expect(complaints).toEqual(['nginx ended on its own: exit code 137'])
  })

  it('is cleaned up by the next run when ours was killed, and at once when ours exits', async () => {
    const exiting = await startOtherRun('exit')
    await exiting.ended
    expect(containersOf(exiting.pid)).toEqual([])
    const held = await startOtherRun('hold')
    held.kill()
    await held.ended
    expect(containersOf(held.pid)).toHaveLength(1)
    await reapContainers(silentLogger)
    await reapFolders(silentLogger, await unprivilegedAccount())
    expect(containersOf(held.pid)).toEqual([])
    expect(existsSync(held.folder)).toBe(false)
  })

  it('is this machine’s fault when it cannot reach the node', async () => {
    const {runtime, address, node} = await prepare()
    await node[Symbol.asyncDispose]()
    await expect(startNginx(SMALL_CONFIG, {runtime, nodes: [`${address.reach}:9`]})).rejects.toThrow(
      /a container cannot reach this machine/,
    )
    expect(containersOf(process.pid)).toEqual([])
  })

  it('is not taken for another proxy', async () => {
    await expect(resolveRuntime(haproxy, {prefer: 'docker', ...(image === undefined ? {} : {image})}, never)).rejects.toThrow(
      EnvironmentError,
    )
  })
})

async function startOtherRun(end: 'exit' | 'hold') {
  const script = join(import.meta.dirname, '../../test/support/hold-proxy.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', script, end, image ?? ''], {stdio: ['ignore', 'pipe', 'inherit']})
  const ended = once(child, 'exit')
  const [line] = (await once(createInterface({input: child.stdout}), 'line')) as [string]
  const {folder} = JSON.parse(line) as {folder: string}
  return {folder, pid: child.pid ?? 0, ended, kill: () => child.kill('SIGKILL')}
}
