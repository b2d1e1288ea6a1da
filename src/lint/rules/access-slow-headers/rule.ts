import type {Promises} from '../../../model/report.ts'
import {loading, loads} from '../../apache-modules.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, secondsIn} from '../../settings.ts'
import {insertedInto} from '../../source.ts'

/** The longest that one of the three allows by default (nginx), ms. */
const LONGEST_MS = 60_000
const USUAL_MS = 10_000

export const rule: Rule = {
  meta: {
    id: 'access-slow-headers',
    title: 'A client may hold a connection by sending headers slowly',
    concern: 'access',
    severity: 'warning',
    requirement:
      'A header that comes byte by byte and has no end is given up after a time: each costs a connection, and for Apache a thread.',
    remediation: {
      nginx: 'client_header_timeout 10s;',
      apache: 'LoadModule reqtimeout_module, and RequestReadTimeout header=10',
      haproxy: 'timeout http-request 10s (without it, timeout client begins anew with every byte)',
    },
    references: [
      'https://nginx.org/en/docs/http/ngx_http_core_module.html#client_header_timeout',
      'https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html',
      'https://docs.haproxy.org/2.6/configuration.html#4.2-timeout%20http-request',
      'CWE-400; the attack is known as Slowloris',
    ],
    breaks: ['access-slow-headers-cut'],
    mayBreak: [],
  },
  inspect({site, promises}) {
    const most = longestOf(promises)
    const right = secondsIn(site.proxy, promises.headerTimeoutMs ?? USUAL_MS)
    const places = new Map(
      site.listeners
        .filter(({chat, layer4, headerTimeout: {value}}) => chat && !layer4.value && (value === undefined || value > most))
        .map(({headerTimeout}) => [`${placeOf(headerTimeout).file}:${placeOf(headerTimeout).start}`, headerTimeout]),
    )
    return [...places.values()].map(setting => ({
      span: placeOf(setting),
      message: `Missing a limit on the time that a header may take${setting.value === undefined ? '' : `: ${inForce(setting)} is too long`}`,
      expected: {
        nginx: `client_header_timeout ${right}`,
        apache: `RequestReadTimeout header=${right}`,
        haproxy: `timeout http-request ${right}`,
      }[site.proxy],
      actual: setting.value === undefined ? 'none' : inForce(setting),
      // A module that is not loaded knows no directive.
      edits:
        site.proxy === 'apache' && !setting.span && !loads(site.config, 'reqtimeout')
          ? [
              ...loading(site.config, 'reqtimeout'),
              ...insertedInto(site.config, setting.home, `RequestReadTimeout header=${right} body=60,MinRate=100`),
            ]
          : setting.put(right),
    }))
  },
}

/** Proxies count in whole seconds and look at their clocks now and then. */
function longestOf({headerTimeoutMs}: Promises): number {
  return headerTimeoutMs === undefined ? LONGEST_MS : headerTimeoutMs + Math.max(5000, headerTimeoutMs / 4)
}
