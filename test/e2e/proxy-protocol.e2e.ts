import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {readBundle} from '../../src/bundle/disk.ts'
import {silentLogger} from '../../src/log.ts'
import type {SubjectReport} from '../../src/model/report.ts'
import {loadParameters} from '../../src/parameters/load.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {plainRequest} from '../../src/flows/plain-request.ts'
import {resolveRuntime} from '../../src/runtime/resolve.ts'
import {setStage} from '../../src/verify/stage.ts'
import {prepare} from '../../src/verify/subject.ts'
import type {Subject} from '../../src/verify/subject.ts'
import {verify} from '../../src/verify/verify.ts'
import {COMETD_PATH} from '../../src/wire/bayeux.ts'
import {idsWith, projectRoot} from '../support/cli.ts'
import {runtimeRequest, suiteOptions} from '../support/runtime.ts'

// A load balancer in front names the client in a PROXY protocol header. What such a listener needs of the sandbox: the header before each connection,
// before TLS too, and that whoever sends it is trusted although the file only names networks that are not here. What fails on it: broken.* of
// forwarding-client-address and of listener-reaches-gms (checks.e2e.ts).

const SAMPLED = ['listener', 'tls-terminates', 'tls-wss-chat', 'polling-chat', 'upgrade-chat', 'forwarding', 'access-networks-only']
const {signal} = new AbortController()

/** A plain and an encrypted listener, both announced; the trusted networks are none of this machine. */
async function rendered(name: keyof typeof PROXIES, overrides: readonly string[] = []): Promise<Extract<Subject, {kind: 'rendered'}>> {
  const stated = await loadParameters({
    overrides: [
      'listener.proxyProtocol=true',
      'listener.serverNames=chat.example.com',
      'tls.certificate=/etc/ssl/chat.pem',
      'tls.serverNames=chat.example.com',
      'tls.proxyProtocol=true',
      'forwarding.trustedProxies=10.0.0.0/8',
      'upstream.nodes=gms1.network.local:8080,gms2.network.local:8080',
      ...overrides,
    ],
    stdin: () => Promise.resolve(''),
  })
  return {kind: 'rendered', name, proxy: PROXIES[name], stated}
}

async function judge(subject: Subject): Promise<SubjectReport | undefined> {
  const report = await verify(
    [subject],
    suiteOptions({
      only: SAMPLED,
      signal,
      reproduce: 'gms-proxy verify',
    }),
  )
  return report.subjects[0]
}

describe.each(Object.values(PROXIES))('$name', proxy => {
  const name = proxy.name

  it('a listener that reads the header, plain and encrypted, keeps its promises', {timeout: 240_000, retry: 1}, async () => {
    const report = await judge(await rendered(name))
    expect({failed: idsWith(report, 'failed'), errored: idsWith(report, 'errored')}).toEqual({failed: [], errored: []})
    expect(idsWith(report, 'passed')).toEqual(
      expect.arrayContaining([
        'tls-wss-chat',
        'polling-chat',
        'upgrade-chat',
        'forwarding-client-address',
        'forwarding-client-not-forgeable',
      ]),
    )
    expect(report?.sandboxDiff).toContain('the load balancer of the sandbox, which sends the PROXY protocol header, is trusted as well')
  })

  it('networks that may connect are those of the clients that the header names', {timeout: 240_000, retry: 1}, async () => {
    const report = await judge(await rendered(name, ['access.allow=10.0.0.0/8']))
    expect({failed: idsWith(report, 'failed'), errored: idsWith(report, 'errored')}).toEqual({failed: [], errored: []})
    expect(idsWith(report, 'passed')).toContain('access-networks-only')
  })

  it('the file of somebody else says itself that it expects the header', {timeout: 240_000, retry: 1}, async () => {
    const file = {nginx: 'nginx.conf', apache: 'apache.conf', haproxy: 'haproxy.cfg'}[name]
    const path = join(projectRoot, 'src/lint/rules/listener-expects-proxy-protocol', `silent.${file}`)
    const {bundle} = await readBundle(path, {proxies: [proxy]})
    const report = await judge({kind: 'file', name: path, proxy, bundle})
    expect({failed: idsWith(report, 'failed'), errored: idsWith(report, 'errored')}).toEqual({failed: [], errored: []})
    expect(idsWith(report, 'passed')).toContain('forwarding-client-address')
  })

  it('is reached through the relay after a reload too, and nobody listens when it is gone', {timeout: 120_000}, async () => {
    const runtime = await resolveRuntime(proxy, runtimeRequest(name), signal)
    const prepared = prepare(await rendered(name), runtime)
    const set = await setStage({proxy, prepared, runtime, allowExec: false, keep: false, signal, logger: silentLogger})
    const {stage} = set
    try {
      expect(stage.configuration?.listeners.map(({announcedBy}) => announcedBy !== undefined)).toEqual([true, true])
      await stage.configuration?.reload()
      const {probe} = await stage.flow(plainRequest, {target: COMETD_PATH})
      expect(stage.upstream?.recorder.byProbe(probe)?.headers['x-forwarded-for']).toEqual(['127.0.0.1'])
    } finally {
      await set[Symbol.asyncDispose]()
    }
    for (const {url} of stage.configuration?.listeners ?? [])
      expect((await stage.flow(plainRequest, {target: COMETD_PATH}, {...stage.target, url})).stoppedAt).toContain('ECONNREFUSED')
  })
})
