import type {Upstream} from '../../../proxies/site.ts'
import {chatUpstreams} from '../../routes.ts'
import type {Inspection, Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'health-check-missing',
    title: 'A dead node keeps getting traffic',
    concern: 'health',
    severity: 'warning',
    requirement: 'A node that died is noticed, by asking it or by the requests it failed, and its customers are led to one that lives.',
    remediation: {
      nginx: 'max_fails=3 fail_timeout=9s on every server, and proxy_next_upstream error timeout;',
      apache: 'Remove nofailover=On and status=+I; retry=1 on each BalancerMember, or a hctemplate',
      haproxy: 'default-server check inter 3s rise 2 fall 3, and option redispatch',
    },
    references: [
      'https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass',
      'https://docs.haproxy.org/2.6/configuration.html#5.2-check',
      'GMS Chat API V2 over CometD, "Receive Notifications": after disconnection a new handshake',
    ],
    breaks: ['health-dead-node-leaves'],
    mayBreak: ['health-node-returns', 'health-recovers-from-outage', 'affinity-same-node'],
  },
  inspect({site, promises}) {
    if (promises.nodesUnchecked) return []
    return chatUpstreams(site)
      .filter(({upstream}) => upstream.nodes.length > 1)
      .flatMap(({upstream}) => {
        const flaw = flawOf(upstream, site)
        if (!flaw) return []
        const {setting, expected, because} = flaw
        return [
          {
            span: placeOf(setting),
            message: `Missing: nothing takes a dead node out of ${upstream.name}: ${because}`,
            expected,
            actual: inForce(setting),
            edits: flaw.edits,
          },
        ]
      })
  },
}

function flawOf({health, movesSessions}: Upstream, {proxy}: Inspection['site']) {
  if (health.kind === 'none')
    return {
      setting: health.setting,
      because: 'no check, and no count of failures',
      expected: {nginx: 'max_fails=3 fail_timeout=9s', apache: 'retry=1', haproxy: 'check inter 3s rise 2 fall 3'}[proxy],
      edits: health.setting.put({nginx: '3', apache: '1', haproxy: 'inter 3s rise 2 fall 3'}[proxy]),
    }
  // HAProxy gives a cookie up whose server its checks call down; Apache obeys it all the same.
  if (movesSessions.value || (proxy === 'haproxy' && health.kind !== 'passive')) return undefined
  return {
    setting: movesSessions,
    because: 'a session on it gets errors until it is back',
    expected: {nginx: 'proxy_next_upstream error timeout', apache: 'nofailover=Off', haproxy: 'option redispatch'}[proxy],
    edits: movesSessions.put({nginx: 'error timeout', apache: 'Off', haproxy: ''}[proxy]),
  }
}
