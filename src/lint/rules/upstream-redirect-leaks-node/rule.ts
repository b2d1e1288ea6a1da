import {HANDSHAKE, UPLOAD, waysOf} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {placeOf} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-redirect-leaks-node',
    title: 'Redirects expose the address of a node',
    concern: 'upstream',
    severity: 'note',
    requirement:
      'A redirect of GMS leads to the public address: GMS makes it from the Host that it gets, so that is the public one, or Location is translated on the way back.',
    remediation: {
      nginx:
        'proxy_set_header Host $http_host; or remove proxy_redirect off (default: Location headers with the address of proxy_pass are translated)',
      apache: 'ProxyPreserveHost On, or ProxyPassReverse beside each ProxyPass',
    },
    references: ['nginx: proxy_redirect; Apache: ProxyPassReverse', 'Measured: 302 with Location: http://127.0.0.1:20401/genesys/'],
    breaks: [],
    mayBreak: ['forwarding-host', 'upgrade-origin', 'upgrade-handshake', 'upgrade-negotiated', 'upgrade-chat'],
    provenBy: {by: 'evidence', because: 'GMS answers no request of a chat with a redirect'},
  },
  inspect: ({site}) =>
    waysOf(site, HANDSHAKE, UPLOAD)
      .filter(way => way.end.kind === 'upstream' && !way.redirectsTranslated.value && way.sent('host').value === 'node')
      .map(way => ({setting: way.redirectsTranslated, host: way.sent('host')}))
      .map(({setting, host}) => ({
        span: placeOf(setting),
        message: `Expected redirects of GMS to lead to the public address: "${setting.text}"`,
        expected: 'Location with the public host name',
        actual: 'Location with the name or address of a node, as GMS knows no other',
        edits: host.put(site.proxy === 'apache' ? 'On' : '$http_host'),
      })),
}
