import {copyFile, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {Report} from '../../src/model/report.ts'
import {idsWith, projectRoot, runCli} from '../support/cli.ts'
import {rulesFolder} from '../support/rule-files.ts'

// What is broken in one way is diagnosed, and mended by the smallest patch: the proof that no hunk can be left out is made by `fix` itself,
// which names for each hunk what failed again without it.

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-fix-'))
})
afterAll(() => rm(folder, {recursive: true, force: true}))

const PATIENCE_MS = 240_000

/** Files on which a rule fires, the checks that feel it in seconds, and in how many hunks it is mended. */
const MENDED = [
  {file: 'upgrade-headers-missing/fires.nginx.conf', only: 'upgrade-handshake,upgrade-chat', hunks: 1},
  {file: 'upgrade-headers-missing/fires.nothing.nginx.conf', only: 'upgrade-handshake,upgrade-chat', hunks: 3},
  {file: 'upgrade-headers-not-inherited/fires.nginx.conf', only: 'upgrade-handshake', hunks: 1},
  {file: 'upgrade-headers-missing/fires.haproxy.cfg', only: 'upgrade-handshake,upgrade-chat', hunks: 1},
  {file: 'affinity-missing/fires.apache.conf', only: 'affinity-same-node', hunks: 1},
  {file: 'affinity-missing/fires.haproxy.cfg', only: 'affinity-same-node', hunks: 1},
  {file: 'affinity-missing/fires.nginx.conf', only: 'affinity-same-node', hunks: 3},
  {file: 'forwarding-host-lost/fires.apache.conf', only: 'forwarding-host', hunks: 1},
  {file: 'forwarding-host-lost/fires.haproxy.cfg', only: 'forwarding-host', hunks: 1},
] as const

async function fixJson(args: readonly string[]): Promise<{report: Report; exitCode: number | undefined; stderr: string}> {
  const {stdout, stderr, exitCode} = await runCli(['fix', ...args, '--format', 'json'])
  if (stdout === '') throw new Error(`no report (exit ${exitCode}): ${stderr}`)
  return {report: JSON.parse(stdout) as Report, exitCode, stderr}
}

describe('fix', () => {
  it.each(MENDED)(
    '$file',
    async ({file, only, hunks}) => {
      const {report, exitCode} = await fixJson([join(rulesFolder, file), '--only', only])
      const [subject] = report.subjects
      const [rule] = file.split('/')
      expect(exitCode, 'exit code').toBe(0)
      expect(report.command).toBe('fix')
      expect(subject?.causes[0], 'the first cause').toMatchObject({id: rule, confidence: 'certain'})
      expect(subject?.unexplained, 'every failure is explained').toEqual([])
      expect(idsWith(subject, 'failed'), 'with the patch').toEqual([])
      expect(subject?.fix?.left).toEqual([])
      expect(subject?.fix?.hunks.length).toBe(hunks)
      for (const hunk of subject?.fix?.hunks ?? []) {
        expect(hunk.rules).toContain(rule)
        expect(hunk.mends.length, `${hunk.file}:${hunk.line} mends something`).toBeGreaterThan(0)
      }
    },
    PATIENCE_MS,
  )

  it(
    'writes what it found, and verify passes on it',
    async () => {
      const file = join(folder, 'nginx.conf')
      const before = (await readFile(join(rulesFolder, 'upgrade-headers-missing/fires.nginx.conf'), 'utf8')).replaceAll('\n', '\r\n')
      await writeFile(file, before)
      const fixed = await runCli(['fix', file, '--only', 'upgrade-handshake', '--write'])
      expect(fixed.exitCode, fixed.stderr).toBe(0)
      const after = await readFile(file, 'utf8')
      expect(after.replaceAll('\r\n', ''), 'no line ends in another way').not.toContain('\n')
      expect(after.split('\r\n').length - before.split('\r\n').length, 'lines that came in').toBe(1)
      expect(await readFile(`${file}.bak`, 'utf8')).toBe(before)
      expect((await runCli(['verify', file, '--only', 'upgrade-handshake'])).exitCode).toBe(0)
      const again = await runCli(['fix', file, '--only', 'upgrade-handshake', '--write'])
      expect(again.exitCode, again.stderr).toBe(0)
      expect(again.stdout).toContain('Nothing has to be mended')
      expect(await readFile(file, 'utf8')).toBe(after)
    },
    PATIENCE_MS,
  )

  it(
    'says what it cannot mend, and exits with 1',
    async () => {
      const file = join(folder, 'unmended.cfg')
      // Which authority is to be trusted only the operator knows.
      await copyFile(join(rulesFolder, 'tls-upstream-not-verified/fires.haproxy.cfg'), file)
      const {report, exitCode} = await fixJson([file, '--only', 'tls-upstream-verified', '--fail-on', 'warning'])
      expect(exitCode).toBe(1)
      expect(report.subjects[0]?.fix).toMatchObject({patch: '', hunks: [], mended: [], left: [{id: 'tls-upstream-verified'}]})
    },
    PATIENCE_MS,
  )

  it.each([
    {args: ['nginx', '--set', 'upstream.nodes=gms1:8080'], says: 'rendered from the parameters'},
    {args: ['http://127.0.0.1:9'], says: 'is a URL'},
  ])('refuses $args', async ({args, says}) => {
    const {exitCode, stderr} = await runCli(['fix', ...args])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(says)
  })
})

describe('diagnose', () => {
  it(
    'names the cause first, with its place and what mends it, in text and in JSON',
    async () => {
      const file = join(rulesFolder, 'upgrade-headers-missing/fires.nginx.conf')
      const {stdout, exitCode} = await runCli(['diagnose', file, '--only', 'upgrade-handshake,upgrade-chat'])
      expect(exitCode).toBe(1)
      expect(stdout).toContain('1. certain  upgrade-headers-missing')
      expect(stdout).toMatch(/Explains +upgrade-chat, upgrade-handshake/)
      expect(stdout).toMatch(/GMS +gms\d received GET/)
      expect(stdout).toContain('+ proxy_set_header Upgrade $gms_upgrade;')
      expect(stdout).toContain('gms-proxy fix ')
    },
    PATIENCE_MS,
  )

  it(
    'says nothing certain about a right file',
    async () => {
      const file = join(folder, 'right.conf')
      await copyFile(join(rulesFolder, 'upgrade-headers-missing/silent.nginx.conf'), file)
      const {stdout} = await runCli(['diagnose', file, '--only', 'upgrade-handshake', '--format', 'json'])
      const report = JSON.parse(stdout) as Report
      expect(report.command).toBe('diagnose')
      expect(report.subjects[0]?.causes.filter(({confidence}) => confidence !== 'possible')).toEqual([])
    },
    PATIENCE_MS,
  )
})

it('verify names the causes of what failed', async () => {
  const file = join(rulesFolder, 'upgrade-headers-missing/fires.nginx.conf')
  const {stdout} = await runCli(['verify', file, '--only', 'upgrade-handshake', '--format', 'json'], {cwd: projectRoot})
  expect((JSON.parse(stdout) as Report).subjects[0]?.causes.map(({id, confidence}) => `${confidence} ${id}`)).toEqual([
    'certain upgrade-headers-missing',
  ])
})
