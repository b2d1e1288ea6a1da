import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {PROXIES} from '../../src/proxies/index.ts'
import {atLeast} from '../../src/proxies/version.ts'
import {resolveRuntime} from '../../src/runtime/resolve.ts'
import {runCli, verifyJson} from '../support/cli.ts'
import {runtimeRequest} from '../support/runtime.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-other-version-test-'))
})
afterAll(() => rm(folder, {recursive: true, force: true}))

const installed = await resolveRuntime(PROXIES.nginx, runtimeRequest('nginx'), new AbortController().signal)
const NODES = ['--set', 'upstream.nodes=gms1:8080,gms2:8080']
const ACCEPTED = ['--only', 'listener-config-accepted']

describe('the version that runs decides', () => {
  // Routes have a longest length since the version that looks them up itself.
  it.skipIf(atLeast(installed.version, '1.29.6'))('what may be asked for, not the newest', {timeout: 60_000}, async () => {
    const routes = ['a', 'b'].map(name => ({host: name, port: 8080, route: name.repeat(40)}))
    const asked = ['--set', `upstream.nodes=${JSON.stringify(routes)}`, '--set', 'affinity.mode=application-cookie']
    expect((await verifyJson(['nginx', ...asked, ...ACCEPTED])).exitCode).toBe(0)
    const newest = await runCli(['verify', 'nginx', ...asked, '--proxy-version', '1.30'])
    expect(newest.exitCode).toBe(2)
    expect(newest.stderr).toContain('upstream.nodes.0.route')
  })

  it('and the report says for which other one a file was rendered', {timeout: 60_000}, async () => {
    const {exitCode, stderr} = await runCli(['render', 'haproxy', ...NODES, '--proxy-version', '2.5', '--out', folder])
    expect(exitCode, stderr).toBe(0)
    const {report} = await verifyJson([join(folder, 'haproxy.cfg'), ...ACCEPTED])
    const [outcome] = report.subjects[0]?.outcomes ?? []
    expect(outcome?.detail).toContain('its first line says it was written for HAProxy 2.5, and ')
  })

  it.skipIf(atLeast(installed.version, '1.29.6'))('also where a directive of a newer version is refused', {timeout: 60_000}, async () => {
    await runCli(['render', 'nginx', ...NODES, '--proxy-version', '1.30', '--out', folder])
    const {exitCode, stderr} = await runCli(['verify', join(folder, 'nginx.conf'), ...ACCEPTED])
    expect(exitCode).toBe(3)
    expect(stderr).toContain(`its first line says it was written for nginx 1.30, and ${installed.version} runs it`)
  })
})
