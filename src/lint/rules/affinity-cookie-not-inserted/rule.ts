import {ALL_CHAT} from '../../cascades.ts'
import type {Rule} from '../../rule.ts'
import {balanced, isLearned, isSetByGms, OVER_HTTP} from '../../sessions.ts'
import {placeOf} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'affinity-cookie-not-inserted',
    title: 'Affinity waits for a cookie that nobody sets',
    concern: 'affinity',
    severity: 'error',
    requirement:
      'The cookie that names the node is given to the browser by somebody: GMS sets BAYEUX_BROWSER only, any other name is up to the proxy.',
    remediation: {
      nginx:
        'add_header Set-Cookie "GMS_NODE=$request_id; Path=/; HttpOnly" always; for clients without the cookie, with the key that hash uses',
      apache:
        'Header add Set-Cookie "GMS_NODE=.%{BALANCER_WORKER_ROUTE}e; Path=/; HttpOnly" env=BALANCER_ROUTE_CHANGED beside the ProxyPass',
      haproxy: 'cookie GMS_NODE insert indirect nocache httponly in the backend whose servers carry cookie values',
    },
    references: [
      'HAProxy configuration manual, "cookie" (proxy) and "cookie" (server)',
      'Apache mod_proxy_balancer, examples of a balancer configuration',
      'Measured: the published HAProxy sample with a second server: 0 of 20 clients, no Set-Cookie, no warning',
    ],
    breaks: ['affinity-same-node'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    balanced({site, promises}, ...OVER_HTTP).flatMap(({upstream: {affinity, nodes, name, span}}) => {
      const {kind, cookie, setting} = affinity
      const valued = nodes.find(({key}) => key !== undefined && /^(server\b.*)?cookie\b/.test(key.directive))
      if (kind === 'none' && valued?.key)
        return [
          {
            span: valued.key.span ?? span,
            message: `Missing a cookie line: the servers of ${name} carry cookie values that no client ever gets`,
            expected: 'cookie GMS_NODE insert indirect nocache httponly',
            actual: `${valued.key.text}, and no cookie … insert in ${name}`,
            edits: setting.put('GMS_NODE insert indirect nocache httponly'),
          },
        ]
      const foreign = cookie !== undefined && !isSetByGms(cookie) && promises.source['affinity'] !== 'parameters'
      if (kind !== 'application-cookie' || !foreign || isLearned(affinity)) return []
      return [
        {
          span: placeOf(setting),
          message: `Expected somebody to set the cookie ${cookie}: the proxy reads it, and adds it to no answer`,
          expected: `Set-Cookie: ${cookie}=… with the first answer`,
          actual: `${setting.text}, and no header that sets ${cookie}`,
        },
      ]
    }),
}
