import {CALLBACK, HANDSHAKE, UPLOAD, WEBSOCKET} from '../../requests.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import {inForce, waysToGms} from '../../settings.ts'
import {directiveAt, replacedIn} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'access-log-injection',
    title: 'Client text reaches the log unescaped',
    concern: 'access',
    severity: 'warning',
    requirement: 'What a client wrote is escaped in the log: quotes, line feeds and control characters make no lines of their own.',
    remediation: {
      nginx: 'log_format NAME escape=default … (or escape=json), not escape=none',
    },
    references: [
      'https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format',
      'CWE-117 Improper Output Neutralization for Logs',
      'Measured: the combined format writes \\x22, \\x1B and \\x09; Apache and HAProxy always escape',
    ],
    breaks: [],
    mayBreak: ['logging-keeps-secrets-out'],
    provenBy: {
      by: 'evidence',
      because: 'a User-Agent with a quote and an escape sequence stands in the log as it came; no check reads logs for that',
    },
  },
  inspect({site}) {
    const drafts = new Map<string, RuleDraft>()
    for (const {logs} of waysToGms(site, CALLBACK, HANDSHAKE, WEBSOCKET, UPLOAD))
      for (const {span, escapes, setting} of logs)
        if (!escapes)
          drafts.set(`${span.file}:${span.start}`, {
            span,
            message: 'Expected text of clients to be escaped in the log',
            expected: 'escape=default or escape=json',
            actual: inForce(setting),
            edits: replacedIn(
              site.config,
              directiveAt(site.config, span)?.span ?? span,
              /escape=none/g,
              'escape=default',
              'text of clients is escaped',
            ),
          })
    return [...drafts.values()]
  },
}
