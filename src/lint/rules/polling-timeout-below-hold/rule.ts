import {pollPatience} from '../../../proxies/margins.ts'
import {CALLBACK, POLL} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, secondsIn, settingsOf, titlesOf, waysToGms} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'polling-timeout-below-hold',
    title: 'The proxy gives up on a held poll before GMS answers it',
    concern: 'polling',
    severity: 'error',
    requirement:
      'GMS holds a quiet /meta/connect for 30 s; the proxy waits longer than the hold plus the 10 s network delay the client allows.',
    remediation: {
      nginx: 'proxy_read_timeout {pollSeconds}s; or more: {holdSeconds} s hold + 10 s network delay + 5 s margin',
      apache:
        'ProxyTimeout {pollSeconds}, or timeout={pollSeconds} on the BalancerMember, or more: {holdSeconds} s hold + 10 s network delay + 5 s margin',
      haproxy: 'timeout server {pollSeconds}s or more: {holdSeconds} s hold + 10 s network delay + 5 s margin',
    },
    references: [
      'CometD reference: timeout 30000 ms, maxNetworkDelay 10000 ms',
      'https://docs.haproxy.org/2.6/configuration.html#timeout%20server',
      'https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout',
      'Measured: the published HAProxy sample answers every quiet poll with 504 at 25.0 s, log sH--',
    ],
    breaks: ['polling-hold-survives'],
    mayBreak: [
      'polling-delivers-promptly',
      'upload-late-answer',
      'upgrade-idle-survives',
      'health-recovers-from-outage',
      'upload-slow-client',
      'upstream-reload-keeps-chat',
      'limits-hold-idle-chats',
    ],
  },
  inspect({site, promises: {holdMs}}) {
    const enough = secondsIn(site.proxy, pollPatience(holdMs))
    return settingsOf(waysToGms(site, POLL, CALLBACK), ({answerTimeout}) =>
      answerTimeout.value !== undefined && answerTimeout.value <= holdMs ? answerTimeout : undefined,
    ).map(({setting, ways}) => ({
      span: placeOf(setting),
      message: `Too short for a hold of ${holdMs / 1000} s: ${inForce(setting)} ends ${titlesOf(ways)} before GMS answers`,
      expected: enough,
      actual: inForce(setting),
      edits: setting.put(enough),
    }))
  },
}
