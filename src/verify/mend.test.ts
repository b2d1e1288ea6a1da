import {expect, it} from 'vitest'
import {expectationsOfForeign} from '../parameters/expectations.ts'
import {CHECKS} from './checks/index.ts'
import {mend} from '../parameters/mend.ts'

const promises = {...expectationsOfForeign({name: 'x', nodes: 2}), maxFileSize: 20 * 1_048_576, holdMs: 50_000, upgradeIdleMs: 7_200_000}

it('carries the numbers that were promised', () => {
  const mendOf = (id: string) =>
    Object.values(CHECKS.find(({meta}) => meta.id === id)?.meta.remediation ?? {}).map(text => mend(text, promises))
  expect(mendOf('upload-largest-file')[0]).toContain('client_max_body_size 21m')
  expect(mendOf('polling-hold-survives').join()).toMatch(/proxy_read_timeout 65s.*ProxyTimeout 65.*timeout server 65s/)
  expect(mendOf('upgrade-idle-survives').join()).toMatch(/proxy_read_timeout 7200s.*ProxyTimeout 7200.*timeout tunnel 7200s/)
})

it('leaves nothing open', () => {
  for (const {meta} of CHECKS)
    for (const text of Object.values(meta.remediation)) expect(mend(text, promises)).not.toMatch(/(?<![%$])\{[a-z][a-zA-Z]+\}/)
})
