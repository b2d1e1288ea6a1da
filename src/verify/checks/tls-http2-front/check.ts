import type {Http2ChatResult} from '../../../flows/http2-chat.ts'
import {http2Chat} from '../../../flows/http2-chat.ts'
import type {Check} from '../../check.ts'
import {notPromised} from '../../check.ts'
import {evidence} from '../../evidence.ts'
import {NO_TLS, overTls} from '../../over-tls.ts'

// A browser speaks HTTP/2 as soon as it is offered. Its polls are streams then; its WebSocket takes a connection of its own with HTTP/1.1, or,
// where the proxy announces it, a stream too (RFC 8441, 3 and 4).
export const check: Check = {
  meta: {
    id: 'tls-http2-front',
    title: 'Chat works for clients that speak HTTP/2',
    concern: 'tls',
    severity: 'error',
    requirement:
      'Where the listener offers h2, polls over HTTP/2 reach GMS, and so do WebSockets: over a connection of their own, and by extended CONNECT where SETTINGS_ENABLE_CONNECT_PROTOCOL is announced.',
    remediation: {
      nginx: 'Do not compare $server_protocol or $request with HTTP/1.1 (HTTP/2.0 is as good), or leave http2 out of listen 443 ssl',
      apache: 'Do not compare %{THE_REQUEST} or %{SERVER_PROTOCOL} with HTTP/1.1 (HTTP/2.0 is as good), or leave h2 out of Protocols',
      haproxy:
        'Do not compare req.ver with 1.1, nor ask for Sec-WebSocket-Key (a WebSocket over HTTP/2 has none); or offer alpn http/1.1 alone',
    },
    directives: {
      nginx: ['if', 'listen'],
      apache: ['RewriteCond', 'RewriteRule', 'Protocols'],
      haproxy: ['http-request deny', 'bind'],
    },
    references: ['RFC 9113, 8.3', 'RFC 8441, 3 and 4', 'RFC 7301 (ALPN)'],
  },
  transport: 'long-polling',
  needs: [],
  presupposes: ['tls-terminates', 'upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake'],
  isolation: 'shared',
  budgetMs: () => 180_000,
  async run(stage) {
    const target = overTls(stage)
    if (!target) return notPromised(NO_TLS)
    const result = await stage.flow(http2Chat, {}, target)
    if (!result.agreed && result.greeting && !result.greeting.failure)
      return notPromised('the listener offers no HTTP/2: browsers speak HTTP/1.1 with it')
    if (result.ended === 'completed')
      return {
        status: 'passed',
        detail: `a chat, a WebSocket beside it${result.tunnelled === true ? ', and one within (RFC 8441)' : ''}`,
      }
    return {
      status: 'failed',
      findings: [{...flawOf(result), actual: result.stoppedAt ?? result.ended, evidence: evidence(result, stage.upstream?.recorder)}],
    }
  },
}

function flawOf({agreed, chat, beside}: Http2ChatResult): {message: string; expected: string} {
  if (!agreed) return {message: 'Expected the listener to speak TLS', expected: 'a TLS handshake that offers h2 and http/1.1'}
  if (!chat)
    return {message: 'Expected a chat over HTTP/2', expected: 'handshake, connect and a message over one HTTP/2 connection succeed'}
  if (!beside)
    return {
      message: 'Expected a WebSocket beside the HTTP/2 connection',
      expected: 'an upgrade over a connection of its own, with HTTP/1.1, and a Bayeux handshake in it',
    }
  return {
    message: 'Expected a WebSocket over HTTP/2, because the proxy announces it',
    expected: '200 to the extended CONNECT, and a Bayeux handshake in it',
  }
}
