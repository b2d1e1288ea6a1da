import type {Ask} from '../../../flows/answers.ts'
import {answers} from '../../../flows/answers.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {FILES_PATH} from '../../../wire/chat.ts'
import {withSimulator} from '../../check.ts'
import {about, evidence, nothingArrived, upstreamLine} from '../../evidence.ts'

export const check = withSimulator({
  meta: {
    id: 'upstream-post-sent-once',
    title: 'What was sent to GMS is not sent again',
    concern: 'upstream',
    severity: 'error',
    requirement:
      'When GMS has read a POST and the connection breaks before its answer, the proxy does not send it again: the message or file may have been stored (RFC 9110, 9.2.2).',
    remediation: {
      nginx: 'Take non_idempotent out of proxy_next_upstream',
      apache: 'mod_proxy repeats no POST that was sent: look for a second proxy, or a script, between it and GMS',
      haproxy: 'retry-on conn-failure (the default), or http-request disable-l7-retry if METH_POST',
    },
    directives: {
      nginx: ['proxy_next_upstream', 'proxy_pass'],
      apache: ['BalancerMember', 'ProxyPass'],
      haproxy: ['retry-on', 'retries', 'backend'],
    },
    references: [
      'RFC 9110, 9.2.2: a proxy MUST NOT automatically retry non-idempotent requests',
      'nginx proxy_next_upstream: non_idempotent',
      'HAProxy retry-on: empty-response, junk-response, response-timeout and all-retryable-errors repeat a POST',
    ],
  },
  transport: 'http',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'affinity-same-node', 'polling-chat', 'upload-download-intact'],
  // A proxy that counts broken connections would take a node away from the others.
  isolation: 'own-proxy',
  budgetMs: () => 180_000,
  async run({flow, gms, upstream: {recorder}}) {
    const drop = (on: 'publish' | 'files') => (probe: string) => gms.faults.add({fault: {kind: 'drop'}, on: [on], probe})
    const asks: readonly Ask[] = [
      {
        name: 'a message',
        method: 'POST',
        path: `${COMETD_PATH}/`,
        publish: {operation: 'sendMessage', message: 'Sent once.'},
        announce: drop('publish'),
      },
      {name: 'a file operation', method: 'POST', path: FILES_PATH, form: {operation: 'fileGetLimits'}, announce: drop('files')},
    ]
    const result = await flow(answers, {asks, chat: true})
    const seen = result.answers.map(answer => ({
      answer,
      arrivals: recorder.requests.filter(({probe, method}) => probe === answer.probe && method === 'POST'),
    }))
    const arrived = seen.filter(({arrivals}) => arrivals.length > 0)
    // After the first broken connection a proxy may rest the node: then the second request says nothing.
    if (arrived.length === 0) return nothingArrived(result, recorder)
    const unbroken = arrived.find(({arrivals}) => arrivals.some(({strikes}) => strikes.length === 0))
    if (unbroken) return {status: 'errored', because: `GMS did not break the connection of ${unbroken.answer.name}`}
    const again = arrived.filter(({arrivals}) => arrivals.length > 1)
    if (again.length === 0) return {status: 'passed', detail: arrived.map(({answer}) => answer.name).join(', ')}
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected a POST to reach GMS once',
          expected: 'each POST once at GMS, whatever becomes of its answer',
          actual: again
            .map(({answer, arrivals}) => `${answer.name} ${arrivals.length} times (${arrivals.map(({node}) => node).join(', ')})`)
            .join('; '),
          evidence: {
            ...evidence(
              about(
                result,
                again.map(({answer}) => answer.probe),
              ),
            ),
            upstream: again.flatMap(({arrivals}) => arrivals.map(request => upstreamLine(request))),
          },
        },
      ],
    }
  },
})
