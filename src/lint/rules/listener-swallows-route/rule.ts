import type {Edit} from '../../../model/bundle.ts'
import type {Site, Way} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {routed, spared} from '../../route-edits.ts'
import type {PathFate, RouteFates} from '../../routes.ts'
import {fateOf, isPromised, routesOf} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {directiveAt} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'listener-swallows-route',
    title: 'Another route answers in front of GMS',
    concern: 'listener',
    severity: 'error',
    requirement:
      'Requests for /genesys/cometd and /genesys/2/chat-ntf are answered by GMS: no file, fixed answer or redirect takes them before.',
    remediation: {
      nginx:
        'Add location /genesys/ { proxy_pass http://gms; } beside the route that answers now (longest prefix wins, regular expressions before prefixes)',
      apache: 'Take the GMS paths out of the rule that answers now (RewriteCond %{REQUEST_URI} !^/genesys/), and ProxyPass them',
      haproxy: 'Take the GMS paths out of the rule that answers now: http-request redirect … unless { path_beg /genesys/ }',
    },
    references: [
      'nginx: location, try_files; Apache: RewriteRule comes before ProxyPass; HAProxy: http-request rules come before use_backend',
    ],
    breaks: ['upstream-path-intact'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    routesOf(site).flatMap(routes =>
      swallowed(routes)
        .filter(({way}) => isPromised(promises, way.request.path))
        .map(({way}) => ({
          span: way.end.span,
          message: `Expected ${way.request.method} ${way.request.path} to reach GMS`,
          expected: 'an answer of GMS',
          actual: fateOf(way),
          edits: editsOf(site, way, routes),
        })),
    ),
}

/** A path whose half arrives is too narrowly routed, one that only upgrades has no fallback: both are other rules'. */
function swallowed({bare, suffixed, files, upgraded}: RouteFates): readonly PathFate[] {
  const cometd = bare.fate === 'arrives' || suffixed.fate === 'arrives' || upgraded ? [] : [suffixed]
  return [...cometd, files].filter(({fate}) => fate === 'swallowed')
}

/** nginx: a location that wins; the others: the line that answers spares the path. */
function editsOf(site: Site, way: Way, {bare, suffixed, files}: RouteFates): readonly Edit[] {
  const line = directiveAt(site.config, way.end.span)
  const arriving = [bare, suffixed, files].find(({fate}) => fate === 'arrives')
  if (site.proxy === 'nginx') return arriving ? routed(site, way, arriving.way) : []
  return line ? spared(site, line, way.request.path) : []
}
