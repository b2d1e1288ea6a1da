import {readFile, readdir} from 'node:fs/promises'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {execa} from 'execa'
import {describe, expect, it} from 'vitest'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import {projectRoot, runCli} from '../support/cli.ts'
import {dockerLines, testImage} from '../support/docker.ts'

const entry = join(projectRoot, 'bin/run.js')
const PARAMETERS = ['--params', 'fixtures/parameters/two-nodes.yaml']
const QUICK = [...PARAMETERS, '--only', 'upgrade-idle-survives']
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Sandboxes of one run, named or not yet. Only Linux tells all we ask for. */
async function foldersOf(pid: number | undefined): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter(name => name.startsWith(`gms-proxy-${pid}-`))
}

/** Processes of the sandboxes and containers of one run, by their pids. */
async function commandsOf(pid: number | undefined): Promise<ReadonlyMap<number, string>> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const lines = await Promise.all(
    pids.map(async other => [Number(other), await readFile(`/proc/${other}/cmdline`, 'utf8').catch(() => '')] as const),
  )
  return new Map(lines.filter(([, line]) => line.includes(`gms-proxy-${pid}-`)))
}

const processesOf = async (pid: number | undefined) => [...(await commandsOf(pid)).keys()]
const containersOf = (pid: number | undefined) => dockerLines(['ps', '--all', '--quiet', '--filter', `name=gms-proxy-${pid}-`])

function startRun(args: readonly string[]) {
  return execa(process.execPath, [entry, ...args], {cwd: projectRoot, reject: false, stdin: 'ignore', env: {NO_COLOR: '1'}})
}

type Run = ReturnType<typeof startRun>

/** Starts a verify that waits for 35 s, and comes back when `phase` has come. */
async function startWaiting(proxy: string, phase: (run: Run) => Promise<boolean>, args: readonly string[] = QUICK): Promise<{run: Run}> {
  const run = startRun(['verify', proxy, ...args, ...(args.includes('--runtime') ? [] : ['--runtime', 'binary'])])
  while (!(await phase(run))) {
    if (run.exitCode !== null && run.exitCode !== undefined) throw new Error(`ended early: ${(await run).stderr}`)
    await delay(5)
  }
  return {run}
}

const makesFolder = async (run: Run) => (await foldersOf(run.pid)).length > 0
const startsProcess = async (run: Run) => (await processesOf(run.pid)).length > 0

/** Resolves when the program has written `text` to stderr. */
function said(run: Run, text: string): Promise<void> {
  let heard = ''
  return new Promise((resolve, reject) => {
    run.stderr.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
      if (heard.includes(text)) resolve()
    })
    run.stderr.once('end', () => reject(new Error(`never said "${text}": ${heard}`)))
  })
}

describe.skipIf(process.platform !== 'linux' || process.env['GMS_PROXY_RUNTIME'] === 'docker')('nothing is left behind', () => {
  it.each(PROXY_NAMES)('after Ctrl-C, and nobody waits for it long (%s)', {timeout: 60_000}, async proxy => {
    const {run} = await startWaiting(proxy, () => Promise.resolve(true), [...QUICK, '--verbose'])
    await said(run, 'answers on')
    const told = Date.now()
    run.kill('SIGINT')
    const {exitCode} = await run
    expect(exitCode).toBe(130)
    expect(Date.now() - told).toBeLessThan(10_000)
    expect(await foldersOf(run.pid)).toEqual([])
    expect(await processesOf(run.pid)).toEqual([])
  })

  it.each(SIGNALS)('after %s while it starts', {timeout: 60_000}, async signal => {
    for (const phase of [makesFolder, startsProcess]) {
      const {run} = await startWaiting('apache', phase)
      run.kill(signal)
      const {exitCode, stderr} = await run
      expect({exitCode, stderr: stderr.includes(`${signal}: stopping`)}).toEqual({exitCode: 130, stderr: true})
      expect(await foldersOf(run.pid)).toEqual([])
      expect(await processesOf(run.pid)).toEqual([])
    }
  })

  it('after a second Ctrl-C, which waits for nothing', {timeout: 60_000}, async () => {
    const {run} = await startWaiting('apache', startsProcess)
    run.kill('SIGINT')
    await said(run, 'stopping')
    // Signals that come together are one Ctrl-C: npm and npx hand on what the terminal has sent already.
    await delay(350)
    run.kill('SIGINT')
    expect((await run).exitCode).toBe(130)
    expect(await foldersOf(run.pid)).toEqual([])
    expect(await processesOf(run.pid)).toEqual([])
  })

  it('while parameters are awaited from a terminal', {timeout: 60_000}, async () => {
    const run = execa(process.execPath, [entry, 'verify', 'nginx', '--params', '-'], {cwd: projectRoot, reject: false, stdin: 'pipe'})
    // More than a pipe holds: written only when the program reads.
    await new Promise(resolve => run.stdin.write('#\n'.repeat(500_000), resolve))
    run.kill('SIGINT')
    expect((await run).exitCode).toBe(130)
  })

  it('after --timeout, which is exit 3', {timeout: 60_000}, async () => {
    const run = startRun(['verify', 'nginx', ...QUICK, '--timeout', '3s'])
    const {exitCode, stderr} = await run
    expect(exitCode).toBe(3)
    expect(stderr).toContain('3s')
    expect(await foldersOf(run.pid)).toEqual([])
    expect(await processesOf(run.pid)).toEqual([])
  })

  it('a SIGKILL leaves things, and the next run removes them', {timeout: 90_000}, async () => {
    const {run} = await startWaiting('nginx', startsProcess)
    run.kill('SIGKILL')
    await run
    expect(await foldersOf(run.pid)).toHaveLength(1)
    const next = await runCli(['verify', 'nginx', ...PARAMETERS, '--only', 'listener'])
    expect(next.exitCode).toBe(0)
    expect(await foldersOf(run.pid)).toEqual([])
    expect(await processesOf(run.pid)).toEqual([])
  })

  it('a proxy that is killed fails the run', {timeout: 90_000}, async () => {
    const {run} = await startWaiting('haproxy', startsProcess, [...QUICK, '--only', 'listener-stays-up', '--format', 'json'])
    await said(run, 'waiting for upgrade-idle-survives')
    for (const pid of await processesOf(run.pid)) process.kill(pid, 'SIGKILL')
    const {exitCode, stdout} = await run
    expect(exitCode).toBe(1)
    expect(stdout).toContain('"failed"')
    expect(await foldersOf(run.pid)).toEqual([])
  })
})

const image = testImage('nginx')

describe.skipIf(image === undefined || process.platform !== 'linux')('no container is left behind', () => {
  const inDocker = [...QUICK, '--runtime', 'docker', '--image', `nginx=${image ?? ''}`]
  const phases: readonly [string, RegExp][] = [
    ['asks the image for its version', /--network\0none\0--entrypoint\0nginx\0/],
    ['looks into the image', /--entrypoint\0ls\0/],
    ['tests the configuration', /\0-t\0/],
    ['starts', /\0--publish\0/],
  ]

  it.each(phases)('after Ctrl-C, once or twice, while it %s', {timeout: 90_000}, async (_, client) => {
    for (const times of [1, 2]) {
      const {run} = await startWaiting(
        'nginx',
        async ({pid}) => [...(await commandsOf(pid)).values()].some(line => client.test(line)),
        inDocker,
      )
      run.kill('SIGINT')
      if (times === 2) {
        await said(run, 'stopping')
        run.kill('SIGINT')
      }
      expect((await run).exitCode).toBe(130)
      expect(containersOf(run.pid)).toEqual([])
      expect(await foldersOf(run.pid)).toEqual([])
      expect(await processesOf(run.pid)).toEqual([])
    }
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
    ['a format that does not exist', ['verify', 'nginx', '--format', 'pdf'], 2, /pdf/],
    [
      'a binary that is not there',
      ['verify', 'nginx', '--set', 'upstream.nodes=a:1', '--runtime', 'binary', '--binary', '/no/such/nginx'],
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
