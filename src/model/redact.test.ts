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
  ['nothing secret', '[{"channel":"/meta/connect","successful":true}]', '[{"channel":"/meta/connect","successful":true}]'],
])('%s', (_, text, expected) => {
  expect(redact(text)).toBe(expected)
})

test('a key cut off by an excerpt is still hidden', () => {
  expect(redact(`{"secureKey":"${KEY.slice(0, 9)}`)).toBe('{"secureKey":"‹redacted›')
})
