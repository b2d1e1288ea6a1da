import {handshake} from '../../../flows/handshake.ts'
import {withWitnesses} from '../../check.ts'
import {evidence, nothingArrived} from '../../evidence.ts'
import {forwardedFor} from '../../forwarded.ts'

export const check = withWitnesses({
  meta: {
    id: 'forwarding-client-address',
    title: 'GMS learns the address of the client',
    concern: 'forwarding',
    severity: 'error',
    requirement: 'The address of the client that connected to the proxy reaches GMS in X-Forwarded-For.',
    remediation: {
      nginx: 'proxy_set_header X-Forwarded-For $remote_addr;',
      apache: 'Leave ProxyAddHeaders On, or RequestHeader set X-Forwarded-For expr=%{REMOTE_ADDR}',
      haproxy: 'option forwardfor, or http-request set-header X-Forwarded-For %[src]',
    },
    directives: {nginx: ['proxy_set_header x-forwarded-for', 'proxy_pass'], apache: ['ProxyAddHeaders', 'RequestHeader', 'ProxyPass'], haproxy: ['option forwardfor', 'http-request set-header x-forwarded-for', 'backend']},
    references: ['RFC 7239, 5.2 Forwarded For', 'MDN: X-Forwarded-For'],
  },
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run({flow, upstream}) {
    const result = await flow(handshake, {transport: 'long-polling'})
    const arrived = result.exchanges.flatMap(({probe}) => (probe === undefined ? [] : (upstream.recorder.byProbe(probe) ?? [])))[0]
    if (!arrived) return nothingArrived(result, upstream.recorder)
    const named = forwardedFor(arrived)
    // The proxy sees us as loopback, or as the gateway of its container network: an address either way, and ours alone.
    if (named.length > 0 && named.every(isAddress)) return {status: 'passed', detail: `X-Forwarded-For: ${named.join(', ')}`}
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected X-Forwarded-For to name the client',
          expected: 'X-Forwarded-For with the address of the client',
          actual: named.length === 0 ? 'no X-Forwarded-For' : `X-Forwarded-For: ${named.join(', ')}`,
          evidence: evidence(result, upstream.recorder),
        },
      ],
    }
  },
})

function isAddress(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) || /^\[?[0-9a-f:.]*:[0-9a-f:.]*\]?$/i.test(text)
}
