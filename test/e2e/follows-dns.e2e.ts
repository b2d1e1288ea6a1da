import {join} from 'node:path'
import {expect, it} from 'vitest'
import {readBundle} from '../../src/bundle/disk.ts'
import {silentLogger} from '../../src/log.ts'
import type {Outcome} from '../../src/model/report.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {verify} from '../../src/verify/verify.ts'
import {projectRoot} from '../support/cli.ts'
import {runtimeRequest} from '../support/runtime.ts'

// Nodes that move while the proxy runs. Configurations that do not follow stand beside the check.

const PATIENCE_MS = 180_000
const inDocker = process.env['GMS_PROXY_RUNTIME'] === 'docker'

async function judge(path: string): Promise<Outcome> {
  const {bundle, proxy} = await readBundle(join(projectRoot, path), {proxies: Object.values(PROXIES)})
  const report = await verify([{kind: 'file', name: path, proxy, bundle}], {
    runtimeFor: column => runtimeRequest(column.name),
    only: ['upstream-follows-dns'],
    skip: [],
    allowExec: false,
    intrusive: false,
    keep: false,
    signal: new AbortController().signal,
    logger: silentLogger,
    toolVersion: '0.0.0',
    reproduce: '',
  })
  const [outcome] = report.subjects.flatMap(({outcomes}) => outcomes)
  if (!outcome) throw new Error('no outcome in the report')
  return outcome
}

it.each(['fixtures/foreign/nginx/followed-names/nginx.conf', 'fixtures/foreign/haproxy/followed-names/haproxy.cfg'])(
  '%s finds nodes that have moved',
  async path => {
    const {status, because, findings} = await judge(path)
    expect(because ?? findings[0]?.actual ?? '').toBe(
      inDocker ? 'a container reaches this machine at a single address: no node can move' : '',
    )
    expect(status).toBe(inDocker ? 'skipped' : 'passed')
  },
  PATIENCE_MS,
)

it.each([
  ['fixtures/foreign/apache/encrypted-nodes/httpd.conf', /asks the system for names/],
  ['fixtures/foreign/haproxy/genesys-sample-two-nodes/haproxy.cfg', /names no name server|written as addresses/],
])(
  '%s is not asked',
  async (path, because) => {
    expect(await judge(path)).toMatchObject({status: 'skipped', because: expect.stringMatching(because) as string})
  },
  PATIENCE_MS,
)
