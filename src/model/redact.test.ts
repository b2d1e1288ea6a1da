import {expect, test} from 'vitest'
import {redact} from './redact.ts'

const KEY = 'NSgiKiYf/XV4+RMz=='

test.each([
  ['JSON', `{"statusCode":0,"secureKey":"${KEY}","alias":"0"}`, '{"statusCode":0,"secureKey":"‹redacted›","alias":"0"}'],
  ['JSON with spaces', `{"secureKey" : "${KEY}"}`, '{"secureKey" : "‹redacted›"}'],
  ['JSON inside JSON', `"{\\"secureKey\\":\\"${KEY}\\",\\"a\\":1}"`, '"{\\"secureKey\\":\\"‹redacted›\\",\\"a\\":1}"'],
  [
    'query of callback-polling',
    `?message=${encodeURIComponent(`{"secureKey":"${KEY}","a":1}`)}`,
    '?message=%7B%22secureKey%22%3A%22‹redacted›%22%2C%22a%22%3A1%7D',
  ],
  [
    'urlencoded form',
    `operation=fileGetLimits&secureKey=${encodeURIComponent(KEY)}&x=1`,
    'operation=fileGetLimits&secureKey=‹redacted›&x=1',
  ],
  ['multipart form', `name="secureKey"\r\n\r\n${KEY}\r\n--b`, 'name="secureKey"\r\n\r\n‹redacted›\r\n--b'],
  ['authorization header', 'Authorization: Basic dXNlcjE6cGFzczE=', 'Authorization: ‹redacted›'],
  ['bearer in JSON', '{"authorization": "Bearer abc.def"}', '{"authorization": "‹redacted›"}'],
  ['cookie header', `Cookie: BAYEUX_BROWSER=abc; GMS=n1==`, 'Cookie: BAYEUX_BROWSER=‹redacted›; GMS=‹redacted›'],
  ['set-cookie header', 'set-cookie: GMS=n1; Path=/; HttpOnly; SameSite=Lax', 'set-cookie: GMS=‹redacted›; Path=/; HttpOnly; SameSite=Lax'],
  ['HAProxy statistics', '  stats auth admin:secret', '  stats auth ‹redacted›'],
  ['encoded credentials', '"auth":{"encoded":"dXNlcjE6cGFzczE="}', '"auth":{"encoded":"‹redacted›"}'],
  ['nginx, single quotes', `proxy_set_header Authorization 'Basic dXNlcjE6cGFzczE=';`, 'proxy_set_header Authorization ‹redacted›;'],
  ['nginx, double quotes', `proxy_set_header Authorization "Basic dXNlcjE6cGFzczE=";`, 'proxy_set_header Authorization ‹redacted›;'],
  [
    'HAProxy, an escaped space',
    String.raw`http-request set-header Authorization Basic\ dXNlcjE6cGFzczE=`,
    'http-request set-header Authorization ‹redacted›',
  ],
  [
    'HAProxy, an expression',
    'acl ok req.hdr(authorization) -m str "Basic dXNlcjE6cGFzczE="',
    'acl ok req.hdr(authorization) -m str "Basic ‹redacted›"',
  ],
  ['Apache', 'RequestHeader set Authorization "Basic dXNlcjE6cGFzczE="', 'RequestHeader set Authorization ‹redacted›'],
  ['JSON inside JSON, any scheme', String.raw`{\"authorization\": \"Bearer abc.DEF\"}`, String.raw`{\"authorization\": \"‹redacted›\"}`],
  ['a userlist', ' user bob insecure-password s3cret groups a', ' user bob insecure-password ‹redacted› groups a'],
  ['hashes', ' user bob password $5$abcdefgh$ijkl', ' user bob password ‹redacted›'],
  ['a line of htpasswd', 'bob:$apr1$abcdefgh$ijklmnop', 'bob:$apr1$‹redacted›'],
  ['a cookie of nginx', 'proxy_set_header Cookie "SID=abc; x=1";', 'proxy_set_header Cookie "SID=‹redacted›; x=‹redacted›";'],
  ['a cookie of Apache', 'Header add Set-Cookie "SID=abc; Path=/"', 'Header add Set-Cookie "SID=‹redacted›; Path=/"'],
  ['a cookie of variables', 'Header add Set-Cookie "N=.%{ROUTE}e; Path=/"', 'Header add Set-Cookie "N=.%{ROUTE}e; Path=/"'],
  ['a key of another product', 'proxy_set_header X-Api-Key abcdef;', 'proxy_set_header X-Api-Key ‹redacted›;'],
  ['a key of AJP', 'ProxyPass / ajp://a secret=abc', 'ProxyPass / ajp://a secret=‹redacted›'],
  ['a URL', 'http://bob:word@gms1:8080/x', 'http://‹redacted›@gms1:8080/x'],
  ['a passphrase', 'SessionCryptoPassphrase "a b"', 'SessionCryptoPassphrase ‹redacted›'],
  ['a cookie in a log', '"GET /" BAYEUX_BROWSER=abc123; a', '"GET /" BAYEUX_BROWSER=‹redacted›; a'],
  [
    'a private key',
    'a\n-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----\nb',
    'a\n-----BEGIN EC PRIVATE KEY-----‹redacted›-----END EC PRIVATE KEY-----\nb',
  ],
  ['a directive that only passes it on', 'proxy_set_header Cookie $http_cookie;', 'proxy_set_header Cookie $http_cookie;'],
  ['prose', 'the digest differs: Basic auth is not asked for', 'the digest differs: Basic auth is not asked for'],
  ['nothing secret', '[{"channel":"/meta/connect","successful":true}]', '[{"channel":"/meta/connect","successful":true}]'],
])('%s', (_, text, expected) => {
  expect(redact(text)).toBe(expected)
})

test('a key cut off by an excerpt is still hidden', () => {
  expect(redact(`{"secureKey":"${KEY.slice(0, 9)}`)).toBe('{"secureKey":"‹redacted›')
})

test.each(['\n', '\\', ' ', 'authorization ', '"secureKey"', 'basic '])('a long log of %j takes no time', piece => {
  const started = performance.now()
  redact(piece.repeat(60_000 / piece.length))
  expect(performance.now() - started).toBeLessThan(2000)
})

test.each([
  ['proxy_pass http://gms?token=Xy12secretZ;', 'Xy12secretZ'],
  ['# api_key=Xy12secretZ, api-key=Xy12secretZ', 'Xy12secretZ'],
  ['comes with Host: admin:Xy12secretZ@gms', 'Xy12secretZ'],
  ['server admin:Xy12secretZ@gms1:8080', 'Xy12secretZ'],
])('hides the secret of %s', (text, secret) => {
  expect(redact(text)).not.toContain(secret)
})

test.each([
  'token=$arg_token',
  'server gms1 10.0.0.1:8080 check',
  'bind ipv4@10.0.0.1:80',
  'http://gms1:8080/x@y',
  'map $x:$y@z',
  'if ($uri ~ ^[^:]+:[^@]+@)',
])('leaves %s as it is', text => {
  expect(redact(text)).toBe(text)
})
