import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {runCli} from '../support/cli.ts'

const NGINX = `events {}
http {
  upstream chat { ip_hash; server gms1:8080; server gms2:8080; }
  server {
    listen 8000;
    location /genesys/ { proxy_pass http://chat; proxy_set_header X-Brand example; }
  }
  server { listen 8001; server_name shop.example.com; root /srv; }
}
`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-import-test-'))
  await writeFile(join(folder, 'nginx.conf'), NGINX)
})
afterAll(() => rm(folder, {recursive: true, force: true}))

describe('import', () => {
  it('writes parameters that load, with what was left behind at the end and on stderr', async () => {
    const {stdout, stderr, exitCode} = await runCli(['import', 'nginx.conf', '--proxy-version', '1.22'], {cwd: folder})
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^# Imported by gms-proxy \S+ from nginx\.conf, read as nginx 1\.22\.0\.\n/)
    const left = [
      'nginx.conf:6: the header X-Brand that is sent to the nodes has no parameter',
      'nginx.conf:8: another site: shop.example.com',
    ]
    expect(`${stdout}\n`).toContain(`\n# not carried over:\n${left.map(line => `#   ${line}\n`).join('')}`)
    for (const line of left) expect(stderr).toContain(`note: ${line}`)
    const rendered = await runCli(['render', 'haproxy', '--params', '-'], {cwd: folder, input: stdout})
    expect(rendered.exitCode).toBe(0)
    expect(rendered.stdout).toContain('gms2:8080')
  })

  it('reads stdin and prints JSON', async () => {
    const {stdout, exitCode} = await runCli(['import', '-', '--format', 'json', '--quiet', '--proxy-version', '1.22'], {input: NGINX})
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      parameters: {
        listener: {port: 8000},
        upstream: {nodes: ['gms1:8080', 'gms2:8080']},
        affinity: {mode: 'source-address'},
        access: {paths: ['/genesys']},
      },
      notCarried: [{line: 6}, {line: 8}],
    })
  })

  it('writes a file once', async () => {
    const out = join(folder, 'gms-proxy.yaml')
    const args = ['import', 'nginx.conf', '--proxy-version', '1.22', '--out', out]
    expect((await runCli(args, {cwd: folder})).stderr).toContain(`written ${out}`)
    expect(await readFile(out, 'utf8')).toContain('gms1:8080')
    const again = await runCli(args, {cwd: folder})
    expect(again).toMatchObject({exitCode: 2})
    expect(again.stderr).toContain('exists')
    expect((await runCli([...args, '--force'], {cwd: folder})).exitCode).toBe(0)
  })

  it.each([
    [['nginx'], /is rendered from parameters: name a configuration file/],
    [['http://chat.example.com'], /is a URL: import reads configuration files/],
    [['none.conf'], /"none.conf" is neither/],
    [[], /Missing 1 required arg/],
  ])('refuses %j', async (args, message) => {
    const {stdout, stderr, exitCode} = await runCli(['import', ...args], {cwd: folder})
    expect({stdout, exitCode}).toEqual({stdout: '', exitCode: 2})
    expect(stderr).toMatch(message)
  })

  it('names what is missing: a file without nodes', async () => {
    const {stderr, exitCode} = await runCli(['import', '-', '--proxy', 'nginx'], {input: 'events {}\nhttp { server { listen 80; } }\n'})
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/does not say enough: upstream: missing/)
  })

  it('refuses a file that cannot be read, with the place', async () => {
    const {stderr, exitCode} = await runCli(['import', '-', '--proxy', 'nginx'], {input: 'http {\n  server {\n'})
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/:\d+:\d+: /)
  })
})
