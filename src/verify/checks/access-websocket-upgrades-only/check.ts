import {plainRequest} from '../../../flows/plain-request.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import type {Draft} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'

/** HTTP2-Settings of a real h2c upgrade (RFC 7540, 3.2.1); `tls/1.0` stands for any other protocol (RFC 2817). */
const UPGRADES = [
  {
    name: 'h2c',
    headers: [
      ['Connection', 'Upgrade, HTTP2-Settings'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
    ],
  },
  {
    name: 'TLS/1.0',
    headers: [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'TLS/1.0'],
    ],
  },
] as const

export const check = withWitnesses({
  meta: {
    id: 'access-websocket-upgrades-only',
    title: 'Only WebSocket upgrades are passed on',
    concern: 'access',
    severity: 'error',
    requirement: 'An Upgrade to anything but websocket (h2c, for one) does not reach GMS: a tunnel would go round every rule of the proxy.',
    remediation: {
      nginx: 'map $http_upgrade $connection_upgrade { ~*^websocket$ upgrade; default ""; } and the same for the Upgrade header',
      apache: 'upgrade=websocket on every BalancerMember or ProxyPass (not upgrade=ANY)',
      haproxy: 'http-request del-header Upgrade unless { req.hdr(Upgrade) -i websocket }',
    },
    directives: {
      nginx: ['map', 'proxy_set_header upgrade'],
      apache: ['ProxyPass', 'RewriteRule'],
      haproxy: ['http-request', 'backend', 'frontend'],
    },
    references: ['RFC 9110, 7.8 Upgrade', 'RFC 7540, 3.2: h2c', 'Measured: nginx sample and HAProxy 2.6.12 forward Upgrade: h2c'],
  },
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run({flow, upstream}) {
    const plain = await flow(plainRequest, {target: COMETD_PATH})
    if (!upstream.recorder.byProbe(plain.probe))
      return {status: 'skipped', because: 'not even a plain request reaches GMS (see listener-reaches-gms)'}
    const tried = await Promise.all(
      UPGRADES.map(async ({name, headers}) => ({name, result: await flow(plainRequest, {target: COMETD_PATH, headers})})),
    )
    const findings: Draft[] = tried.flatMap(({name, result}) => {
      const arrived = upstream.recorder.byProbe(result.probe)
      const passed = arrived?.headers['upgrade']
      if (passed === undefined) return []
      return [
        {
          message: `Expected "Upgrade: ${name}" not to reach GMS`,
          expected: 'no Upgrade header at GMS, or no request',
          actual: `Upgrade: ${passed.join(', ')}`,
          evidence: evidence(result, upstream.recorder),
        },
      ]
    })
    return findings.length === 0 ? {status: 'passed', detail: UPGRADES.map(({name}) => name).join(', ')} : {status: 'failed', findings}
  },
})
