import {readFile, readdir} from 'node:fs/promises'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {execa} from 'execa'
import {describe, expect, it} from 'vitest'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import {projectRoot, runCli} from '../support/cli.ts'

const entry = join(projectRoot, 'bin/run.js')
const QUICK = ['--params', 'fixtures/parameters/two-nodes.yaml', '--only', 'upgrade-idle-survives']

/** Sandboxes on this machine. Only Linux tells all we ask for. */
const folders = async () => (await readdir(tmpdir())).filter(name => /^gms-proxy-\d+-/.test(name))

async function processesIn(folder: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const lines = await Promise.all(
    pids.map(async pid => ({pid: Number(pid), line: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')})),
  )
  return lines.filter(({line}) => line.includes(folder)).map(({pid}) => pid)
}

/** Starts a verify that waits for 35 s, and comes back when its proxy runs. */
async function startWaiting(proxy: string, args: readonly string[] = QUICK) {
  const before = new Set(await folders())
  const run = execa(process.execPath, [entry, 'verify', proxy, ...args, '--runtime', 'binary'], {
    cwd: projectRoot,
    reject: false,
    env: {NO_COLOR: '1'},
  })
  for (;;) {
    for (const folder of await folders()) {
      if (before.has(folder)) continue
      const pids = await processesIn(folder)
      if (pids.length > 0) return {run, folder: join(tmpdir(), folder), name: folder, pids}
    }
    if (run.exitCode !== null && run.exitCode !== undefined) throw new Error(`ended early: ${(await run).stderr}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Resolves when the program has written `text` to stderr. */
async function said(run: {stderr: NodeJS.ReadableStream | null}, text: string): Promise<void> {
  let heard = ''
  for await (const chunk of run.stderr ?? []) {
    heard += String(chunk)
    if (heard.includes(text)) return
  }
  throw new Error(`never said "${text}": ${heard}`)
}

describe.skipIf(process.platform !== 'linux' || process.env['GMS_PROXY_RUNTIME'] === 'docker')('nothing is left behind', () => {
  it.each(PROXY_NAMES)('after Ctrl-C (%s)', {timeout: 60_000}, async proxy => {
    const {run, name} = await startWaiting(proxy)
    run.kill('SIGINT')
    const {exitCode} = await run
    expect(exitCode).toBe(130)
    expect(await folders()).not.toContain(name)
    expect(await processesIn(name)).toEqual([])
  })

  it('after --timeout, which is exit 3', {timeout: 60_000}, async () => {
    const before = await folders()
    const {exitCode, stderr} = await runCli(['verify', 'nginx', ...QUICK, '--timeout', '3s'])
    expect(exitCode).toBe(3)
    expect(stderr).toContain('3s')
    expect((await folders()).filter(name => !before.includes(name))).toEqual([])
  })

  it('a SIGKILL leaves things, and the next run removes them', {timeout: 90_000}, async () => {
    const {run, name} = await startWaiting('nginx')
    run.kill('SIGKILL')
    await run
    expect(await folders()).toContain(name)
    const next = await runCli(['verify', 'nginx', '--params', 'fixtures/parameters/two-nodes.yaml', '--only', 'listener'])
    expect(next.exitCode).toBe(0)
    expect(await folders()).not.toContain(name)
    expect(await processesIn(name)).toEqual([])
  })

  it('a proxy that is killed fails the run', {timeout: 90_000}, async () => {
    const {run, name, pids} = await startWaiting('haproxy', [
      '--params',
      'fixtures/parameters/two-nodes.yaml',
      '--only',
      'upgrade-idle-survives',
      '--only',
      'listener-stays-up',
      '--format',
      'json',
    ])
    await said(run, 'waiting for upgrade-idle-survives')
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    const {exitCode, stdout} = await run
    expect(exitCode).toBe(1)
    expect(stdout).toContain('"failed"')
    expect(await folders()).not.toContain(name)
  })
})

describe('bad input gets one clear error', () => {
  it.each([
    ['a file that is not there', ['verify', 'no/such.conf'], 2, /no\/such\.conf/],
    ['an unknown proxy', ['render', 'caddy'], 2, /caddy/],
    ['an unknown check', ['verify', 'nginx', '--set', 'upstream.nodes=a:1', '--only', 'nonsense'], 2, /--only nonsense matches no check/],
    [
      'a parameter that is not rendered yet',
      ['render', 'nginx', '--set', 'upstream.nodes=a:1', '--set', 'health.mode=http'],
      2,
      /health\.mode/,
    ],
    ['a format that does not exist yet', ['verify', 'nginx', '--format', 'sarif'], 2, /sarif/],
    [
      'a binary that is not there',
      ['verify', 'nginx', '--set', 'upstream.nodes=a:1', '--binary', '/no/such/nginx'],
      2,
      /\/no\/such\/nginx/,
    ],
  ])('%s', async (_, args, code, text) => {
    const {exitCode, stderr, stdout} = await runCli(args)
    expect({exitCode, stdout}).toEqual({exitCode: code, stdout: ''})
    expect(stderr).toMatch(text)
    expect(stderr).not.toContain('    at ')
  })

  it('a URL where nobody listens cannot be judged', {timeout: 60_000}, async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await new Promise(resolve => server.close(resolve))
    const {exitCode, stderr, stdout} = await runCli(['verify', `http://127.0.0.1:${port}`, '--only', 'listener-reaches-gms'])
    expect({exitCode, stdout}).toEqual({exitCode: 3, stdout: ''})
    expect(stderr).toContain(`nothing can be reached at http://127.0.0.1:${port}/: connect ECONNREFUSED`)
  })
})
