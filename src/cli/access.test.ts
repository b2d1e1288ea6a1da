import {expect, test} from 'vitest'
import {UsageError} from '../errors.ts'
import {upstreamUrls} from './access.ts'

test.each([
  'http://joe:Pa55-word@gms.example.com',
  'http:/joe:Pa55-word@gms.example.com',
  'http:joe:Pa55-word@gms.example.com',
  'joe:Pa55-word@gms.example.com:8080',
  'http://joe:Pa55-word@gms.example.com:99999',
  'http://joe:Pa55@-word@gms.example.com/path',
])('a password in the URL of a GMS is refused and not repeated: %s', word => {
  expect(() => upstreamUrls(word)).toThrow(UsageError)
  expect(() => upstreamUrls(word)).toThrow(/^(?!.*(Pa55|-word))--upstream .*gms\.example\.com/)
})

test('a GMS is named by its server; its own path is as good', () => {
  expect(upstreamUrls(['http://gms1:8080,https://gms2/genesys/cometd']).map(({href}) => href)).toEqual([
    'http://gms1:8080/',
    'https://gms2/',
  ])
  expect(upstreamUrls('simulator')).toEqual([])
})
