import {handshake} from '../../../flows/handshake.ts'
import {upgrade} from '../../../flows/upgrade.ts'
import type {Draft} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {evidence, nothingArrived} from '../../evidence.ts'

export const check = withWitnesses({
  meta: {
    id: 'forwarding-host',
    title: 'GMS sees the public host name with its port',
    concern: 'forwarding',
    severity: 'error',
    requirement: 'Host reaches GMS as the client sent it, port included: Origin checks and absolute URLs depend on it (RFC 9110, 7.2).',
    remediation: {
      nginx: 'proxy_set_header Host $http_host; ($host drops the port)',
      apache: 'ProxyPreserveHost On',
      haproxy: 'Remove http-request set-header Host from the chat paths',
    },
    directives: {nginx: ['proxy_set_header host', 'proxy_pass'], apache: ['ProxyPreserveHost', 'ProxyPass'], haproxy: ['http-request set-header host', 'http-request replace-header', 'backend']},
    references: ['RFC 9110, 7.2 Host', 'RFC 6454, 7 Origin'],
  },
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run({flow, target, upstream}) {
    // Both ways in: a proxy may route upgrades by a rule of their own.
    const ways = await Promise.all([flow(handshake, {transport: 'long-polling'}), flow(upgrade, {connection: 'Upgrade', upgrade: 'websocket'})])
    const findings: Draft[] = ways.flatMap(way => {
      const arrived = way.exchanges.flatMap(({probe}) => (probe === undefined ? [] : (upstream.recorder.byProbe(probe) ?? [])))[0]
      const host = arrived?.headers['host']?.join(', ')
      if (!arrived || host === target.hostHeader) return []
      return [{message: 'Expected Host to reach GMS as the client sent it, port included', expected: target.hostHeader, actual: host ?? 'no Host header', evidence: evidence(way, upstream.recorder)}]
    })
    if (findings.length > 0) return {status: 'failed', findings}
    const arrivals = ways.flatMap(({exchanges}) => exchanges).filter(({probe}) => probe !== undefined && upstream.recorder.byProbe(probe))
    return arrivals.length > 0 ? {status: 'passed', detail: target.hostHeader} : nothingArrived(ways, upstream.recorder)
  },
})
