import {messageBurst} from '../../../flows/message-burst.ts'
import type {Draft} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {flawOfMessages} from '../../message-judgement.ts'

/** What a quick typist sends in a breath. Some 18 requests over long-polling, 31 over callback-polling. */
const TEXTS = Array.from({length: 12}, (_, index) => `message ${index + 1} of 12`)
const TRANSPORTS = ['long-polling', 'callback-polling'] as const

export const check = withWitnesses({
  meta: {
    id: 'polling-burst-delivered',
    title: 'Messages sent in quick succession over polling all arrive, once and in order',
    concern: 'polling',
    severity: 'error',
    requirement:
      'Over HTTP every message, every answer and every new poll is a request: a customer who types fast makes dozens of them in a moment. Each reaches GMS once and in order, and everything said comes back once.',
    remediation: {
      nginx:
        'Raise rate and burst of limit_req for /genesys/cometd, or exempt it; a chat makes up to two requests a message, and more for typing notices',
      apache:
        'Nothing that Apache httpd is told without further modules is known to cause this: look at mod_evasive, mod_qos or a second proxy',
      haproxy:
        'Raise the limit that http_req_rate is held against, or exempt /genesys/cometd; a chat makes up to two requests a message, and more for typing notices',
    },
    directives: {
      nginx: ['limit_req', 'limit_conn', 'proxy_cache', 'proxy_pass'],
      apache: ['ProxyPass'],
      haproxy: ['http-request deny deny_status 429', 'http-request tarpit', 'http-request reject', 'http-request track-sc0', 'backend'],
    },
    references: [
      'Bayeux 1.0, 4 and 5: a poll is answered with each event and sent again',
      'Counted: 18 requests for 12 messages over long-polling, 31 over callback-polling',
    ],
  },
  transport: 'long-polling',
  presupposes: [
    'upstream-path-intact',
    'listener-reaches-gms',
    'affinity-same-node',
    'polling-chat',
    'polling-callback-chat',
    'polling-delivers-promptly',
  ],
  isolation: 'shared',
  budgetMs: () => 300_000,
  async run({flow, upstream: {recorder}}) {
    const results = await Promise.all(TRANSPORTS.map(transport => flow(messageBurst, {transport, texts: TEXTS})))
    const findings: Draft[] = results.flatMap((result, index) => {
      const flaw = flawOfMessages(
        result,
        {what: 'messages sent in quick succession', texts: TEXTS, transport: TRANSPORTS[index] ?? ''},
        recorder,
      )
      return flaw ? [{...flaw, evidence: evidence(result, recorder)}] : []
    })
    return findings.length > 0
      ? {status: 'failed', findings}
      : {status: 'passed', detail: `${TEXTS.length} messages, ${TRANSPORTS.join(' and ')}`}
  },
})
