import {describe, expect, test} from 'vitest'
import {CERTIFICATE, KEY, bundleBeside, certificatePlan} from '../../../test/support/certificate-plan.ts'
import {applyEdits} from '../../model/bundle.ts'
import type {ConfigFile} from '../../model/bundle.ts'
import {haproxy} from './index.ts'

const PLAN = certificatePlan('3.0.11')
const bundleOf = bundleBeside('haproxy', 'haproxy.cfg')

/** The `bind` line as it is run. */
function bind(line: string, {beside = [], global = ''}: {beside?: readonly ConfigFile[]; global?: string} = {}): string {
  const bundle = bundleOf(
    `global\n ${global}\ndefaults\n mode http\nfrontend f\n ${line}\n default_backend b\nbackend b\n server a gms1:8080\n`,
    beside,
  )
  const {edits} = haproxy.sandbox(haproxy.parse(bundle), PLAN)
  return applyEdits(bundle, edits).files[0]?.text.split('\n')[5]?.trim() ?? ''
}

describe('a bind line', () => {
  test.each([
    ['bind :443 ssl crt /etc/ssl/x.pem alpn h2,http/1.1', 'ssl crt /box/tls/both.pem alpn h2,http/1.1'],
    ['bind :443 ssl crt-list /etc/ssl/list strict-sni', 'ssl crt /box/tls/both.pem strict-sni'],
    ['bind :443 ssl crt @web/site crt /x ocsp-update on', 'ssl crt /box/tls/both.pem crt /box/tls/both.pem'],
    [
      'bind :443 ssl crt x ca-file /users.pem crl-file /crl.pem verify required',
      'ssl crt /box/tls/both.pem ca-file /box/tls/authority.pem verify required',
    ],
    ['bind :443 name crt ssl crt x', 'name crt ssl crt /box/tls/both.pem'],
    ['bind :443 ssl crt x tls-ticket-keys /keys ssl-min-ver TLSv1.2', 'ssl crt /box/tls/both.pem ssl-min-ver TLSv1.2'],
  ])('%s', (line, expected) => expect(bind(line)).toBe(`bind 127.0.0.1:20001 ${expected}`))

  test('HTTP/3 is not driven', () => expect(bind('bind quic4@:443 ssl crt x alpn h3')).toMatch(/^# bind quic4/))

  test('a certificate beside the configuration is used when its key is there too', () => {
    const path = 'tls/chat.pem'
    expect(bind(`bind :443 ssl crt ${path}`, {beside: [{path, text: CERTIFICATE + KEY}]})).toContain('crt /box/tls/chat.pem')
    expect(bind(`bind :443 ssl crt ${path}`, {beside: [{path, text: CERTIFICATE}]})).toContain('crt /box/tls/both.pem')
    const apart = [
      {path, text: CERTIFICATE},
      {path: `${path}.key`, text: KEY},
    ]
    expect(bind(`bind :443 ssl crt /srv/conf/${path}`, {beside: apart})).toContain('crt /box/tls/chat.pem')
    expect(bind('bind :443 ssl crt chat.pem', {beside: apart, global: 'crt-base tls'})).toContain('crt /box/tls/chat.pem')
    expect(bind('bind :443 ssl crt ../conf/tls/chat.pem', {beside: apart})).toContain('crt /box/tls/both.pem')
  })
})

describe('listeners', () => {
  const listeners = (text: string) => haproxy.listeners(haproxy.parse(bundleOf(text)))

  test('a certificate without the word ssl means TLS and speaks none', () => {
    expect(listeners('frontend f\n bind :443 crt x\n default_backend b\n')[0]).toMatchObject({tls: false, meansTls: true})
    expect(listeners('frontend f\n bind :443 ssl crt x\n default_backend b\n')[0]).not.toHaveProperty('meansTls')
  })

  test('verify required demands a certificate, verify optional does not', () => {
    expect(listeners('frontend f\n bind :443 ssl crt x verify required ca-file y\n default_backend b\n')[0]).toMatchObject({
      demandsCertificate: true,
    })
    expect(listeners('frontend f\n bind :443 ssl crt x verify optional ca-file y\n default_backend b\n')[0]).not.toHaveProperty(
      'demandsCertificate',
    )
  })

  test('with strict-sni users ask for the name of the file, or any', () => {
    expect(listeners('frontend f\n bind :443 ssl crt /x/chat.example.com.pem strict-sni\n default_backend b\n')[0]?.serverName).toBe(
      'chat.example.com',
    )
    expect(listeners('frontend f\n bind :443 ssl crt /x/certs strict-sni\n default_backend b\n')[0]?.serverName).toBe('localhost')
  })
})

test('what the reader of a bundle takes along, when it can be read', () => {
  const config = haproxy.parse(bundleOf('global\n crt-base tls\nfrontend f\n bind :443 ssl crt a.pem crt @store/b crt /c.pem\n'))
  const found = haproxy.includes?.(config.files[0]?.directives ?? []) ?? []
  expect(found.map(({pattern, optional}) => [pattern, optional])).toEqual([
    ['tls/a.pem', true],
    ['tls/a.pem.key', true],
    ['/c.pem', true],
    ['/c.pem.key', true],
  ])
})
