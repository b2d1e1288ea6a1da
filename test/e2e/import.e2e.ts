import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, describe, expect, it} from 'vitest'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {runCli, verifyJson} from '../support/cli.ts'

// A site that moves: what one proxy was configured with is imported, rendered for another, and serves chats there.

const folder = mkdtempSync(join(tmpdir(), 'gms-proxy-import-'))
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const importing = PROXY_NAMES.filter(name => PROXIES[name].importFrom)
const CHECKS = [
  'listener-reaches-gms',
  'upgrade-handshake',
  'affinity-same-node',
  'upstream-path-intact',
  'access-paths-only',
  'forwarding-host',
]

describe.each(importing)('a site of %s', from => {
  it('moves to the other proxies', async () => {
    const params = join(folder, `${from}.yaml`)
    const golden = join('fixtures/golden', from, 'two-nodes', PROXIES[from].configFile)
    const {exitCode, stderr} = await runCli(['import', golden, '--proxy-version', PROXIES[from].versions.newest, '--out', params])
    expect({exitCode, notes: stderr.match(/^note: /gm)}).toEqual({exitCode: 0, notes: null})
    const others = PROXY_NAMES.filter(name => name !== from)
    const {report} = await verifyJson([...others, '--params', params, ...CHECKS.flatMap(id => ['--only', id])])
    for (const {name, outcomes} of report.subjects)
      expect(outcomes.filter(({id}) => CHECKS.includes(id)).map(({id, status}) => `${name} ${id} ${status}`)).toEqual(
        expect.arrayContaining(CHECKS.map(id => `${name} ${id} passed`)),
      )
    expect(report.subjects.map(({name}) => name)).toEqual(others)
  }, 240_000)
})

it('imports more than nothing', () => expect(importing).toContain('nginx'))

it('moves what somebody wrote by hand, and says what it left behind', async () => {
  const params = join(folder, 'foreign.yaml')
  const {exitCode, stderr} = await runCli([
    'import',
    'fixtures/foreign/nginx/encrypted-nodes',
    '--proxy-version',
    '1.22.1',
    '--out',
    params,
  ])
  expect(exitCode).toBe(0)
  expect(stderr).toMatch(/note: fixtures\/foreign\/nginx\/encrypted-nodes\/nginx\.conf:\d+: proxy_read_timeout/)
  const rendered = await runCli(['render', 'haproxy', '--params', params])
  expect(rendered.exitCode).toBe(0)
  expect(rendered.stdout).toContain('gms1.network.local:8443')
})
