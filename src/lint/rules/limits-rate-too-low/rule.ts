import type {Edit} from '../../../model/bundle.ts'
import type {Promises} from '../../../model/report.ts'
import type {Setting, Site} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {HANDSHAKE, POLL, PUBLISH, UPLOAD} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'
import {allOf, directiveAt, replacedIn} from '../../source.ts'

/** Customers who open a chat from one office within a few seconds, and what each sends to open it (handshake, connect, subscribe, join). */
const OFFICE = 5
const TO_OPEN = 4

export const rule: Rule = {
  meta: {
    id: 'limits-rate-too-low',
    title: 'A request rate limit hits normal polling',
    concern: 'limits',
    severity: 'error',
    requirement: 'Customers behind one address who open their chats and poll at a usual pace are never refused.',
    remediation: {
      nginx:
        'limit_req_zone $binary_remote_addr zone=requests:10m rate=20r/s; limit_req zone=requests burst=100 nodelay; limit_req_status 429;',
      haproxy: 'Raise the rule on http_req_rate: 20 requests a second of one address over 10 s, sc0_http_req_rate gt 200',
    },
    references: [
      'https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req',
      'https://docs.haproxy.org/2.6/configuration.html#7.3.3-sc_http_req_rate',
      'RFC 6585, 4: 429 Too Many Requests',
    ],
    breaks: ['limits-spare-polling'],
    mayBreak: [...ALL_CHAT, 'access-paths-only', 'forwarding-scheme', 'access-origins'],
  },
  inspect({site, promises}) {
    return settingsOf(waysToGms(site, HANDSHAKE, POLL, PUBLISH, UPLOAD), ({requestsPerSecond}) =>
      isTooLow(requestsPerSecond, promises) ? requestsPerSecond : undefined,
    ).map(({setting, ways}) => ({
      span: placeOf(setting),
      message: `Expected customers behind one address to be served, more than ${setting.value?.rate ?? 0} requests a second are refused (${titlesOf(ways)})`,
      expected: `${promises.requestsPerSecond ?? OFFICE * TO_OPEN} requests a second of one address, or a burst of as many`,
      actual: inForce(setting),
      edits: raised(site, setting, promises.requestsPerSecond),
    }))
  },
}

/** A rate with room for what comes at once is no hindrance to somebody who polls twice a minute. */
function isTooLow({value}: Setting<{rate: number; burst: number} | undefined>, {requestsPerSecond}: Promises): boolean {
  if (value === undefined) return false
  return requestsPerSecond === undefined ? value.rate + value.burst < OFFICE * TO_OPEN : value.rate < requestsPerSecond
}

/** As many requests a second as were promised, five seconds of them at once; without a promise, room for an office that comes at once. */
function raised(
  {proxy, config}: Site,
  {span, value}: Setting<{rate: number; burst: number} | undefined>,
  promised?: number,
): readonly Edit[] {
  const line = span && directiveAt(config, span)
  if (!line || !value) return []
  const factor = (promised ?? OFFICE * TO_OPEN) / value.rate
  if (proxy === 'haproxy') {
    const most = Number(line.args.find((_, index) => ['gt', 'ge'].includes(line.args[index - 1]?.value ?? ''))?.value)
    return Number.isFinite(most)
      ? replacedIn(config, line.span, /(?<=\bg[te]\s+)\d+/g, String(Math.ceil(most * factor)), 'an office behind one address')
      : []
  }
  const burst = replacedIn(config, line.span, /(?<=\bburst=)\d+/g, String((promised ?? OFFICE * TO_OPEN) * OFFICE), 'what comes at once')
  if (promised === undefined) return burst
  const zone = line.args.find(argument => argument.value.startsWith('zone='))?.value.slice('zone='.length)
  const zones = allOf(config, /^limit_req_zone$/).filter(({args}) =>
    args.some(argument => argument.value.startsWith(`zone=${zone ?? ''}:`)),
  )
  return [
    ...zones.flatMap(each =>
      replacedIn(config, each.span, /(?<=\brate=)\S+?(?=\s*;|\s)/g, `${promised}r/s`, 'an office behind one address'),
    ),
    ...burst,
  ]
}
