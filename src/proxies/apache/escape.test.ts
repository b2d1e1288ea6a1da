import {describe, expect, test} from 'vitest'
import {applyEdits} from '../../model/bundle.ts'
import type {ConfigFile} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import {apache} from './index.ts'

const plan: SandboxPlan = {
  folder: '/box',
  runtime: 'binary',
  version: '2.4.71',
  listenAddress: '127.0.0.1',
  ports: [20001, 20002, 20003],
  nodes: ['127.0.0.1:21001', '127.0.0.1:21002'],
  installation: {version: '2.4.71', modulesFolder: '/usr/lib/apache2/modules', builtin: ['core.c'], loadable: []},
  allowExec: false,
}
const OUTSIDE = '93.184.216.34'

function run(text: string, more: readonly ConfigFile[] = []) {
  const bundle = {
    proxy: 'apache',
    entry: 'httpd.conf',
    origin: 'read',
    root: '/srv/conf',
    files: [{path: 'httpd.conf', text}, ...more],
  } as const
  const result = apache.sandbox(apache.parse(bundle), plan)
  return {...result, text: applyEdits(bundle, result.edits).files[0]?.text ?? ''}
}

describe('nothing but the nodes of the sandbox is reached', () => {
  test.each([
    `RewriteRule ^ http://%{HTTP_HOST}/ [P]`,
    `RewriteRule ^ %{REQUEST_SCHEME}://${OUTSIDE}/ [P]`,
    `RewriteRule ^ https://%{ENV:none}${OUTSIDE}/ [L,P]`,
    'RewriteRule ^ - [P]',
    'RewriteRule ^(.*)$ $1 [P]',
    'RewriteRule ^ "http://$1 93.184.216.34/" [P]',
    `RewriteCond @${OUTSIDE}/ (.*)\nRewriteRule ^ http://gms1:8080%1 [P]`,
    `RewriteRule ^/ - [H=proxy:http://${OUTSIDE}/]`,
    `RewriteRule ^/ - [L,T=proxy:http://${OUTSIDE}/]`,
    'RewriteRule ^/ - [handler=%1]',
    `AddType proxy:http://${OUTSIDE}/ .x`,
    `ForceType PROXY:HTTP://${OUTSIDE}/`,
    `SetHandler "%{tolower:PROXY:http://${OUTSIDE}/}"`,
    `ProxyPass /w http://user:pw@${OUTSIDE}/`,
    `ProxyPass /t http://${OUTSIDE}:000080/`,
    `ProxyPassMatch ^/(.*) http://$1.${OUTSIDE}/`,
    `ProxyPassMatch ^/(.*) $1://${OUTSIDE}/`,
    `<Location /x>\nProxyPassMatch $1\n</Location>`,
    `<Proxy balancer://a>\nBalancerMember http://user@${OUTSIDE}\n</Proxy>`,
    `AuthLDAPURL ldap://${OUTSIDE}/x`,
    'LoadModule evasive20_module modules/mod_evasive20.so',
  ])('refused: %s', text => {
    expect(run(text).refused).toHaveLength(1)
  })

  test('a part of the path behind the host, where a rewrite may put an @', () => {
    expect(run(`RewriteRule ^ /x@${OUTSIDE}/\nRewriteRule ^/x(.*) http://gms1:8080$1 [P]`).refused).toMatchObject([{span: {line: 2}}])
  })

  test.each([
    'RewriteRule ^(/genesys/.*)$ http://gms1:8080$1 [P,L]',
    'RewriteRule ^/?(.*) "ws://<your_domain_name>:<your_port>/$1" [P,L]',
    'RewriteRule "^" "balancer://gms%{REQUEST_URI}" [P,L]',
    'RewriteRule ^ http://gms1:8080%{REQUEST_URI} [P]',
    'RewriteRule ^/old(.*) /new$1 [PT]',
    'RewriteRule ^/old(.*) /new$1',
    'RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]',
    'ProxyPass /a !',
    'ProxyPass /a http://gms1:8080/a timeout=5 nocanon',
    '<Location /a>\nProxyPass http://gms1:8080/a timeout=5\n</Location>',
    'SetHandler server-status',
    'LogLevel warn proxy:debug',
    'ServerAdmin webmaster@example.com\nRewriteRule ^(.*) http://gms1$1 [P]',
  ])('followed: %s', text => {
    expect(run(text).refused).toEqual([])
  })
})

describe('no file of this machine is shown', () => {
  test.each([
    'Header set X "expr=%{file:/etc/passwd}"',
    'ErrorDocument 404 "%{base64:%{FILE:/etc/passwd}}"',
    'Define F file\nHeader set X "expr=%{${F}:/etc/passwd}"',
    `<If "file('/etc/passwd') =~ /x/">\nHeader set X y\n</If>`,
    `RewriteCond expr "file('/x') == ''"\nRewriteRule ^ - [F]`,
    'Require expr filesize(%{REQUEST_FILENAME}) -gt 1',
    'RewriteRule ^ /etc/passwd [L]',
    'RewriteRule ^ //proc/1/environ',
    'RewriteCond /etc/passwd (.*)\nRewriteRule ^ %1',
    'RewriteMap m txt:/etc/passwd',
    'RewriteMap m txt:../../secret',
    'RemoteIPTrustedProxyList /etc/passwd',
    'OutputSed "r /etc/passwd"',
  ])('refused: %s', text => {
    expect(run(text).refused).toHaveLength(1)
  })

  test.each(['Alias /x /etc', 'AliasMatch ^/genesys "/proc/1/environ"', '<Location /x>\nAlias /etc\n</Location>', 'UserDir /etc'])(
    '%s',
    text => {
      const {refused, text: changed} = run(text)
      expect(refused).toEqual([])
      expect(changed).toMatch(/gms-proxy-htdocs|# UserDir/)
    },
  )

  test('what lies beside the file is read from its copy', () => {
    const {refused, text} = run('RewriteMap m "txt:maps/a.txt"', [{path: 'maps/a.txt', text: 'a b\n'}])
    expect(refused).toEqual([])
    expect(text).toBe('RewriteMap m "txt:/box/maps/a.txt"')
  })
})
