import type {Edit, Span} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {CALLBACK, HANDSHAKE, PUBLISH} from '../../requests.ts'
import {spared} from '../../route-edits.ts'
import {fateOf} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {blocksAround, directiveAt, withArguments, withoutLine} from '../../source.ts'
import {upgradesOf} from '../../upgrades.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-without-fallback',
    title: 'The path speaks WebSocket only: long-polling and callback-polling are dead',
    concern: 'upgrade',
    severity: 'error',
    requirement:
      'A server takes long-polling (Bayeux 1.0, 2.2.2): clients behind proxies that know no WebSocket need it, and the stock client begins with it when it has no socket.',
    remediation: {
      nginx: 'Let requests without Upgrade through to GMS: no if ($http_upgrade …) { return … } for /genesys/cometd',
      apache:
        'upgrade=websocket on an http:// BalancerMember or ProxyPass instead of ws://, or take ProxyWebsocketFallbackToProxyHttp Off away',
      haproxy: 'Give requests without Upgrade the backend of GMS too: default_backend, and no http-request deny for them',
    },
    references: [
      'Bayeux 1.0, 5 and 6',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy_wstunnel.html#proxywebsocketfallbacktoproxyhttp',
      'Measured: POST of the handshake 404',
    ],
    breaks: ['polling-chat', 'polling-callback-chat'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site}) =>
    upgradesOf(site).flatMap(({listener, spelt}) => {
      if (!spelt.some(({works}) => works === true)) return []
      const ways = [HANDSHAKE, PUBLISH, CALLBACK].map(request => site.trace(listener, request))
      const [first] = ways
      if (!first || ways.some(({end}) => end.kind === 'upstream' || end.kind === 'unknown')) return []
      return [
        {
          span: first.end.span,
          message: 'Expected polling to reach GMS where WebSocket does',
          expected: 'the handshake over long-polling at GMS',
          actual: fateOf(first),
          edits: open(site, first.end.span),
        },
      ]
    }),
}

/** What was written against polling goes; what is meant for other paths too spares that of the chat. */
function open(site: Site, span: Span): readonly Edit[] {
  const {proxy, config} = site
  const line = directiveAt(config, span)
  const why = 'polling reaches GMS too'
  if (!line) return []
  if (proxy === 'apache') return /^ProxyWebsocketFallbackToProxyHttp$/i.test(line.name) ? withArguments(line, 'On', why) : []
  if (proxy === 'haproxy')
    return line.args.some(({value}) => value === COMETD_PATH) ? withoutLine(config, line, why) : spared(site, line, COMETD_PATH)
  const [around, condition] = blocksAround(config, span).slice(-2)
  const alone = condition?.name === 'if' && condition.block?.length === 1 && around?.name === 'location'
  return alone ? withoutLine(config, condition, why) : []
}
