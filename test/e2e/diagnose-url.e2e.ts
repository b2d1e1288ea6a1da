import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {execa} from 'execa'
import {createServer as createTcpServer} from 'node:net'
import type {AddressInfo} from 'node:net'
import {createSecureContext} from 'node:tls'
import {describe, expect, it} from 'vitest'
import {diagnoseUrl} from '../../src/diagnose/live/diagnose-url.ts'
import type {DiagnoseUrlOptions} from '../../src/diagnose/live/diagnose-url.ts'
import {connectOnce} from '../../src/diagnose/live/phases.ts'
import {liveText} from '../../src/cli/live-text.ts'
import type {Speaker} from '../../src/model/live.ts'
import type {LiveReport} from '../../src/diagnose/live/live.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import type {Confidence, Promises} from '../../src/model/report.ts'
import {expectationsOfForeign} from '../../src/parameters/expectations.ts'
import type {Authority} from '../../src/runtime/certificates.ts'
import {makeAuthority} from '../../src/runtime/certificates.ts'
import {ANYBODY} from '../../src/verify/gms.ts'
import type {LiveProxyOptions} from '../support/live-proxy.ts'
import {runCli} from '../support/cli.ts'
import {liveProxy} from '../support/live-proxy.ts'

/*
 * Real proxies with something wrong, looked at from outside: the cause that is named, how sure it is, and who is said to have answered.
 */

const HOLD_MS = 4000
const promises: Promises = {...expectationsOfForeign({name: 'unknown', nodes: 1}), holdMs: HOLD_MS}

function diagnosed(url: URL, more: Partial<DiagnoseUrlOptions> = {}): Promise<LiveReport> {
  return diagnoseUrl(url, {
    promises,
    budgets: {answer: 12_000, hold: HOLD_MS, networkDelay: 4000},
    idleMs: 1500,
    signal: AbortSignal.timeout(170_000),
    ...more,
  })
}

/** The first cause, and what was recognised; the whole text where it is not as expected. */
function named(report: LiveReport) {
  const [first] = report.causes
  return {cause: first?.id, confidence: first?.confidence}
}

interface Situation {
  title: string
  proxy: ProxyName
  file: string
  more?: Omit<LiveProxyOptions, 'file' | 'proxy'>
  options?: Partial<DiagnoseUrlOptions>
  /** Asked with the other scheme than the proxy speaks. */
  scheme?: 'http:' | 'https:'
  cause: string
  confidence: Confidence
  /** Whose answer to which question. */
  answered?: readonly ['handshake' | 'upgrade' | 'files' | 'largeFile', Speaker]
  recognised?: ProxyName
}

const PATHS = {nginx: 'nginx.conf', apache: 'apache.conf', haproxy: 'haproxy.cfg'} as const
const fires = (rule: string, proxy: ProxyName) => `${rule}/fires.${PATHS[proxy]}`
const healthy = (proxy: ProxyName) => `polling-timeout-below-hold/silent.${PATHS[proxy]}`

const SITUATIONS: readonly Situation[] = [
  ...(['nginx', 'apache', 'haproxy'] as const).flatMap((proxy): readonly Situation[] => [
    {
      title: `${proxy}: a poll is cut`,
      proxy,
      file: fires('polling-timeout-below-hold', proxy),
      more: {edits: [[proxy === 'apache' ? 'timeout=25' : '25s', proxy === 'apache' ? 'timeout=2' : '2s']]},
      cause: 'polling-timeout-below-hold',
      confidence: proxy === 'apache' ? 'likely' : 'certain',
      recognised: proxy,
    },
    {
      title: `${proxy}: no node is there`,
      proxy,
      file: healthy(proxy),
      more: {nodesAreGone: true},
      cause: 'upstream-down',
      confidence: 'likely',
      answered: ['handshake', proxy],
      recognised: proxy,
    },
    {
      title: `${proxy}: it asks for credentials`,
      proxy,
      file: fires('upstream-credentials-required', proxy),
      cause: 'upstream-credentials-required',
      confidence: 'certain',
      answered: ['handshake', proxy],
      recognised: proxy,
    },
    {
      title: `${proxy}: one path is not routed`,
      proxy,
      file: fires('upstream-route-missing', proxy),
      cause: 'upstream-route-missing',
      confidence: 'certain',
      recognised: proxy,
    },
    {
      title: `${proxy}: an upgrade is redirected`,
      proxy,
      file: fires('upgrade-redirected', proxy),
      cause: 'upgrade-redirected',
      confidence: 'certain',
    },
    {
      title: `${proxy}: the path is rewritten`,
      proxy,
      file: fires('upstream-path-rewritten', proxy),
      cause: 'upstream-path-rewritten',
      confidence: 'likely',
      answered: ['handshake', 'gms'],
    },
    {
      title: `${proxy}: sessions do not stay on their node`,
      proxy,
      file: fires('affinity-missing', proxy),
      cause: 'affinity-missing',
      confidence: 'likely',
    },
    {
      title: `${proxy}: upgrade headers get lost`,
      proxy,
      file: fires('upgrade-headers-missing', proxy),
      cause: 'upgrade-headers-missing',
      confidence: 'likely',
      answered: ['upgrade', 'gms'],
    },
  ]),
  {
    title: 'nginx: the largest file is refused',
    proxy: 'nginx',
    file: fires('upload-body-limit-too-small', 'nginx'),
    cause: 'upload-body-limit-too-small',
    confidence: 'certain',
    answered: ['largeFile', 'nginx'],
    recognised: 'nginx',
  },
  {
    title: 'nginx: a page answers instead of GMS',
    proxy: 'nginx',
    file: healthy('nginx'),
    more: {
      edits: [[/location \/genesys\/cometd \{/, 'location /genesys/cometd { default_type text/html; return 200 "<html>Welcome</html>";']],
    },
    cause: 'listener-swallows-route',
    confidence: 'certain',
  },
  {
    title: 'nginx: everything is redirected to https',
    proxy: 'nginx',
    file: healthy('nginx'),
    more: {edits: [[/location \/genesys\/cometd \{/, 'location /genesys/cometd { return 301 https://$host$request_uri;']]},
    cause: 'listener-redirects-clients',
    confidence: 'certain',
    answered: ['handshake', 'nginx'],
  },
  {
    title: 'nginx: another server block takes the address',
    proxy: 'nginx',
    file: healthy('nginx'),
    more: {edits: [[/\n {4}server \{\n/, '\n    server { listen 80 default_server; server_name _; return 404; }\n    server {\n']]},
    options: {hosts: ['chat.example.com']},
    cause: 'listener-host-not-matched',
    confidence: 'certain',
    answered: ['handshake', 'nginx'],
    recognised: 'nginx',
  },
  {
    title: 'nginx: this client is forbidden',
    proxy: 'nginx',
    file: healthy('nginx'),
    more: {edits: [[/location \/genesys\/cometd \{/, 'location /genesys/cometd { deny all;']]},
    cause: 'access-refused',
    confidence: 'certain',
    answered: ['handshake', 'nginx'],
    recognised: 'nginx',
  },
  {
    title: 'haproxy: upgrades are forbidden',
    proxy: 'haproxy',
    file: healthy('haproxy'),
    more: {edits: [['    bind :80\n', '    bind :80\n    http-request deny if { req.hdr(Upgrade) -m found }\n']]},
    cause: 'upgrade-shadowed',
    confidence: 'likely',
    answered: ['upgrade', 'haproxy'],
    recognised: 'haproxy',
  },
  {
    title: 'haproxy: an idle WebSocket is cut after 3 s',
    proxy: 'haproxy',
    file: healthy('haproxy'),
    more: {edits: [[/timeout tunnel \w+/, 'timeout tunnel 3s']]},
    options: {idleMs: 6000},
    cause: 'upgrade-cut-below-heartbeat',
    confidence: 'likely',
  },
]

describe.each(SITUATIONS)('$title', ({proxy, file, more = {}, options, cause, confidence, answered, recognised}) => {
  it('is named', async () => {
    await using live = await liveProxy({file, proxy, ...more, simulator: {holdMs: HOLD_MS, ...more.simulator}})
    const report = await diagnosed(live.url, options)
    const text = liveText(report, {colour: false, width: 120, verbose: true})
    expect(named(report), text).toEqual({cause, confidence})
    if (answered) expect(report.live.seen.asks[answered[0]]?.by.who, text).toBe(answered[1])
    if (recognised) expect(report.live.seen.proxy?.proxy, text).toBe(recognised)
    expect(text).toContain(cause)
  })
})

/** An authority whose leaves are not what they should be. */
function careless(authority: Authority, issue: Authority['issue']): Authority {
  return {...authority, issue}
}

const encrypted = (proxy: ProxyName) => `tls-obsolete/silent.${PATHS[proxy]}`
const trusting = (authority: Authority) => ({access: {...ANYBODY, trust: createSecureContext({ca: authority.certificate})}})

describe('a listener that speaks TLS', () => {
  it.each(['nginx', 'apache', 'haproxy'] as const)('%s: as it should be', async proxy => {
    const authority = await makeAuthority('test authority')
    await using live = await liveProxy({file: encrypted(proxy), proxy, authority, simulator: {holdMs: HOLD_MS}})
    expect(live.url.protocol).toBe('https:')
    const report = await diagnosed(live.url, trusting(authority))
    const text = liveText(report, {colour: false, width: 120, verbose: true})
    expect(
      report.outcomes.filter(({status}) => status !== 'passed').map(({id}) => id),
      text,
    ).toEqual([])
    expect(report.causes, text).toEqual([])
    expect(report.live.seen.greeted?.chain[0]?.names).toContain('127.0.0.1')
  })

  it('nginx: the certificate is for another name', async () => {
    const authority = await makeAuthority('test authority')
    const wrong = careless(authority, () => authority.issue(['other.example.com']))
    await using live = await liveProxy({file: encrypted('nginx'), proxy: 'nginx', authority: wrong})
    const report = await diagnosed(live.url, trusting(authority))
    expect(named(report)).toEqual({cause: 'tls-certificate-name', confidence: 'certain'})
    // What lies behind is looked at all the same.
    expect(report.live.seen.asks.handshake?.by.who).toBe('gms')
  })

  it('apache: the certificate has expired', async () => {
    const authority = await makeAuthority('test authority')
    const stale = careless(authority, async () => {
      const {generate} = await import('selfsigned')
      const day = 86_400_000
      const made = await generate([{name: 'commonName', value: 'chat.example.com'}], {
        keyType: 'ec',
        algorithm: 'sha256',
        notBeforeDate: new Date(Date.now() - 30 * day),
        notAfterDate: new Date(Date.now() - day),
        extensions: [{name: 'subjectAltName', altNames: [{type: 7, ip: '127.0.0.1'}]}],
      })
      return {certificate: made.cert, key: made.private}
    })
    await using live = await liveProxy({file: encrypted('apache'), proxy: 'apache', authority: stale})
    expect(named(await diagnosed(live.url, trusting(authority)))).toEqual({cause: 'tls-certificate-expired', confidence: 'certain'})
  })

  it('haproxy: nobody trusts its authority', async () => {
    const authority = await makeAuthority('test authority')
    await using live = await liveProxy({file: encrypted('haproxy'), proxy: 'haproxy', authority})
    expect(named(await diagnosed(live.url))).toEqual({cause: 'tls-certificate-untrusted', confidence: 'certain'})
  })

  it.each(['nginx', 'apache', 'haproxy'] as const)('%s: is spoken to in plain text', async proxy => {
    const authority = await makeAuthority('test authority')
    await using live = await liveProxy({file: encrypted(proxy), proxy, authority})
    const report = await diagnosed(new URL(live.url.href.replace(/^https:/, 'http:')))
    expect(named(report)).toEqual({cause: 'listener-protocol-mismatch', confidence: 'certain'})
    expect(report.outcomes.find(({id}) => id === 'listener-reaches-gms')?.status).toBe('failed')
  })
})

describe('a listener that speaks plain text', () => {
  it.each(['nginx', 'apache', 'haproxy'] as const)('%s: is spoken to over TLS', async proxy => {
    await using live = await liveProxy({file: healthy(proxy), proxy})
    const report = await diagnosed(new URL(live.url.href.replace(/^http:/, 'https:')))
    expect(named(report)).toEqual({cause: 'listener-protocol-mismatch', confidence: 'certain'})
  })

  it.each(['nginx', 'apache', 'haproxy'] as const)('%s: nothing is said of one that works', async proxy => {
    await using live = await liveProxy({file: healthy(proxy), proxy, simulator: {holdMs: HOLD_MS}})
    const report = await diagnosed(live.url)
    const text = liveText(report, {colour: false, width: 120, verbose: true})
    expect(
      report.outcomes.filter(({status}) => status === 'failed').map(({id}) => id),
      text,
    ).toEqual([])
    expect(report.causes, text).toEqual([])
    expect(report.verdict, text).toBe('passed')
  })

  it.each(['nginx', 'haproxy'] as const)('%s: it expects a PROXY protocol header', async proxy => {
    await using live = await bareProxy(proxy)
    const report = await diagnosed(live.url)
    expect(named(report)).toEqual({cause: 'listener-expects-proxy-protocol', confidence: 'certain'})
    expect(report.live.seen.afterProxyHeader?.by.who).toBe(proxy)
  })
})

describe('nobody there', () => {
  it('the name has no address', async () => {
    const report = await diagnosed(new URL('http://no-such-host.invalid'))
    expect(named(report)).toEqual({cause: 'listener-name-unresolved', confidence: 'certain'})
    expect(report.outcomes.filter(({status}) => status === 'failed').map(({id}) => id)).toEqual(['listener-name-resolves'])
  })

  it('the port is closed', async () => {
    const report = await diagnosed(new URL(`http://127.0.0.1:${await freePort()}`))
    expect(named(report)).toEqual({cause: 'listener-unreachable', confidence: 'certain'})
  })
})

describe('beside GMS itself', () => {
  it('what GMS does itself is not blamed on the proxy', async () => {
    await using live = await liveProxy({file: healthy('nginx'), proxy: 'nginx', simulator: {holdMs: HOLD_MS}})
    const [node] = live.simulator.nodes

    live.simulator.faults.add({fault: {kind: 'status', status: 503}, on: ['handshake']})
    const report = await diagnosed(live.url, {direct: new URL(`http://127.0.0.1:${node?.port ?? 0}`)})
    expect(named(report)).toEqual({cause: 'upstream-gms-itself', confidence: 'certain'})
  })

  it('what only the proxy does is', async () => {
    await using live = await liveProxy({file: fires('upgrade-headers-missing', 'nginx'), proxy: 'nginx', simulator: {holdMs: HOLD_MS}})
    const [node] = live.simulator.nodes
    const report = await diagnosed(live.url, {direct: new URL(`http://127.0.0.1:${node?.port ?? 0}`)})
    expect(named(report)).toEqual({cause: 'upgrade-headers-missing', confidence: 'likely'})
    expect(report.causes[0]?.because).toContain('GMS itself, asked directly, does this well')
  })

  it('a file that shows the same makes it certain, and says where', async () => {
    await using live = await liveProxy({file: fires('upgrade-headers-missing', 'nginx'), proxy: 'nginx', simulator: {holdMs: HOLD_MS}})
    const location = {file: 'nginx.conf', line: 7}
    const report = await diagnosed(live.url, {
      explain: ({outcomes}) => [
        {
          id: 'upgrade-headers-missing',
          confidence: 'likely',
          severity: 'error',
          title: 'Upgrade or Connection does not reach GMS',
          because: ['the file says so'],
          location,
          explains: outcomes.filter(({status}) => status === 'failed').map(({id}) => id),
          remediation: 'write it',
        },
      ],
    })
    expect(named(report)).toEqual({cause: 'upgrade-headers-missing', confidence: 'certain'})
    expect(report.causes[0]?.location).toEqual(location)
  })
})

async function freePort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** The proxy as it is, without the sandbox, which takes away the PROXY protocol: it answers 404 to everything. */
async function bareProxy(proxy: 'nginx' | 'haproxy'): Promise<{url: URL} & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'bare-proxy-'))
  const port = await freePort()
  const configurations = {
    nginx: `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
  server { listen 127.0.0.1:${port} proxy_protocol; return 404; }
}
`,
    haproxy: `defaults
  mode http
  timeout client 5s
  timeout http-request 5s
frontend chat
  bind 127.0.0.1:${port} accept-proxy
  http-request deny deny_status 403
`,
  }
  const file = join(folder, 'proxy.conf')
  await writeFile(file, configurations[proxy])
  const child = execa(proxy, proxy === 'nginx' ? ['-p', folder, '-c', file] : ['-f', file, '-db'], {reject: false, all: true})
  const url = new URL(`http://127.0.0.1:${port}`)
  const until = Date.now() + 30_000
  while ((await connectOnce(url, {deadlineMs: 1000, signal: AbortSignal.timeout(30_000)})).failure)
    if (Date.now() > until || child.exitCode !== null) throw new Error(`it did not start: ${(await child).all ?? ''}`)
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill()
      await child
      await rm(folder, {recursive: true, force: true})
    },
  }
}

describe('the command', () => {
  it('joins what is seen from outside with the file, and with GMS itself', {timeout: 180_000}, async () => {
    const file = 'polling-timeout-below-hold/fires.nginx.conf'
    await using live = await liveProxy({file, proxy: 'nginx'})
    const gms = live.simulator.nodes[0]
    const config = `src/lint/rules/${file}`
    const {stdout, exitCode, stderr} = await runCli([
      'diagnose',
      live.url.origin,
      '--config',
      config,
      '--direct',
      `http://127.0.0.1:${gms?.port}`,
      '--timeout',
      '70s',
    ])
    expect(exitCode, stdout + stderr).toBe(1)
    expect(stdout).toMatch(/✖ .* {2}certain · polling-timeout-below-hold\n/)
    expect(stdout).toMatch(new RegExp(`Where +${config}:\\d+`))
    expect(stdout).toContain('GMS itself, asked directly, does this well')
    expect(stdout).toMatch(/\n +\+ +proxy_read_timeout 45s;/)
  })
})
