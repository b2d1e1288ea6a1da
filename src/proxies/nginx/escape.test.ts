import {describe, expect, test} from 'vitest'
import {applyEdits} from '../../model/bundle.ts'
import type {ConfigFile} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import {nginx} from './index.ts'

const plan: SandboxPlan = {
  folder: '/box',
  runtime: 'binary',
  version: '1.22.1',
  listenAddress: '127.0.0.1',
  ports: [20001, 20002, 20003, 20004],
  nodes: ['127.0.0.1:21001', '127.0.0.1:21002'],
  installation: {
    version: '1.22.1',
    modulesFolder: '/usr/lib/nginx/modules',
    builtin: [],
    loadable: ['ngx_stream_module.so', 'ngx_rtmp_module.so'],
    stockFolder: '/etc/nginx',
  },
  allowExec: false,
}
const OUTSIDE = '93.184.216.34'

function run(text: string, more: readonly ConfigFile[] = [], entry = 'nginx.conf') {
  const bundle = {proxy: 'nginx', entry, origin: 'read', root: '/srv/conf', files: [{path: entry, text}, ...more]} as const
  const result = nginx.sandbox(nginx.parse(bundle), plan)
  return {...result, files: applyEdits(bundle, result.edits).files}
}
const inServer = (lines: string, http = '') => `events {}\nhttp { ${http}\nserver { listen 80; ${lines} } }\n`

describe('a file that is data in one place is judged in the other places too', () => {
  const evil = (text: string) => [{path: 'evil.conf', text}]
  test.each([
    ['error_log /v/pwned.log;', ''],
    ['include evil.conf;', ''],
  ])('a map first, then the file itself: %s', text => {
    const {files} = run('events {} http { map $uri $x { include evil.conf; } include evil.conf; }', evil(text))
    expect(files[1]?.text).not.toContain('/v/')
  })
  test('what loads code is refused', () => {
    const {refused} = run('events {} http { types { include evil.conf; } include evil.conf; }', evil('lua_package_path /x;'))
    expect(refused).toMatchObject([{span: {file: 'evil.conf', line: 1}}])
  })
  test('a node that a mail block named first is moved', () => {
    const {files} = run(
      'events {} mail { server { include evil.conf; } } http { server { include evil.conf; } }',
      evil(`proxy_pass http://${OUTSIDE};`),
    )
    expect(files[1]?.text).toBe('proxy_pass http://127.0.0.1:21001;')
  })
  test('brackets, which nginx reads in its own way, are refused', () => {
    const files = [...evil('error_log /x;'), {path: 'x1.conf', text: ''}]
    expect(run('events {} include [!x]*.conf; http { map $a $b { include evil.conf; } }', files).refused).toHaveLength(1)
  })
})

describe('nothing but the nodes of the sandbox is reached', () => {
  test.each([
    ['a scheme of the request', `location / { proxy_pass $scheme://${OUTSIDE}; }`],
    ['zeros before the port', `location / { proxy_pass http://${OUTSIDE}:000080; }`],
    [
      'an upstream that names another',
      'location / { proxy_pass http://b; }',
      `upstream ${OUTSIDE} { server a; } upstream b { server ${OUTSIDE}; }`,
    ],
    ['geo', 'location / { proxy_pass http://$t; }', `geo $t { default ${OUTSIDE}; }`],
    ['split_clients', 'location / { proxy_pass http://$t; }', `split_clients $uri $t { 50% gms1; * ${OUTSIDE}; }`],
    ['another protocol', `location / { uwsgi_pass suwsgi://${OUTSIDE}; } location /m { memcached_pass ${OUTSIDE}:1; }`],
    ['a resolver', 'resolver 93.184.216.34 valid=5s; location / { proxy_pass http://gms1; }'],
    ['mail', 'location / { proxy_pass http://gms1; }', '} mail { auth_http 93.184.216.34/auth;'],
  ])('moved: %s', (_, lines, http = '') => {
    const {refused, files} = run(inServer(lines, http))
    expect(refused).toEqual([])
    expect(files[0]?.text.replace(/upstream 93\.184\.216\.34/, '')).not.toContain(OUTSIDE)
  })

  test.each([
    ['user information', `proxy_pass http://user@${OUTSIDE};`],
    ['a fragment', `proxy_pass http://${OUTSIDE}#x;`],
    ['a capture', 'if ($x ~ "(.*)") { proxy_pass http://$1; }', `map $uri $x { default ${OUTSIDE}; }`],
    ['a named capture', 'set $x ""; set $t ""; if ($x ~ "(?<t>.*)") { proxy_pass http://$t; }'],
    ['an address in pieces', 'proxy_pass http://${a}93.184.216.34;', 'map $uri $a { default ""; }'],
    ['an address behind a variable', 'set $e ""; proxy_pass http://$e.184.216.34;'],
    ['the scheme in pieces', 'set $u "$scheme:"; proxy_pass $u//93.184.216.34/;'],
    ['all of it in pieces', 'set $a $scheme; set $b :; set $c //93.184.216.34/; proxy_pass $a$b$c;'],
    ['an argument that a rewrite sets', 'rewrite ^ /x?t=93.184.216.34; proxy_pass http://$arg_t;'],
    ['a path that a rewrite sets', 'rewrite ^ 3.184.216.34/; proxy_pass http://9$uri;', 'upstream 9 { server gms1; }'],
    ['the name of the server', 'server_name 93.184.216.34; proxy_pass http://$server_name;'],
    ['a host that the file makes clients send', 'server_name 93.184.216.34; proxy_pass http://$http_host;'],
    ['a socket in pieces', 'proxy_pass http://${a}nix:/run/docker.sock:/;', 'map $uri $a { ~(.) $1; }'],
    ['a computed variable', 'set_decode_base64 $t OTMuMTg0; proxy_pass http://$t;'],
    ['an upstream of streams', '', `} stream { upstream ${OUTSIDE} { server a; server user@x; }`],
  ])('refused: %s', (_, lines, http = '') => {
    expect(run(inServer(lines, http)).refused).toHaveLength(1)
  })

  test('a name of a stream is no name of a web server', () => {
    const {files} = run(inServer(`location / { proxy_pass http://${OUTSIDE}; }`, `} stream { upstream ${OUTSIDE} { server a; } } http {`))
    expect(files[0]?.text).toContain('proxy_pass http://127.0.0.1:2100')
  })

  test.each([
    'proxy_pass http://gms$request_uri;',
    'proxy_pass http://gms1:8080$1;',
    'proxy_pass http://$http_host$request_uri;',
    'proxy_pass $scheme://$host:$server_port;',
    'set $up gms1:8080; proxy_pass http://$up/a$is_args$args;',
    'set $up http://gms1:8080; proxy_pass $up;',
    'proxy_pass http://$service.default.svc.cluster.local:8080;',
    'proxy_pass http://unix:/run/app.sock:/x;',
  ])('what operators write is followed: %s', lines => {
    expect(run(inServer(lines, 'upstream gms { server gms1:8080; }')).refused).toEqual([])
  })
})

describe('every listener moves', () => {
  test('of a fragment too', () => {
    const {files} = run('listen 80;\nlisten 0.0.0.0:9999;\nlisten unix:/tmp/x;\nlocation / { proxy_pass http://a; }\n', [], 'part.conf')
    expect(files[0]?.text.split('\n').slice(0, 3)).toEqual([
      'listen 127.0.0.1:20001;',
      'listen 127.0.0.1:20002;',
      'listen 127.0.0.1:20003;',
    ])
  })
})

describe('no file of this machine is read', () => {
  test.each(['root /;', 'alias /proc/1/environ;', 'root "/home/$http_x";'])('%s', line => {
    const {files} = run(inServer(`location / { ${line} try_files /etc/passwd =404; }`))
    expect(files[0]?.text).toMatch(/(?:root|alias) \/box\/html;/)
  })
  test.each(['include access.log;', 'include ./error.log;'])('%s', line => {
    expect(run(`events {} ${line}`).refused).toHaveLength(1)
  })
  test('a module that nobody knows is not loaded', () => {
    expect(run('load_module modules/ngx_rtmp_module.so; events {}').refused).toHaveLength(1)
  })
})
