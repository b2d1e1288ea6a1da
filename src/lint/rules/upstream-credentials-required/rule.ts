import type {Edit, Span} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {sparing} from '../../conditions.ts'
import {HANDSHAKE, UPLOAD, waysOf, WEBSOCKET} from '../../requests.ts'
import {SPARED} from '../../route-edits.ts'
import {isPromised} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {placeOf} from '../../settings.ts'
import {directiveAt} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-credentials-required',
    title: 'The proxy asks for user name and password on the chat paths',
    concern: 'upstream',
    severity: 'error',
    requirement: 'Customers chat without an account: the paths of the chat are reached without credentials of the proxy.',
    remediation: {
      nginx: 'auth_basic off; (and auth_request off;) in the locations of the chat',
      apache:
        'Require all granted in a <Location /genesys/cometd> and a <Location /genesys/2/chat-ntf> of their own, or AuthType None there',
      haproxy: 'Exempt the chat paths: http-request auth unless { path_beg /genesys/ } or { http_auth(users) }',
    },
    references: ['RFC 9110, 11.6.1', 'GMS Chat API V2 over CometD, "Handshake with GMS": no credentials are sent'],
    breaks: ['listener-reaches-gms'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    waysOf(site, HANDSHAKE, WEBSOCKET, UPLOAD)
      .filter(({request, credentials}) => credentials.value && isPromised(promises, request.path))
      .map(({credentials}) => ({
        span: placeOf(credentials),
        message: `Expected customers to need no password: "${credentials.text}"`,
        expected: 'no 401 on the paths of the chat',
        actual: '401 until user name and password are sent, which the chat widget never does',
        edits: site.proxy === 'haproxy' ? unasked(site, placeOf(credentials)) : credentials.put('off'),
      }))
      // One line of the file is one finding.
      .filter(({span}, index, all) => all.findIndex(other => other.span.file === span.file && other.span.start === span.start) === index),
}

function unasked({config}: Site, span: Span): readonly Edit[] {
  const line = directiveAt(config, span)
  return line?.name === 'http-request' ? sparing(line, SPARED, 'customers have no password') : []
}
