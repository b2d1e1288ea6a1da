import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {readBundle} from '../../src/bundle/disk.ts'
import {silentLogger} from '../../src/log.ts'
import type {Outcome, SubjectReport} from '../../src/model/report.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {startSimulator} from '../../src/simulator/simulator.ts'
import {verify} from '../../src/verify/verify.ts'
import {projectRoot} from '../support/cli.ts'
import {runtimeRequest} from '../support/runtime.ts'

// Proxies that speak TLS to their nodes, in configurations written by hand, with verification switched on.

const FILES = [
  'fixtures/foreign/nginx/encrypted-nodes/nginx.conf',
  'fixtures/foreign/apache/encrypted-nodes/httpd.conf',
  'fixtures/foreign/haproxy/encrypted-nodes/haproxy.cfg',
] as const
/** These wait for half a minute and more, or are about what these files do not set; TLS makes no difference to them. */
const UNTOUCHED = [
  'health',
  'limits-hold-idle-chats',
  'upgrade-idle-survives',
  'upload-slow-client',
  'upload-late-answer',
  'access-slow-headers-cut',
  'access-origins',
  'forwarding-scheme',
  'logging',
]
const PATIENCE_MS = 180_000

async function judge(
  path: string,
  {
    only = [],
    skip = [],
    upstream,
    change = text => text,
  }: {only?: readonly string[]; skip?: readonly string[]; upstream?: URL; change?(text: string): string},
): Promise<SubjectReport> {
  const {bundle, proxy} = await readBundle(join(projectRoot, path), {proxies: Object.values(PROXIES)})
  const files = bundle.files.map(file => ({...file, text: change(file.text)}))
  const report = await verify([{kind: 'file', name: path, proxy, bundle: {...bundle, files}}], {
    runtimeFor: column => runtimeRequest(column.name),
    only,
    skip,
    ...(upstream ? {upstream: [upstream]} : {}),
    allowExec: false,
    intrusive: false,
    keep: false,
    signal: new AbortController().signal,
    logger: silentLogger,
    toolVersion: '0.0.0',
    reproduce: '',
  })
  const [subject] = report.subjects
  if (!subject) throw new Error('no subject in the report')
  return subject
}

const failed = ({outcomes}: SubjectReport): readonly string[] =>
  outcomes
    .filter(({status}) => status === 'failed' || status === 'errored')
    .map(({id, because, findings}) => `${id}: ${because ?? findings[0]?.actual ?? ''}`)
const named = ({outcomes}: SubjectReport, id: string): Outcome | undefined => outcomes.find(outcome => outcome.id === id)

describe.each(FILES)('%s', path => {
  it(
    'passes over TLS to its nodes, which prove their names',
    async () => {
      const report = await judge(path, {skip: UNTOUCHED})
      expect(failed(report)).toEqual([])
      for (const id of ['polling-chat', 'upgrade-chat', 'upload-largest-file', 'affinity-same-node', 'tls-upstream-verified'])
        expect(named(report, id)?.status, id).toBe('passed')
      expect(report.sandboxDiff).toContain('the throw-away authority has signed the certificates of the simulated nodes')
    },
    PATIENCE_MS,
  )

  it(
    'passes in front of a GMS that is not ours, through a tap that speaks TLS to the proxy',
    async () => {
      await using simulator = await startSimulator({nodes: 1})
      const url = new URL(`http://127.0.0.1:${simulator.nodes[0]?.port ?? 0}`)
      const report = await judge(path, {
        only: ['polling-chat', 'upgrade-chat', 'upstream-path-intact', 'tls-upstream-verified'],
        upstream: url,
      })
      expect(failed(report)).toEqual([])
      expect(named(report, 'polling-chat')?.status).toBe('passed')
      expect(named(report, 'upgrade-chat')?.status).toBe('passed')
      expect(named(report, 'tls-upstream-verified')?.status).toBe('skipped')
      expect(simulator.recorder.requests.length).toBeGreaterThan(0)
    },
    PATIENCE_MS,
  )
})

it(
  'nginx that asks its nodes for the name of an upstream finds it in no certificate',
  async () => {
    const report = await judge(FILES[0], {
      only: ['listener-reaches-gms', 'tls-upstream-verified'],
      change: text => text.replace(/proxy_ssl_name .*/, ''),
    })
    expect(named(report, 'tls-upstream-verified')).toMatchObject({
      status: 'failed',
      findings: [{actual: expect.stringContaining('looked at the certificate and hung up') as string}],
    })
  },
  PATIENCE_MS,
)

it(
  'a proxy that speaks plain text is not asked',
  async () => {
    const report = await judge('fixtures/foreign/haproxy/genesys-sample/haproxy.cfg', {only: ['tls-upstream-verified']})
    expect(named(report, 'tls-upstream-verified')).toMatchObject({
      status: 'skipped',
      because: 'the proxy speaks plain text to its nodes',
    })
  },
  PATIENCE_MS,
)
