import {expect, test} from 'vitest'
import {haproxy} from './index.ts'
import {isFatalLogLine, parseConfigTest} from './messages.ts'

test('messages of haproxy -c become level, text and place; notices and summaries go', () => {
  const output = `[NOTICE]   (1) : haproxy version is 2.6.12-1+deb12u4
[WARNING]  (1) : config : resolvers 'x' [/a/haproxy.cfg:9] has no nameservers configured!
[ALERT]    (1) : config : parsing [/a/haproxy.cfg:2]: unmatched quote at position 11:
  maxconn "10
          ^
[ALERT]    (1) : config : parsing [/a/haproxy.cfg:7] : unknown keyword 'optoin' in 'defaults' section
[ALERT]    (1) : config : Error(s) found in configuration file : /a/haproxy.cfg
[ALERT]    (1) : config : Fatal errors found in configuration.
`
  expect(parseConfigTest(output)).toEqual([
    {level: 'warning', text: "resolvers 'x' [/a/haproxy.cfg:9] has no nameservers configured!", file: '/a/haproxy.cfg', line: 9},
    {level: 'error', text: 'unmatched quote at position 11: maxconn "10', file: '/a/haproxy.cfg', line: 2},
    {level: 'error', text: "unknown keyword 'optoin' in 'defaults' section", file: '/a/haproxy.cfg', line: 7},
  ])
})

test('a node that is down and a limit of the machine do not fail a run; a crash does', () => {
  expect(
    [
      '[WARNING]  (1) : Server gms/gms1 is DOWN, reason: Layer4 connection problem.',
      "[ALERT]    (1) : backend 'gms' has no server available!",
      "[ALERT]    (1) : [haproxy.main()] FD limit (20000) too low for maxconn=19100/maxsock=38219. Please raise 'ulimit-n' to 38219 or more to avoid any trouble.",
      '127.0.0.1:1 [22/Nov/2026:17:00:00.000] chat gms/gms1 0/0/0/1/1 200 120 --NI GET /genesys/cometd upgrade=-',
    ].map(isFatalLogLine),
  ).toEqual([false, false, false, false])
  expect(['[ALERT]    (1) : [haproxy.main()] Cannot chroot(/x).', 'Thread 1 is about to kill the process.'].map(isFatalLogLine)).toEqual([
    true,
    true,
  ])
})

test.each([
  ['HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/', '2.6.12'],
  ['HA-Proxy version 2.4.22-f8e3218 2023/02/14', '2.4.22'],
  ['HAProxy version 3.2-dev5', '3.2.0'],
  ['nginx', undefined],
])('version of %s', (output, version) => expect(haproxy.parseVersion(output)).toBe(version))
