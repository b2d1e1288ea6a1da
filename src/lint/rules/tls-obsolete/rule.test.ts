import {expect, it} from 'vitest'
import {expectationsOfForeign} from '../../../parameters/expectations.ts'
import {nginx} from '../../../proxies/nginx/index.ts'
import {rule} from './rule.ts'

const promises = expectationsOfForeign({name: 'nginx.conf', nodes: 1})

function oldIn(ciphers: string): readonly string[] {
  const lines = ['listen 443 ssl;', 'ssl_certificate a.pem;', 'ssl_certificate_key a.key;', `ssl_ciphers "${ciphers}";`]
  const text = `server {\n  ${lines.join('\n  ')}\n  location / { proxy_pass http://gms1.example.com:8080; }\n}\n`
  const config = nginx.parse({proxy: 'nginx', entry: 'nginx.conf', files: [{path: 'nginx.conf', text}], origin: 'read'})
  const site = nginx.site?.(config, nginx.versions.newest)
  if (!site) throw new Error('nginx has a model')
  return rule.inspect?.({site, promises}).map(({actual}) => actual) ?? []
}

it.each([
  ['RC4-SHA:HIGH', 'RC4-SHA'],
  ['HIGH:DES-CBC3-SHA', 'DES-CBC3-SHA'],
  ['ECDHE-RSA-DES-CBC3-SHA:AES128-SHA', 'ECDHE-RSA-DES-CBC3-SHA'],
  ['NULL-SHA256', 'NULL-SHA256'],
  ['ALL:!aNULL:RC4+RSA', 'RC4+RSA'],
  ['HIGH:aNULL', 'aNULL'],
])('finds what is broken in %s', (ciphers, old) => expect(oldIn(ciphers)).toEqual([old]))

it.each([
  'HIGH:!aNULL:!MD5:!RC4:!3DES',
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES256-GCM-SHA384',
  'ECDHE+AESGCM:ECDHE+CHACHA20:-RSA:+HIGH',
  'EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH',
  'HIGH:!RC4:RC4-SHA',
  'DEFAULT:!DSS',
  'ALL:!EXPORT:!LOW:!aNULL:!eNULL:!SSLv2',
])('leaves %s alone', ciphers => expect(oldIn(ciphers)).toEqual([]))
