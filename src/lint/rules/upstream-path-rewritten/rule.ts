import type {Edit, Span} from '../../../model/bundle.ts'
import type {Promises} from '../../../model/report.ts'
import type {End, Request, Site} from '../../../proxies/site.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {sparing} from '../../conditions.ts'
import {waysOf} from '../../requests.ts'
import {SPARED} from '../../route-edits.ts'
import {CHAT, isPromised} from '../../routes.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import type {WayToGms} from '../../settings.ts'
import {waysToGms} from '../../settings.ts'
import {allOf, directiveAt, siblingsAt, withArguments, withoutLine} from '../../source.ts'

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
      edits: unchanged(site, end),
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
        edits: decided(site, end.span, beside),
      },
    ]
  })
}

/** Both sides of a route name the same path, and nothing rewrites it on the way. */
function unchanged({proxy, config}: Site, {target, span}: WayToGms['end']): readonly Edit[] {
  const why = 'GMS is asked for the path that the client asks for'
  if (proxy === 'haproxy')
    return allOf(config, /^http-request$/)
      .filter(
        ({args}) => /^(?:set|replace)-(?:path|uri|pathq)$/.test(args[0]?.value ?? '') && !args.some(({value}) => value === COMETD_PATH),
      )
      .flatMap(line => sparing(line, SPARED, why))
  const line = directiveAt(config, target.span ?? span)
  const [path, url] = line?.args ?? []
  if (!line || !path) return []
  if (proxy === 'apache') {
    const bare = /^[a-z0-9]+:\/\/[^/]+/i.exec(url?.value ?? '')?.[0]
    if (!url || bare === undefined || !/^ProxyPass$/i.test(line.name)) return []
    const quote = url.quote ?? ''
    return [{span: url.span, text: `${quote}${bare}${path.value}${quote}`, why}]
  }
  const rewrites = siblingsAt(config, line.span).filter(({name, span: own}) => name === 'rewrite' && own.start < line.span.start)
  if (rewrites.length > 0) return rewrites.flatMap(each => withoutLine(config, each, why))
  const bare = /^https?:\/\/[^/]+/i.exec(path.value)?.[0]
  return bare === undefined || bare === path.value ? [] : [{span: path.span, text: bare, why}]
}

/** Encoded slashes pass as they are, on both sides of the route. */
function decided({config}: Site, span: Span, beside: End): readonly Edit[] {
  const line = directiveAt(config, span)
  const route = beside.kind === 'upstream' ? directiveAt(config, beside.target.span ?? beside.span) : undefined
  const why = 'an encoded slash stays one'
  if (!line || !/^AllowEncodedSlashes$/i.test(line.name)) return []
  const kept = route && /^ProxyPass$/i.test(route.name) && !route.args.some(({value}) => value === 'nocanon')
  const last = route?.args.at(-1)
  return [
    ...withArguments(line, 'NoDecode', why),
    ...(kept && last ? [{span: {...last.span, start: last.span.end}, text: ' nocanon', why}] : []),
  ]
}
