import {spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import fc from 'fast-check'
import {afterAll, describe, expect, test} from 'vitest'
import {PLAIN, render} from '../../bundle/render.ts'
import {applyEdits} from '../../model/bundle.ts'
import type {ParametersInput} from '../../parameters/schema.ts'
import {parametersSchema} from '../../parameters/schema.ts'
import type {RenderTarget} from '../proxy.ts'
import {apache} from './index.ts'

const nodes = ['gms1.network.local:8080', 'gms2.network.local:8080']
const text = (input: Partial<ParametersInput>, version = '2.4.66', how: Partial<RenderTarget> = {}) =>
  render(apache, parametersSchema.parse({upstream: {nodes}, ...input}), version, {...PLAIN, ...how}).files[0]?.text ?? ''
const number = (configuration: string, directive: string) => Number(new RegExp(`^${directive}\\s+(\\d+)$`, 'm').exec(configuration)?.[1])

const caveats = (input: Partial<ParametersInput>, how: Partial<RenderTarget> = {}) =>
  apache.caveats(parametersSchema.parse({upstream: {nodes}, ...input}), {...PLAIN, version: '2.4.71', ...how}).map(({path}) => path)
const refused = (input: Partial<ParametersInput>, how: Partial<RenderTarget> = {}) =>
  apache.unsupported(parametersSchema.parse({upstream: {nodes}, ...input}), {...PLAIN, version: '2.4.71', ...how}).map(({path}) => path)

describe('listener', () => {
  test('all of IPv4 and all of IPv6 on one port are one socket', () => {
    const both = [{port: 80}, {address: '[::]', port: 80}]
    expect(text({listener: both})).toMatch(/^Listen {7}80$/m)
    expect(text({listener: both}).match(/<VirtualHost .*>/g)).toEqual(['<VirtualHost *:80>'])
    expect(text({})).toMatch(/^Listen {7}0\.0\.0\.0:80$/m)
  })

  test('listeners with other names are hosts of their own', () => {
    const listener = [
      {port: 80, serverNames: ['a.example', 'b.example']},
      {port: 80, serverNames: ['c.example']},
    ]
    expect(text({listener})).toMatch(/ServerName a\.example\n +ServerAlias b\.example\n[^]*ServerName c\.example\n/)
  })

  test('a PROXY protocol header is read from trusted addresses alone', () => {
    const configuration = text({
      listener: {proxyProtocol: true},
      forwarding: {trustedProxies: ['128.0.0.0/1', '::/1', '64.0.0.0/2']},
    })
    expect(configuration).toContain('RemoteIPProxyProtocol On')
    expect(configuration.match(/RemoteIPProxyProtocolExceptions .*/g)).toEqual([
      'RemoteIPProxyProtocolExceptions 0.0.0.0/2',
      'RemoteIPProxyProtocolExceptions 8000:0:0:0:0:0:0:0/1',
    ])
  })
})

describe('tls', () => {
  const tls = {serverNames: ['chat.example.com'], certificate: '/etc/a.pem'}

  test('profile, certificate, HTTP/2, HSTS', () => {
    const configuration = text({tls: {...tls, profile: 'modern', hsts: '1y', key: '/etc/a.key'}})
    expect(configuration).toMatch(/SSLProtocol +-all \+TLSv1\.3\n/)
    expect(configuration).toMatch(/SSLCertificateFile +"\/etc\/a\.pem"\n +SSLCertificateKeyFile "\/etc\/a\.key"/)
    expect(configuration).toMatch(/Protocols +h2 http\/1\.1/)
    expect(configuration).toContain('max-age=31536000')
    expect(configuration).not.toContain('SSLCipherSuite')
    expect(text({tls})).toMatch(/SSLCipherSuite +ECDHE-ECDSA/)
    expect(text({tls: {...tls, http2: false}})).not.toMatch(/h2|http2/)
  })

  test('the redirect spares the chat', () => {
    const rule = /RewriteRule +"!\^\(\/genesys\/cometd\|.*" "https:\/\/%\{SERVER_NAME\}:8443%\{REQUEST_URI\}" \[R=308,L\]/
    expect(text({tls: {...tls, port: 8443, redirect: true}})).toMatch(rule)
    expect(text({tls})).not.toContain('R=308')
    const listener = {serverNames: ['a.example', 'b.example']}
    expect(text({listener, tls: {...tls, redirect: true}})).toMatch(
      /RewriteCond +"%\{SERVER_NAME\}" "\^\(a\\\.example\|b\\\.example\)\$" \[NC\]\n +RewriteRule .* "https:\/\/%\{SERVER_NAME\}%\{REQUEST_URI\}" \[R=308,L\]\n +RewriteRule .* "https:\/\/a\.example%/,
    )
  })

  test('certificates of clients, and stapling', () => {
    const configuration = text({tls: {...tls, clientCertificates: {authority: '/etc/ca.pem', required: false}, ocspStapling: true}})
    expect(configuration).toMatch(/SSLVerifyClient +optional/)
    expect(configuration).toMatch(/SSLUseStapling +On/)
    expect(configuration).toContain('SSLStaplingCache')
  })

  test('without a certificate one is expected at a fixed place, and that is said', () => {
    expect(text({tls: {}})).toContain('"/etc/ssl/certs/gms-chat.pem"')
    expect(caveats({tls: {}})).toEqual(['tls.0.certificate'])
  })
})

describe('upstream', () => {
  test('weight, reserve, draining', () => {
    const configuration = text({
      upstream: {
        nodes: [
          {host: 'a', port: 1, weight: 3},
          {host: 'b', port: 1, backup: true},
          {host: 'c', port: 1, drain: true},
        ],
      },
    })
    expect(configuration).toMatch(/route=a loadfactor=3 timeout/)
    expect(configuration).toMatch(/route=b loadfactor=1 status=\+H timeout/)
    expect(configuration).toMatch(/route=c loadfactor=1 status=\+N timeout/)
  })

  test('kept-alive connections', () => {
    expect(text({upstream: {nodes, keepAlive: '10s'}})).toContain(' ttl=10 ')
    expect(text({upstream: {nodes, keepAlive: '0s'}})).toContain(' disablereuse=on ')
  })

  test('names are followed from 2.4.59, with the name servers of the system', () => {
    const upstream = {nodes, resolvers: ['127.0.0.11:53'], dnsTtl: '5s'}
    expect(text({upstream}, '2.4.59')).toContain('addressttl=5')
    expect(caveats({upstream})).toEqual(['upstream.resolvers'])
    expect(refused({upstream}, {version: '2.4.58'})).toEqual(['upstream.resolvers'])
  })

  test('TLS to the nodes for the one public name', () => {
    const listener = {serverNames: ['chat.example.com']}
    const upstream = {nodes, tls: {serverName: 'chat.example.com', authority: '/etc/ca.pem'}}
    expect(refused({listener, upstream})).toEqual([])
    expect(text({listener, upstream})).toMatch(
      /"https:\/\/gms1[^]*SSLProxyVerify +require\n[^]*"\/etc\/ca\.pem"\n +SSLProxyCheckPeerName +on/,
    )
    expect(text({listener, upstream}, '2.4.46')).toContain('"wss://gms1')
    const health = {mode: 'http', path: '/status'} as const
    expect(text({listener, upstream, health})).toMatch(/^SSLProxyEngine/m)
    expect(refused({listener, upstream, health}, {fragment: true})).toEqual(['upstream.tls'])
    expect(refused({listener, upstream: {nodes, tls: {}}})).toEqual(['upstream.tls.serverName'])
    expect(refused({upstream: {nodes, tls: {verify: false}}})).toEqual([])
    expect(refused({upstream: {nodes, tls: {verify: false, certificate: '/a', key: '/b'}}})).toEqual(['upstream.tls.key'])
    expect(caveats({upstream: {nodes, tls: {verify: false, serverName: 'a.b'}}})).toEqual(['upstream.tls.serverName'])
  })

  test('what httpd cannot do to nodes is refused', () => {
    expect(refused({upstream: {nodes: [{host: 'a', port: 1, maxConnections: 9}]}})).toEqual(['upstream.nodes.0.maxConnections'])
    expect(refused({upstream: {nodes: [{host: 'a', port: 1, name: 'n'.repeat(64)}]}})).toEqual(['upstream.nodes.0.name'])
    expect(refused({upstream: {nodes: [`${'a.'.repeat(118)}a:1`]}})).toEqual(['upstream.nodes.0'])
  })

  test('drainTimeout bounds a graceful stop', () => {
    expect(text({upstream: {nodes, drainTimeout: '30m'}})).toContain('GracefulShutdownTimeout 1800')
    expect(caveats({upstream: {nodes, drainTimeout: '30m'}})).toEqual(['upstream.drainTimeout'])
  })
})

describe('affinity', () => {
  const tls = {certificate: '/etc/a.pem'}

  test('a cookie is Secure exactly where its client came over TLS', () => {
    const configuration = text({tls, affinity: {sameSite: 'none', partitioned: true, httpOnly: false}})
    expect(configuration.match(/Set-Cookie ".*"/g)).toEqual([
      'Set-Cookie "GMS_NODE=.%{BALANCER_WORKER_ROUTE}e; Path=/"',
      'Set-Cookie "GMS_NODE=.%{BALANCER_WORKER_ROUTE}e; Path=/; Secure; SameSite=None; Partitioned"',
    ])
    expect(text({forwarding: {trustedProxies: ['10.0.0.0/8']}}).match(/Secure" .*|HttpOnly" .*/g)).toEqual([
      `Secure" "expr=-n reqenv('BALANCER_ROUTE_CHANGED') && -n reqenv('gms_https')"`,
      `HttpOnly" "expr=-n reqenv('BALANCER_ROUTE_CHANGED') && -z reqenv('gms_https')"`,
    ])
  })

  test('an application cookie needs the route of each node', () => {
    const routed = {
      nodes: [
        {host: 'a', port: 1, route: 'r1'},
        {host: 'b', port: 1, route: 'r2'},
      ],
    }
    const configuration = text({affinity: {mode: 'application-cookie'}, upstream: routed})
    expect(configuration).toContain('stickysession=JSESSIONID')
    expect(configuration).toMatch(/route=r1 [^]*route=r2 /)
    expect(configuration).not.toContain('Set-Cookie')
    expect(refused({affinity: {mode: 'application-cookie'}})).toEqual(['affinity.mode'])
  })

  test('an address belongs to one node, in proportion to the weights, and every address to one', () => {
    const configuration = text({
      affinity: {mode: 'source-address'},
      upstream: {
        nodes: [
          {host: 'a', port: 1, weight: 3},
          {host: 'b', port: 1},
          {host: 'c', port: 1, backup: true},
        ],
      },
    })
    const rules = [...configuration.matchAll(/=~ \/(.*)\/" gms_route=(\w+)/g)].map(([, digits = '', route = '']) => ({
      pattern: new RegExp(digits),
      route,
    }))
    const chosen = Array.from({length: 256}, (_, number) =>
      rules.filter(({pattern}) => pattern.test(`${number.toString(16).padStart(2, '0')}ff`)).map(({route}) => route),
    )
    expect(chosen.every(routes => routes.length === 1)).toBe(true)
    expect(chosen.filter(([route]) => route === 'a')).toHaveLength(192)
    expect(configuration).toMatch(/route=a redirect=b [^]*route=b redirect=c [^]*route=c redirect=a /)
    expect(caveats({affinity: {mode: 'source-address'}})).toEqual(['affinity.mode'])
  })

  test('none prints neither cookie nor routes', () => {
    expect(text({affinity: {mode: 'none'}})).not.toMatch(/ route=|stickysession|Set-Cookie/)
  })
})

describe('upgrade, polling, upload', () => {
  test('upgrade= from 2.4.47, mod_proxy_wstunnel before', () => {
    expect(text({}, '2.4.47')).toContain('"http://gms1.network.local:8080" route=gms1 upgrade=websocket')
    expect(text({}, '2.4.47')).not.toContain('wstunnel')
    expect(text({}, '2.4.46')).toContain('"ws://gms1.network.local:8080" route=gms1 timeout=3600')
    expect(text({}, '2.4.46')).toContain('mod_proxy_wstunnel.so')
  })

  test('a poll is waited for longer than GMS holds it, an upload as long as GMS may take', () => {
    expect(text({polling: {hold: '3m'}})).toContain('ProxyTimeout         195')
    expect(text({upload: {answerWithin: '10m'}})).toContain('ProxyTimeout         600')
  })

  test('a stalled upload is given up, a file with its form fits', () => {
    expect(text({upload: {stallTimeout: '2m', maxFileSize: '1MiB'}})).toMatch(/-gt 2097152"[^]*Timeout +120\n/)
  })
})

describe('health', () => {
  test('none and passive need no checks', () => {
    expect(text({health: {mode: 'none'}})).not.toMatch(/hcheck|hctemplate/)
    expect(text({health: {mode: 'passive', interval: '7s'}})).toContain('retry=7')
    expect(caveats({health: {mode: 'passive'}})).toEqual(['health.mode'])
  })

  test('a node that is OFFLINE gets no new chats: those without the cookie of a node', () => {
    const health = {mode: 'http', path: '/status', expect: 'UP'} as const
    const configuration = text({health})
    expect(configuration).toMatch(/ProxyHCExpr +gms_usable \{ %\{REQUEST_STATUS\} =~ \/\^2\/ && hc\('body'\) =~ \/UP\/ \}/)
    expect(configuration).toContain('"!(^|;\\s*)GMS_NODE=\\.(gms1|gms2)\\W*(;|$)"')
    expect(configuration.match(/hctemplate=\S+/g)).toEqual([
      ...Array.from({length: 4}, () => 'hctemplate=gms-tcp'),
      ...Array.from({length: 4}, () => 'hctemplate=gms-http'),
    ])
    expect(caveats({health})).toEqual([])
    expect(caveats({health, affinity: {mode: 'none'}})).toEqual(['health.mode'])
    expect(text({health, affinity: {mode: 'none'}})).not.toContain('gms-new')
  })

  test('a password cannot be shown', () => {
    expect(refused({health: {mode: 'http'}})).toEqual(['health.path'])
    expect(refused({health: {mode: 'http', path: '/a', auth: 'A'}})).toEqual(['health.auth'])
    expect(caveats({health: {interval: '1500ms'}})).toEqual(['health.interval'])
  })
})

describe('forwarding and access', () => {
  test('what a trusted hop says is kept, what a stranger says is not', () => {
    const configuration = text({forwarding: {trustedProxies: ['10.9.9.9/8', '127.0.0.2'], rfc7239: true}})
    expect(configuration).toContain('RemoteIPInternalProxy 10.0.0.0/8\n')
    expect(configuration).toContain('RemoteIPInternalProxy 127.0.0.2\n')
    expect(configuration).toContain('RequestHeader     unset X-Forwarded-For env=!gms_trusted')
    expect(configuration).toContain('append Forwarded')
    expect(text({})).not.toMatch(/RemoteIP|append Forwarded/)
  })

  test('the administration is closed where the paths cover it', () => {
    const admin = (input: ParametersInput['access']) => /<LocationMatch "(.*)">\n([^]*?)<\/LocationMatch>/.exec(text({access: input}))
    expect(admin({})).toBeNull()
    const [, pattern = '', inside] = admin({paths: ['/genesys']}) ?? []
    expect(inside).toContain('Require all denied')
    expect(admin({paths: ['/genesys/admin'], adminAllow: ['10.1.0.0/16']})?.[2]).toContain('Require ip 10.1.0.0/16')
    const closed = new RegExp(pattern.replace('(?i)', ''), 'i')
    for (const path of ['/genesys/admin', '/GENESYS/1/admin/node', '//genesys;a=b/1//admin;x', '/genesys%2fadmin%2fx'])
      expect(path).toMatch(closed)
    for (const path of ['/genesys/administrator', '/genesys/cometd', '/genesys/1/administer', '/x/genesys/admin'])
      expect(path).not.toMatch(closed)
  })

  test('origins match whole, and httpd answers for them when told to', () => {
    const access = {origins: ['https://a.example', 'http://b.example:8080']}
    expect(text({access})).toContain('"!^(https://a\\.example|http://b\\.example:8080)$" [NC]')
    expect(text({access})).not.toContain('Access-Control')
    expect(text({access: {...access, cors: 'proxy'}})).toMatch(
      /unset Access-Control-Allow-Origin\n[^]*always set Access-Control-Allow-Origin/,
    )
  })

  test('networks and slow headers', () => {
    expect(text({access: {allow: ['10.1.2.3/8', '::1']}})).toMatch(/Require ip 10\.0\.0\.0\/8\n +Require ip 0:0:0:0:0:0:0:1\n/)
    expect(text({access: {headerTimeout: '5s'}}, '2.4.39')).toContain('handshake=5 header=5 ')
    expect(text({access: {headerTimeout: '5s'}}, '2.4.38')).toContain('RequestReadTimeout  header=5 ')
  })
})

describe('limits', () => {
  test.each([
    [1, 524_288],
    [200, 1024],
    [1000, 524_288],
    [9500, 20_000],
    [100_000, 256],
  ])('threads for %i chats where a process may open %i files', (chats, openFiles) => {
    const configuration = text({limits: {chats, openFiles}})
    expect(number(configuration, 'MaxRequestWorkers')).toBeGreaterThanOrEqual(chats + 50)
    expect(number(configuration, 'MaxRequestWorkers')).toBe(
      number(configuration, 'StartServers') * number(configuration, 'ThreadsPerChild'),
    )
    expect(number(configuration, 'ThreadsPerChild')).toBeLessThanOrEqual(1000)
    expect(4 * number(configuration, 'ThreadsPerChild')).toBeLessThan(openFiles)
    expect(number(configuration, 'ServerLimit')).toBe(4 * number(configuration, 'StartServers'))
    // ap_mpm.h: MAX_SERVER_LIMIT of mpm_event
    expect(number(configuration, 'ServerLimit')).toBeLessThanOrEqual(20_000)
  })

  test('limits of one client are not httpd’s', () => {
    expect(refused({limits: {chats: 100_001}})).toEqual(['limits.chats'])
    expect(refused({limits: {connectionsPerClient: 10, requestsPerSecond: 5}})).toEqual([
      'limits.connectionsPerClient',
      'limits.requestsPerSecond',
    ])
  })
})

describe('logging', () => {
  test('text and JSON, with or without an id', () => {
    expect(text({})).toContain('id=%{UNIQUE_ID}e" gms')
    expect(text({logging: {requestId: false}})).not.toMatch(/UNIQUE_ID|unique_id/)
    expect(text({logging: {format: 'json'}})).toMatch(/CustomLog +\S+ gms env=gms_path\nCustomLog +\S+ gms_refused env=!gms_path/)
  })

  test('counters are for this machine alone', () => {
    expect(text({logging: {metricsPort: 9145}})).toMatch(/ExtendedStatus Off\n[^]*Listen 127\.0\.0\.1:9145\n[^]*Require local/)
  })
})

describe('snippets', () => {
  const snippets = (apache: NonNullable<ParametersInput['snippets']>['apache']) => ({snippets: {apache}})

  test('stand at their places', () => {
    const configuration = text(
      snippets({main: 'HostnameLookups Off', virtualHost: 'Header set A b\nHeader set C d', balancer: 'ProxySet nonce=x'}),
    )
    expect(configuration).toMatch(/^HostnameLookups Off$/m)
    expect(configuration).toMatch(/ {4}Header set A b\n {4}Header set C d\n<\/VirtualHost>/)
    expect(configuration.match(/ProxySet nonce=x\n<\/Proxy>/g)).toHaveLength(2)
  })

  test.each([
    '</VirtualHost>',
    '<Location "/x">',
    '</Location>\n<Location "/x">',
    'Header set A b \\',
    '# a comment \\',
    '<If "true">\n</Else>',
  ])('what would leave its place is refused: %s', virtualHost => {
    expect(refused(snippets({virtualHost}))).toEqual(['snippets.apache.virtualHost'])
  })

  test('a fragment has no place outside its sections', () => {
    expect(refused(snippets({main: 'HostnameLookups Off'}), {fragment: true})).toEqual(['snippets.apache.main'])
  })
})

describe('layouts and fragments', () => {
  const whole = (how: Partial<RenderTarget>) =>
    render(apache, parametersSchema.parse({upstream: {nodes}, tls: {certificate: '/a'}}), '2.4.71', {...PLAIN, ...how}).files[0]

  test.each([
    ['docker', 'User       www-data', 'modules/mod_proxy.so', '/proc/self/fd/1'],
    [
      'debian',
      'PidFile    "/var/run/apache2/apache2.pid"',
      '/usr/lib/apache2/modules/mod_proxy.so',
      '/var/log/apache2/gms-chat-access.log',
    ],
    ['rhel', 'User       apache', 'modules/mod_systemd.so', 'logs/gms-chat-access.log'],
    ['source', 'User       daemon', 'modules/mod_proxy.so', 'logs/gms-chat-access.log'],
  ] as const)('%s', (layout, ...parts) => {
    for (const part of parts) expect(whole({layout})?.text).toContain(part)
    expect(whole({layout: 'debian'})?.text).not.toMatch(/LoadModule (?:unixd|log_config)/)
  })

  test('a fragment opens only sections of its own, and says what it needs', () => {
    const file = whole({layout: 'debian', fragment: true})
    expect(file?.path).toBe('conf.d/gms-chat.conf')
    expect(file?.text).not.toMatch(/^(?:ServerRoot|Listen|User|LoadModule|ThreadsPerChild|ErrorLog|SSLSessionCache) /m)
    expect(file?.text).toMatch(/^# Needs these modules: a2enmod .*proxy_hcheck/m)
    expect(file?.text).toMatch(/^# Needs mpm_event with MaxRequestWorkers 1100/m)
    expect(file?.text).toMatch(/^# .* outside of every section: LimitRequestLine 16384, and RequestReadTimeout header=10\.$/m)
    expect(caveats({}, {fragment: true})).toEqual(['listener.serverNames'])
    expect(text({listener: {port: 8080}}, '2.4.71', {layout: 'debian', fragment: true})).toContain('0.0.0.0:8080')
  })

  test('the header comes first', () => {
    expect(whole({header: ['gms-proxy 1.2.3']})?.text).toMatch(/^# gms-proxy 1\.2\.3\n# Apache httpd/)
  })
})

const binary = ['apache2', 'httpd']
  .flatMap(name => ['', ...apache.binaryFolders.map(folder => `${folder}/`)].map(folder => folder + name))
  .find(path => spawnSync(path, ['-v']).status === 0)

describe.skipIf(binary === undefined)('httpd itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gms-proxy-apache-'))
  afterAll(() => rmSync(folder, {recursive: true, force: true}))
  const ask = (args: readonly string[]) => {
    const {stdout, stderr} = spawnSync(binary ?? '', args, {encoding: 'utf8'})
    return Promise.resolve(stdout + stderr)
  }
  const list = (path: string) => {
    try {
      return Promise.resolve(readdirSync(path))
    } catch {
      return Promise.resolve([])
    }
  }

  test('accepts every rendering without a word', async () => {
    const version = apache.parseVersion(await ask(['-v'])) ?? ''
    const installation = await apache.installation(binary ?? '', version, ask, list)
    const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9_-]{0,20}[a-z0-9])?$/)
    const host = fc.array(label, {minLength: 1, maxLength: 4}).map(labels => labels.join('.'))
    const node = fc
      .tuple(
        fc.oneof(
          host,
          fc.ipV6().map(address => `[${address}]`),
        ),
        fc.integer({min: 1, max: 65_535}),
      )
      .map(([name, port]) => `${name}:${port}`)
      .filter(address => parametersSchema.safeParse({upstream: {nodes: [address]}}).success)
    const network = fc.oneof(
      fc.tuple(fc.ipV4(), fc.integer({min: 1, max: 32})).map(([address, prefix]) => `${address}/${prefix}`),
      fc.tuple(fc.ipV6(), fc.integer({min: 1, max: 128})).map(([address, prefix]) => `${address}/${prefix}`),
      fc.ipV6(),
    )
    const input = fc.record(
      {
        listener: fc.record({
          address: fc.constantFrom('*', '127.0.0.1', '[::1]', '[::]'),
          port: fc.integer({min: 1, max: 65_535}),
          serverNames: fc.array(host, {maxLength: 4}),
          proxyProtocol: fc.boolean(),
        }),
        affinity: fc.record({
          mode: fc.constantFrom('cookie' as const, 'source-address' as const, 'none' as const),
          sameSite: fc.constantFrom('lax' as const, 'strict' as const),
          cookie: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/),
        }),
        upgrade: fc.record({idleTimeout: fc.constantFrom('1s', '90s', '7d')}),
        polling: fc.record({hold: fc.constantFrom('1s', '30s', '600s', '1500ms')}),
        upload: fc.record({maxFileSize: fc.integer({min: 1024, max: 10_737_418_240})}),
        health: fc.record({
          mode: fc.constantFrom('tcp' as const, 'http' as const, 'passive' as const, 'none' as const),
          interval: fc.constantFrom('500ms', '3s', '1h'),
        }),
        forwarding: fc.record({trustedProxies: fc.array(network, {maxLength: 4}), rfc7239: fc.boolean()}),
        access: fc.record({
          paths: fc.array(fc.stringMatching(/^\/[A-Za-z0-9._~/-]{1,40}$/), {minLength: 1, maxLength: 4}),
          allow: fc.array(network, {maxLength: 3}),
          adminAllow: fc.array(network, {maxLength: 3}),
          origins: fc.array(fc.constantFrom('https://a.example', 'http://b-c.example.org:8080'), {maxLength: 2}),
          cors: fc.constantFrom('gms' as const, 'proxy' as const),
        }),
        limits: fc.record({chats: fc.integer({min: 1, max: 20_000}), openFiles: fc.integer({min: 256, max: 100_000})}),
        logging: fc.record({
          format: fc.constantFrom('text' as const, 'json' as const),
          requestId: fc.boolean(),
          metricsPort: fc.constantFrom(undefined, 9145),
        }),
      },
      {requiredKeys: []},
    )
    fc.assert(
      fc.property(
        fc.array(node, {minLength: 1, maxLength: 5}),
        input,
        fc.constantFrom('2.4.37', version),
        (addresses, parameters, rendered) => {
          const bundle = render(apache, parametersSchema.parse({...parameters, upstream: {nodes: addresses}}), rendered)
          expect(bundle.files[0]?.text).not.toMatch(/[ \t]$/m)
          const config = apache.parse(bundle)
          expect(config.problems).toEqual([])
          // nodes stay as they are written: names need not resolve for a test
          const result = apache.sandbox(config, {
            folder,
            runtime: 'binary',
            version,
            listenAddress: '127.0.0.1',
            ports: [20_998, 20_999],
            nodes: [],
            installation,
            allowExec: false,
          })
          expect(result.refused).toEqual([])
          for (const file of [...applyEdits(bundle, result.edits).files, ...result.added]) {
            mkdirSync(dirname(join(folder, file.path)), {recursive: true})
            writeFileSync(join(folder, file.path), file.text)
          }
          const [command = '', ...args] = apache.configTest(binary ?? '', join(folder, result.entry), folder).argv
          const {stderr, status} = spawnSync(command, args, {encoding: 'utf8'})
          expect({status, stderr}).toEqual({status: 0, stderr: 'Syntax OK\n'})
        },
      ),
      {numRuns: 40},
    )
  }, 60_000)
})
