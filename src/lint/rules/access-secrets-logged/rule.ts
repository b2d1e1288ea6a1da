import type {Log} from '../../../proxies/site.ts'
import {CALLBACK, HANDSHAKE, UPLOAD, WEBSOCKET} from '../../requests.ts'
import {formatOf, withoutSecrets} from '../../log-formats.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import {inForce, waysToGms} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'access-secrets-logged',
    title: 'Session secrets end up in the access log',
    concern: 'access',
    severity: 'warning',
    requirement:
      'secureKey, credentials, values of cookies and the messages of callback-polling, which travel in the query, appear in no access log.',
    remediation: {
      nginx: 'log_format with $uri in the place of $request and $request_uri, without $args, $http_cookie and $http_authorization',
      apache: 'LogFormat with %m %U %H in the place of %r and %q, without %{Cookie}i and %{Authorization}i',
      haproxy: 'log-format with %HM %HP %HV in the place of %r and %HQ, and no capture of Cookie and Authorization',
    },
    references: [
      'CometD reference: callback-polling sends its messages in the query',
      'GMS Chat API V2: secureKey opens a chat to whoever knows it',
      'RFC 9110, 17.9 Disclosure of sensitive information in URIs',
      'Measured: the default log of each of the three holds message=…secureKey…',
    ],
    breaks: ['logging-keeps-secrets-out'],
    mayBreak: [],
  },
  inspect({site}) {
    const drafts = new Map<string, RuleDraft>()
    for (const {logs, request} of waysToGms(site, CALLBACK, HANDSHAKE, WEBSOCKET, UPLOAD))
      for (const log of logs) {
        const flaw = flawOf(log, request.query !== undefined)
        if (flaw !== undefined)
          drafts.set(`${log.span.file}:${log.span.start}`, {
            span: formatOf(site, log)?.span ?? log.span,
            message: `Expected no secret of a chat in the access log, ${flaw} can be read there`,
            expected: 'paths without their query, no cookies, no credentials',
            actual: inForce(log.setting),
            edits: withoutSecrets(site, log),
          })
      }
    return [...drafts.values()]
  },
}

function flawOf({holdsQuery, holdsSecrets}: Log, hasQuery: boolean): string | undefined {
  if (holdsSecrets) return 'cookies or credentials'
  return holdsQuery && hasQuery ? 'the query, with the messages of callback-polling in it' : undefined
}
