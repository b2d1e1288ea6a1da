import {beforeAll, describe, expect, it} from 'vitest'
import type {SubjectReport} from '../../src/model/report.ts'
import {idsWith, verifyJson} from '../support/cli.ts'

// The vendor's three published samples, verified as an operator would: they must show what was measured on them.
const SAMPLES = {
  nginx: 'fixtures/foreign/nginx/genesys-sample/nginx.conf',
  apache: 'fixtures/foreign/apache/genesys-sample/httpd.conf',
  haproxy: 'fixtures/foreign/haproxy/genesys-sample/haproxy.cfg',
  nginxTwo: 'fixtures/foreign/nginx/genesys-sample-two-nodes/nginx.conf',
  haproxyTwo: 'fixtures/foreign/haproxy/genesys-sample-two-nodes/haproxy.cfg',
} as const

const subjects = new Map<string, SubjectReport>()
let exitCode: number | undefined

beforeAll(async () => {
  const result = await verifyJson(Object.values(SAMPLES))
  exitCode = result.exitCode
  for (const subject of result.report.subjects) subjects.set(subject.name, subject)
}, 240_000)

const actual = (sample: keyof typeof SAMPLES, id: string) =>
  subjects
    .get(SAMPLES[sample])
    ?.outcomes.find(outcome => outcome.id === id)
    ?.findings.map(finding => finding.actual)
    .join('; ')

describe('the published samples', () => {
  it('fail', () => expect(exitCode).toBe(1))

  it('nginx: 413 above 1 MB, the port missing from Host, a forgeable client address', () => {
    expect(idsWith(subjects.get(SAMPLES.nginx), 'failed')).toEqual([
      'access-admin-closed',
      'access-websocket-upgrades-only',
      'forwarding-client-address',
      'forwarding-client-not-forgeable',
      'forwarding-host',
      'forwarding-scheme',
      'logging-keeps-secrets-out',
      'upload-largest-file',
      'upload-oversize-refused-by-gms',
    ])
    expect(actual('nginx', 'upload-largest-file')).toContain('413')
    expect(actual('nginx', 'forwarding-host')).toContain('localhost')
    expect(actual('nginx', 'forwarding-client-not-forgeable')).toContain('203.0.113.66')
  })

  it('Apache: an open forward proxy and a lost Host', () => {
    expect(idsWith(subjects.get(SAMPLES.apache), 'failed')).toEqual([
      'access-admin-closed',
      'access-not-a-forward-proxy',
      'forwarding-client-not-forgeable',
      'forwarding-host',
      'forwarding-scheme',
    ])
  })

  it('HAProxy: 504 at 25 s on every quiet poll, a forgeable client address', () => {
    expect(idsWith(subjects.get(SAMPLES.haproxy), 'failed')).toEqual([
      'access-admin-closed',
      'access-websocket-upgrades-only',
      'forwarding-client-not-forgeable',
      'forwarding-scheme',
      'logging-keeps-secrets-out',
      'polling-hold-survives',
      'upload-late-answer',
      // its held polls are cut at 25 s, with a reload and without
      'upstream-reload-keeps-chat',
    ])
    expect(actual('haproxy', 'polling-hold-survives')).toMatch(/504 after 25\.\d s/)
  })

  it('one node each: affinity is not judged, aloud', () => {
    for (const sample of ['nginx', 'apache', 'haproxy'] as const) {
      const skipped = idsWith(subjects.get(SAMPLES[sample]), 'notPromised')
      expect(skipped.filter(id => id.startsWith('affinity'))).toEqual([
        'affinity-cookie-attributes',
        'affinity-same-node',
        'affinity-transport-fallback',
        'affinity-upload',
        'affinity-upload-websocket',
      ])
      expect(skipped).toEqual(expect.arrayContaining(['health-dead-node-leaves', 'health-node-returns', 'logging-names-the-node']))
    }
  })

  it('two nodes: no affinity, on HAProxy in spite of `cookie server1`', () => {
    for (const sample of ['nginxTwo', 'haproxyTwo'] as const) {
      expect(idsWith(subjects.get(SAMPLES[sample]), 'failed')).toEqual(expect.arrayContaining(['affinity-same-node', 'affinity-upload']))
      expect(actual(sample, 'affinity-same-node')).toMatch(/^0 of 10: .*402::session_unknown/)
      expect(subjects.get(SAMPLES[sample])?.promises.nodes).toBe(2)
    }
  })

  it('name the place of the mend', () => {
    const place = subjects.get(SAMPLES.haproxy)?.outcomes.find(({id}) => id === 'polling-hold-survives')?.findings[0]
    expect(place?.location?.file).toContain('haproxy.cfg')
    expect(place?.location?.line).toBeGreaterThan(1)
    expect(place?.remediation).toContain('timeout server')
  })
})
