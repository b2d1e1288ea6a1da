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
    modulesFolder: '/usr/lib64/nginx/modules',
    builtin: [],
    loadable: ['ngx_stream_module.so'],
    stockFolder: '/etc/nginx',
    mimeTypes: '/etc/nginx/mime.types',
  },
  allowExec: false,
}

function run(text: string, {more = [], change = {}}: {more?: readonly ConfigFile[]; change?: Partial<SandboxPlan>} = {}) {
  const bundle = {
    proxy: 'nginx',
    entry: 'nginx.conf',
    origin: 'read',
    root: '/srv/conf',
    files: [{path: 'nginx.conf', text}, ...more],
  } as const
  const config = nginx.parse(bundle)
  const result = nginx.sandbox(config, {...plan, ...change})
  const files = applyEdits(bundle, result.edits).files
  return {
    config,
    result,
    files,
    text: files[0]?.text ?? '',
    refused: result.refused.map(({directive, because}) => `${directive}: ${because}`),
  }
}

describe('section 7: what would run code or read outside is refused with its place', () => {
  test.each([
    'load_module /tmp/evil.so;',
    'load_module modules/../evil.so;',
    'load_module /usr/lib/nginx/modules/../../../../tmp/ngx_stream_module.so;',
    'load_module ../ngx_stream_module.so;',
    '"load_module" /tmp/evil.so;',
    'http { perl_modules lib; }',
    'http { perl_set $a "sub { `id` }"; }',
    'http { js_import /tmp/a.js; }',
    'http { server { content_by_lua_block { os.execute("id") } } }',
    'http { init_by_lua_file /tmp/a.lua; }',
    'http { lua_package_path "/tmp/?.lua;;"; }',
    'http { passenger_root /tmp; }',
    'rtmp { server { application a { exec /bin/id; } } }',
    'ssl_engine /tmp/evil.so;',
    'http { server { ssl_certificate_key engine:evil:key; } }',
    'http { modsecurity_rules_file /tmp/rules; }',
    'http { include /etc/shadow; }',
    'http { include ../../secret.conf; }',
    'http { include conf.d/../../secret.conf; }',
    'http { map $a $b { include /etc/passwd; } }',
    'http { include /etc/nginx/sites-enabled/default; }',
  ])('%s', text => {
    const {result} = run(text)
    expect(result.refused).toHaveLength(1)
    expect(result.refused[0]?.span.line).toBe(1)
  })

  test('code is let through with --allow-exec', () => {
    expect(run('load_module /tmp/evil.so;', {change: {allowExec: true}}).refused).toEqual([])
  })

  test('names that are data are no directives', () => {
    expect(run('events {} http { map $uri $a { error_log 1; perl_set 2; } types { js_content js; } }').refused).toEqual([])
  })
})

describe('every path that nginx could write goes into the sandbox', () => {
  test.each([
    ['pid /run/nginx.pid;', 'pid /box/nginx.pid;'],
    ['error_log /var/log/e.log crit;', 'error_log /box/error.log crit;'],
    ['error_log syslog:server=10.0.0.1 crit;', 'error_log /box/error.log crit;'],
    ['daemon on;', 'daemon off;'],
    ['working_directory /var/cores;', 'working_directory /box;'],
    ['http { access_log /l/a.log main buffer=32k flush=5m if=$x; }', 'access_log /box/access.log main if=$x;'],
    ['http { access_log "/l/$host.log"; }', 'access_log /box/access.log;'],
    ['http { access_log off; }', 'access_log off;'],
    ['http { server { location / { proxy_temp_path /v/t 1 2; } } }', 'location / { proxy_temp_path /box/proxy_temp; }'],
    ['http { proxy_cache_path /v/c levels=1:2 keys_zone=a:1m; }', 'levels=1:2 keys_zone=a:1m;'],
  ])('%s', (text, expected) => {
    const changed = run(text).text
    expect(changed).toContain(expected)
    expect(changed).not.toMatch(/\/v\/|\/l\/|\/var\/|\/run\//)
  })

  test.each([
    'http { server { location / { proxy_store on; } } }',
    'http { dav_methods PUT; }',
    'http { proxy_ssl_key_log /k; }',
    'master_process off;',
    'env OPENSSL_CONF=/x;',
    'worker_priority -5;',
  ])('%s goes', text => {
    expect(run(text).text).not.toMatch(/proxy_store|dav_methods|key_log|master_process|env |worker_priority/)
  })

  test('lines of the file keep their numbers', () => {
    const text = 'events {\n}\nhttp {\n    server {\n        location / { return 200; }\n    }\n}\n'
    const {text: changed} = run(text)
    expect(changed.split('\n')).toHaveLength(text.split('\n').length)
    expect(changed.split('\n')[4]).toContain('location / { return 200; }')
  })

  test('a folder with a space is quoted', () => {
    expect(run('pid /run/nginx.pid;', {change: {folder: '/my box'}}).text).toContain('pid "/my box/nginx.pid";')
  })

  test('temporary folders of parts that were not built are left out', () => {
    const installation = {...plan.installation, builtin: ['--without-http_uwsgi_module']}
    const {text} = run('events {} http { server_tokens off; }', {change: {installation}})
    expect(text).toContain('scgi_temp_path')
    expect(text).not.toContain('uwsgi_temp_path')
  })
})

describe('layouts', () => {
  test('modules are taken from this installation', () => {
    for (const path of [
      'modules/ngx_stream_module.so',
      '/usr/lib/nginx/modules/ngx_stream_module.so',
      '/usr/local/nginx/modules/ngx_stream_module.so',
    ])
      expect(run(`load_module ${path};`).text).toContain('load_module /usr/lib64/nginx/modules/ngx_stream_module.so;')
    expect(run('load_module modules/ngx_mail_module.so;').refused).toEqual(['load_module: ngx_mail_module.so is not installed here'])
  })

  test('a list of modules gives those that are used', () => {
    expect(run('include /etc/nginx/modules-enabled/*.conf; stream {}').text).toContain(
      'load_module /usr/lib64/nginx/modules/ngx_stream_module.so;',
    )
    expect(run('include /usr/share/nginx/modules/*.conf; http {}').text).not.toMatch(/load_module|include/)
  })

  test('stock declarations come from this installation, sites of this machine do not', () => {
    const {text} = run('http { include mime.types; include /usr/local/nginx/conf/fastcgi_params; include /etc/nginx/conf.d/*.conf; }')
    expect(text).toContain('include /etc/nginx/mime.types;')
    expect(text).toContain('include /etc/nginx/fastcgi_params;')
    expect(text).not.toContain('conf.d')
  })

  test('files beside the entry are included, their listeners and nodes moved', () => {
    const more = [{path: 'conf.d/chat.conf', text: 'server { listen 80; location / { proxy_pass http://gms1:8080; } }'}]
    const {files, config} = run('events {} http { include /etc/nginx/conf.d/*.conf; }', {more})
    expect(files[0]?.text).toContain('include "/box/conf.d/*.conf";')
    expect(files[1]?.text).toBe('server { listen 127.0.0.1:20001; location / { proxy_pass http://127.0.0.1:21001; } }')
    expect(nginx.listeners(config)).toHaveLength(1)
  })

  test('the user is the one of the plan, or none', () => {
    expect(run('user nginx;').text).not.toContain('user')
    expect(run('user nginx;', {change: {user: {name: 'nobody', group: 'nogroup'}}}).text).toContain('user nobody nogroup;')
  })

  test('users of the sandbox are let in, and no network is named twice: nginx would warn', () => {
    const text = 'http { geo $out { default 1; 10.0.0.0/8 0; } server { if ($out) { return 403; } } }'
    expect(run(text, {change: {runtime: 'docker'}}).text).toContain(
      'geo $out { 172.16.0.0/12 0; 192.168.0.0/16 0; default 1; 10.0.0.0/8 0; }',
    )
    expect(run(text.replace('10.0.0.0/8', '127.0.0.0/9')).text).toContain('geo $out { default 1; 127.0.0.0/9 0; }')
  })

  test('connections are capped to what the machine allows', () => {
    const {text} = run('worker_rlimit_nofile 65536; events { worker_connections 65536; }', {change: {openFiles: 4096}})
    expect(text).toContain('worker_rlimit_nofile 4096;')
    expect(text).toContain('worker_connections 3996;')
  })
})

describe('listeners', () => {
  test('each socket once, the chat first, TLS before plain', () => {
    const {config, text} = run(`http {
      server { listen 80 default_server; return 301 https://$host$request_uri; }
      server { listen 8443 ssl; listen 8080; listen [::]:8080 ipv6only=on; listen unix:/tmp/a; server_name _ chat.example.com; location /genesys { proxy_pass http://gms:1; } }
    }`)
    expect(nginx.listeners(config).map(({address, tls}) => ({address, tls}))).toEqual([
      {address: '8443', tls: true},
      {address: '8080', tls: false},
      {address: '[::]:8080', tls: false},
      {address: 'unix:/tmp/a', tls: false},
      {address: '80', tls: false},
    ])
    expect(nginx.listeners(config)[0]?.serverName).toBe('chat.example.com')
    expect(text).toContain('listen 127.0.0.1:20001 ssl;')
    expect(text).not.toContain('ipv6only')
  })

  test('a server without listen gets one', () => {
    expect(run('http { server { return 200; } }').text).toContain('server { listen 127.0.0.1:20001; return 200; }')
  })
})

describe('nodes', () => {
  const nodes = (text: string) => nginx.nodes(run(text).config).map(({address}) => address)

  test('of upstreams, of proxy_pass, of variables; the placeholder counts', () => {
    expect(
      nodes(
        'upstream a { server gms1:8080 weight=2; server [::1]:8080 backup; server <your_domain_name>:<your_port>; } server { location / { proxy_pass http://a/; } }',
      ),
    ).toEqual(['gms1:8080', '[::1]:8080', '<your_domain_name>:<your_port>'])
    expect(nodes('server { set $node gms1:8080; location / { proxy_pass http://$node; } }')).toEqual(['gms1:8080'])
    expect(
      nodes(
        'map $cookie_a $node { default one; b gms2:8080; } upstream one { server gms1:8080; } server { location / { proxy_pass http://$node; } }',
      ),
    ).toEqual(['gms2:8080', 'gms1:8080'])
    expect(nodes('server { location / { proxy_pass http://$http_host; } }')).toEqual([])
  })

  test('what other paths lead to is no node, and unreachable', () => {
    const {text} = run(
      'http { server { location /genesys/ { proxy_pass https://gms:8443; } location / { proxy_pass http://www:3000/x; fastcgi_pass php:9000; } } }',
    )
    expect(text).toContain('proxy_pass https://127.0.0.1:21001;')
    expect(text).toContain('proxy_pass http://127.0.0.1:9/x; fastcgi_pass 127.0.0.1:9;')
  })
})

test('a fragment is wrapped, and its own file stays one of the files', () => {
  const {result} = run('location /genesys/ { proxy_pass http://gms:8080; }', {more: [{path: 'gms-proxy-sandbox.conf', text: ''}]})
  expect(result.entry).toBe('_gms-proxy-sandbox.conf')
  expect(result.added[0]?.text).toContain('listen 127.0.0.1:20001;\n        include /box/nginx.conf;')
})
