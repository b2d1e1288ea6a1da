import {upgrade} from '../../../flows/upgrade.ts'
import type {Check, Draft} from '../../check.ts'
import {evidence} from '../../evidence.ts'

/** Chromium, Firefox and Jetty's own client, in this order, spell it so. */
const SPELLINGS = [
  {connection: 'Upgrade', upgrade: 'websocket'},
  {connection: 'keep-alive, Upgrade', upgrade: 'websocket'},
  {connection: 'Upgrade', upgrade: 'WebSocket'},
] as const

export const check: Check = {
  meta: {
    id: 'upgrade-handshake',
    title: 'A WebSocket handshake reaches GMS, however it is spelt',
    concern: 'upgrade',
    severity: 'error',
    requirement:
      'Upgrade and Connection are case-insensitive lists (RFC 6455, 4.2.1): "Upgrade", "keep-alive, Upgrade" and "Upgrade: WebSocket" all lead to 101.',
    remediation: {
      nginx:
        'proxy_http_version 1.1; proxy_set_header Upgrade $gms_upgrade; proxy_set_header Connection $gms_connection;\nboth from a map of $http_upgrade at http level: ~*^websocket$ gives $http_upgrade and upgrade, default gives ""',
      apache:
        'upgrade=websocket on every BalancerMember, or on a ProxyPass without balancer (2.4.47 and newer), or RewriteCond %{HTTP:Upgrade} websocket [NC] and %{HTTP:Connection} upgrade [NC] before a ws:// RewriteRule [P,L]',
      haproxy:
        'Leave Upgrade and Connection alone: remove http-request del-header Upgrade, or ask in any case: unless { req.hdr(Upgrade) -m str -i websocket }; no rule may refuse an upgrade of /genesys/cometd',
    },
    directives: {
      nginx: ['proxy_set_header upgrade', 'proxy_set_header connection', 'proxy_http_version', 'proxy_pass'],
      apache: ['RewriteCond', 'RewriteRule', 'ProxyPass'],
      haproxy: [
        'http-request del-header upgrade',
        'http-request del-header connection',
        'http-request deny deny_status 403',
        'http-request deny',
        'backend',
      ],
    },
    references: ['RFC 6455, 4.2.1 and 4.2.2', 'RFC 9110, 7.8 Upgrade', 'nginx: WebSocket proxying'],
  },
  transport: 'websocket',
  needs: [],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms'],
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run({flow, upstream}) {
    const results = await Promise.all(
      SPELLINGS.map(async spelling => ({spelling, result: await flow(upgrade, {...spelling, thenHandshake: true})})),
    )
    const findings: Draft[] = results
      .filter(({result}) => !(result.status === 101 && result.acceptIsValid && result.handshake === true))
      .map(({spelling, result}) => ({
        message: `Expected the upgrade spelt "Connection: ${spelling.connection}", "Upgrade: ${spelling.upgrade}" to answer 101`,
        expected: '101, a valid Sec-WebSocket-Accept, and a Bayeux handshake over the socket',
        actual:
          result.status !== 101
            ? (result.statusLine ?? result.stoppedAt ?? 'no answer')
            : !result.acceptIsValid
              ? '101 whose Sec-WebSocket-Accept does not answer our key'
              : `101, but no Bayeux answer over the socket: ${result.stoppedAt ?? result.answer}`,
        evidence: evidence(result, upstream?.recorder),
      }))
    return findings.length === 0 ? {status: 'passed', detail: `${SPELLINGS.length} spellings`} : {status: 'failed', findings}
  },
}
