import {basename} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {SubjectReport} from '../../src/model/report.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import type {Proxy} from '../../src/proxies/proxy.ts'
import {PLAIN} from '../../src/bundle/render.ts'
import {resolveRuntime} from '../../src/runtime/resolve.ts'
import {idsWith, verifyJson} from '../support/cli.ts'
import {parametersFixtures} from '../support/golden.ts'
import {runtimeRequest} from '../support/runtime.ts'

// Every deployment of fixtures/parameters, rendered for each proxy that does not declare that it cannot, and driven: no check fails, and the
// three end alike. Waits of half a minute are left to a longer look (GMS_PROXY_EVERY_CHECK=1), and to two-nodes (rendered.e2e.ts); so are
// a thousand chats at once.

const LEFT_OUT = [
  'health',
  'polling-hold',
  'upgrade-idle',
  'upload-slow',
  'upload-late',
  'upstream-reload',
  'upstream-follows',
  'access-slow',
  'limits-hold',
]
const EVERY_CHECK = process.env['GMS_PROXY_EVERY_CHECK'] === '1'
/** Of one file only: `GMS_PROXY_DEPLOYMENT=tls`. */
const ONE = process.env['GMS_PROXY_DEPLOYMENT']

/** Where the proxies differ although all of them are right: what the one that skips the check says. */
const DECLARED_DIFFERENCES: readonly {check: string; proxy: string; because: RegExp}[] = [
  // With one node there is nothing to keep apart. Apache's balancer names its only member in a cookie all the same, which harms nobody.
  {check: 'affinity-cookie-attributes', proxy: 'nginx', because: /^the proxy sets no cookie of its own$/},
  {check: 'affinity-cookie-attributes', proxy: 'haproxy', because: /^the proxy sets no cookie of its own$/},
]

async function versionHere(proxy: Proxy): Promise<string> {
  const runtime = await resolveRuntime(proxy, runtimeRequest(proxy.name), new AbortController().signal)
  return runtime.version
}

const versions = new Map(await Promise.all(Object.values(PROXIES).map(async proxy => [proxy.name, await versionHere(proxy)] as const)))

const fixtures = (await parametersFixtures()).filter(({name}) => ONE === undefined || name === ONE)

describe.each(fixtures)('$name', ({file, parameters}) => {
  const proxies = Object.values(PROXIES).filter(
    proxy => proxy.unsupported(parameters, {...PLAIN, version: versions.get(proxy.name) ?? ''}).length === 0,
  )

  it('is kept by every proxy that does not decline', {timeout: 600_000, retry: 1}, async () => {
    expect(proxies.length).toBeGreaterThan(0)
    const {report} = await verifyJson([
      ...proxies.map(({name}) => name),
      '--params',
      file,
      ...(EVERY_CHECK ? [] : LEFT_OUT.flatMap(id => ['--skip', id])),
      // Apache holds a thread for each chat: several of its proxies at once need more than a machine has (capacity.e2e.ts holds them all, alone).
      ...(parameters.limits.chats > 5000 ? ['--set', 'limits.chats=1000'] : []),
    ])
    for (const subject of report.subjects)
      expect({name: subject.name, failed: explain(subject, 'failed'), errored: explain(subject, 'errored')}, basename(file)).toEqual({
        name: subject.name,
        failed: [],
        errored: [],
      })
    const [first, ...others] = report.subjects
    for (const other of others) expect(differences(first, other), `${first?.name} and ${other.name}`).toEqual([])
  })
})

function explain(subject: SubjectReport, status: 'failed' | 'errored'): readonly string[] {
  return subject.outcomes
    .filter(outcome => outcome.status === status)
    .map(({id, because, findings}) => `${id}: ${because ?? findings.map(({actual}) => actual).join('; ')}`)
}

/** Checks that one passes and the other skips, without a declared reason. */
function differences(one: SubjectReport | undefined, other: SubjectReport): readonly string[] {
  const skipped = new Set(idsWith(one, 'skipped'))
  const skippedThere = new Set(idsWith(other, 'skipped'))
  return [...skipped, ...skippedThere]
    .filter(id => skipped.has(id) !== skippedThere.has(id))
    .flatMap(id => {
      const by = skipped.has(id) ? one : other
      const because = by?.outcomes.find(outcome => outcome.id === id)?.because ?? ''
      const declared = DECLARED_DIFFERENCES.some(known => known.check === id && known.proxy === by?.proxy && known.because.test(because))
      return declared ? [] : [`${id}: ${by?.name} says ${because}`]
    })
}
