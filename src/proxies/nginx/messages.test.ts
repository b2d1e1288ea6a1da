import {expect, test} from 'vitest'
import {nginx} from './index.ts'
import {isFatalLogLine, parseConfigTest} from './messages.ts'
import {recognise} from './recognise.ts'

test('messages of nginx -t keep level and place', () => {
  const output = `nginx: [warn] conflicting server name "a" on 0.0.0.0:80, ignored
nginx: [emerg] unknown directive "foo" in /tmp/box/nginx.conf:12
nginx: configuration file /tmp/box/nginx.conf test failed
`
  expect(parseConfigTest(output)).toEqual([
    {level: 'warning', text: 'conflicting server name "a" on 0.0.0.0:80, ignored'},
    {level: 'error', text: 'unknown directive "foo"', file: '/tmp/box/nginx.conf', line: 12},
  ])
})

test('the error log that an old nginx cannot open before it reads its configuration is no message of that configuration', () => {
  const output = `nginx: [alert] could not open error log file: open() "/var/log/nginx/error.log" failed (13: Permission denied)
2026/01/01 00:00:00 [warn] 1#1: conflicting server name "a" on 0.0.0.0:80, ignored
nginx: [emerg] open() "/nowhere/error.log" failed (2: No such file or directory)
`
  expect(parseConfigTest(output)).toEqual([{level: 'error', text: 'open() "/nowhere/error.log" failed (2: No such file or directory)'}])
})

test('only a version that knows -e gets it', () => {
  const start = (version?: string) => nginx.start('nginx', '/box/nginx.conf', '/box', version).argv
  expect(start('1.18.0')).toEqual(['nginx', '-p', '/box/', '-c', '/box/nginx.conf'])
  expect(start('1.19.4')).not.toContain('-e')
  for (const version of ['1.19.5', '1.20.0', '1.30.6', '2.0.0', undefined])
    expect(start(version).slice(-2)).toEqual(['-e', '/box/error.log'])
})

test('alerts fail a run, limits of the machine do not', () => {
  expect(isFatalLogLine('2026/01/01 00:00:00 [alert] 1#1: worker process 2 exited on signal 11')).toBe(true)
  expect(isFatalLogLine('2026/01/01 00:00:00 [alert] 1#1: setrlimit(RLIMIT_NOFILE, 4048) failed (1: Operation not permitted)')).toBe(false)
  expect(isFatalLogLine('2026/01/01 00:00:00 [error] 1#1: *1 upstream timed out')).toBe(false)
})

test('the version is read from every build', () => {
  expect(nginx.parseVersion('nginx version: nginx/1.22.1\n')).toBe('1.22.1')
  expect(nginx.parseVersion('nginx version: openresty/1.25.3.1\n')).toBe('1.25.3')
})

test('its own dialect is recognised, the others are not', () => {
  expect(recognise('a.conf', 'server {\n  listen 80;\n  location / { proxy_pass http://a; }\n}\n')).toBe(1)
  expect(recognise('haproxy.cfg', 'frontend a\n  bind :80\n  default_backend b\nbackend b\n  server s 127.0.0.1:80\n')).toBe(0)
  expect(recognise('httpd.conf', 'Listen 80\n<Location "/a">\n  ProxyPass "http://a/"\n</Location>\n')).toBe(0)
})
