import type {Request} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {CALLBACK, HANDSHAKE, PUBLISH, UPLOAD} from '../../requests.ts'
import {fateOf, isPromised} from '../../routes.ts'
import type {Rule} from '../../rule.ts'

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
            },
          ]
        }),
      ),
}
