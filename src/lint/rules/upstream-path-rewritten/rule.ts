import type {Promises} from '../../../model/report.ts'
import type {Request, Site} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {waysOf} from '../../requests.ts'
import {CHAT, isPromised} from '../../routes.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import {waysToGms} from '../../settings.ts'

/** Another service of GMS. */
const BESIDE: Request = {title: 'another service of GMS', method: 'GET', path: '/genesys/1/service', headers: {}}

export const rule: Rule = {
  meta: {
    id: 'upstream-path-rewritten',
    title: 'GMS is asked for another path than the client asked for',
    concern: 'upstream',
    severity: 'error',
    requirement: "GMS's base path /genesys cannot be changed: each path arrives as the client sent it.",
    remediation: {
      nginx: 'Give proxy_pass no URI part: proxy_pass http://gms; (a trailing slash replaces what the location matched), and no rewrite',
      apache:
        'Name the same path on both sides of ProxyPass, with a slash on both or on neither: ProxyPass /genesys/ http://NODE:8080/genesys/',
      haproxy: 'Remove http-request set-path, replace-path, set-uri and replace-uri from the chat paths',
    },
    references: [
      'GMS deployment guide, "Configuring Apache load balancer": /genesys cannot be changed',
      'nginx: proxy_pass, "If proxy_pass is specified with a URI"; Apache: ProxyPass, trailing slashes; AllowEncodedSlashes',
    ],
    breaks: ['upstream-path-intact'],
    mayBreak: ALL_CHAT,
    provenBy: {
      by: 'evidence',
      because: 'no client of the chat sends an encoded slash; whoever uses other services of GMS beside it may',
      on: ['fires.encoded-slash.apache.conf'],
    },
  },
  inspect: ({site, promises}) => [...rewritten(site, promises), ...encoded(site)],
}

function rewritten(site: Site, promises: Promises): readonly RuleDraft[] {
  return waysToGms(site, ...CHAT)
    .filter(({request: {path}, end}) => isPromised(promises, path) && end.path !== undefined && end.path !== path)
    .map(({request: {path}, end}) => ({
      span: end.target.span ?? end.span,
      message: `Expected GMS to be asked for ${path}`,
      expected: path,
      actual: end.path === '' ? 'no path at all' : (end.path ?? ''),
    }))
}

/** Only where somebody decided about it, and serves more of GMS than the chat: no client of the chat sends an encoded slash. */
function encoded(site: Site): readonly RuleDraft[] {
  return waysOf(site, BESIDE).flatMap(({listener, end: beside}) => {
    const {end} = site.trace(listener, {...BESIDE, path: `${BESIDE.path}%2F1`})
    if (beside.kind !== 'upstream' || end.kind !== 'answer' || end.of !== 'encoded-slash' || end.span.start === listener.span.start)
      return []
    return [
      {
        span: end.span,
        message: 'Expected a path with an encoded slash to reach GMS',
        expected: 'AllowEncodedSlashes NoDecode, and nocanon on ProxyPass',
        actual: `${end.status ?? 404} of httpd for each path with %2F`,
      },
    ]
  })
}
