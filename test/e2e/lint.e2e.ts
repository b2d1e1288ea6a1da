import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {ProxyName} from '../../src/model/catalogue.ts'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import type {Report} from '../../src/model/report.ts'
import {runCli} from '../support/cli.ts'

/** A word that the proxy does not know, on a line of its own. */
const WRONG: Readonly<Record<ProxyName, {file: string; text: string; line: number}>> = {
  nginx: {
    file: 'nginx.conf',
    text: 'events {}\nhttp {\n  server {\n    listen 80;\n    proxy_passs http://127.0.0.1:8080;\n  }\n}\n',
    line: 5,
  },
  apache: {file: 'httpd.conf', text: 'Listen 80\n<VirtualHost *:80>\n  ProxyPasss / http://127.0.0.1:8080/\n</VirtualHost>\n', line: 3},
  haproxy: {
    file: 'haproxy.cfg',
    text: 'defaults\n  mode http\nfrontend a\n  bind :80\n  default_backnd b\nbackend b\n  server s 127.0.0.1:8080\n',
    line: 5,
  },
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-lint-e2e-'))
})
afterAll(() => rm(folder, {recursive: true, force: true}))

describe.each(PROXY_NAMES)("lint --test asks %s's own test", proxy => {
  const accepted = async (...args: readonly string[]) => {
    const {stdout, stderr} = await runCli(['lint', ...args, '--test', '--only', 'limits', '--format', 'json'])
    if (stdout === '') throw new Error(stderr)
    return (JSON.parse(stdout) as Report).subjects[0]?.outcomes.find(({id}) => id === 'listener-config-accepted')
  }

  it('which takes what we render', async () => {
    expect(await accepted(proxy, '--params', 'fixtures/parameters/tls.yaml')).toMatchObject({status: 'passed'})
  })

  it('which names the line of a word that it does not know', async () => {
    const {file, text, line} = WRONG[proxy]
    const path = join(folder, file)
    await writeFile(path, text)
    expect(await accepted(path, '--proxy', proxy)).toMatchObject({status: 'failed', findings: [{location: {file: path, line}}]})
  })
})
