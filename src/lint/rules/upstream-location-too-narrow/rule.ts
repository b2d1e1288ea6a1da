import {ALL_CHAT} from '../../cascades.ts'
import {fateOf, isPromised, routesOf} from '../../routes.ts'
import type {PathFate, RouteFates} from '../../routes.ts'
import type {Rule} from '../../rule.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-location-too-narrow',
    title: 'The route takes only a part of the CometD path',
    concern: 'upstream',
    severity: 'error',
    requirement:
      'The route to GMS takes /genesys/cometd and everything below it: clients append /handshake, /connect and /disconnect, send messages to it with a slash at its end and upgrades to the path itself.',
    remediation: {
      nginx: 'location /genesys/cometd { … } without "=", without "$" and without a slash at its end',
      apache: 'ProxyPass /genesys/cometd … instead of ProxyPassMatch ^/genesys/cometd$, without a slash at the end of either side',
      haproxy: 'path_beg /genesys/cometd instead of path /genesys/cometd',
    },
    references: ['CometD reference, appendMessageTypeToURL (default true)', 'GMS Chat API V2 over CometD, "Handshake with GMS"'],
    breaks: ['upstream-path-intact'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    routesOf(site).flatMap(routes => {
      const found = narrow(routes)
      if (!found || !isPromised(promises, found.lost.way.request.path)) return []
      const {arriving, lost} = found
      return [
        {
          span: lost.fate === 'refused' ? arriving.way.end.span : lost.way.end.span,
          message: `Expected the route of ${arriving.way.request.path} to take ${lost.way.request.path} too`,
          expected: `${lost.way.request.path} reaches GMS`,
          actual: fateOf(lost.way),
        },
      ]
    }),
}

function narrow({bare, suffixed, slashed}: RouteFates): {arriving: PathFate; lost: PathFate} | undefined {
  const all = [bare, suffixed, slashed]
  const arriving = all.find(({fate}) => fate === 'arrives')
  const lost = all.find(({fate}) => fate === 'refused' || fate === 'swallowed')
  return arriving && lost ? {arriving, lost} : undefined
}
