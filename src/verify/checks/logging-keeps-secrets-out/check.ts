import {secrets} from '../../../flows/secrets.ts'
import type {Draft} from '../../check.ts'
import {withSimulator} from '../../check.ts'
import {about, evidence, nothingArrived} from '../../evidence.ts'

export const check = withSimulator({
  meta: {
    id: 'logging-keeps-secrets-out',
    title: 'No secret of a chat stands in a log',
    concern: 'logging',
    severity: 'warning',
    requirement:
      'secureKey, credentials, values of cookies and the messages of callback-polling, which travel in the query, appear in no access or error log: not as they are, not encoded, and not after an error either.',
    remediation: {
      nginx:
        'log_format with $uri in the place of $request and $request_uri, without $args, $http_cookie and $http_authorization;\nand for requests with a query a location whose error_log is crit: nginx writes the request line beside every error of a node',
      apache: 'LogFormat with %m %U %H in the place of %r and %q, without %{Cookie}i and %{Authorization}i; LogLevel warn',
      haproxy: 'log-format with %HM %HP %HV in the place of %r and %HQ, and no capture of Cookie and Authorization',
    },
    directives: {
      nginx: ['log_format', 'access_log', 'error_log', 'server'],
      apache: ['LogFormat', 'CustomLog', 'TransferLog', 'LogLevel', 'VirtualHost'],
      haproxy: ['log-format', 'capture', 'http-request capture', 'option httplog', 'log', 'frontend'],
    },
    references: [
      'CometD reference: callback-polling sends its messages in the query',
      'GMS Chat API V2: secureKey opens a chat to whoever knows it',
      'RFC 9110, 17.9 Disclosure of sensitive information in URIs',
    ],
  },
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'polling-callback-chat'],
  // A proxy that counts broken connections would take a node away from the others.
  isolation: 'own-proxy',
  budgetMs: () => 180_000,
  async run({flow, gms, promises, configuration, upstream: {recorder}}) {
    const result = await flow(secrets, {
      announce: probe => gms.faults.add({fault: {kind: 'drop'}, on: ['publish'], probe}),
      oversize: promises.maxFileSize * 2 + 64 * 1_048_576,
    })
    const [first] = result.probes
    if (first === undefined || recorder.byProbe(first) === undefined) return nothingArrived(result, recorder)
    const written = (await configuration?.findInLog([result.lastMarker], 'patiently')) ?? []
    const found = (await configuration?.findInLog(result.secrets.flatMap(({forms}) => forms))) ?? []
    const shown = result.secrets.flatMap(({name, forms}) => {
      const hit = found.find(({text}) => forms.includes(text))
      return hit ? [{name, line: hit.line}] : []
    })
    if (shown.length > 0) {
      const finding: Draft = {
        message: 'Expected no secret of a chat in a log',
        expected: 'paths without their query, no cookies, no credentials',
        actual: `${shown.map(({name}) => name).join(', ')}: to be read there`,
        evidence: {
          client: evidence(about(result, result.probes)).client,
          upstream: [...new Set(shown.map(({line}) => `the proxy wrote: ${line.length > 240 ? `${line.slice(0, 239)}…` : line}`))].slice(
            0,
            3,
          ),
        },
      }
      return {status: 'failed', findings: [finding]}
    }
    if (written.length === 0) return {status: 'skipped', because: 'no log that can be read here names these requests'}
    return {status: 'passed', detail: `${result.secrets.length} secrets, after errors too`}
  },
})
