import {expect, it} from 'vitest'
import {idsWith, verifyJson} from '../support/cli.ts'

// The main promise: one parameters file, three proxies, every check passes with real timing.
it('renders, runs and proves all three proxies', {timeout: 180_000}, async () => {
  const {report, exitCode} = await verifyJson(['all', '--params', 'fixtures/parameters/two-nodes.yaml'])
  for (const subject of report.subjects)
    expect({name: subject.name, failed: idsWith(subject, 'failed'), errored: idsWith(subject, 'errored')}).toEqual({
      name: subject.name,
      failed: [],
      errored: [],
    })
  expect(report.subjects.map(({name}) => name)).toEqual(['nginx', 'apache', 'haproxy'])
  for (const subject of report.subjects)
    expect(
      idsWith(subject, 'notPromised').filter(
        id => !/^(?:tls|access-origins|access-networks|limits-one-address|limits-spare|upstream-follows|health-offline)/.test(id),
      ),
    ).toEqual([])
  // A host with few file descriptors may hold fewer chats than promised; nothing else may be skipped.
  for (const subject of report.subjects) expect(idsWith(subject, 'skipped').filter(id => id !== 'limits-hold-idle-chats')).toEqual([])
  expect(exitCode).toBe(0)
})

it('a single node needs no affinity, and says so', {timeout: 180_000}, async () => {
  const {report, exitCode} = await verifyJson([
    'all',
    '--set',
    'upstream.nodes=gms1:8080',
    '--set',
    'limits.chats=50',
    '--skip',
    'upgrade-idle',
    '--skip',
    'polling-hold',
    '--skip',
    'upload-slow-client',
    '--skip',
    'upload-late-answer',
  ])
  for (const subject of report.subjects) {
    expect(idsWith(subject, 'failed')).toEqual([])
    expect(idsWith(subject, 'skipped')).toEqual([])
    expect(idsWith(subject, 'notPromised')).toEqual(
      expect.arrayContaining([
        'affinity-same-node',
        'affinity-transport-fallback',
        'affinity-upload',
        'affinity-upload-websocket',
        'health-dead-node-leaves',
        'health-node-returns',
      ]),
    )
  }
  expect(report.verdict).toBe('passed')
  expect(exitCode).toBe(0)
})
