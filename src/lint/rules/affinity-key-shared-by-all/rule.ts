import {cookieAffinity} from '../../affinity-edits.ts'
import type {Rule} from '../../rule.ts'
import {balanced, OVER_HTTP} from '../../sessions.ts'
import {placeOf} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'affinity-key-shared-by-all',
    title: 'All clients behind one address share the affinity key: one node gets them all',
    concern: 'affinity',
    severity: 'warning',
    requirement: 'The key of affinity tells browsers apart: an office, a mobile network or a load balancer in front is one address.',
    remediation: {
      nginx:
        'Hash a cookie of the proxy instead of the address; behind a load balancer also set_real_ip_from its network and real_ip_header X-Forwarded-For',
      haproxy: 'cookie GMS_NODE insert indirect nocache httponly and balance leastconn instead of balance source or stick on src',
    },
    references: [
      'nginx: ip_hash uses the first three octets of an IPv4 address',
      'Measured: 20 of 20 clients behind one address on one node',
      'https://nginx.org/en/docs/http/ngx_http_realip_module.html',
    ],
    breaks: [],
    mayBreak: [],
    provenBy: {
      by: 'evidence',
      because:
        'sessions stay on their nodes; only where they are, all on one, is wrong: affinity-same-node says how many are at home where',
    },
  },
  inspect: ({site, promises}) =>
    // Whoever asks for affinity by address in the parameters knows his clients.
    (promises.source['affinity'] === 'parameters' ? [] : balanced({site, promises}, ...OVER_HTTP))
      .filter(
        ({upstream: {affinity}}) =>
          ((affinity.kind === 'address' && affinity.of === 'peer') || affinity.shared === true) && !affinity.unstable,
      )
      .map(({upstream, ways}) => ({upstream, ways, affinity: upstream.affinity, nodes: upstream.nodes}))
      .map(({upstream, ways, affinity, nodes}) => ({
        span: placeOf(affinity.setting),
        ...(affinity.shared === true
          ? {
              message: `Expected a key that tells browsers apart, ${affinity.setting.text} takes what many have in common`,
              expected: 'a cookie',
              actual: `all with the same key on one of ${nodes.length} nodes`,
            }
          : {
              message: `Expected a key that tells browsers apart, ${affinity.setting.text} takes the address of whoever connects`,
              expected: 'a cookie, or the address behind the load balancer',
              actual: `everybody behind one address on one of ${nodes.length} nodes`,
            }),
        edits: cookieAffinity(site, {upstream, ways}),
      })),
}
