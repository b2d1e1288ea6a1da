import {withWitnesses} from '../../check.ts'
import {CLIENT_ADDRESS_HEADERS} from '../../forwarded.ts'
import {judgeWays, waysIn} from '../../ways-in.ts'

/** Addresses that nobody here has (RFC 5737, documentation). */
const FORGED = [
  ['X-Forwarded-For', '203.0.113.66'],
  ['X-Real-IP', '203.0.113.67'],
  ['Forwarded', 'for=203.0.113.68'],
] as const

export const check = withWitnesses({
  meta: {
    id: 'forwarding-client-not-forgeable',
    title: 'A client cannot forge its address',
    concern: 'forwarding',
    severity: 'error',
    requirement: 'An address that the client wrote into X-Forwarded-For, X-Real-IP or Forwarded itself does not reach GMS.',
    remediation: {
      nginx:
        'proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Real-IP $remote_addr;\nproxy_set_header Forwarded ""; ($proxy_add_x_forwarded_for keeps what the client sent)',
      apache: 'RequestHeader unset X-Forwarded-For early; RequestHeader unset X-Real-IP early; RequestHeader unset Forwarded early',
      haproxy:
        'http-request del-header X-Forwarded-For, del-header Forwarded and del-header X-Real-IP before option forwardfor or set-header adds the real one',
    },
    directives: {
      nginx: ['proxy_set_header x-forwarded-for', 'proxy_pass'],
      apache: ['RequestHeader', 'ProxyAddHeaders', 'ProxyPass'],
      haproxy: ['option forwardfor', 'http-request set-header x-forwarded-for', 'backend'],
    },
    references: ['RFC 7239, 8.1 Header Validity and Integrity', 'Measured: the three published samples pass a forged address on'],
  },
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run(stage) {
    const ways = await waysIn(stage, FORGED)
    if (ways.every(({arrived}) => !arrived))
      return {status: 'skipped', because: 'no request reached GMS, forged or not (see listener-reaches-gms)'}
    const findings = judgeWays(ways, stage, {
      flawOf: ({headers}) => {
        const believed = CLIENT_ADDRESS_HEADERS.flatMap(name =>
          (headers[name] ?? []).filter(value => value.includes('203.0.113.')).map(value => `${name}: ${value}`),
        )
        return believed.length === 0 ? undefined : believed.join('; ')
      },
      message: 'Expected the address that the client wrote itself to be dropped',
      expected: 'only the address the proxy saw',
      show: CLIENT_ADDRESS_HEADERS,
    })
    return findings.length === 0 ? {status: 'passed'} : {status: 'failed', findings}
  },
})
