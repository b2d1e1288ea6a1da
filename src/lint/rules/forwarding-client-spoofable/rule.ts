import {POLL, UPLOAD, WEBSOCKET} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'

/** By which nodes learn who the client is, and what makes each of them true. `''`: taken out. */
const HEADERS = [
  {name: 'X-Forwarded-For', right: {nginx: '$remote_addr', apache: 'unset', haproxy: '%[src]'}},
  {name: 'X-Real-IP', right: {nginx: '$remote_addr', apache: 'unset', haproxy: ''}},
  {name: 'Forwarded', right: {nginx: '""', apache: 'unset', haproxy: ''}},
] as const

export const rule: Rule = {
  meta: {
    id: 'forwarding-client-spoofable',
    title: 'A client can forge the address that GMS sees',
    concern: 'forwarding',
    severity: 'error',
    requirement: 'An address that the client wrote into X-Forwarded-For, X-Real-IP or Forwarded itself does not reach GMS.',
    remediation: {
      nginx:
        'proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Real-IP $remote_addr;\nproxy_set_header Forwarded ""; ($proxy_add_x_forwarded_for keeps what the client sent)',
      apache: 'RequestHeader unset X-Forwarded-For early; RequestHeader unset X-Real-IP early; RequestHeader unset Forwarded early',
      haproxy:
        'http-request del-header X-Forwarded-For, del-header Forwarded and del-header X-Real-IP before option forwardfor or set-header adds the real one',
    },
    references: [
      'RFC 7239, 8.1 Header Validity and Integrity',
      'https://docs.haproxy.org/2.6/configuration.html#option%20forwardfor',
      'Measured: the three published samples pass a forged address on',
    ],
    breaks: ['forwarding-client-not-forgeable'],
    mayBreak: ['forwarding-client-address', 'forwarding-scheme', 'forwarding-host'],
  },
  inspect({site}) {
    const ways = waysToGms(site, POLL, WEBSOCKET, UPLOAD).filter(({listener}) => !listener.layer4.value)
    return HEADERS.flatMap(({name, right}) =>
      settingsOf(ways, way => {
        const header = way.sent(name.toLowerCase())
        return header.value === 'client' || header.value === 'client-and-peer' ? header : undefined
      }).map(({setting, ways: own}) => ({
        span: placeOf(setting),
        message: `Expected what a client writes into ${name} to be dropped, ${titlesOf(own)} carries it to GMS`,
        expected: name === 'X-Forwarded-For' ? `${name} with the address that the proxy saw, and no other` : `no ${name} of the client`,
        actual: setting.value === 'client' ? `${name} as the client sent it` : inForce(setting),
        edits: setting.put(right[site.proxy]),
      })),
    )
  },
}
