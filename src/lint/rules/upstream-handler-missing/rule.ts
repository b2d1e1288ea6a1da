import type {Site} from '../../../proxies/site.ts'
import type {Directive} from '../../../proxies/syntax.ts'
import {loading, loads} from '../../apache-modules.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {waysOf, WEBSOCKET} from '../../requests.ts'
import {CHAT} from '../../routes.ts'
import type {Rule} from '../../rule.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-handler-missing',
    title: 'The module that would speak to the nodes is not loaded',
    concern: 'upstream',
    severity: 'error',
    requirement:
      'http:// targets need mod_proxy_http, ws:// targets before httpd 2.4.47 mod_proxy_wstunnel: without them httpd starts and answers 500.',
    remediation: {
      apache: 'LoadModule proxy_http_module modules/mod_proxy_http.so (a2enmod proxy_http), and proxy_wstunnel for ws:// before 2.4.47',
    },
    references: [
      'Apache httpd: mod_proxy_http, mod_proxy_wstunnel',
      'Measured on 2.4.71: 500, AH01144 "No protocol handler was valid for the URL"; ws:// needs no mod_proxy_wstunnel there',
    ],
    breaks: ['listener-reaches-gms'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site}) =>
    waysOf(site, ...CHAT).flatMap(({request, end}) =>
      end.kind === 'answer' && end.of === 'no-handler' && !(request !== WEBSOCKET && isForWebSocket(site))
        ? [
            {
              span: end.span,
              message: `Missing module for ${request.title}`,
              expected: 'a module that speaks the protocol of the target',
              actual: `${end.status ?? 500}: no module that is loaded speaks it`,
              edits: loading(site.config, loads(site.config, 'proxy_http') ? 'proxy_wstunnel' : 'proxy_http'),
            },
          ]
        : [],
    ),
}

/** ws:// targets that take nothing but upgrades: no module is missing, the fallback is (upgrade-without-fallback). */
function isForWebSocket({config: {files}}: Site): boolean {
  const refuses = ({name, args, block = []}: Directive): boolean =>
    (/^ProxyWebsocketFallbackToProxyHttp$/i.test(name) && /^off$/i.test(args[0]?.value ?? '')) || block.some(refuses)
  return files.some(({directives}) => directives.some(refuses))
}
