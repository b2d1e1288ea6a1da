import {judgeChat} from '../../chat-judgement.ts'
import type {Check} from '../../check.ts'

export const check: Check = {
  meta: {
    id: 'polling-chat',
    title: 'A chat runs over long-polling',
    concern: 'polling',
    severity: 'error',
    requirement:
      'With every other transport switched off, the stock CometD client handshakes, chats with an agent and leaves over long-polling.',
    remediation: {
      nginx:
        'Route /genesys/cometd with all its suffixes and keep Cookie and Set-Cookie untouched; with several nodes add affinity (hash on a cookie)',
      apache: 'Route /genesys/cometd with all its suffixes and keep Cookie and Set-Cookie untouched; with several nodes add stickysession',
      haproxy:
        'Route /genesys/cometd with all its suffixes and keep Cookie and Set-Cookie untouched; with several nodes add cookie … insert',
    },
    directives: {nginx: ['upstream', 'proxy_pass'], apache: ['ProxyPass', 'BalancerMember'], haproxy: ['backend']},
    references: ['GMS Chat API V2 over CometD, "Transport"', 'Bayeux 1.0, 5 long-polling'],
  },
  transport: 'long-polling',
  needs: [],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node'],
  isolation: 'shared',
  budgetMs: () => 180_000,
  run: stage => judgeChat(stage, 'long-polling'),
}
