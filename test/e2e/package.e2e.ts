import {mkdtemp, readdir, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {execa} from 'execa'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {projectRoot} from '../support/cli.ts'

let prefix: string
let program: string

beforeAll(async () => {
  prefix = await mkdtemp(join(tmpdir(), 'gms-proxy-package-test-'))
  await execa('npm', ['pack', '--ignore-scripts', '--pack-destination', prefix], {cwd: projectRoot})
  const tarball = (await readdir(prefix)).find(name => name.endsWith('.tgz')) ?? ''
  await execa('npm', ['install', '--prefix', prefix, '--no-audit', '--no-fund', '--omit=dev', join(prefix, tarball)], {cwd: prefix})
  program = join(prefix, 'node_modules/.bin/gms-proxy')
}, 300_000)

afterAll(() => rm(prefix, {recursive: true, force: true}))

describe('the packed tarball, installed into an empty prefix', () => {
  it('renders', async () => {
    const {stdout} = await execa(program, ['render', 'nginx', '--set', 'upstream.nodes=gms1:8080'], {cwd: prefix})
    expect(stdout).toContain('server gms1:8080')
  })

  it('verifies', {timeout: 120_000}, async () => {
    const args = [
      'verify',
      'all',
      '--set',
      'upstream.nodes=gms1:8080,gms2:8080',
      '--set',
      'limits.chats=50',
      '--skip',
      'upgrade-idle',
      '--skip',
      'polling-hold',
      '--format',
      'json',
    ]
    const {stdout, exitCode} = await execa(program, args, {cwd: prefix, reject: false})
    const report = JSON.parse(stdout) as {verdict: string}
    expect({exitCode, verdict: report.verdict}).toEqual({exitCode: 0, verdict: 'passed'})
  })

  it('makes certificates, and Node warns of nothing', {timeout: 60_000}, async () => {
    const args = ['verify', 'nginx', '--set', 'upstream.nodes=gms1:8080', '--set', 'tls.certificate=/chat.pem', '--only', 'tls-terminates']
    const {stderr, exitCode} = await execa(program, args, {cwd: prefix, reject: false})
    expect(stderr).not.toContain('Warning')
    expect(exitCode).toBe(0)
  })

  it('explains', async () => {
    const {stdout} = await execa(program, ['explain', 'upgrade-handshake'], {cwd: prefix})
    expect(stdout).toContain('proxy_http_version')
  })
})
