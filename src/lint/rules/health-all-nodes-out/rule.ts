import type {Node} from '../../../proxies/site.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, secondsIn} from '../../settings.ts'
import {chatNodes} from '../../routes.ts'

/** A node that runs again has to be used again within this time, ms. */
const BACK_WITHIN_MS = 30_000
const REST_MS = {nginx: 9000, apache: 1000, haproxy: 3000}

export const rule: Rule = {
  meta: {
    id: 'health-all-nodes-out',
    title: 'A short failure takes every node out for a while',
    concern: 'health',
    severity: 'warning',
    requirement: 'A node that failed for a moment, or was restarted, is used again within 30 s: when all were, nobody is served meanwhile.',
    remediation: {
      nginx: 'max_fails=3 fail_timeout=9s on each server: fail_timeout is also the time for which a node is left out',
      apache: 'retry=1 on each BalancerMember (default 60 s), and no forcerecovery=Off',
      haproxy: 'default-server check inter 3s rise 2 fall 3; no downinter of minutes, no rise of dozens',
    },
    references: [
      'https://nginx.org/en/docs/http/ngx_http_upstream_module.html#fail_timeout',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass (retry, forcerecovery)',
      'https://docs.haproxy.org/2.6/configuration.html#5.2-inter',
      'Measured: nginx logs "no live upstreams" for fail_timeout, Apache "AH00959: ap_proxy_connect_backend disabling worker … for 60s"',
    ],
    breaks: ['health-node-returns'],
    mayBreak: ['health-recovers-from-outage', 'health-dead-node-leaves', 'upload-errors-unchanged', 'polling-errors-unchanged'],
  },
  inspect({site}) {
    const places = new Map<string, Node['outFor']>()
    for (const {outFor} of chatNodes(site)) {
      const {file, start} = placeOf(outFor)
      if (outFor.value > BACK_WITHIN_MS) places.set(`${file}:${start}`, outFor)
    }
    const right = secondsIn(site.proxy, REST_MS[site.proxy])
    return [...places.values()].map(outFor => ({
      span: placeOf(outFor),
      message: `Expected a node that failed to be used again within ${BACK_WITHIN_MS / 1000} s, it is left out for ${outFor.value / 1000} s`,
      expected: `${right}, ${BACK_WITHIN_MS / 1000} s at most`,
      actual: inForce(outFor),
      edits: outFor.put(right),
    }))
  },
}
