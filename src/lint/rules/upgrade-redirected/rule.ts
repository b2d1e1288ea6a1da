import type {Edit, Span} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import type {ParsedConfig} from '../../../proxies/syntax.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {UPGRADES} from '../../cascades.ts'
import {HANDSHAKE, waysOf, WEBSOCKET} from '../../requests.ts'
import {flagged} from '../../rewrite-rules.ts'
import {spared} from '../../route-edits.ts'
import type {Rule} from '../../rule.ts'
import {blocksAround, directiveAt, withoutLine} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-redirected',
    title: 'The WebSocket handshake is answered with a redirect',
    concern: 'upgrade',
    severity: 'error',
    requirement: 'Browsers follow no redirect of a WebSocket handshake: anything but 101 fails it (RFC 6455, 4.1; WHATWG WebSockets).',
    remediation: {
      nginx:
        'Take the redirect away from /genesys/cometd: location /genesys/cometd without a slash at its end (nginx redirects to the slash by itself), no return 301 or rewrite for it',
      apache:
        'Give the RewriteRule to ws:// the flag [P] ([P,L]): without it httpd sends a redirect to the node; take other redirects away from /genesys/cometd',
      haproxy: 'Spare the chat: http-request redirect … unless { path_beg /genesys/cometd }',
    },
    references: [
      'RFC 6455, 4.1; WHATWG WebSockets: fetch with redirect mode "error"',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy_wstunnel.html',
      'Measured: 302 to ws://node, the address of the node in it',
    ],
    breaks: ['upgrade-handshake', 'upgrade-chat', 'upgrade-negotiated'],
    mayBreak: [...UPGRADES, 'upstream-path-intact', 'polling-callback-chat', 'polling-chat', 'listener-reaches-gms'],
  },
  inspect: ({site}) =>
    waysOf(site, WEBSOCKET).flatMap(({end, listener}) => {
      // Where all of the chat is redirected, to https say, nothing is meant to be served.
      if (end.kind !== 'redirect' || site.trace(listener, HANDSHAKE).end.kind !== 'upstream') return []
      return [
        {
          span: end.span,
          message: `Expected the handshake of a WebSocket to reach GMS, it is answered ${end.status} to ${end.to}`,
          expected: '101 of GMS',
          actual: `${end.status} to ${end.to}`,
          edits: site.proxy === 'apache' ? proxied(site.config, end.span) : left(site, end.span),
        },
      ]
    }),
}

/** `[L]` → `[P,L]`, for a rule that names a WebSocket address. */
function proxied(config: ParsedConfig, span: Span): readonly Edit[] {
  const rule = directiveAt(config, span)
  const meansProxying = rule?.name.toLowerCase() === 'rewriterule' && /^wss?:/i.test(rule.args[1]?.value ?? '')
  return meansProxying ? flagged(rule, 'P') : []
}

/** HAProxy: the line spares the chat; nginx: the condition goes that stands in the location of the chat for this alone. */
function left(site: Site, span: Span): readonly Edit[] {
  const line = directiveAt(site.config, span)
  if (!line) return []
  if (site.proxy === 'haproxy') return spared(site, line, COMETD_PATH)
  const [around, condition] = blocksAround(site.config, span).slice(-2)
  const alone = condition?.name === 'if' && condition.block?.length === 1 && around?.name === 'location'
  return alone ? withoutLine(site.config, condition, 'upgrades stay here') : []
}
