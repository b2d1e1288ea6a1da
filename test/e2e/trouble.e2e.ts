import {chmod, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {execa} from 'execa'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {projectRoot, runCli} from '../support/cli.ts'

/*
 * A machine that is in the way, and programs that are not what they are taken for: exit 3 or 2 with one message and the next step,
 * never a finding (1) and never a bug (70).
 */

/** What is tried here is told of local binaries. */
const withoutBinaries = process.platform === 'win32' || process.env['GMS_PROXY_RUNTIME'] === 'docker'
const entry = join(projectRoot, 'bin/run.js')
const LISTENER = ['--set', 'upstream.nodes=gms1:8080', '--only', 'listener', '--runtime', 'binary']
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trouble-'))
})
afterAll(() => rm(folder, {recursive: true, force: true}))

/** Runs the program from a shell, which sets the stage: limits, closed or full streams. */
async function inShell(script: string, args: readonly string[], cwd = projectRoot) {
  const {exitCode, stdout, stderr} = await execa('bash', ['-c', script, process.execPath, entry, ...args], {
    cwd,
    reject: false,
    stdin: 'ignore',
    env: {NO_COLOR: '1'},
  })
  return {exitCode, stdout, stderr}
}

async function program(name: string, script: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

function expectOneMessage(stderr: string, text: RegExp): void {
  expect(stderr).toMatch(text)
  expect(stderr.match(/^✖/gm)).toHaveLength(1)
  expect(stderr).toMatch(/Try this:/)
  expect(stderr).not.toMatch(/^ {4}at /m)
}

describe.skipIf(withoutBinaries)('a machine that is in the way', () => {
  it('has no temporary folder', {timeout: 60_000}, async () => {
    const {exitCode, stdout, stderr} = await runCli(['verify', 'nginx', ...LISTENER], {env: {TMPDIR: join(folder, 'gone')}})
    expect({exitCode, stdout}).toEqual({exitCode: 3, stdout: ''})
    expectOneMessage(stderr, /no proxy can be run in .*gone: ENOENT/)
    expect(stderr).toContain('set TMPDIR')
  })

  it('has an unusual one, with blanks', {timeout: 60_000}, async () => {
    const unusual = join(folder, `blank é ${'x'.repeat(60)}`)
    await mkdir(unusual)
    await chmod(folder, 0o755)
    expect((await runCli(['verify', 'all', ...LISTENER], {env: {TMPDIR: unusual}})).exitCode).toBe(0)
  })

  it('allows too few open files', {timeout: 60_000}, async () => {
    const {exitCode, stderr} = await inShell('ulimit -n 64; "$0" "$@"', ['verify', 'nginx', ...LISTENER])
    expect(exitCode).toBe(3)
    expectOneMessage(stderr, /only 64 files may be open/)
  })

  it('takes no more output', {timeout: 60_000}, async () => {
    for (const args of [['schema'], ['--version'], ['render', 'nginx', '--set', 'upstream.nodes=gms1:8080']]) {
      const {exitCode, stderr} = await inShell('"$0" "$@" >/dev/full', args)
      expect(exitCode).toBe(3)
      expectOneMessage(stderr, /not everything could be written: ENOSPC/)
    }
  })

  it('has removed the folder we stand in', async () => {
    const {exitCode, stderr} = await inShell('mkdir gone && cd gone && rmdir ../gone && "$0" "$@"', ['verify', 'nginx'], folder)
    expect(exitCode).toBe(3)
    expectOneMessage(stderr, /the current folder does not exist any more/)
  })

  it('has a docker command that hangs', {timeout: 90_000}, async () => {
    const bin = join(folder, 'bin')
    await mkdir(bin)
    await program('bin/docker', 'sleep 600 & wait')
    const {exitCode, stderr} = await runCli(['verify', 'nginx', '--set', 'upstream.nodes=gms1:8080', '--runtime', 'docker'], {
      env: {PATH: `${bin}:${process.env['PATH'] ?? ''}`},
    })
    expect(exitCode).toBe(3)
    expectOneMessage(stderr, /the docker command does not work: no answer within 20 s/)
  })
})

describe.skipIf(withoutBinaries)('a binary that is something else', () => {
  const refused = async (path: string, args: readonly string[] = []) => runCli(['verify', 'nginx', ...LISTENER, '--binary', path, ...args])

  it('is a folder, no program, or another one', {timeout: 60_000}, async () => {
    const cases: readonly [string, number, RegExp][] = [
      [folder, 2, /is not a file/],
      [await program('other', 'echo hello'), 2, /is not nginx/],
      [join(projectRoot, 'package.json'), 3, /may not execute it/],
    ]
    for (const [path, code, text] of cases) {
      const {exitCode, stderr} = await refused(path)
      expect(exitCode).toBe(code)
      expectOneMessage(stderr, text)
    }
  })

  it('crashes in its configuration test', {timeout: 60_000}, async () => {
    const {exitCode, stderr} = await refused(
      await program('crash', 'case "$*" in *-v*) echo "nginx version: nginx/1.22.1";; *-t*) kill -SEGV $$;; esac'),
    )
    expect(exitCode).toBe(3)
    expectOneMessage(stderr, /the configuration test of nginx crashed: signal SIGSEGV/)
  })

  it('hangs in its configuration test, in a child of its own: --timeout ends both', {timeout: 60_000}, async () => {
    const {exitCode, stderr} = await refused(
      await program(
        'hang',
        `case "$*" in *-v*) echo "nginx version: nginx/1.22.1";; *-t*) sleep 600 & echo $! >${folder}/child; wait;; esac`,
      ),
      ['--timeout', '3s'],
    )
    expect(exitCode).toBe(3)
    expectOneMessage(stderr, /not finished within --timeout 3s/)
    expect((await execa('sh', ['-c', `kill -0 $(cat ${folder}/child)`], {reject: false})).exitCode).not.toBe(0)
  })
})

describe('what is named but cannot be', () => {
  it('is an option in the place of an image', async () => {
    const {exitCode, stderr} = await runCli(['verify', 'nginx', '--set', 'upstream.nodes=gms1:8080', '--image=--privileged'])
    expect(exitCode).toBe(2)
    expectOneMessage(stderr, /is no reference of an image/)
  })

  it('is a URL with a password, which is not repeated', async () => {
    const {exitCode, stderr} = await runCli(['verify', 'http://me:hunter2@chat.example.com'])
    expect(exitCode).toBe(2)
    expectOneMessage(stderr, /user name and password/)
    expect(stderr).not.toContain('hunter2')
  })
})
