import {describe, expect, it, test} from 'vitest'
import {applyEdits} from '../../model/bundle.ts'
import type {ConfigFile} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import {apache} from './index.ts'

const DEBIAN: SandboxPlan = {
  folder: '/sandbox',
  runtime: 'binary',
  version: '2.4.71',
  listenAddress: '127.0.0.1',
  ports: [20001, 20002, 20003],
  nodes: ['127.0.0.1:30001', '127.0.0.1:30002'],
  installation: {
    version: '2.4.71',
    modulesFolder: '/usr/lib/apache2/modules',
    builtin: ['core.c', 'mod_so.c', 'mod_unixd.c', 'mod_log_config.c', 'mod_version.c'],
    loadable: ['mpm_event', 'proxy', 'proxy_http', 'proxy_wstunnel', 'rewrite', 'headers', 'authz_core', 'reqtimeout', 'cgid'].map(
      name => `mod_${name}.so`,
    ),
  },
  allowExec: false,
}
const RHEL: SandboxPlan = {
  ...DEBIAN,
  installation: {...DEBIAN.installation, modulesFolder: '/usr/lib64/httpd/modules', builtin: ['core.c', 'mod_so.c', 'http_core.c']},
}

function run(text: string, plan: SandboxPlan = DEBIAN, others: readonly ConfigFile[] = []) {
  const bundle = {
    proxy: 'apache',
    entry: 'httpd.conf',
    origin: 'read',
    root: '/etc/apache2',
    files: [{path: 'httpd.conf', text}, ...others],
  } as const
  const config = apache.parse(bundle)
  const result = apache.sandbox(config, plan)
  const wrapper = result.added.find(({path}) => path === result.entry)?.text ?? ''
  return {
    config,
    result,
    wrapper,
    text: applyEdits(bundle, result.edits).files[0]?.text ?? '',
    because: result.refused.map(({because}) => because),
  }
}

describe('what runs code of the author is refused', () => {
  test.each([
    'ErrorLog "|/bin/sh -c id"',
    'CustomLog "||/tmp/x" common',
    'customlog |$/tmp/x common',
    'TransferLog "|rotatelogs x 1"',
    '<VirtualHost *:80>\n<IfModule a>\nErrorLog \\\n  "|sh"\n</IfModule>\n</VirtualHost>',
    '"ErrorLog" "|sh"',
    'Error\\\nLog "|sh"',
    '# x\\\\\n\n\nErrorLog "|sh"',
    'Define P |sh\nErrorLog ${P}',
    'RewriteMap m prg:/tmp/x',
    'RewriteMap m "PRG:/tmp/x"',
    'RewriteMap m dbd:select',
    'LoadModule x_module /tmp/mod_x.so',
    'LoadModule x_module modules/../../tmp/mod_x.so',
    'LoadModule x_module ./../x.so',
    'LoadModule cgid_module modules/mod_cgid.so',
    'LoadModule lua_module modules/mod_lua.so',
    'LoadModule php_module modules/libphp.so',
    'LoadFile /tmp/x.so',
    'ExtFilterDefine x cmd=/tmp/x',
    'ScriptAlias /cgi-bin/ /tmp/',
    'Action x /cgi-bin/x',
    'AddHandler cgi-script .cgi',
    '<Location /x>\nSetHandler cgi-script\n</Location>',
    'Options +ExecCGI',
    'LuaHookFixups /tmp/x.lua x',
    '<LuaHookFixups x>\n</LuaHookFixups>',
    '<Perl>\nsystem("id")\n</Perl>',
    'PerlModule X',
    'php_admin_value auto_prepend_file /tmp/x',
    'WSGIScriptAlias / /tmp/x.py',
    'SSLPassPhraseDialog exec:/tmp/x',
    'SSLPassPhraseDialog "|/tmp/x"',
    'SSLRandomSeed startup exec:/tmp/x 1',
    'SSLCryptoDevice x',
    'SessionCryptoPassphrase exec:/tmp/x',
    'AuthLDAPBindPassword "exec:/tmp/x"',
    'MDNotifyCmd /tmp/x',
    'Include /tmp/x.conf',
    'Include ../x.conf',
    'IncludeOptional /home/*/x.conf',
    '<Macro M $x>\n$x\n</Macro>',
    'Use M LoadFile',
    'Define D LoadFile\n${D} /tmp/x.so',
    'Define A one\nDefine A two\nServerName ${A}',
    'ServerName ${HOME}',
    'ProxyPass / http://user:secret@host/',
  ])('%j', text => {
    const {result} = run(text)
    expect(result.refused).toHaveLength(1)
    expect(result.refused[0]?.span.file).toBe('httpd.conf')
  })

  test('the place is that of the directive', () => {
    expect(run('Listen 80\n\n  LoadFile /tmp/x.so\n').result.refused[0]).toMatchObject({
      directive: 'LoadFile',
      because: 'loads code into the server',
      span: {line: 3, column: 3},
    })
  })

  test('--allow-exec lets it pass', () => {
    expect(run('LoadFile /tmp/x.so\nErrorLog "|sh"', {...DEBIAN, allowExec: true}).result.refused).toEqual([])
  })

  test('text that httpd never executes is let be', () => {
    expect(
      run('# LoadFile /tmp/x.so\n<VirtualHost *:80> LoadFile /tmp/x.so >\n</VirtualHost>\nServerAdmin "LoadFile |x"').result.refused,
    ).toEqual([])
  })
})

describe('nothing is written outside', () => {
  test.each([
    ['ErrorLog /var/log/x.log', 'ErrorLog "/sandbox/error.log"'],
    ['ErrorLog syslog:local1', 'ErrorLog "/sandbox/error.log"'],
    ['CustomLog "/var/log/a b.log" "%h \\"%r\\"" env=!x', 'CustomLog "/sandbox/access.log" "%h \\"%r\\"" env=!x'],
    ['ErrorLog ${APACHE_LOG_DIR}/error.log', 'ErrorLog "/sandbox/error.log"'],
    ['PidFile /run/x.pid', 'PidFile "/sandbox/httpd.pid"'],
    ['ServerRoot "/etc/httpd"', 'ServerRoot "/sandbox"'],
    ['Mutex file:/run/lock default', 'Mutex "file:/sandbox" default'],
    ['ScoreBoardFile /run/x', '# ScoreBoardFile /run/x'],
    ['DavLockDB /var/x', 'DavLockDB "/sandbox/locks"'],
    ['CacheRoot /var/cache', 'CacheRoot "/sandbox"'],
    ['DocumentRoot /var/www', 'DocumentRoot "/sandbox/gms-proxy-htdocs"'],
    ['<Directory />\nAllowOverride All\n</Directory>', '<Directory />\nAllowOverride None\n</Directory>'],
    ['User www-data\nGroup www-data', '# User www-data\n# Group www-data'],
    ['SSLSessionCache \\\n  shmcb:/run/x', '# SSLSessionCache \\\n  shmcb:/run/x'],
    ['ChrootDir /x', '# ChrootDir /x'],
    ['SSLPassPhraseDialog exec:/usr/share/apache2/ask-for-passphrase', '# SSLPassPhraseDialog exec:/usr/share/apache2/ask-for-passphrase'],
    [
      'LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so',
      'LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so',
    ],
    ['ProxyRemote * http://corp:3128', '# ProxyRemote * http://corp:3128'],
    ['ProxyPass /php unix:/run/php.sock|fcgi://localhost/', '# ProxyPass /php unix:/run/php.sock|fcgi://localhost/'],
  ])('%j', (before, after) => {
    const {text, because} = run(before)
    expect(because).toEqual([])
    expect(text).toBe(after)
  })

  test('started by root, workers run as the user of the plan', () => {
    expect(run('User www-data\nGroup x', {...DEBIAN, user: {name: 'nobody', group: 'nogroup'}}).text).toBe('User nobody\nGroup nogroup')
  })
})

describe('listeners', () => {
  const addresses = (text: string) => apache.listeners(run(text).config).map(({address, tls, serverName}) => [address, tls, serverName])

  it('moves Listen and the hosts that belong to it', () => {
    const {text} = run(
      'Listen 80\nListen 10.0.0.1:8080 http\n<VirtualHost _default_:80>\nProxyPass / http://a/\n</VirtualHost>\n<VirtualHost 10.0.0.1:8080 *>\n</VirtualHost>',
    )
    expect(text).toBe(
      'Listen 127.0.0.1:20001\nListen 127.0.0.1:20002\n<VirtualHost *:20001>\nProxyPass / http://127.0.0.1:30001/\n</VirtualHost>\n<VirtualHost *:20002 *>\n</VirtualHost>',
    )
  })

  it('takes those of a fragment from its hosts', () => {
    const {config, wrapper} = run('<VirtualHost *:80>\nServerName chat.example.com:80\nProxyPass / http://a/\n</VirtualHost>')
    expect(apache.listeners(config)).toMatchObject([
      {address: '*:80', tls: false, serverName: 'chat.example.com', span: {line: 1, column: 14}},
    ])
    expect(wrapper).toContain('Listen 127.0.0.1:20001\n')
  })

  it('gives the one that serves chat first, and says which speak TLS', () => {
    const text =
      'Listen 80\nListen 443\n<VirtualHost *:80>\nRedirect / https://x/\n</VirtualHost>\n<VirtualHost *:443>\nServerName x\nSSLEngine on\nProxyPass / http://a/\n</VirtualHost>'
    expect(addresses(text)).toEqual([
      ['443', true, 'x'],
      ['80', false, undefined],
    ])
  })

  it('leaves out what stands in a section that does not hold', () => {
    const {text} = run(
      'Listen 80\n<IfModule ssl_module>\nListen 443\n</IfModule>\n<IfModule !ssl_module>\nListen 81\n</IfModule>\n<IfDefine X>\nListen 82\n</IfDefine>',
    )
    expect(text).toContain('# Listen 443')
    expect(text).toContain('\nListen 127.0.0.1:20002\n')
    expect(text).toContain('# Listen 82')
  })
})

describe('nodes', () => {
  const found = (text: string) => apache.nodes(run(text).config).map(({address}) => address)

  test('every mention of one address is one node', () => {
    const {text, config} = run(
      'ProxyPass / http://<your_domain_name>:<your_port>/\nRewriteRule ^/?(.*) "ws://<your_domain_name>:<your_port>/$1" [P,L]\nProxyPassReverse / http://<your_domain_name>:<your_port>/',
    )
    expect(text).toBe(
      'ProxyPass / http://127.0.0.1:30001/\nRewriteRule ^/?(.*) "ws://127.0.0.1:30001/$1" [P,L]\nProxyPassReverse / http://127.0.0.1:30001/',
    )
    expect(new Set(apache.nodes(config).map(({address}) => address)).size).toBe(1)
  })

  test.each([
    [
      '<Proxy balancer://x>\nBalancerMember "http://gms1:8080" route=a\nBalancerMember http://GMS2 route=b\n</Proxy>',
      ['gms1:8080', 'gms2:80'],
    ],
    ['BalancerMember balancer://x http://[2001:db8::1]:8080/', ['[2001:db8::1]:8080']],
    ['RewriteRule ^/(.*) http://www.example.com/$1 [R=301]', []],
    ['RewriteRule ^/(.*) http://gms:8080%{REQUEST_URI} [QSA,proxy]', ['gms:8080']],
    ['ProxyPassMatch ^/(.*)$ http://$1/', []],
    ['ProxyPass /x !\nProxyPass / balancer://b/', []],
    ['ProxyPassReverse / http://public.example.com/', []],
    ['SetHandler "proxy:http://gms:1/"', ['gms:1']],
    ['Define GMS gms:8080\nProxyPass / http://${GMS}/', ['gms:8080']],
  ])('%j', (text, expected) => {
    expect(found(text)).toEqual(expected)
  })

  test('a node behind a variable, or behind TLS, is replaced too', () => {
    expect(run('Define GMS gms:8080\nProxyPass / http://${GMS}/x').text).toContain('ProxyPass / "http://127.0.0.1:30001/x"')
    expect(run('ProxyPass / https://gms/\nProxyPass /w wss://gms/').text).toBe(
      'ProxyPass / https://127.0.0.1:30001/\nProxyPass /w wss://127.0.0.1:30001/',
    )
  })
})

describe('modules', () => {
  const official = 'LoadModule mpm_event_module modules/mod_mpm_event.so\nLoadModule unixd_module modules/mod_unixd.so\nListen 80\n'

  test('come from the installation, and built-in ones are not loaded', () => {
    expect(run(official).text).toBe(
      'LoadModule mpm_event_module "/usr/lib/apache2/modules/mod_mpm_event.so"\n# LoadModule unixd_module modules/mod_unixd.so\nListen 127.0.0.1:20001\n',
    )
    expect(run(official, RHEL).text).toContain('LoadModule unixd_module "/usr/lib64/httpd/modules/mod_unixd.so"')
    expect(run('LoadModule headers_module /usr/lib64/httpd/modules/mod_headers.so').text).toBe(
      'LoadModule headers_module "/usr/lib/apache2/modules/mod_headers.so"',
    )
  })

  test('a fragment gets the stock ones and an MPM, a complete file nothing', () => {
    const {wrapper} = run('LoadModule proxy_module modules/mod_proxy.so\n<VirtualHost *:80>\n</VirtualHost>')
    expect(wrapper).toContain('LoadModule mpm_event_module')
    expect(wrapper).toContain('LoadModule headers_module')
    expect(wrapper).not.toContain('rewrite_module')
    expect(wrapper).not.toContain('proxy_module')
    expect(run(official).wrapper).not.toContain('LoadModule')
  })

  test('a file whose modules are switched on elsewhere gets what its directives need', () => {
    const {wrapper} = run('<VirtualHost *:80>\nProxyPass / http://a/\nRewriteEngine on\n</VirtualHost>')
    for (const name of ['proxy', 'proxy_http', 'rewrite', 'headers']) expect(wrapper).toContain(`LoadModule ${name}_module`)
  })

  test('ScriptAlias of a complete file without CGI is only switched off', () => {
    const {text, because} = run(`${official}ScriptAlias /cgi-bin/ /x/\n<Directory /x>\nOptions +ExecCGI\n</Directory>\n`)
    expect(because).toEqual([])
    expect(text).toContain('# ScriptAlias')
    expect(text).toContain('# Options +ExecCGI')
  })
})

describe('includes', () => {
  const files = [
    {path: 'sites/a.conf', text: 'ServerAdmin a\n'},
    {path: 'sites/b.conf', text: 'LoadFile /tmp/x.so\n'},
  ]

  test('read the copies in the sandbox', () => {
    expect(run('Include sites/a.conf', DEBIAN, files).text).toBe('Include "/sandbox/sites/a.conf"')
    expect(run('Include /etc/apache2/sites/a.conf', DEBIAN, files).text).toBe('Include "/sandbox/sites/a.conf"')
  })

  test('several files become a list of their own, and each is judged', () => {
    const {text, result} = run('IncludeOptional sites/*.conf', DEBIAN, files)
    expect(text).toBe('IncludeOptional "/sandbox/gms-proxy-include-1.conf"')
    expect(result.added.find(({path}) => path === 'gms-proxy-include-1.conf')?.text).toBe(
      'Include "/sandbox/sites/a.conf"\nInclude "/sandbox/sites/b.conf"\n',
    )
    expect(result.refused).toMatchObject([{directive: 'LoadFile', span: {file: 'sites/b.conf', line: 1}}])
  })

  test('stock files stay outside', () => {
    expect(run('IncludeOptional mods-enabled/*.load\nInclude /usr/local/apache2/conf/extra/x.conf').text).toBe(
      '# IncludeOptional mods-enabled/*.load\n# Include /usr/local/apache2/conf/extra/x.conf',
    )
  })
})
