import {chatUpstreams} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {secondsIn} from '../../settings.ts'

/** Jetty, which GMS runs on, closes a connection that was silent for so long (its default idleTimeout), ms. */
const NODE_IDLE_MS = 30_000

export const rule: Rule = {
  meta: {
    id: 'upstream-keepalive-race',
    title: 'A kept connection is used again after the node closed it',
    concern: 'upstream',
    severity: 'warning',
    requirement:
      'A pooled connection to a node is given up before the node gives it up (Jetty: 30 s): a POST that meets the closing of its connection fails, and may not be repeated.',
    remediation: {
      nginx: 'keepalive_timeout 15s; in the upstream {}: below the 30 s after which Jetty closes',
      apache: 'ttl=15 on ProxyPass or BalancerMember: below the 30 s after which Jetty closes; or disablereuse=On',
      haproxy:
        'pool-purge-delay 5s (the default) on the server lines, and http-reuse safe: the first request of a client gets a fresh connection',
    },
    references: [
      'Jetty: ServerConnector idleTimeout, default 30 s',
      'nginx: upstream keepalive_timeout (default 60s); Apache: ttl; HAProxy: pool-purge-delay, http-reuse',
      'RFC 9112, 9.3.1 Retrying Requests',
    ],
    breaks: [],
    mayBreak: [],
    provenBy: {by: 'none', because: 'the request has to leave in the instant in which the node closes: six runs did not show it'},
  },
  inspect: ({site}) =>
    chatUpstreams(site).flatMap(({upstream: {name, keepAlive, keepAliveTimeout: timeout}}) => {
      // Defaults are judged by nobody: all proxies look whether a connection is closed before they use it again.
      const kept = timeout.value ?? Number.POSITIVE_INFINITY
      if (!keepAlive.value || !timeout.span || kept < NODE_IDLE_MS) return []
      return [
        {
          span: timeout.span,
          message: `Too long: connections to ${name} are kept for ${timeout.value === undefined ? 'ever' : `${kept / 1000}s`}: "${timeout.text}"`,
          expected: `less than the ${NODE_IDLE_MS / 1000}s after which the node closes them`,
          actual: timeout.value === undefined ? 'for ever' : `${kept / 1000}s`,
          edits: timeout.put(secondsIn(site.proxy, NODE_IDLE_MS / 2)),
        },
      ]
    }),
}
