import type {Edit} from '../../../model/bundle.ts'
import {distinctEdits} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import {cookieAffinity, routeCookie} from '../../affinity-edits.ts'
import {ALL_CHAT} from '../../cascades.ts'
import type {Rule} from '../../rule.ts'
import type {Balanced} from '../../sessions.ts'
import {balanced, isLearned, isSetByGms, OVER_HTTP} from '../../sessions.ts'
import {placeOf} from '../../settings.ts'
import {allOf, blocksAround, insertedBelow} from '../../source.ts'

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
    balanced({site, promises}, ...OVER_HTTP).flatMap(({upstream, ways}) => {
      const {affinity, nodes, name, span} = upstream
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
          edits:
            site.proxy === 'apache'
              ? routeCookie(site, upstream, cookie)
              : site.proxy === 'nginx'
                ? answered(site, {upstream, ways}, cookie)
                : [],
        },
      ]
    }),
}

/** A table that makes the cookie is answered where the other lines of the server stand; without one, the key is another too. */
function answered(site: Site, balanced: Balanced, cookie: string): readonly Edit[] {
  const {config} = site
  const table = allOf(config, /^map$/).find(({block = []}) => block.some(({args}) => args[0]?.value.startsWith(`${cookie}=`)))
  const variable = table?.args.at(-1)?.value
  if (variable === undefined || allOf(config, /^add_header$/).length > 0) return cookieAffinity(site, balanced)
  const line = `add_header Set-Cookie ${variable} always;`
  const servers = balanced.ways.flatMap(({end}) => blocksAround(config, end.span).find(({name}) => name === 'server') ?? [])
  return distinctEdits(
    servers.flatMap(({block = []}) => {
      const last = block.findLast(({block: inner}) => !inner)
      return last ? insertedBelow(config, last.span, [line], `the browser is told its key in ${cookie}`) : []
    }),
  )
}
