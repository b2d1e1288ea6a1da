import {PassThrough} from 'node:stream'
import {expect, it} from 'vitest'
import {passed} from '../../test/support/reports.ts'
import {showProgress} from './progress.ts'

function terminal(isTTY: boolean): {stream: NodeJS.WriteStream; written(): string} {
  const through = new PassThrough()
  let written = ''
  through.on('data', (chunk: Buffer) => (written += chunk.toString()))
  return {stream: Object.assign(through, {isTTY, columns: 80}) as unknown as NodeJS.WriteStream, written: () => written}
}

it('says little where nobody watches', () => {
  const {stream, written} = terminal(false)
  using view = showProgress(stream)
  view.on({
    event: 'subject-started',
    subject: 'nginx',
    checks: ['a', 'b'],
    runtime: {kind: 'binary', reference: '/usr/sbin/nginx', version: '1.22.1', reason: ''},
  })
  view.on({event: 'check-started', subject: 'nginx', id: 'a', longestWaitMs: 30_000})
  view.on({event: 'check-finished', subject: 'nginx', outcome: passed})
  view.on({event: 'check-finished', subject: 'nginx', outcome: {...passed, id: 'b', status: 'failed'}})
  expect(written()).toBe('nginx 1.22.1 (binary): 2 checks\nnginx: b failed\n')
})

it('redraws one line for each subject on a terminal, gives the cursor back, and keeps notes', () => {
  const before = {ci: process.env['CI'], term: process.env['TERM']}
  delete process.env['CI']
  process.env['TERM'] = 'xterm'
  const {stream, written} = terminal(true)
  const view = showProgress(stream)
  view.on({event: 'subject-started', subject: 'nginx', checks: ['polling-hold-survives']})
  view.on({event: 'check-started', subject: 'nginx', id: 'polling-hold-survives', longestWaitMs: 30_000})
  view.note('a warning')
  view[Symbol.dispose]()
  Object.assign(process.env, {
    ...(before.ci === undefined ? {} : {CI: before.ci}),
    ...(before.term === undefined ? {} : {TERM: before.term}),
  })
  expect(written()).toContain('nginx 0/1  polling-hold-survives 0/30 s')
  expect(written()).toMatch(/a warning\n/)
  expect(written().endsWith('\u001b[?25h')).toBe(true)
})
