import {chmod, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {readBundle} from '../../src/bundle/disk.ts'
import {silentLogger} from '../../src/log.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import type {SubjectReport} from '../../src/model/report.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {makeAuthority} from '../../src/runtime/certificates.ts'
import {startSimulator} from '../../src/simulator/simulator.ts'
import {verify} from '../../src/verify/verify.ts'
import {idsWith, projectRoot, runCli} from '../support/cli.ts'
import {runtimeRequest} from '../support/runtime.ts'

// Configurations of other people whose listeners speak TLS, each proxy: with certificates that this machine does not have, with some that lie
// beside them, with listeners that let nobody in without a certificate of his own.

const FIXTURES: Readonly<Record<ProxyName, string>> = {
  nginx: 'fixtures/foreign/nginx/tls/nginx.conf',
  apache: 'fixtures/foreign/apache/tls/httpd.conf',
  haproxy: 'fixtures/foreign/haproxy/tls/haproxy.cfg',
}
const TRAFFIC = ['tls-terminates', 'tls-wss-chat', 'polling-chat']

/** These wait for half a minute and more, and TLS makes no difference to them. */
const UNTOUCHED = [
  'health',
  'limits',
  'upgrade-idle-survives',
  'upload-slow-client',
  'upload-late-answer',
  'access-slow-headers-cut',
  'polling-hold-survives',
]

interface TlsLines {
  certificate: string
  key: string
  /** Whoever has no certificate that this authority signed stays outside. */
  authority?: string
  more?: string
}

const WRITTEN: Readonly<Record<ProxyName, {file: string; text(lines: TlsLines): string}>> = {
  nginx: {
    file: 'nginx.conf',
    text: ({certificate, key, authority, more = ''}) => `
      server {
        listen 443 ssl;
        server_name chat.example.com;
        ssl_certificate ${certificate};
        ssl_certificate_key ${key};
        ${authority === undefined ? '' : `ssl_client_certificate ${authority}; ssl_verify_client on;`}
        ${more}
        client_max_body_size 11m;
        location /genesys {
          proxy_pass http://gms1.example.net:8080;
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection upgrade;
          proxy_read_timeout 1h;
        }
      }`,
  },
  apache: {
    file: 'httpd.conf',
    text: ({certificate, key, authority, more = ''}) => `
      Listen 443
      ThreadsPerChild 64
      <VirtualHost *:443>
        ServerName chat.example.com
        SSLEngine on
        SSLCertificateFile "${certificate}"
        SSLCertificateKeyFile "${key}"
        ${authority === undefined ? '' : `SSLCACertificateFile "${authority}"\n        SSLVerifyClient require`}
        ${more}
        ProxyPreserveHost On
        ProxyTimeout 3600
        ProxyPass "/genesys" "http://gms1.example.net:8080/genesys" upgrade=websocket
      </VirtualHost>
      `,
  },
  haproxy: {
    file: 'haproxy.cfg',
    text: ({certificate, authority, more = ''}) => `
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
    ${more}
frontend chat
    bind :443 ssl crt ${certificate} ${authority === undefined ? '' : `ca-file ${authority} verify required`}
    acl named req.hdr(host),field(1,:) -i chat.example.com
    http-request deny unless named
    default_backend gms
backend gms
    server gms1 gms1.example.net:8080
`,
  },
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-'))
})
afterAll(() => rm(folder, {recursive: true, force: true}))

async function judge(path: string, only: readonly string[] = [], skip: readonly string[] = []): Promise<SubjectReport> {
  const {bundle, proxy} = await readBundle(path, {proxies: Object.values(PROXIES)})
  const report = await verify([{kind: 'file', name: path, proxy, bundle}], {
    runtimeFor: column => runtimeRequest(column.name),
    only,
    skip,
    allowExec: false,
    intrusive: true,
    keep: false,
    signal: AbortSignal.timeout(170_000),
    logger: silentLogger,
    toolVersion: '0.0.0',
    reproduce: `gms-proxy verify ${path}`,
  })
  const [subject] = report.subjects
  if (!subject) throw new Error(`no subject in the report of ${path}`)
  return subject
}

/** A folder of its own with a configuration and what lies beside it. */
async function write(name: string, files: Readonly<Record<string, string>>, entry: string): Promise<string> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name, file)), {recursive: true})
    await writeFile(join(folder, name, file), text)
  }
  return join(folder, name, entry)
}

function outcome(report: SubjectReport, id: string) {
  return report.outcomes.find(candidate => candidate.id === id)
}

/** What is not as it should be, with the reason: what a person would look for. */
function troubles(report: SubjectReport): readonly string[] {
  return report.outcomes
    .filter(({status}) => status !== 'passed')
    .map(({id, status, because, findings}) => `${id} ${status}: ${because ?? findings.map(({actual}) => actual).join('; ')}`)
}

describe('TLS in front, written by hand for a machine that is not this one', () => {
  it.each(PROXY_NAMES)('%s: every promise is kept over https and wss', async name => {
    const report = await judge(join(projectRoot, FIXTURES[name]), [], UNTOUCHED)
    expect(idsWith(report, 'failed')).toEqual([])
    expect(idsWith(report, 'errored')).toEqual([])
    for (const id of [
      'tls-terminates',
      'tls-wss-chat',
      'tls-http2-front',
      'tls-redirect-spares-chat',
      'upgrade-chat',
      'upload-largest-file',
    ])
      expect(outcome(report, id)?.status, id).toBe('passed')
    expect(report.promises.tls).toBe(true)
    expect(report.sandboxDiff).toContain('throw-away certificate')
    expect(report.sandboxDiff).not.toContain('PRIVATE KEY')
  })
})

describe('a listener that demands a certificate of its users', () => {
  it.each(PROXY_NAMES)('%s lets in those of this run', async name => {
    const {file, text} = WRITTEN[name]
    const entry = await write(
      `${name}-mutual`,
      {[file]: text({certificate: '/pki/chat.pem', key: '/pki/chat.key', authority: '/pki/users.pem'})},
      file,
    )
    expect(troubles(await judge(entry, TRAFFIC))).toEqual([])
  })
})

describe('a certificate that lies beside the configuration', () => {
  const pair = async (hosts: readonly string[]) => {
    const {certificate, key} = await (await makeAuthority('Example authority')).issue(hosts)
    return {'pki/chat.pem': `${certificate}\n${key}`, 'pki/chat.key': key}
  }
  const lines = {certificate: 'pki/chat.pem', key: 'pki/chat.key'}

  it.each(PROXY_NAMES)('%s shows it as it is, and it is trusted', async name => {
    const {file, text} = WRITTEN[name]
    const entry = await write(`${name}-own`, {[file]: text(lines), ...(await pair(['chat.example.com', 'www.example.org']))}, file)
    const report = await judge(entry, TRAFFIC)
    expect(troubles(report)).toEqual([])
    expect(outcome(report, 'tls-terminates')?.detail).toContain('www.example.org')
  })

  it.each(PROXY_NAMES)('%s: for another name it is a finding', async name => {
    const {file, text} = WRITTEN[name]
    const entry = await write(`${name}-other-name`, {[file]: text(lines), ...(await pair(['www.example.org']))}, file)
    const report = await judge(entry, ['tls-terminates'])
    expect(outcome(report, 'tls-terminates')?.findings[0]).toMatchObject({
      expected: 'a certificate for chat.example.com',
      actual: 'a certificate for DNS:www.example.org',
    })
  })

  it.each(PROXY_NAMES)('%s: one that cannot be loaded is refused by the proxy itself', async name => {
    const {file, text} = WRITTEN[name]
    const garbage = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    const entry = await write(
      `${name}-garbage`,
      {[file]: text(lines), ...(await pair([])), 'pki/chat.pem': `${garbage}-----BEGIN PRIVATE KEY-----\n`},
      file,
    )
    expect(idsWith(await judge(entry, ['listener-config-accepted']), 'failed')).toEqual(['listener-config-accepted'])
  })

  it('is replaced together with its key where that one does not lie there', async () => {
    const {file, text} = WRITTEN.nginx
    const {'pki/chat.pem': certificate} = await pair(['chat.example.com'])
    const entry = await write('nginx-half', {[file]: text(lines), 'pki/chat.pem': certificate}, file)
    expect(troubles(await judge(entry, ['tls-terminates']))).toEqual([])
  })

  it.skipIf(process.getuid?.() === 0)('is replaced where it may not be read', async () => {
    const {file, text} = WRITTEN.nginx
    const entry = await write('nginx-unreadable', {[file]: text(lines), ...(await pair(['chat.example.com']))}, file)
    await chmod(join(folder, 'nginx-unreadable/pki/chat.key'), 0o000)
    expect(troubles(await judge(entry, ['tls-terminates']))).toEqual([])
  })
})

it('suites that only an RSA certificate can serve get one', async () => {
  const {file, text} = WRITTEN.nginx
  const more = 'ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;'
  const entry = await write('nginx-rsa', {[file]: text({certificate: '/pki/chat.pem', key: '/pki/chat.key', more})}, file)
  expect(troubles(await judge(entry, ['tls-terminates', 'tls-wss-chat']))).toEqual([])
})

it('http:// in front of a TLS listener is answered with what to write', async () => {
  const {certificate, key} = await (await makeAuthority('Example authority')).issue(['127.0.0.1'])
  await using simulator = await startSimulator({nodes: 1, tls: {cert: certificate, key}})
  const url = `http://127.0.0.1:${simulator.nodes[0]?.port ?? 0}`
  const {exitCode, stderr} = await runCli(['verify', url, '--only', 'listener'])
  expect(exitCode).toBe(3)
  expect(stderr).toContain('it speaks TLS, not plain HTTP')
  expect(stderr).toContain(url.replace('http:', 'https:'))
})
