import {expect, test} from 'vitest'
import {isFatalLogLine, parseConfigTest} from './messages.ts'

test.each([
  [
    "AH00526: Syntax error on line 7 of /s/httpd.conf:\nInvalid command 'RequestHeader', perhaps misspelled\n",
    [{level: 'error', text: "Invalid command 'RequestHeader', perhaps misspelled", file: '/s/httpd.conf', line: 7}],
  ],
  [
    'httpd: Syntax error on line 2 of /s/httpd.conf: Cannot load /m/mod_x.so into server: cannot open shared object file\n',
    [{level: 'error', text: 'Cannot load /m/mod_x.so into server: cannot open shared object file', file: '/s/httpd.conf', line: 2}],
  ],
  [
    'apache2: Syntax error on line 23 of /s/gms-proxy-httpd.conf: Syntax error on line 4 of /s/httpd.conf: Cannot load x\n',
    [{level: 'error', text: 'Cannot load x', file: '/s/httpd.conf', line: 4}],
  ],
  [
    'AH00558: httpd: Could not reliably determine the fully qualified domain name\nSyntax OK\n',
    [{level: 'warning', text: 'AH00558: httpd: Could not reliably determine the fully qualified domain name'}],
  ],
  [
    'AH00112: Warning: DocumentRoot [/x] does not exist\nSyntax OK',
    [{level: 'warning', text: 'AH00112: Warning: DocumentRoot [/x] does not exist'}],
  ],
  [
    '(98)Address already in use: AH00072: make_sock: could not bind to address 127.0.0.1:80\nno listening sockets available, shutting down\n',
    [{level: 'error', text: '(98)Address already in use: AH00072: make_sock: could not bind to address 127.0.0.1:80'}],
  ],
  [
    '[Sun Nov 22 17:24:31.813368 2026] [proxy_balancer:emerg] [pid 1:tid 1] AH01177: Failed to lookup provider\n',
    [{level: 'error', text: 'AH01177: Failed to lookup provider'}],
  ],
  ['[Sun Nov 22 17:24:31.813368 2026] [mpm_event:notice] [pid 1:tid 1] AH00489: resuming normal operations\n', []],
])('%j', (output, expected) => {
  expect(parseConfigTest(output)).toEqual(expected)
})

test.each([
  ['[x] [core:notice] [pid 1] AH00052: child pid 9 exit signal Segmentation fault (11)', true],
  ['[x] [core:alert] [pid 1] x', true],
  ['[x] [proxy:error] [pid 1] AH00957: attempt to connect failed', false],
])('%s', (line, fatal) => {
  expect(isFatalLogLine(line)).toBe(fatal)
})
