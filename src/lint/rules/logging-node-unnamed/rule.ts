import {HANDSHAKE, POLL} from '../../requests.ts'
import {formatOf, withNode} from '../../log-formats.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import {inForce, waysToGms} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'logging-node-unnamed',
    title: 'The log does not say which node answered',
    concern: 'logging',
    severity: 'note',
    requirement:
      'Each line of the access log names the node that the request was passed on to: sessions live on one node, and so do their troubles.',
    remediation: {
      nginx: 'log_format with $upstream_addr',
      apache: 'LogFormat with %{BALANCER_WORKER_NAME}e',
      haproxy: 'log-format with %b/%s, as option httplog has it',
    },
    references: [
      'https://nginx.org/en/docs/http/ngx_http_upstream_module.html#var_upstream_addr',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy_balancer.html#environment',
      'https://docs.haproxy.org/2.6/configuration.html#8.2.6',
    ],
    breaks: ['logging-names-the-node'],
    mayBreak: [],
  },
  inspect({site}) {
    const drafts = new Map<string, RuleDraft>()
    for (const {logs, end} of waysToGms(site, HANDSHAKE, POLL)) {
      const [log] = logs
      if (end.upstream.nodes.length < 2 || !log || logs.some(({namesNode}) => namesNode)) continue
      drafts.set(`${log.span.file}:${log.span.start}`, {
        span: formatOf(site, log)?.span ?? log.span,
        message: 'Expected the log to say which node answered',
        expected: {nginx: '$upstream_addr', apache: '%{BALANCER_WORKER_NAME}e', haproxy: '%b/%s'}[site.proxy],
        actual: inForce(log.setting),
        edits: withNode(site, log),
      })
    }
    return [...drafts.values()]
  },
}
