import type {IncomingMessage} from 'node:http'
import type {Flavour} from './flavour.ts'
import type {HttpExchange} from './http-exchange.ts'
import {MAX_HEAD_BYTES, hostProblem, judgeUpgrade, splitTarget} from './jetty.ts'
import type {Replay} from './upgrade-replay.ts'

/** What Jetty answers before it looks for a servlet. */
export function refusalOf(
  flavour: Flavour,
  request: IncomingMessage,
  rawHeaders: readonly string[],
  replay: Replay | undefined,
): ((exchange: HttpExchange) => void) | undefined {
  const target = request.url ?? ''
  if (target.length + (request.method ?? '').length + 11 > MAX_HEAD_BYTES)
    return exchange => exchange.rejectMessage(414, 'URI Too Long', {uri: '/badMessage'})
  const headBytes = rawHeaders.reduce((sum, part) => sum + part.length + 2, target.length)
  if (headBytes > MAX_HEAD_BYTES) return exchange => exchange.rejectMessage(431, 'Request Header Fields Too Large')
  if (request.httpVersion === '0.9') return exchange => exchange.rejectMessage(505, 'HTTP/0.9 not supported', {uri: '/badMessage'})
  const {problem} = splitTarget(target, flavour)
  if (problem) return exchange => exchange.rejectMessage(400, problem.reason, {uri: problem.uri})
  const host = hostProblem(flavour, request)
  if (host !== undefined) return exchange => exchange.rejectMessage(400, host)
  switch (replay?.verdict) {
    case 'version':
      return exchange => exchange.refuse(400, 'Unsupported websocket version specification', 'cometd', {'Sec-WebSocket-Version': '13'})
    case 'no-version': {
      const version = request.headers['sec-websocket-version'] ?? ''
      return exchange =>
        exchange.refuse(500, `java.lang.NumberFormatException: For input string: "${version}"`, 'cometd', {Connection: 'close'})
    }
    case 'key': {
      const closing = flavour.missingKeyCloses ? {Connection: 'close'} : {}
      return exchange => exchange.refuse(400, "Missing request header 'Sec-WebSocket-Key'", 'cometd', closing)
    }
    case 'extension':
      return exchange => refuseExtension(exchange, request)
    case 'repeated-extension':
      return exchange => exchange.refuse(500, 'java.lang.IllegalArgumentException: Multiple extensions of the same name', 'cometd')
    case 'bad-message':
      return exchange => exchange.rejectMessage(400, 'Bad Request', {host: request.headers.host ?? ''})
    case 'plain':
      return undefined
    case undefined:
      return judgeUpgrade(request, false, flavour) === 'bad-message'
        ? exchange => exchange.rejectMessage(400, 'Bad Request', {host: request.headers.host ?? ''})
        : undefined
  }
}

/** Jetty cannot make the extension that was asked for, and says so in a way of each generation. */
function refuseExtension(exchange: HttpExchange, request: IncomingMessage): void {
  if (exchange.flavour.unknownParameter === 400) {
    exchange.refuse(400, 'could not instantiate offered extension', 'cometd')
    return
  }
  const where = 'org.eclipse.jetty.websocket'
  const what = `${where}.api.WebSocketException: Cannot instantiate extension: class ${where}.common.extensions.compress.PerMessageDeflateExtension`
  const offered = (request.headers['sec-websocket-extensions'] ?? '').replace(/\s*;\s*/g, ';')
  exchange.refuse(500, what, 'cometd', {'Sec-WebSocket-Extensions': offered, Connection: 'close'})
}
