import type {Edit, Span} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import {UPGRADES} from '../../cascades.ts'
import {sparing} from '../../conditions.ts'
import {CALLBACK, PUBLISH} from '../../requests.ts'
import {first as winning} from '../../route-edits.ts'
import {fateOf} from '../../routes.ts'
import type {Inspection, Rule, RuleDraft} from '../../rule.ts'
import type {WayToGms} from '../../settings.ts'
import {directiveAt} from '../../source.ts'
import {routeInShade, upgradesOf} from '../../upgrades.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-shadowed',
    title: 'An earlier rule takes the upgrade before the WebSocket rule',
    concern: 'upgrade',
    severity: 'error',
    requirement:
      'The rule that passes the upgrade on is the one that gets it: no rule that is looked at before answers it, or leads it elsewhere.',
    remediation: {
      nginx:
        'Put the upgrade headers into the location that takes /genesys/cometd: regular expressions win over prefixes unless the prefix is written ^~',
      apache: 'Move the WebSocket rule up: the first ProxyPass that matches wins, and RewriteRule lines run in order, before ProxyPass',
      haproxy: 'Spare WebSocket in the rule that refuses it: http-request rules run before use_backend, wherever they stand',
    },
    references: [
      'https://nginx.org/en/docs/http/ngx_http_core_module.html#location',
      'Apache mod_proxy, ProxyPass: "the first match wins"; HAProxy: order of rules',
      'RFC 6455, 4.1',
    ],
    breaks: ['upgrade-handshake', 'upgrade-chat', 'upgrade-negotiated'],
    mayBreak: UPGRADES,
  },
  inspect: ({site}) => [...refused({site}), ...takenElsewhere({site})],
}

/** The same path is open for everything but upgrades. */
function refused({site}: Pick<Inspection, 'site'>): readonly RuleDraft[] {
  return upgradesOf(site).flatMap(({listener, spelt}) => {
    const ends = spelt.map(({way}) => way.end)
    const [first] = spelt
    // A module that is not loaded is another cause: upstream-handler-missing.
    if (!first || ends.some(end => end.kind !== 'answer' || end.of === 'no-handler')) return []
    if ([PUBLISH, CALLBACK].some(request => site.trace(listener, request).end.kind !== 'upstream')) return []
    return [
      {
        span: first.way.end.span,
        message: 'Expected the upgrade to reach GMS, a rule answers it first',
        expected: '101 of GMS',
        actual: fateOf(first.way),
        edits: opened(site, first.way.end.span),
      },
    ]
  })
}

function takenElsewhere({site}: Pick<Inspection, 'site'>): readonly RuleDraft[] {
  return upgradesOf(site).flatMap(({spelt}) => {
    const [first] = spelt
    if (!first || first.way.end.kind !== 'upstream' || spelt.some(({works}) => works !== false)) return []
    const shade = routeInShade(site, first.way as WayToGms)
    if (!shade) return []
    return [
      {
        span: first.way.end.span,
        message: `Expected the upgrade at the WebSocket rule in line ${shade.line}, this line takes it before`,
        expected: `line ${shade.line}`,
        actual: fateOf(first.way),
        edits: lit(site, first.way as WayToGms, shade),
      },
    ]
  })
}

function opened({proxy, config}: Site, span: Span): readonly Edit[] {
  const line = proxy === 'haproxy' ? directiveAt(config, span) : undefined
  return line ? sparing(line, '{ req.hdr(Upgrade) -m str -i websocket }', 'upgrades to WebSocket pass') : []
}

/** nginx: the prefix wins over expressions; Apache: the line that takes the request switches protocols too. */
function lit({proxy, config}: Site, way: WayToGms, shade: Span): readonly Edit[] {
  if (proxy === 'apache') return way.tunnels.put('websocket')
  const location = directiveAt(config, shade)
  return proxy === 'nginx' && location?.name === 'location' && location.args.length === 1 ? winning(location, 'no expression takes it') : []
}
