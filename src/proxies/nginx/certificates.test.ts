import {describe, expect, test} from 'vitest'
import {CERTIFICATE, KEY, bundleBeside, certificatePlan} from '../../../test/support/certificate-plan.ts'
import {applyEdits} from '../../model/bundle.ts'
import type {ConfigFile} from '../../model/bundle.ts'
import {nginx} from './index.ts'

const PLAN = certificatePlan('1.22.1')
const bundleOf = bundleBeside('nginx', 'nginx.conf')

/** The lines of a server as they are run, without what the sandbox does beside. */
function server(lines: string, beside: readonly ConfigFile[] = []): string {
  const bundle = bundleOf(`http { server { listen 443 ssl; location /genesys { proxy_pass http://gms1:8080; }\n${lines}\n} }`, beside)
  const {edits} = nginx.sandbox(nginx.parse(bundle), PLAN)
  return applyEdits(bundle, edits).files[0]?.text.split('\n')[1]?.replace(/\s+/g, ' ').trim() ?? ''
}

describe('files of a TLS listener', () => {
  test.each([
    ['ssl_certificate /a.pem; ssl_certificate_key /a.key;', 'ssl_certificate /box/tls/chain.pem; ssl_certificate_key /box/tls/key.pem;'],
    [
      'ssl_certificate /rsa.pem; ssl_certificate_key /rsa.key; ssl_certificate /ec.pem; ssl_certificate_key /ec.key;',
      'ssl_certificate /box/tls/chain.pem; ssl_certificate_key /box/tls/key.pem;',
    ],
    [
      'ssl_certificate $host.pem; ssl_certificate_key data:$key;',
      'ssl_certificate /box/tls/chain.pem; ssl_certificate_key /box/tls/key.pem;',
    ],
    ['ssl_client_certificate /users.pem; ssl_crl /crl.pem;', 'ssl_client_certificate /box/tls/authority.pem;'],
    ['ssl_dhparam /dh.pem; ssl_session_ticket_key /t.key; ssl_password_file /pass;', ''],
    ['ssl_stapling on; ssl_stapling_verify on; ssl_protocols TLSv1.2;', 'ssl_protocols TLSv1.2;'],
  ])('%s', (lines, expected) => expect(server(lines)).toBe(expected))

  test('what lies beside the configuration is read from its copy, a certificate with its key or not at all', () => {
    const pair = [
      {path: 'tls/a.pem', text: CERTIFICATE},
      {path: 'tls/a.key', text: KEY},
    ]
    const lines = 'ssl_certificate tls/a.pem; ssl_certificate_key /srv/conf/tls/a.key;'
    expect(server(lines, pair)).toBe('ssl_certificate /box/tls/a.pem; ssl_certificate_key /box/tls/a.key;')
    expect(server(lines, pair.slice(0, 1))).toBe('ssl_certificate /box/tls/chain.pem; ssl_certificate_key /box/tls/key.pem;')
    expect(server('ssl_dhparam tls/dh.pem;', [{path: 'tls/dh.pem', text: ''}])).toBe('ssl_dhparam /box/tls/dh.pem;')
  })

  test('a key of an engine is refused', () => {
    const bundle = bundleOf('http { server { listen 443 ssl; ssl_certificate_key engine:evil:key; } }')
    expect(nginx.sandbox(nginx.parse(bundle), PLAN).refused).toHaveLength(1)
  })
})

describe('listeners', () => {
  const first = (text: string) => nginx.listeners(nginx.parse(bundleOf(text)))[0]

  test('a certificate without a listen that says ssl means TLS and speaks none', () => {
    expect(first('http { server { listen 443; ssl_certificate a; } }')).toMatchObject({tls: false, meansTls: true})
    expect(first('http { server { listen 80; listen 443 ssl; ssl_certificate a; } }')).not.toHaveProperty('meansTls')
    expect(first('http { ssl_certificate a; server { listen 80; } }')).not.toHaveProperty('meansTls')
  })

  test('TLS that one server switches on holds for all of its socket', () => {
    const text = 'http { server { listen 443; location /genesys { proxy_pass http://g:1; } } server { listen 443 ssl; } }'
    expect(first(text)).toMatchObject({address: '443', tls: true})
  })

  test('ssl_verify_client on demands a certificate, for all servers when it stands above them', () => {
    expect(first('http { server { listen 443 ssl; ssl_verify_client on; } }')).toMatchObject({demandsCertificate: true})
    expect(first('http { ssl_verify_client on; server { listen 443 ssl; } }')).toMatchObject({demandsCertificate: true})
    expect(first('http { server { listen 443 ssl; ssl_verify_client optional; } }')).not.toHaveProperty('demandsCertificate')
  })
})
