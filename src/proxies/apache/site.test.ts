import {spawnSync} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {afterAll, describe, expect, it, test} from 'vitest'
import {applyEdits} from '../../model/bundle.ts'
import type {ConfigBundle, Edit} from '../../model/bundle.ts'
import type {Request, Setting, Site, Way} from '../site.ts'
import {apache} from './index.ts'
import {parse} from './parse.ts'
import {site} from './site.ts'

const POLL: Request = {title: 'a poll', method: 'POST', path: '/genesys/cometd/connect', headers: {'content-type': 'application/json'}}
const SWITCH: Request = {
  title: 'an upgrade',
  method: 'GET',
  path: '/genesys/cometd',
  headers: {upgrade: 'websocket', connection: 'Upgrade'},
}
const UPLOAD: Request = {title: 'an upload', method: 'POST', path: '/genesys/2/chat-ntf', headers: {}}

const bundleOf = (...texts: readonly (string | [string, string])[]): ConfigBundle => ({
  proxy: 'apache',
  entry: 'httpd.conf',
  origin: 'read',
  files: texts.map(text => (typeof text === 'string' ? {path: 'httpd.conf', text} : {path: text[0], text: text[1]})),
})
const read = (text: string, version = '2.4.71') => site(parse(bundleOf(text)), version)
const at = (model: Site, request: Request, index = 0): Way => {
  const listener = model.listeners[index]
  if (!listener) throw new Error('no listener')
  return model.trace(listener, request)
}
const host = (lines: string) => `<VirtualHost *:80>\n${lines}\n</VirtualHost>\n`
const PASS = 'ProxyPass / http://gms1:8080/'
const BALANCER = `<Proxy balancer://gms>
  BalancerMember http://gms1:8080 route=a timeout=70
  BalancerMember http://gms2:8080 route=b timeout=70 ttl=10 status=+H
  ProxySet stickysession=JSESSIONID|jsessionid
</Proxy>
${host('ProxyPass / balancer://gms/')}`

/** A way in few words. */
function told({end}: Way): string {
  if (end.kind === 'upstream') return `${end.upstream.name} ${end.path ?? '?'}`
  if (end.kind === 'redirect') return `${end.status} ${end.to}`
  return end.kind === 'answer' ? `${end.status ?? ''} ${end.of}`.trim() : `unknown: ${end.because}`
}

describe('listeners', () => {
  test('addresses of virtual hosts come before their names', () => {
    const model = read(`Listen 80
Listen 10.0.0.1:8080
<VirtualHost 10.0.0.9:80>
  ServerName special
</VirtualHost>
<VirtualHost *:80>
  ServerName chat.example.com
  ServerAlias *.example.com
  ${PASS}
</VirtualHost>
<VirtualHost *:80>
  ServerName other
</VirtualHost>`)
    expect(model.listeners.map(({address, serverNames, isDefault, chat}) => [address, serverNames, isDefault, chat])).toEqual([
      ['80', ['chat.example.com', '*.example.com'], true, true],
      ['10.0.0.9:80', ['special'], true, false],
      ['80', ['other'], false, false],
      ['10.0.0.1:8080', [], true, false],
    ])
    expect(told(at(model, {...POLL, host: 'other'}))).toBe('404 no-route')
    expect(at(model, {...POLL, host: 'other'}).listener.serverNames).toEqual(['other'])
    expect(told(at(model, {...POLL, host: 'nobody'}))).toBe('gms1:8080 /genesys/cometd/connect')
  })

  test('TLS, HTTP/2, header time and request line, with their defaults', () => {
    const model = read(`LoadModule ssl_module m/mod_ssl.so
LoadModule http2_module m/mod_http2.so
LoadModule reqtimeout_module m/mod_reqtimeout.so
LoadModule mpm_event_module m/mod_mpm_event.so
SSLProtocol all -TLSv1 -TLSv1.1
Listen 443
<VirtualHost *:443>
  SSLEngine on
  SSLCertificateFile /a.pem
  Protocols h2 http/1.1
  RequestReadTimeout header=7-9,MinRate=1
</VirtualHost>`)
    const [listener] = model.listeners
    expect(listener?.tls?.versions.value).toEqual(['TLSv1.2', 'TLSv1.3'])
    expect(listener?.tls?.certificate?.value).toBe('/a.pem')
    expect([listener?.http2.value, listener?.headerTimeout.value, listener?.requestLine.value]).toEqual([true, 9000, 8190])
  })

  test.each([
    ['ProxyRequests On', true],
    ['ProxyRequests Off', false],
    ['ProxyRequests On\n<Proxy "*">\nRequire ip 10.0.0.0/8\n</Proxy>', false],
    ['ProxyRequests On\n<Proxy "http://gms1:8080">\nRequire all denied\n</Proxy>', true],
  ])('%j is an open proxy: %s', (lines, open) => {
    expect(read(host(`${lines}\n${PASS}`)).listeners[0]?.forwardProxy.value).toBe(open)
  })
})

describe('what takes effect', () => {
  test.each([
    ['<IfModule mod_proxy.c>\nProxyTimeout 70\n</IfModule>', 70_000],
    ['<IfModule !mod_proxy.c>\nProxyTimeout 70\n</IfModule>', 60_000],
    ['<IfVersion >= 2.4.50>\nProxyTimeout 70\n</IfVersion>', 70_000],
    ['<IfVersion < 2.4.50>\nProxyTimeout 70\n</IfVersion>', 60_000],
    ['<IfDefine X>\nProxyTimeout 70\n</IfDefine>', 60_000],
    ['Define X\n<IfDefine X>\nProxyTimeout 70\n</IfDefine>', 70_000],
    ['Define T 70\nProxyTimeout ${T}', 70_000],
    ['ProxyTimeout 50\nProxyTimeout 70', 70_000],
    ['PROXYTIMEOUT \\\n  70', 70_000],
  ])('%j: the node may be silent for %d ms', (lines, ms) => {
    expect(at(read(host(`${lines}\n${PASS}`)), POLL).answerTimeout.value).toBe(ms)
  })

  test('includes are followed where they stand, and what is not there is said', () => {
    const model = site(
      parse(
        bundleOf(
          'Include sites/*.conf\nInclude /etc/elsewhere.conf\n',
          ['sites/b.conf', host(PASS)],
          ['sites/a.conf', 'ProxyTimeout 99\n'],
        ),
      ),
      '2.4.71',
    )
    expect(at(model, POLL).answerTimeout.value).toBe(99_000)
    expect(model.unknown.map(({because}) => because)).toEqual(['/etc/elsewhere.conf is not part of this configuration'])
  })

  test('a variable that nobody defines is told, not guessed', () => {
    const model = read(host(`ProxyTimeout \${SOMETIMES}\n${PASS}`))
    expect(at(model, POLL).answerTimeout.value).toBeUndefined()
    expect(model.unknown).toHaveLength(1)
  })

  test('macros are followed, with the words of each use', () => {
    expect(told(at(read(`<Macro M>\n${PASS}\n</Macro>\n${host('Use m')}`), POLL))).toBe('gms1:8080 /genesys/cometd/connect')
    const model = read(
      `<Macro Chat $name $n>\n<VirtualHost *:80>\nServerName $name\nProxyPass / http://gms$n:8080/\n</VirtualHost>\n</Macro>\nUse Chat chat.example.com 1\n`,
    )
    expect(model.unknown).toEqual([])
    expect(model.listeners[0]?.serverNames).toEqual(['chat.example.com'])
    expect(told(at(model, POLL))).toBe('gms1:8080 /genesys/cometd/connect')
  })

  test.each([
    ['that is not here', host('Use Elsewhere')],
    ['with other words than it takes', `<Macro M $x>\n${PASS}\n</Macro>\n${host('Use M')}`],
    ['with a word that becomes two', `<Macro M $x>\nProxyPass $x\n</Macro>\n${host('Use M "/ http://gms1:8080/"')}`],
    ['that uses itself', `<Macro M>\nUse M\n</Macro>\n${host('Use M')}`],
  ])('a macro %s is told, not guessed', (_, text) => {
    const model = read(text)
    expect(model.unknown).toHaveLength(1)
    expect(at(model, POLL).end.kind).toBe('unknown')
  })

  test('a name that every object has is no variable', () => {
    expect(read(host(`ProxyTimeout \${constructor}\n${PASS}`)).unknown).toHaveLength(1)
  })

  test('a section has the last word over the host around it', () => {
    const section = (line: string) => `<Location /genesys/cometd>\n${line}\n</Location>`
    const sent = (lines: string) =>
      at(read(host(`ServerName chat.example.com\nProxyPreserveHost On\n${lines}\n${PASS}`)), POLL).sent('host').value
    expect(sent('')).toBe('host')
    expect(sent(section('ProxyPreserveHost Off'))).toBe('node')
    expect(sent(section('ProxyPreserveHost On'))).toBe('host')
  })
})

describe('how long things may take', () => {
  test.each([
    ['', [60, 60, 60, 60]],
    ['Timeout 90', [90, 90, 90, 90]],
    ['Timeout 90\nProxyTimeout 45', [45, 90, 90, 45]],
    ['ProxyTimeout 3600', [3600, 3600, 60, 3600]],
  ])('%j: answer, idle WebSocket, silent client, connect in s', (lines, expected) => {
    const way = at(read(host(`${lines}\nProxyPass / http://gms1:8080/ upgrade=websocket`)), SWITCH)
    expect([way.answerTimeout, way.idleTimeout, way.bodyTimeout, way.connectTimeout].map(({value}) => (value ?? 0) / 1000)).toEqual(
      expected,
    )
  })

  test.each([
    ['timeout=45', 45_000, 45_000],
    ['timeout=1min connectiontimeout=500ms', 60_000, 500],
    ['connectiontimeout=3', 120_000, 3000],
  ])('parameters of a ProxyPass come before ProxyTimeout: %s', (parameters, answer, connect) => {
    const way = at(read(host(`ProxyTimeout 120\nProxyPass / http://gms1:8080/ ${parameters}`)), POLL)
    expect([way.answerTimeout.value, way.connectTimeout.value]).toEqual([answer, connect])
  })

  test('a rewrite that names a node uses the parameters of the pool of that address, or none', () => {
    const rule = (scheme: string) =>
      `RewriteEngine on\nRewriteRule ^ ${scheme}://gms1:8080%{REQUEST_URI} [P]\nProxyPass /x http://gms1:8080 timeout=45`
    expect(at(read(host(rule('http'))), POLL).answerTimeout.value).toBe(45_000)
    expect(at(read(host(rule('ws'))), POLL).answerTimeout.value).toBe(60_000)
  })

  test.each([
    ['', 40_000, undefined],
    ['RequestReadTimeout header=0 body=0', undefined, undefined],
    ['RequestReadTimeout header=10 body=2', 10_000, 2000],
    ['RequestReadTimeout body=20-90,MinRate=500', 40_000, 90_000],
  ])('mod_reqtimeout %j: header %s, body %s', (lines, header, body) => {
    const model = read(host(`${lines}\n${PASS}`))
    expect([model.listeners[0]?.headerTimeout.value, at(model, UPLOAD).wholeBodyTimeout.value]).toEqual([header, body])
  })

  test('before 2.4.47 a WebSocket had no idle limit', () => {
    expect(at(read(host('ProxyPass / ws://gms1:8080/'), '2.4.37'), SWITCH).idleTimeout.value).toBeUndefined()
  })
})

describe('upstreams', () => {
  const [upstream] = read(BALANCER).upstreams

  test('a balancer, its nodes and its affinity', () => {
    expect(upstream?.name).toBe('balancer://gms')
    expect(upstream?.nodes.map(({address, key, backup, outFor}) => [address, key?.value, backup, outFor.value])).toEqual([
      ['gms1:8080', 'a', false, 60_000],
      ['gms2:8080', 'b', true, 60_000],
    ])
    expect(upstream?.affinity).toMatchObject({kind: 'application-cookie', cookie: 'JSESSIONID', unstable: false})
    expect([upstream?.keepAlive.value, upstream?.keepAliveTimeout.value, upstream?.movesSessions.value]).toEqual([true, undefined, true])
    expect([upstream?.resolution.value, upstream?.health.kind]).toEqual(['start', 'passive'])
  })

  test.each([
    ['Header add Set-Cookie "JSESSIONID=.%{BALANCER_WORKER_ROUTE}e; Path=/" env=BALANCER_ROUTE_CHANGED', 'inserted-cookie'],
    ['SetEnvIfExpr "sha1(%{REMOTE_ADDR}) =~ /^[0-7]/" node=a\nRequestHeader set Cookie "JSESSIONID=.%{node}e"', 'address'],
    ['Header set X-Other 1', 'application-cookie'],
  ])('%j: %s', (line, kind) => {
    expect(read(BALANCER.replace('ProxyPass /', `${line}\nProxyPass /`)).upstreams[0]?.affinity.kind).toBe(kind)
  })

  test('TLS to nodes: switched on, verified, for which name', () => {
    const [node] = read(host('SSLProxyVerify require\nProxyPass / https://gms1/')).upstreams[0]?.nodes ?? []
    expect([node?.port, node?.tls?.enabled.value, node?.tls?.verified.value, node?.tls?.serverName?.value]).toEqual([
      443,
      false,
      true,
      'gms1',
    ])
    const unnamed = read(host('SSLProxyEngine on\nSSLProxyVerify require\nSSLProxyCheckPeerName off\nProxyPass / https://gms1/'))
      .upstreams[0]?.nodes[0]
    expect([unnamed?.tls?.enabled.value, unnamed?.tls?.verified.value]).toEqual([true, false])
  })

  test('names are followed with addressttl, nothing is kept with disablereuse', () => {
    const of = (parameters: string) => read(host(`ProxyPass / http://gms1:8080/ ${parameters}`)).upstreams[0]
    expect(of('addressttl=10')?.resolution.value).toBe('followed')
    expect([of('disablereuse=On')?.keepAlive.value, of('disablereuse=On')?.resolution.value]).toEqual([false, 'followed'])
  })

  test.each([
    ['hcmethod=TCP', 'tcp', undefined],
    ['hcmethod=GET hcuri=/genesys/cometd', 'http', '/genesys/cometd'],
    ['hctemplate=t', 'http', '/x'],
  ])('health checks: %s', (parameters, kind, path) => {
    const text = `ProxyHCTemplate t hcmethod=HEAD hcuri=/x\n${BALANCER.replace('route=a', `route=a ${parameters}`)}`
    expect(read(text).upstreams[0]?.health).toMatchObject(path === undefined ? {kind} : {kind, path})
  })
})

describe('capacity', () => {
  const LOADED = 'LoadModule mpm_event_module m/mod_mpm_event.so\n'
  test.each([
    [LOADED, 400],
    [`${LOADED}MaxRequestWorkers 150`, 150],
    [`${LOADED}ServerLimit 4\nMaxRequestWorkers 1000`, 100],
    [`${LOADED}ThreadsPerChild 100\nMaxRequestWorkers 1000`, 960],
    [`${LOADED}ThreadLimit 200\nThreadsPerChild 200\nServerLimit 50\nMaxRequestWorkers 10000`, 10_000],
    ['LoadModule mpm_prefork_module m/mod_mpm_prefork.so\nServerLimit 300\nMaxClients 280', 280],
    ['', undefined],
  ])('%j holds %s chats', (text, chats) => {
    expect(read(`${text}\n${host(PASS)}`).capacity.chats).toBe(chats)
  })
})

describe('what is written and does not mean what it seems to', () => {
  const odd = (text: string, version?: string) => read(text, version).oddities.map(({kind, name}) => `${kind}: ${name}`)
  const LOADED =
    'LoadModule mpm_event_module m/mod_mpm_event.so\nLoadModule proxy_module m/mod_proxy.so\nLoadModule proxy_http_module m/mod_proxy_http.so\n'

  test.each([
    [
      `<VirtualHost *:80> ProxyRequests on RequestHeader set X 1\n${PASS}\n</VirtualHost>`,
      ['text-ignored: ProxyRequests on RequestHeader set X 1'],
    ],
    [`<VirtualHost *:80> # a comment\n${PASS}\n</VirtualHost>`, []],
    [`${LOADED}${host(`RequestHeader set X 1\n${PASS}`)}`, ['module-missing: LoadModule headers_module m/mod_headers.so']],
    [`${LOADED}<IfModule headers_module>\nRequestHeader set X 1\n</IfModule>\n${host(PASS)}`, []],
    [`${LOADED}${host(`ProxyPas / x\n${PASS}`)}`, ['word-unknown: ProxyPas']],
    [`RewriteLogLevel 3\n${host(PASS)}`, ['word-removed: RewriteLogLevel']],
    [host(`LimitRequestBody 1000\n${PASS}`), ['limit-without-effect: LimitRequestBody']],
    [host(`<Location /files>\nLimitRequestBody 1000\n</Location>\n${PASS}`), []],
  ])('%j', (text, expected) => expect(odd(text)).toEqual(expected))

  test('directives of a later version, and misspelt ones', () => {
    const text = `ProxyWebsocketFallbackToProxyHttp off\n${host(PASS)}`
    expect(odd(text, '2.4.46')).toEqual(['word-unknown: ProxyWebsocketFallbackToProxyHttp'])
    expect(odd(text, '2.4.48')).toEqual([])
    expect(odd(`${LOADED}SSLVHostSNIPolicy secure\n${host(PASS)}`, '2.4.62')).toContain('word-unknown: SSLVHostSNIPolicy')
    const misspelt = `${LOADED}${host(`ProxyPas / x\n${PASS}`)}`
    const [oddity] = read(misspelt).oddities
    expect(applyEdits(bundleOf(misspelt), oddity?.mend ?? []).files[0]?.text).toContain('ProxyPass / x\n')
  })

  test('parameters of a later version', () => {
    const text = host('ProxyPass / http://gms1:8080/ upgrade=websocket')
    expect(odd(text, '2.4.46')).toEqual(['refused: upgrade='])
    expect(odd(text)).toEqual([])
  })

  test('text behind a bracket is put on lines of its own', () => {
    const text = `<VirtualHost *:80> ProxyRequests on RequestHeader set X 1\n${PASS}\n</VirtualHost>\n`
    const [oddity] = read(text).oddities
    expect(applyEdits(bundleOf(text), oddity?.mend ?? []).files[0]?.text).toContain(
      '*:80> \n    ProxyRequests on\n    RequestHeader set X 1\nProxyPass',
    )
  })
})

describe('consoles and logs', () => {
  test.each([
    ['', true],
    ['Require local', false],
    ['Require all denied', false],
  ])('a manager with %j is open: %s', (line, open) => {
    const [manager] = read(host(`<Location /manager>\nSetHandler balancer-manager\n${line}\n</Location>\n${PASS}`)).consoles
    expect([manager?.open, manager?.changes]).toEqual([open, true])
  })

  test.each([
    ['CustomLog x combined', {namesNode: false, holdsQuery: true, holdsSecrets: false}],
    ['LogFormat "%m %U %{BALANCER_WORKER_NAME}e" a\nCustomLog x a', {namesNode: true, holdsQuery: false, holdsSecrets: false}],
    ['CustomLog x "%t %{Cookie}i"', {namesNode: false, holdsQuery: false, holdsSecrets: true}],
  ])('%j', (lines, expected) => expect(at(read(host(`${lines}\n${PASS}`)), POLL).logs[0]).toMatchObject(expected))
})

/** What can be set, the argument, and what is then in force. */
const SETTABLE: readonly [string, (way: Way) => Setting<unknown>, string, unknown][] = [
  ['answerTimeout', way => way.answerTimeout, '77', 77_000],
  ['idleTimeout', way => way.idleTimeout, '3700', 3_700_000],
  ['bodyTimeout', way => way.bodyTimeout, '78', 78_000],
  ['wholeBodyTimeout', way => way.wholeBodyTimeout, '20-79,MinRate=500', 79_000],
  ['connectTimeout', way => way.connectTimeout, '4', 4000],
  ['header time', way => way.listener.headerTimeout, '11', 11_000],
  ['request line', way => way.listener.requestLine, '12345', 12_345],
  ['forward proxy', way => way.listener.forwardProxy, 'Off', false],
  ['x-forwarded-proto', way => way.sent('x-forwarded-proto'), 'set "https"', 'text'],
]

describe('edits', () => {
  const CASES: readonly [string, string][] = [
    ['defaults', host(PASS)],
    ['an empty virtual host', `${PASS}\n<VirtualHost *:80>\n</VirtualHost>\n`],
    [
      'written in the virtual host',
      host(
        `    Timeout 30\n    ProxyTimeout 30 \n    RequestReadTimeout header=1 body=1\n    LimitRequestLine 100\n    ProxyRequests On\n    ${PASS} timeout=20 connectiontimeout=1`,
      ),
    ],
    [
      'written around it, for others too',
      `Timeout 30\nProxyTimeout 30\nRequestReadTimeout header=1 body=1\nLimitRequestLine 9000\nProxyRequests On\n${host(PASS)}<VirtualHost *:81>\nServerName other\n</VirtualHost>\n`,
    ],
    ['a balancer', BALANCER],
    ['carriage returns', host(`Timeout 30\n${PASS}`).replaceAll('\n', '\r\n')],
    ['no virtual host', `Timeout 30\n${PASS}`],
  ]

  test.each(CASES.flatMap(([title, text]) => SETTABLE.map(setting => [title, setting[0], text, setting] as const)))(
    '%s: %s',
    (_, __, text, [, pick, argument, wanted]) => {
      const bundle = bundleOf(text)
      const before = site(parse(bundle), '2.4.71')
      const setting = pick(at(before, POLL))
      const edits = setting.put(argument)
      expect(edits.length).toBeGreaterThan(0)
      const edited = applyEdits(bundle, edits)
      const after = site(parse(edited), '2.4.71')
      expect(pick(at(after, POLL)).value).toEqual(wanted)
      // everybody else is served as before
      expect(after.listeners.slice(1).map(({requestLine, headerTimeout}) => [requestLine.value, headerTimeout.value])).toEqual(
        before.listeners.slice(1).map(({requestLine, headerTimeout}) => [requestLine.value, headerTimeout.value]),
      )
      const others = (edited.files[0]?.text ?? '').includes('\r\n') ? /[^\r]\n/ : /\r/
      expect(edited.files[0]?.text).not.toMatch(others)
    },
  )

  test('capacity: the processes are raised with the workers', () => {
    const text = `LoadModule mpm_event_module m/mod_mpm_event.so\nMaxRequestWorkers 150\n${host(PASS)}`
    const edited = applyEdits(bundleOf(text), read(text).capacity.setting.put('1000'))
    expect(site(parse(edited), '2.4.71').capacity.chats).toBe(1000)
  })

  const binary = ['apache2', 'httpd']
    .flatMap(name => ['', ...apache.binaryFolders.map(folder => `${folder}/`)].map(folder => folder + name))
    .find(path => spawnSync(path, ['-v']).status === 0)
  describe.skipIf(binary === undefined)('are taken by httpd itself', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gms-proxy-site-'))
    afterAll(() => rmSync(folder, {recursive: true, force: true}))

    it.each(CASES)('%s', async (_, text) => {
      const ask = (args: readonly string[]) => {
        const {stdout, stderr} = spawnSync(binary ?? '', args, {encoding: 'utf8'})
        return Promise.resolve(stdout + stderr)
      }
      const {readdir} = await import('node:fs/promises')
      const installation = await apache.installation(binary ?? '', '2.4.71', ask, path => readdir(path).catch(() => []))
      const before = bundleOf(text)
      const edited = SETTABLE.reduce<ConfigBundle>((bundle, [, pick, argument]) => {
        const edits: readonly Edit[] = pick(at(site(parse(bundle), '2.4.71'), POLL)).put(argument)
        return applyEdits(bundle, edits)
      }, before)
      const load = [
        'mpm_event',
        'authz_core',
        'headers',
        'reqtimeout',
        'slotmem_shm',
        'proxy',
        'proxy_http',
        'proxy_balancer',
        'lbmethod_byrequests',
      ]
        .filter(name => installation.loadable.includes(`mod_${name}.so`))
        .map(name => `LoadModule ${name}_module "${installation.modulesFolder ?? ''}/mod_${name}.so"\n`)
        .join('')
      const file = join(folder, 'httpd.conf')
      writeFileSync(
        file,
        `ServerRoot "${folder}"\nErrorLog "${folder}/error.log"\nServerName localhost\nListen 127.0.0.1:1\n${load}${edited.files[0]?.text ?? ''}`,
      )
      const {stderr, status} = spawnSync(binary ?? '', ['-d', folder, '-f', file, '-t'], {encoding: 'utf8'})
      expect(stderr).toContain('Syntax OK')
      expect(status).toBe(0)
    })
  })
})

describe('every rendered configuration', () => {
  const goldens = join(dirname(fileURLToPath(import.meta.url)), '../../../fixtures/golden/apache')
  const files = readdirSync(goldens, {recursive: true, encoding: 'utf8'}).filter(path => path.endsWith('.conf'))

  it.each(files)('%s leads chats to GMS', path => {
    const text = readFileSync(join(goldens, path), 'utf8')
    const version = /@(\d+\.\d+\.\d+)/.exec(path)?.[1] ?? '2.4.71'
    const model = site(parse(bundleOf(text)), version)
    expect(model.unknown.filter(({because}) => !because.includes('IfFile'))).toEqual([])
    expect(model.oddities).toEqual([])
    const chat = model.listeners.filter(listener => listener.chat)
    expect(chat.length).toBeGreaterThan(0)
    for (const listener of chat)
      for (const request of [POLL, SWITCH, UPLOAD]) {
        const way = model.trace(listener, request)
        expect(way.end).toMatchObject({kind: 'upstream', path: request.path})
        expect(way.tunnels.value).toBe(request === SWITCH)
        expect(way.sent('host').value).toBe('host')
        expect(way.answerTimeout.value).toBeGreaterThan(45_000)
      }
  })
})

describe('the published sample, repaired', () => {
  const model = read(`LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so
LoadModule rewrite_module modules/mod_rewrite.so

<VirtualHost *:80>
    ProxyRequests on
    RequestHeader set X-Forwarded-Proto "http"
    ProxyPass / http://<your_domain_name>:<your_port>/
    RewriteEngine on
    RewriteCond %{HTTP:Upgrade} websocket [NC]
    RewriteCond %{HTTP:Connection} upgrade [NC]
    RewriteRule ^/?(.*) "ws://<your_domain_name>:<your_port>/$1" [P,L]
</VirtualHost>`)

  test('means what was measured: 60 s for a poll and for an idle WebSocket, no limit for uploads, an open proxy, a lost Host', () => {
    const [poll, upgrade, upload] = [POLL, SWITCH, UPLOAD].map(request => at(model, request))
    expect([poll, upgrade, upload].map(way => way && told(way))).toEqual([
      '<your_domain_name>:<your_port> /genesys/cometd/connect',
      '<your_domain_name>:<your_port> /genesys/cometd',
      '<your_domain_name>:<your_port> /genesys/2/chat-ntf',
    ])
    expect([poll?.answerTimeout.value, upgrade?.idleTimeout.value, upload?.bodyLimit.value]).toEqual([60_000, 60_000, undefined])
    expect([poll?.tunnels.value, upgrade?.tunnels.value, upgrade?.sent('upgrade').sends]).toEqual([false, true, 'websocket'])
    expect(poll?.sent('host').value).toBe('node')
    expect(poll?.sent('x-forwarded-for').value).toBe('client-and-peer')
    expect(poll?.sent('x-forwarded-proto')).toMatchObject({value: 'text', sends: 'http'})
    expect(model.listeners[0]?.forwardProxy.value).toBe(true)
    expect(model.capacity.chats).toBeUndefined()
    expect(model.oddities).toEqual([])
  })
})
