import {expect, it} from 'vitest'
import type {Inspection} from '../../rule.ts'
import {PROXIES} from '../../../proxies/index.ts'
import {expectationsOfForeign} from '../../../parameters/expectations.ts'
import {rule} from './rule.ts'

function inspect(line: string) {
  const text = `defaults\n    mode http\n    timeout connect 5s\n    timeout client 1m\n    timeout server 1m\n    ${line}\nlisten chat\n    bind :80\n    server gms1 127.0.0.1:8080\n`
  const {haproxy} = PROXIES
  const config = haproxy.parse({proxy: 'haproxy', entry: 'haproxy.cfg', files: [{path: 'haproxy.cfg', text}], origin: 'read'})
  const site = haproxy.site?.(config, '2.6.12')
  if (!site) throw new Error('HAProxy has no model')
  const inspection: Inspection = {site, promises: expectationsOfForeign({name: 'haproxy.cfg', nodes: 1})}
  return rule.inspect?.(inspection).map(({edits}) => edits?.[0]?.text)
}

it.each([
  ['timeout tarpit 605', ['605s']],
  ['timeout server 45', ['45s']],
  ['timeout tunnel 3600', ['3600s']],
  ['timeout connect 5', ['5s']],
  ['timeout http-request 15', ['15s']],
])('%s is meant in seconds', (line, texts) => {
  expect(inspect(line)).toEqual(texts)
})

it.each([
  'timeout server 50000',
  'timeout connect 500',
  'timeout tunnel 3600000',
  'timeout client 0',
  'timeout tarpit 605ms',
  'timeout queue 5s',
])('%s is taken as it is written', line => {
  expect(inspect(line)).toEqual([])
})
