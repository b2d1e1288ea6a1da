import {chat} from '../../../flows/chat.ts'
import type {Check} from '../../check.ts'
import {evidence} from '../../evidence.ts'

export const check: Check = {
  meta: {
    id: 'upgrade-negotiated',
    title: 'The stock client, left free, ends on WebSocket',
    concern: 'upgrade',
    severity: 'error',
    requirement: 'A CometD client that may choose takes WebSocket; one that silently fell back to long-polling hides a broken upgrade.',
    remediation: {
      nginx: 'Mend the upgrade: proxy_http_version 1.1, proxy_set_header Upgrade and Connection',
      apache:
        'Mend the upgrade: upgrade=websocket on every BalancerMember, or on a ProxyPass without balancer, and no ws:// rewrite beside it; before 2.4.47 the ws:// rewrite, with the flags [P,L]',
      haproxy: 'Mend the upgrade: nothing may remove Upgrade or Connection, and no rule may refuse the 101',
    },
    directives: {
      nginx: ['proxy_set_header upgrade', 'proxy_http_version', 'proxy_pass'],
      apache: ['RewriteRule', 'ProxyPass'],
      haproxy: ['http-request del-header upgrade', 'http-request del-header connection', 'http-request deny deny_status 403', 'backend'],
    },
    references: ['CometD reference: transport negotiation', 'Measured: the client falls back within 15 ms and reports success'],
  },
  transport: 'websocket',
  needs: [],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake'],
  isolation: 'shared',
  budgetMs: () => 240_000,
  async run({flow, upstream}) {
    const result = await flow(chat, {transport: 'negotiated'})
    const websocket = result.transportAtEnd === 'websocket' && result.negotiated === 'websocket'
    if (websocket && result.ended === 'completed') return {status: 'passed'}
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected the stock client, left free, to chat over WebSocket to the end',
          expected: 'websocket',
          actual:
            result.negotiated === undefined || websocket
              ? (result.stoppedAt ?? 'no transport at all')
              : `${result.transportAtEnd ?? result.negotiated}: the client fell back without a word to the user`,
          evidence: evidence(result, upstream?.recorder),
        },
      ],
    }
  },
}
