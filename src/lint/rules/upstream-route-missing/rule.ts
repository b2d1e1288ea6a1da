import type {Way} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {routed} from '../../route-edits.ts'
import type {PathFate, RouteFates} from '../../routes.ts'
import {fateOf, isPromised, routesOf} from '../../routes.ts'
import type {Rule} from '../../rule.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-route-missing',
    title: 'One of the two paths of GMS is not routed to GMS',
    concern: 'upstream',
    severity: 'error',
    requirement: 'Both paths of the chat reach GMS: /genesys/cometd for messages, /genesys/2/chat-ntf for files.',
    remediation: {
      nginx: 'Add location /genesys/2/chat-ntf { proxy_pass http://gms; } beside location /genesys/cometd, with the same headers',
      apache: 'Add ProxyPass /genesys/2/chat-ntf balancer://gms/genesys/2/chat-ntf beside that of /genesys/cometd',
      haproxy: 'Name both paths in the acl: path_beg /genesys/cometd /genesys/2/chat-ntf',
    },
    references: ['GMS Chat API V2 over CometD, "Handshake with GMS" and "File operations"'],
    breaks: ['upstream-path-intact'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    routesOf(site).flatMap(routes =>
      unrouted(routes)
        .filter(({way}) => isPromised(promises, way.request.path))
        .map(({way}) => ({
          span: way.end.span,
          message: `Missing route for ${way.request.path}`,
          expected: 'GMS is asked',
          actual: fateOf(way),
          edits: routed(site, way, arrivingOf(routes) ?? way),
        })),
    ),
}

function unrouted({bare, suffixed, files, upgraded}: RouteFates): readonly PathFate[] {
  const cometd = bare.fate === 'refused' && suffixed.fate === 'refused' && !upgraded ? [suffixed] : []
  return [...cometd, ...(files.fate === 'refused' ? [files] : [])]
}

function arrivingOf({bare, suffixed, files}: RouteFates): Way | undefined {
  return [bare, suffixed, files].find(({fate}) => fate === 'arrives')?.way
}
