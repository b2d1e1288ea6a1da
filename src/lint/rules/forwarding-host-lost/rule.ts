import type {Edit, Span} from '../../../model/bundle.ts'
import type {HeaderSource, SentHeader, Site} from '../../../proxies/site.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {FILES_PATH} from '../../../wire/chat.ts'
import {WEBSOCKETS} from '../../cascades.ts'
import {POLL, UPLOAD, WEBSOCKET} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'
import {directiveAt, siblingsAt, withoutLine} from '../../source.ts'

/** What GMS sees in the place of the public Host. */
const LOST: Readonly<Partial<Record<HeaderSource, string>>> = {
  node: 'the name or address of the node',
  'host-without-port': 'the host without its port',
  text: 'a fixed text',
  nothing: 'no Host',
}
const RIGHT = {nginx: '$http_host', apache: 'On', haproxy: '%[req.hdr(Host)]'}

export const rule: Rule = {
  meta: {
    id: 'forwarding-host-lost',
    title: 'GMS does not see the public Host; Origin checks and absolute URLs break',
    concern: 'forwarding',
    severity: 'error',
    requirement: 'Host reaches GMS as the client sent it, port included (RFC 9110, 7.2).',
    remediation: {
      nginx: 'proxy_set_header Host $http_host; ($host drops the port)',
      apache: 'ProxyPreserveHost On, and no RequestHeader set Host',
      haproxy: 'Remove http-request set-header Host from the paths of the chat',
    },
    references: [
      'RFC 9110, 7.2 Host',
      'RFC 6454, 7 Origin',
      'https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypreservehost',
    ],
    breaks: ['forwarding-host'],
    mayBreak: [...WEBSOCKETS, 'access-origins', 'upload-errors-unchanged', 'polling-errors-unchanged', 'tls-redirect-spares-chat'],
  },
  inspect({site}) {
    const ways = waysToGms(site, POLL, WEBSOCKET, UPLOAD).filter(({listener}) => !listener.layer4.value)
    return settingsOf(ways, way => {
      const host = way.sent('host')
      return LOST[host.value] === undefined ? undefined : host
    }).map(({setting, ways: own}) => ({
      span: placeOf(setting),
      message: `Expected the public Host at GMS, ${titlesOf(own)} comes with ${setting.sends ?? LOST[setting.value] ?? ''}`,
      expected: site.proxy === 'apache' ? 'ProxyPreserveHost On' : `Host ${RIGHT[site.proxy]}`,
      actual: inForce(setting),
      edits: editsOf(site, setting),
    }))
  },
}

function editsOf(site: Site, setting: SentHeader): readonly Edit[] {
  const line = setting.span && directiveAt(site.config, setting.span)
  if (site.proxy === 'haproxy' && line && !line.args.some(({value}) => value === 'if' || value === 'unless'))
    return withoutLine(site.config, line, 'the Host of the client stays')
  return site.proxy === 'apache' && /^RequestHeader$/i.test(setting.directive) ? unset(site, setting.span) : setting.put(RIGHT[site.proxy])
}

/** The line goes where nothing but the chat is proxied; elsewhere it may be meant for other paths. */
function unset({config}: Site, span: Span | undefined): readonly Edit[] {
  const line = span && directiveAt(config, span)
  if (!line) return []
  const routes = siblingsAt(config, line.span).filter(({name}) => /^ProxyPass(?:Match)?$/i.test(name))
  const ofChat = routes.every(({args}) => [COMETD_PATH, FILES_PATH].some(path => args[0]?.value.includes(path)))
  return routes.length > 0 && ofChat ? withoutLine(config, line, 'the Host of the client stays') : []
}
