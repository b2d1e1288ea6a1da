import type {Edit, Span} from '../../../model/bundle.ts'
import type {Health, Site} from '../../../proxies/site.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {FILES_PATH, SERVICES_PATH, STATUS_PATH} from '../../../wire/chat.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {chatUpstreams} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'
import {directiveAt, siblingsAt, withoutArgument, withoutLine} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'health-check-wrong-path',
    title: 'The health check asks for something GMS does not answer, so every node is down',
    concern: 'health',
    severity: 'error',
    requirement: 'What a health check asks for is answered by a healthy GMS node with the status that the check calls healthy.',
    remediation: {
      apache: `hcuri=${SERVICES_PATH}NAME with a service of GMS, or hcmethod=TCP (httpd sends no credentials, which ${STATUS_PATH} asks for)`,
      haproxy: `http-check send meth GET uri ${STATUS_PATH} hdr Authorization "…" with http-check expect string ONLINE,\nor check alone, without option httpchk: a connection is opened`,
    },
    references: [
      'GMS, node API: GET /genesys/1/admin/node/status, with Basic authentication',
      'https://docs.haproxy.org/2.6/configuration.html#4.2-option%20httpchk',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy_hcheck.html',
      'Observed: Jetty under GMS answers 404 outside /genesys',
    ],
    breaks: ['health-node-returns'],
    mayBreak: [...ALL_CHAT, 'forwarding-client-not-forgeable', 'forwarding-scheme', 'access-paths-only', 'access-websocket-upgrades-only'],
  },
  inspect({site}) {
    return chatUpstreams(site).flatMap(({upstream: {health}}) => {
      if (health.kind !== 'http') return []
      const status = statusOf(health)
      if (status === undefined || isHealthy(status, health.expect) !== false) return []
      const asked = `${health.method ?? 'GET'} ${health.path ?? '/'}`
      return [
        {
          span: placeOf(health.setting),
          message: `Expected the health check to ask for something that GMS answers, ${asked} gets ${status}`,
          expected: `${health.expect ?? '2xx or 3xx'} from a healthy node`,
          actual: `${status} (${inForce(health.setting)})`,
          edits: connecting(site, placeOf(health.setting)),
        },
      ]
    })
  },
}

/** What a healthy node answers; `undefined` where it depends on more than the path. */
function statusOf({method = 'GET', path = '/', credentials}: Health): number | undefined {
  const [bare = path] = path.split('?')
  if (bare === STATUS_PATH) return credentials === false ? 401 : undefined
  if (bare.startsWith(SERVICES_PATH)) return undefined
  if (bare === COMETD_PATH) return method === 'GET' ? 400 : undefined
  if (bare === FILES_PATH) return method === 'GET' ? 405 : undefined
  return /^\/genesys(\/|$)/.test(bare) || !bare.startsWith('/') ? undefined : 404
}

/** Whether a check calls `status` healthy; `undefined` where its words are of more than the status. */
function isHealthy(status: number, expect: string | undefined): boolean | undefined {
  if (expect === undefined) return status >= 200 && status < 400
  const listed = /^(?:status\s+)?(\d{3}(?:-\d{3})?(?:,\d{3}(?:-\d{3})?)*)$/.exec(expect.trim())?.[1]
  if (listed !== undefined)
    return listed.split(',').some(part => {
      const [from = 0, to = from] = part.split('-').map(Number)
      return status >= from && status <= to
    })
  const pattern =
    /^rstatus\s+(\S+)$/.exec(expect.trim())?.[1] ??
    /^\{?\s*%\{REQUEST_STATUS\}\s*=~\s*(?:\/|m#)([^/#]+)[/#]\s*\}?$/.exec(expect.trim())?.[1]
  if (pattern === undefined) return undefined
  try {
    return new RegExp(pattern).test(String(status))
  } catch {
    return undefined
  }
}

/** A check that opens a connection: what a node says of itself it says to those who have credentials. */
function connecting({proxy, config}: Site, span: Span): readonly Edit[] {
  const line = directiveAt(config, span)
  const why = 'a node is alive when it takes a connection'
  if (proxy === 'haproxy')
    return siblingsAt(config, span)
      .filter(({name, args}) => name === 'http-check' || (name === 'option' && args[0]?.value === 'httpchk'))
      .flatMap(each => withoutLine(config, each, why))
  return (line?.args ?? []).flatMap(({value, span: own}, index) => {
    if (/^hcmethod=/i.test(value)) return [{span: own, text: 'hcmethod=TCP', why}]
    return line && /^(?:hcuri|hcexpr)=/i.test(value) ? withoutArgument(line, index, why) : []
  })
}
