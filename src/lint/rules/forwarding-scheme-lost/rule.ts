import type {SentHeader} from '../../../proxies/site.ts'
import {POLL, UPLOAD, WEBSOCKET} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import type {WayToGms} from '../../settings.ts'
import {inForce, placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'

const RIGHT = {nginx: '$scheme', apache: 'set "expr=%{REQUEST_SCHEME}"', haproxy: '%[ssl_fc,iif(https,http)]'}

export const rule: Rule = {
  meta: {
    id: 'forwarding-scheme-lost',
    title: 'GMS does not learn that the client used https',
    concern: 'forwarding',
    severity: 'warning',
    requirement:
      'X-Forwarded-Proto says https for clients of an encrypted listener, and what a client wrote about its scheme itself does not reach GMS.',
    remediation: {
      nginx: 'proxy_set_header X-Forwarded-Proto $scheme;',
      apache: 'RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}',
      haproxy: 'http-request set-header X-Forwarded-Proto https if { ssl_fc }, and http if !{ ssl_fc }',
    },
    references: ['RFC 7239, 5.4 Forwarded Proto and 8.1 Header Validity and Integrity', 'Jetty: ForwardedRequestCustomizer'],
    breaks: ['forwarding-scheme'],
    mayBreak: ['forwarding-client-not-forgeable', 'forwarding-client-address', 'affinity-cookie-attributes'],
  },
  inspect({site}) {
    const ways = waysToGms(site, POLL, WEBSOCKET, UPLOAD).filter(({listener}) => !listener.layer4.value)
    return settingsOf(ways, way => {
      const header = way.sent('x-forwarded-proto')
      return isWrong(header, way) ? header : undefined
    }).map(({setting, ways: own}) => ({
      span: placeOf(setting),
      message: `Expected X-Forwarded-Proto to tell the scheme of the client, ${titlesOf(own)} comes with ${setting.value === 'client' ? 'what the client wrote itself' : (setting.sends ?? 'none')}`,
      expected: `X-Forwarded-Proto ${RIGHT[site.proxy]}`,
      actual: inForce(setting),
      edits: setting.put(RIGHT[site.proxy]),
    }))
  },
}

function isWrong({value, sends}: SentHeader, {listener}: WayToGms): boolean {
  if (value === 'client') return true
  if (!listener.tls) return false
  return value === 'nothing' || (value === 'text' && sends !== undefined && sends !== 'https')
}
