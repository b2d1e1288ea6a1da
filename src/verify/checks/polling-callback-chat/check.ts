import {judgeChat} from '../../chat-judgement.ts'
import type {Check} from '../../check.ts'

export const check: Check = {
  meta: {
    id: 'polling-callback-chat',
    title: 'A chat runs over callback-polling',
    concern: 'polling',
    severity: 'error',
    requirement: 'With every other transport switched off, the stock CometD client chats over callback-polling (JSONP): GET with jsonp and message in the query.',
    remediation: {
      nginx: 'Pass GET and the whole query of /genesys/cometd on; large_client_header_buffers 4 16k for long queries',
      apache: 'Pass GET and the whole query of /genesys/cometd on; LimitRequestLine 16380 for long queries',
      haproxy: 'Pass GET and the whole query of /genesys/cometd on; tune.bufsize 32768 for long queries',
    },
    directives: {nginx: ['limit_except', 'if', 'large_client_header_buffers', 'proxy_pass'], apache: ['LimitRequestLine', 'Limit', 'RewriteRule', 'ProxyPass'], haproxy: ['http-request deny', 'tune.bufsize', 'backend']},
    references: ['GMS Chat API V2 over CometD, "Transport": JSONP', 'Bayeux 1.0, 6 callback-polling'],
  },
  transport: 'callback-polling',
  needs: [],
  isolation: 'shared',
  budgetMs: () => 180_000,
  run: stage => judgeChat(stage, 'callback-polling'),
}
