import {judgeChat} from '../../chat-judgement.ts'
import type {Check} from '../../check.ts'

export const check: Check = {
  meta: {
    id: 'upgrade-chat',
    title: 'A chat runs over WebSocket',
    concern: 'upgrade',
    severity: 'error',
    requirement:
      'With every other transport switched off, the stock CometD client handshakes, chats with an agent and leaves over WebSocket.',
    remediation: {
      nginx:
        'proxy_http_version 1.1 and both hop-by-hop headers (proxy_set_header Upgrade, proxy_set_header Connection) in the location of /genesys/cometd',
      apache:
        'upgrade=websocket on every BalancerMember, or on a ProxyPass without balancer; before 2.4.47 the ws:// rewrite before any other rule',
      haproxy:
        'Keep mode http, let Upgrade and Connection pass (http-request del-header Upgrade unless { req.hdr(Upgrade) -m str -i websocket }), and give timeout tunnel a value above the 30 s heartbeat',
    },
    directives: {
      nginx: ['proxy_http_version', 'proxy_set_header upgrade', 'proxy_pass'],
      apache: ['RewriteRule', 'ProxyPass'],
      haproxy: [
        'http-request del-header upgrade',
        'http-request del-header connection',
        'http-request deny deny_status 403',
        'timeout tunnel',
        'backend',
      ],
    },
    references: ['GMS Chat API V2 over CometD, "Transport": WebSocket since 8.5.110', 'CometD reference: transports'],
  },
  transport: 'websocket',
  needs: [],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake'],
  isolation: 'shared',
  budgetMs: () => 180_000,
  run: stage => judgeChat(stage, 'websocket'),
}
