import type {Edit, Span} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import {FILES} from '../../cascades.ts'
import {HANDSHAKE, POLL, UPLOAD} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'
import {directiveAt, withoutLine} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-errors-replaced',
    title: 'Error answers of GMS are replaced by pages of the proxy',
    concern: 'upstream',
    severity: 'warning',
    requirement:
      'Errors of GMS reach the client with status, Content-Type and body: a client that sees 200 and HTML in their place cannot read it, or believes a session to be alive.',
    remediation: {
      nginx: 'proxy_intercept_errors off; in the locations of GMS',
      apache: 'ProxyErrorOverride Off in the virtual host of GMS (or in a <Location> of its paths)',
      haproxy: 'Remove http-response return, set-status and deny rules on the status of GMS, and http-errors/errorfiles with them',
    },
    references: [
      'nginx: proxy_intercept_errors, error_page; Apache: ProxyErrorOverride; HAProxy: http-response return',
      'Measured: error_page 404 =200 with proxy_intercept_errors on makes a CometD client fail with a parse error',
    ],
    breaks: ['polling-errors-unchanged'],
    mayBreak: [...FILES, 'polling-session-unknown-unchanged', 'upgrade-handshake', 'upgrade-negotiated'],
  },
  inspect: ({site}) =>
    settingsOf(waysToGms(site, HANDSHAKE, POLL, UPLOAD), ({errorsReplaced}) => errorsReplaced)
      .filter(({setting}) => setting.value)
      .map(({setting, ways}) => ({
        span: placeOf(setting),
        message: `Expected errors of GMS to reach the client: "${setting.text}"`,
        expected: 'status, Content-Type and body of GMS',
        actual: `a page of the proxy in their place, for ${titlesOf(ways)}`,
        edits: site.proxy === 'haproxy' ? untouched(site, placeOf(setting)) : setting.put('off'),
      })),
}

/** A rule on answers of HAProxy cannot ask for the path: it goes. */
function untouched({config}: Site, span: Span): readonly Edit[] {
  const line = directiveAt(config, span)
  return line?.name === 'http-response' ? withoutLine(config, line, 'errors of GMS pass as they are') : []
}
