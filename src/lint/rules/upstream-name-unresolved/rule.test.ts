import {expect, it} from 'vitest'
import {expectationsOfForeign} from '../../../parameters/expectations.ts'
import {nginx} from '../../../proxies/nginx/index.ts'
import {rule} from './rule.ts'

const promises = expectationsOfForeign({name: 'nginx.conf', nodes: 1})

function messagesFor(node: string): readonly string[] {
  const text = `upstream gms {\n  server ${node};\n}\nserver {\n  listen 80;\n  location /genesys/ { proxy_pass http://gms; }\n}\n`
  const config = nginx.parse({proxy: 'nginx', entry: 'nginx.conf', files: [{path: 'nginx.conf', text}], origin: 'read'})
  const site = nginx.site?.(config, nginx.versions.newest)
  if (!site) throw new Error('nginx has a model')
  return rule.inspect?.({site, promises}).map(({actual}) => actual) ?? []
}

it.each([
  'gms.network.invalid:8080',
  'gms.INVALID.:8080',
  '${GMS_HOST}:8080',
  '%GMS_HOST%:8080',
  '@GMS_HOST@:8080',
  `${'g'.repeat(64)}.example:80`,
])('finds %s', node => expect(messagesFor(node)).toHaveLength(1))

it.each([
  '10.0.0.1:8080',
  '[2001:db8::1]:8080',
  'localhost:8080',
  'gms:8080',
  'gms_1.network.local:8080',
  'invalid.example.com:8080',
  '<your_domain_name>:8080',
])('leaves %s alone', node => expect(messagesFor(node)).toEqual([]))
