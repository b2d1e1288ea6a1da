import {describe, expect, test} from 'vitest'
import {CERTIFICATE, KEY, bundleBeside, certificatePlan} from '../../../test/support/certificate-plan.ts'
import {applyEdits} from '../../model/bundle.ts'
import type {ConfigFile} from '../../model/bundle.ts'
import {apache} from './index.ts'

const PLAN = certificatePlan('2.4.71')
const bundleOf = bundleBeside('apache', 'httpd.conf')

/** The lines of a virtual host as they are run, without those that are commented out. */
function host(lines: string, beside: readonly ConfigFile[] = []): readonly string[] {
  const bundle = bundleOf(`Listen 443\n<VirtualHost *:443>\n${lines}\n</VirtualHost>\n`, beside)
  const {edits, refused} = apache.sandbox(apache.parse(bundle), PLAN)
  expect(refused).toEqual([])
  const text = applyEdits(bundle, edits).files[0]?.text.split('\n') ?? []
  return text.filter(line => !/^(?:Listen|<|#|$)/.test(line))
}

describe('files of a TLS listener', () => {
  test.each([
    ['SSLEngine on', ['SSLEngine on']],
    [
      'SSLCertificateFile /a.pem\nSSLCertificateKeyFile /a.key',
      ['SSLCertificateFile "/box/tls/chain.pem"', 'SSLCertificateKeyFile "/box/tls/key.pem"'],
    ],
    ['SSLCertificateFile /both.pem', ['SSLCertificateFile "/box/tls/both.pem"']],
    [
      'SSLCertificateFile /rsa\nSSLCertificateKeyFile /rsa.key\nSSLCertificateFile /ec\nSSLCertificateKeyFile /ec.key\nSSLCertificateChainFile /c',
      ['SSLCertificateFile "/box/tls/chain.pem"', 'SSLCertificateKeyFile "/box/tls/key.pem"'],
    ],
    ['SSLCACertificatePath /users\nSSLVerifyClient require', ['SSLCACertificateFile "/box/tls/authority.pem"', 'SSLVerifyClient require']],
    ['SSLCARevocationFile /crl\nSSLCARevocationCheck chain\nSSLUseStapling on\nSSLSessionTicketKeyFile /t', []],
    ['SSLOpenSSLConfCmd Curves X25519:prime256v1\nSSLOpenSSLConfCmd DHParameters /dh', ['SSLOpenSSLConfCmd Curves X25519:prime256v1']],
  ])('%s', (lines, expected) => expect(host(lines)).toEqual(expected))

  test('what lies beside the configuration is read from its copy, a certificate with its key or not at all', () => {
    const pair = [
      {path: 'tls/a.pem', text: CERTIFICATE},
      {path: 'tls/a.key', text: KEY},
    ]
    const lines = 'SSLCertificateFile tls/a.pem\nSSLCertificateKeyFile "/srv/conf/tls/a.key"'
    expect(host(lines, pair)).toEqual(['SSLCertificateFile "/box/tls/a.pem"', 'SSLCertificateKeyFile "/box/tls/a.key"'])
    expect(host(lines, pair.slice(0, 1))).toEqual(['SSLCertificateFile "/box/tls/chain.pem"', 'SSLCertificateKeyFile "/box/tls/key.pem"'])
  })

  test.each(['SSLOpenSSLConfCmd PrivateKey /etc/shadow', 'SSLOpenSSLConfCmd VerifyCAFile Curves'])('refused: %s', line => {
    expect(apache.sandbox(apache.parse(bundleOf(line)), PLAN).refused).toHaveLength(1)
  })
})

describe('listeners', () => {
  const listeners = (text: string) => apache.listeners(apache.parse(bundleOf(text)))

  test('a certificate without SSLEngine on means TLS and speaks none, whatever Listen says (measured on 2.4.71)', () => {
    const text = (line: string) => `Listen 443 https\n<VirtualHost *:443>\nSSLCertificateFile a\n${line}\n</VirtualHost>`
    expect(listeners(text(''))[0]).toMatchObject({tls: false, meansTls: true})
    expect(listeners(text('SSLEngine on'))[0]).toMatchObject({tls: true})
    expect(listeners(text('SSLEngine off'))[0]).not.toHaveProperty('meansTls')
    expect(listeners(`SSLEngine on\n${text('')}`)[0]).toMatchObject({tls: true})
  })

  test('of two that serve the chat, the one that speaks TLS comes first', () => {
    const text =
      'Listen 80\nListen 443\n<VirtualHost *:80>\nProxyPass / http://a/\n</VirtualHost>\n<VirtualHost *:443>\nSSLEngine on\nProxyPass / http://a/\n</VirtualHost>'
    expect(listeners(text).map(({address, tls}) => [address, tls])).toEqual([
      ['443', true],
      ['80', false],
    ])
  })

  test('SSLVerifyClient require demands a certificate', () => {
    const text = (value: string) => `Listen 443\n<VirtualHost *:443>\nSSLEngine on\nSSLVerifyClient ${value}\n</VirtualHost>`
    expect(listeners(text('require'))[0]).toMatchObject({demandsCertificate: true})
    expect(listeners(text('optional'))[0]).not.toHaveProperty('demandsCertificate')
  })
})
