import {judgeChat} from '../../chat-judgement.ts'
import {handshake} from '../../../flows/handshake.ts'
import type {Check, Judgement, Stage} from '../../check.ts'
import {evidence} from '../../evidence.ts'

export const check: Check = {
  meta: {
    id: 'polling-callback-chat',
    title: 'A chat runs over callback-polling',
    concern: 'polling',
    severity: 'error',
    requirement:
      'With every other transport switched off, the stock CometD client chats over callback-polling (JSONP): GET with jsonp and message in the query.',
    remediation: {
      nginx:
        'Pass GET and the whole query of /genesys/cometd on, with large_client_header_buffers 4 16k for long queries, and store no answer: proxy_cache off',
      apache:
        'Pass GET and the whole query of /genesys/cometd on, with LimitRequestLine 16380 for long queries, and store no answer: CacheDisable /genesys/cometd',
      haproxy:
        'Pass GET and the whole query of /genesys/cometd on, with tune.bufsize 32768 for long queries, and store no answer: no http-request cache-use',
    },
    directives: {
      nginx: ['location /genesys/cometd > proxy_cache', 'limit_except', 'if', 'proxy_cache', 'large_client_header_buffers', 'proxy_pass'],
      apache: ['LimitRequestLine', 'Limit', 'CacheEnable', 'RewriteRule', 'ProxyPass'],
      haproxy: ['http-request cache-use', 'http-request deny deny_status 403', 'http-request deny', 'tune.bufsize', 'backend'],
    },
    references: ['GMS Chat API V2 over CometD, "Transport": JSONP', 'Bayeux 1.0, 6 callback-polling'],
  },
  transport: 'callback-polling',
  needs: [],
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node'],
  isolation: 'shared',
  budgetMs: () => 180_000,
  async run(stage) {
    const chat = await judgeChat(stage, 'callback-polling')
    return chat.status === 'passed' ? ((await sharedAnswer(stage)) ?? chat) : chat
  },
}

/** The first GET of every page is the same, byte for byte: where answers are stored, the second visitor gets the session of the first. */
async function sharedAnswer({flow, upstream}: Stage): Promise<Judgement | undefined> {
  const visitors = []
  for (let visitor = 0; visitor < 2; visitor += 1) visitors.push(await flow(handshake, {transport: 'callback-polling'}))
  const [first, second] = visitors
  if (first?.clientId === undefined || first.clientId !== second?.clientId) return undefined
  return {
    status: 'failed',
    findings: [
      {
        message: 'Expected each visitor to get a session of their own',
        expected: 'two handshakes, two sessions',
        actual: 'the second visitor was given the session of the first: the answer was stored on the way',
        evidence: evidence(second, upstream?.recorder),
      },
    ],
  }
}
