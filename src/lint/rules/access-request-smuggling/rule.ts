import type {Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'

const STRICT = {nginx: 'on', apache: 'Strict', haproxy: ''}

export const rule: Rule = {
  meta: {
    id: 'access-request-smuggling',
    title: 'An ambiguous request is forwarded as it came',
    concern: 'access',
    severity: 'error',
    requirement:
      'A request that two servers may read differently (two lengths, bare line feeds, names that are no names) is refused, or passed on in one reading.',
    remediation: {
      nginx: 'ignore_invalid_headers on; (the default)',
      apache: 'HttpProtocolOptions Strict (the default)',
      haproxy: 'Remove option accept-invalid-http-request (accept-unsafe-violations-in-http-request from 3.0 on)',
    },
    references: [
      'RFC 9112, 6.3 and 11.2 Request Smuggling',
      'https://httpd.apache.org/docs/2.4/mod/core.html#httpprotocoloptions',
      'https://docs.haproxy.org/2.6/configuration.html#4.2-option%20accept-invalid-http-request',
      'Measured: by default nginx answers 400 to two lengths, Apache and HAProxy drop Content-Length',
    ],
    breaks: [],
    mayBreak: [],
    provenBy: {by: 'binary', because: 'a header such as "X bad: 1" that is refused without the directive is answered with it'},
  },
  inspect({site}) {
    return site.listeners.flatMap(({address, lenient}) =>
      lenient
        .filter(({value}) => value)
        .map(setting => ({
          span: placeOf(setting),
          message: `Expected ambiguous requests to be refused at ${address}`,
          expected: site.proxy === 'haproxy' ? `no ${setting.directive}` : `${setting.directive} ${STRICT[site.proxy]}`,
          actual: inForce(setting),
          edits: setting.put(STRICT[site.proxy]),
        })),
    )
  },
}
