import type {Edit} from '../../../model/bundle.ts'
import type {Setting, Site} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {sparing} from '../../conditions.ts'
import {CALLBACK, POLL, UPLOAD} from '../../requests.ts'
import {SPARED} from '../../route-edits.ts'
import type {Rule} from '../../rule.ts'
import {placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'
import {directiveAt, insertedBelow} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-cached',
    title: 'Answers of GMS are cached and handed to other clients',
    concern: 'upstream',
    severity: 'error',
    requirement:
      "No answer of GMS is kept for the next client: a cached callback-polling handshake hands one customer's session to another.",
    remediation: {
      nginx: 'proxy_cache off; in the locations of GMS',
      apache: 'CacheDisable /genesys/ (or no CacheEnable for a path above it)',
      haproxy: 'Remove http-request cache-use and http-response cache-store from the GMS paths, or: … unless { path_beg /genesys/ }',
    },
    references: [
      'RFC 9111, 3',
      'Measured: nginx hands the session of one callback-polling customer to the next, and its cached 400 to WebSocket upgrades',
      'nginx: proxy_cache; Apache: CacheEnable; HAProxy: cache-use, cache-store',
    ],
    breaks: ['polling-callback-chat'],
    mayBreak: ALL_CHAT,
    provenBy: {
      by: 'evidence',
      because: 'what Apache and HAProxy keep depends on what GMS says of its answers; those of the simulated one were not kept',
      on: ['fires.apache.conf', 'fires.haproxy.cfg'],
    },
  },
  inspect: ({site}) =>
    settingsOf(waysToGms(site, CALLBACK, POLL, UPLOAD, {...UPLOAD, title: 'a download', method: 'GET'}), ({cached}) => cached)
      .filter(({setting}) => setting.value)
      .map(({setting, ways}) => ({
        span: placeOf(setting),
        message: `Expected no cache for ${titlesOf(ways)}: "${setting.text}"`,
        expected: 'every request reaches GMS',
        actual: 'an answer may be kept and handed to the next client',
        edits: site.proxy === 'apache' ? exempted(site, setting) : site.proxy === 'haproxy' ? unasked(site, setting) : setting.put('off'),
      })),
}

/** Other sites, and other paths, keep their cache. */
function exempted({config}: Site, {span}: Setting<boolean>): readonly Edit[] {
  return span ? insertedBelow(config, span, ['CacheDisable "/genesys"'], 'answers of GMS are for one client each') : []
}

/** What is not asked for is not stored either. */
function unasked({config}: Site, {span}: Setting<boolean>): readonly Edit[] {
  const line = span && directiveAt(config, span)
  return line ? sparing(line, SPARED, 'answers of GMS are for one client each') : []
}
