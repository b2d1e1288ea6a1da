import {withWitnesses} from '../../check.ts'
import {nothingArrived} from '../../evidence.ts'
import {judgeWays, waysIn} from '../../ways-in.ts'

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
    directives: {
      nginx: ['proxy_set_header host', 'proxy_pass'],
      apache: ['ProxyPreserveHost', 'ProxyPass'],
      haproxy: ['http-request set-header host', 'http-request replace-header', 'backend'],
    },
    references: ['RFC 9110, 7.2 Host', 'RFC 6454, 7 Origin'],
  },
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run(stage) {
    const {target, upstream} = stage
    const ways = await waysIn(stage)
    const findings = judgeWays(ways, stage, {
      flawOf: ({headers}) =>
        headers['host']?.join(', ') === target.hostHeader ? undefined : (headers['host']?.join(', ') ?? 'no Host header'),
      message: 'Expected Host to reach GMS as the client sent it, port included',
      expected: target.hostHeader,
      show: ['host'],
    })
    if (findings.length > 0) return {status: 'failed', findings}
    if (ways.every(({arrived}) => !arrived))
      return nothingArrived(
        ways.map(({transcript}) => transcript),
        upstream.recorder,
      )
    return {status: 'passed', detail: target.hostHeader}
  },
})
