import {messageBurst} from '../../../flows/message-burst.ts'
import type {Draft} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {flawOfMessages} from '../../message-judgement.ts'

/** Near to what GMS takes over WebSocket: whoever falls back can still say as much. */
const POSTED = 48 * 1024
/** The stock client keeps its URLs below 2000 characters (cometd, `maxURILength`); with what is around it this text fills such a URL. */
const IN_A_URL = 1400

const CASES = [
  {transport: 'long-polling', what: `a message of ${POSTED} bytes`, texts: ['p'.repeat(POSTED)]},
  {transport: 'callback-polling', what: `a message of ${IN_A_URL} bytes in a URL`, texts: ['u'.repeat(IN_A_URL)]},
] as const

export const check = withWitnesses({
  meta: {
    id: 'polling-long-messages',
    title: 'A long message passes over polling',
    concern: 'polling',
    severity: 'error',
    requirement:
      'A message of 48 KiB, which GMS takes over WebSocket, is posted over long-polling; one of 1.4 kB travels in a URL of callback-polling, which the stock client lets grow to 2000 characters. Both reach GMS whole and come back.',
    remediation: {
      nginx: 'For /genesys/cometd too: client_max_body_size 1m or more, large_client_header_buffers 4 16k',
      apache: 'LimitRequestLine 16384, and no rule that refuses a Content-Length below 1 MB for /genesys/cometd',
      haproxy:
        'No rule that refuses a chat for its req.body_size or url_len: allow 1 MB and 8 kB; tune.bufsize 16384 (the default) or more',
    },
    directives: {
      nginx: ['client_max_body_size', 'large_client_header_buffers', 'proxy_pass'],
      apache: ['LimitRequestLine', 'LimitRequestBody', 'RewriteCond', 'ProxyPass'],
      haproxy: ['http-request deny deny_status 413', 'http-request deny deny_status 403', 'tune.bufsize', 'backend'],
    },
    references: [
      'Bayeux 1.0, 6.2 callback-polling',
      'cometd 9.0.0: maxURILength 2000',
      'nginx: client_max_body_size, large_client_header_buffers',
    ],
  },
  transport: 'long-polling',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat', 'polling-callback-chat'],
  isolation: 'shared',
  budgetMs: () => 180_000,
  async run({flow, upstream: {recorder}}) {
    const results = await Promise.all(CASES.map(({transport, texts}) => flow(messageBurst, {transport, texts})))
    const findings: Draft[] = CASES.flatMap((each, index) => {
      const result = results[index]
      const flaw = result && flawOfMessages(result, each, recorder)
      return flaw ? [{...flaw, evidence: evidence(result, recorder)}] : []
    })
    if (findings.length > 0) return {status: 'failed', findings}
    return {status: 'passed', detail: `${POSTED} bytes posted, ${IN_A_URL} in a URL`}
  },
})
