import {describe, expect, it} from 'vitest'
import {PROXY_NAMES} from '../model/catalogue.ts'
import {RULES} from '../lint/rules/index.ts'
import {remarksIn} from './log-line.ts'
import {LOG_MEANINGS} from './log-meanings.ts'

const known = new Set<string>(RULES.map(({meta}) => meta.id))

it.each(PROXY_NAMES)('%s: every line points to causes of the catalogue that it can have', proxy => {
  for (const {causes, meaning} of LOG_MEANINGS[proxy]) {
    expect(
      causes.filter(id => !known.has(id)),
      meaning,
    ).toEqual([])
    for (const id of causes) expect(RULES.find(({meta}) => meta.id === id)?.meta.remediation[proxy], `${meaning}: ${id}`).toBeDefined()
  }
})

describe('lines as the proxies wrote them', () => {
  it.each([
    ['haproxy', 'main bk_gms/server1 0/0/0/-1/25000 504 198 - - sH-- 1/1/0/0/0 0/0', 'polling-timeout-below-hold'],
    ['haproxy', 'main main/<NOSRV> 0/-1/-1/-1/0 403 192 - - PR-- 1/1/0/0/0 0/0', 'upstream-method-blocked'],
    [
      'nginx',
      '2026/01/01 [error] 7#7: *1 upstream timed out (110: Connection timed out) while reading response header from upstream, client: 127.0.0.1',
      'polling-timeout-below-hold',
    ],
    ['nginx', '2026/01/01 [error] 7#7: *1 client intended to send too large body: 2097476 bytes', 'upload-body-limit-too-small'],
    [
      'apache',
      '[proxy_http:error] [pid 7:tid 9] (70007)The timeout specified has expired: [client 127.0.0.1:1] AH01102: error reading status line from remote server 127.0.0.1:8080',
      'polling-timeout-below-hold',
    ],
    [
      'apache',
      '[proxy:warn] [pid 7] AH01144: No protocol handler was valid for the URL /genesys/cometd (scheme ws)',
      'upstream-handler-missing',
    ],
  ] as const)('%s: %s', (proxy, line, cause) => {
    expect(remarksIn([line], LOG_MEANINGS[proxy]).map(({causes}) => causes[0])).toContain(cause)
  })

  it.each(PROXY_NAMES)('%s: a line about nothing has no meaning', proxy => {
    expect(remarksIn(['all is well', 'main bk/s1 0/0/0/1/1 200 198 - - ---- 1/1/0/0/0 0/0'], LOG_MEANINGS[proxy])).toEqual([])
  })
})
