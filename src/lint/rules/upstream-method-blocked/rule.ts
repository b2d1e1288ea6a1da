import type {Edit} from '../../../model/bundle.ts'
import type {Request, Site, Way} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {CALLBACK, HANDSHAKE, PUBLISH, UPLOAD} from '../../requests.ts'
import {conditionsOf} from '../../rewrite-rules.ts'
import {spared} from '../../route-edits.ts'
import {fateOf, isPromised} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {blocksAround, directiveAt, replacedIn} from '../../source.ts'

/** A request, and one of another method to the same path: when that one arrives, it is the method that is refused. */
const PAIRS: readonly (readonly [Request, Request])[] = [
  [HANDSHAKE, {...HANDSHAKE, method: 'GET'}],
  [PUBLISH, {...PUBLISH, method: 'GET'}],
  [UPLOAD, {...UPLOAD, method: 'GET'}],
  [CALLBACK, {...CALLBACK, method: 'POST'}],
]

export const rule: Rule = {
  meta: {
    id: 'upstream-method-blocked',
    title: 'A method that GMS needs is refused',
    concern: 'upstream',
    severity: 'error',
    requirement:
      'GET and POST reach GMS on both paths: POST carries polls, messages and files, GET opens WebSockets, carries callback-polling and fetches files.',
    remediation: {
      nginx:
        'limit_except GET POST { deny all; } or no limit_except, in the locations of GMS; no if ($request_method …) that refuses one of them',
      apache: '<LimitExcept GET POST>, or no <Limit> and no RewriteCond %{REQUEST_METHOD} that refuses one of them, for the GMS paths',
      haproxy: 'http-request deny unless METH_GET or METH_POST (METH_GET is HEAD too), for the GMS paths',
    },
    references: ['GMS Chat API V2 over CometD', 'CometD reference: the long-polling transport POSTs, callback-polling GETs'],
    breaks: [],
    breaksOneOf: ['listener-reaches-gms', 'polling-callback-chat'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    site.listeners
      .filter(({chat}) => chat)
      .flatMap(listener =>
        PAIRS.filter(([{path}]) => isPromised(promises, path)).flatMap(([request, other]) => {
          const way = site.trace(listener, request)
          if (way.end.kind !== 'answer' || way.credentials.value || site.trace(listener, other).end.kind !== 'upstream') return []
          return [
            {
              span: way.end.span,
              message: `Expected ${request.method} ${request.path} to reach GMS`,
              expected: `GET and POST arrive`,
              actual: `${fateOf(way)}; ${other.method} arrives`,
              edits: allowed(site, way),
            },
          ]
        }),
      ),
}

/** The list of methods takes one more; a condition without a list spares the path. */
function allowed(site: Site, {request: {method, path}, end: {span}}: Way): readonly Edit[] {
  const {proxy, config} = site
  const line = directiveAt(config, span)
  const why = `${method} reaches GMS`
  if (!line) return []
  if (proxy === 'haproxy') {
    const last = line.args.at(-1)
    const listed = line.args.some(({value}) => value === 'unless') && line.args.some(({value}) => value.startsWith('METH_'))
    return listed && last ? [{span: {...last.span, start: last.span.end}, text: ` or METH_${method}`, why}] : spared(site, line, path)
  }
  const around = blocksAround(config, span).findLast(({name}) => /^(?:limit_?except|if)$/i.test(name))
  if (around && /^limit/i.test(around.name)) {
    const last = around.args.at(-1)
    return last ? [{span: {...last.span, start: last.span.end}, text: ` ${method}`, why}] : []
  }
  const lists = around ? around.args : conditionsOf(config, line).filter(({args}) => /REQUEST_METHOD/.test(args[0]?.value ?? ''))
  return lists.flatMap(({span: place}) => replacedIn(config, place, /(?<=\^\((?:[A-Z]+\|)*[A-Z]+)(?=\)\$)/g, `|${method}`, why))
}
