import {plainRequest} from '../../../flows/plain-request.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {FILES_PATH} from '../../../wire/chat.ts'
import type {Draft} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'

/** Every form of target that clients use: without a suffix, with each suffix of the HTTP transports, with a query, and the file operations. */
const REQUESTS = [
  {method: 'POST', target: COMETD_PATH},
  {method: 'POST', target: `${COMETD_PATH}/`},
  {method: 'POST', target: `${COMETD_PATH}/handshake`},
  {method: 'POST', target: `${COMETD_PATH}/connect`},
  {method: 'POST', target: `${COMETD_PATH}/disconnect`},
  {method: 'GET', target: `${COMETD_PATH}/handshake?jsonp=_cometd_jsonp_1&message=%5B%7B%22channel%22%3A%22%2Fmeta%2Fconnect%22%7D%5D`},
  {method: 'POST', target: FILES_PATH},
] as const

export const check = withWitnesses({
  meta: {
    id: 'upstream-path-intact',
    title: 'GMS receives the path that the client asked for',
    concern: 'upstream',
    severity: 'error',
    requirement: "GMS's base path /genesys cannot be changed: every target, with its suffix and query, arrives byte for byte.",
    remediation: {
      nginx: 'Give proxy_pass no URI part: proxy_pass http://gms; (a trailing slash rewrites the path)',
      apache: 'Name the same path on both sides of ProxyPass, with a slash on both or on neither',
      haproxy: 'Remove http-request set-path, replace-path and replace-uri from the chat paths',
    },
    directives: {
      nginx: ['proxy_pass', 'rewrite'],
      apache: ['ProxyPass', 'RewriteRule'],
      haproxy: ['http-request set-path', 'http-request replace-path', 'http-request replace-uri'],
    },
    references: ['GMS deployment guide, "Configuring Apache load balancer": /genesys cannot be changed', 'RFC 3986, 6.2.2'],
  },
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run({flow, promises, upstream}) {
    const wanted = REQUESTS.filter(({target}) =>
      promises.paths.some(path => target === path || target.startsWith(path.endsWith('/') ? path : `${path}/`)),
    )
    if (wanted.length === 0) return {status: 'skipped', because: `none of the promised paths (${promises.paths.join(', ')}) is GMS's`}
    const seen = await Promise.all(
      wanted.map(async ({method, target}) => {
        const result = await flow(plainRequest, {
          method,
          target,
          ...(method === 'POST' ? {headers: [['Content-Type', 'application/json']] as const, body: '[]'} : {}),
        })
        return {target, result, arrived: upstream.recorder.byProbe(result.probe)}
      }),
    )
    const findings: Draft[] = seen
      .filter(({target, arrived}) => arrived?.target !== target)
      .map(({target, arrived, result}) => ({
        message: `Expected GMS to receive ${target.split('?')[0] ?? target} as the client sent it`,
        expected: target,
        actual: arrived ? arrived.target : `nothing arrived; the client was answered ${result.status ?? result.stoppedAt ?? 'nothing'}`,
        evidence: evidence(result, upstream.recorder),
      }))
    return findings.length === 0 ? {status: 'passed', detail: `${seen.length} forms`} : {status: 'failed', findings}
  },
})
