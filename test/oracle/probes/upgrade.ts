import {clientFrame} from '../connection.ts'
import {PATH, UPGRADE, request, type Probe} from '../probe.ts'

const without = (name: string) => UPGRADE.filter(header => !header.startsWith(`${name}:`))
const instead = (name: string, value: string) => UPGRADE.map(header => (header.startsWith(`${name}:`) ? `${name}: ${value}` : header))

function upgrade(
  name: string,
  headers: readonly string[],
  {path = PATH, method = 'GET', body = undefined as string | undefined} = {},
): Probe {
  return {name: `upgrade ${name}`, run: stage => stage.ask(request(`${method} ${path}`, headers, body))}
}

const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate'
const HANDSHAKE = JSON.stringify([{channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['websocket'], id: '1'}])

export const UPGRADE_PROBES: readonly Probe[] = [
  upgrade('as it should be', UPGRADE),
  upgrade(
    'with other case',
    UPGRADE.map(header => header.toLowerCase().replace(/(?<=sec-websocket-key: ).*/, 'dGhlIHNhbXBsZSBub25jZQ==')),
  ),
  upgrade('with Connection: keep-alive, Upgrade', instead('Connection', 'keep-alive, Upgrade')),
  upgrade('with Connection: Upgrade and another Connection', [...UPGRADE, 'Connection: keep-alive']),
  ...['Upgrade', 'Connection', 'Sec-WebSocket-Version', 'Sec-WebSocket-Key'].map(name => upgrade(`without ${name}`, without(name))),
  upgrade('with Connection: close', instead('Connection', 'close')),
  upgrade('with Connection: keep-alive', instead('Connection', 'keep-alive')),
  upgrade('with neither Upgrade nor Connection', UPGRADE.slice(2)),
  ...['99', '8', '13, 8', '', 'x'].map(version => upgrade(`of version ${version}`, instead('Sec-WebSocket-Version', version))),
  ...['short', '', 'dGhlIHNhbXBsZSBub25jZQ=', 'dGhlIHNhbXBsZSBub25jZSBsb25n'].map(key =>
    upgrade(`with key "${key}"`, instead('Sec-WebSocket-Key', key)),
  ),
  ...['h2c', 'foo', 'websocket, foo', 'foo, websocket', 'WebSocket/13'].map(to => upgrade(`to ${to}`, instead('Upgrade', to))),
  upgrade('of another origin', [...UPGRADE, 'Origin: https://shop.example']),
  upgrade('of origin null', [...UPGRADE, 'Origin: null']),
  upgrade('with a subprotocol', [...UPGRADE, 'Sec-WebSocket-Protocol: chat']),
  upgrade('with two subprotocols', [...UPGRADE, 'Sec-WebSocket-Protocol: chat, superchat']),
  upgrade('with a cookie', [...UPGRADE, 'Cookie: BAYEUX_BROWSER=abcdefgh12345678']),
  upgrade('with permessage-deflate', [...UPGRADE, DEFLATE]),
  upgrade('with permessage-deflate of a browser', [...UPGRADE, `${DEFLATE}; client_max_window_bits`]),
  upgrade('with client_max_window_bits=10', [...UPGRADE, `${DEFLATE}; client_max_window_bits=10`]),
  upgrade('with server_max_window_bits=10', [...UPGRADE, `${DEFLATE}; server_max_window_bits=10`]),
  upgrade('with no context takeover', [...UPGRADE, `${DEFLATE}; server_no_context_takeover; client_no_context_takeover`]),
  upgrade('with permessage-deflate and nonsense', [...UPGRADE, `${DEFLATE}; nonsense=1`]),
  upgrade('with two offers of permessage-deflate', [...UPGRADE, `${DEFLATE}; server_max_window_bits=10, permessage-deflate`]),
  upgrade('with an unknown extension', [...UPGRADE, 'Sec-WebSocket-Extensions: x-nonsense']),
  upgrade('with x-webkit-deflate-frame', [...UPGRADE, 'Sec-WebSocket-Extensions: x-webkit-deflate-frame']),
  upgrade('by POST', UPGRADE, {method: 'POST', body: '[]'}),
  upgrade('by POST of a handshake', [...UPGRADE, 'Content-Type: application/json'], {method: 'POST', body: HANDSHAKE}),
  upgrade('by HEAD', UPGRADE, {method: 'HEAD'}),
  upgrade('by GET with a body', UPGRADE, {body: 'hello'}),
  ...['/handshake', '/', '?a=b', ';a=b', '/..', '/../cometd'].map(rest => upgrade(`on ${PATH}${rest}`, UPGRADE, {path: PATH + rest})),
  upgrade('of a callback', UPGRADE, {path: `${PATH}?jsonp=cb&message=${encodeURIComponent(HANDSHAKE)}`}),
  upgrade('on another path', UPGRADE, {path: '/genesys/elsewhere'}),
  upgrade('on another application', UPGRADE, {path: '/elsewhere'}),
  ...['', 'Connection: keep-alive\r\n'].map((more): Probe => ({
    name: `upgrade over HTTP/1.0${more === '' ? '' : ' kept alive'}`,
    run: stage => stage.ask(`GET ${PATH} HTTP/1.0\r\nHost: gms\r\n${UPGRADE.join('\r\n')}\r\n${more}\r\n`),
  })),
  {
    name: 'upgrade without Host',
    run: stage => stage.ask(`GET ${PATH} HTTP/1.1\r\n${UPGRADE.join('\r\n')}\r\n\r\n`),
  },
  {
    name: 'upgrade and the first frame in one write',
    async run(stage) {
      const connection = await stage.open()
      connection.send(Buffer.concat([request(`GET ${PATH}`, UPGRADE), clientFrame(HANDSHAKE)]))
      return [stage.normaliser.answer(await connection.answer()), stage.normaliser.frame(await connection.frame())]
    },
  },
  {
    name: 'upgrade after another request on the same connection',
    async run(stage) {
      const connection = await stage.open()
      connection.send(request(`OPTIONS ${PATH}`))
      const first = stage.normaliser.answer(await connection.answer())
      connection.send(request(`GET ${PATH}`, UPGRADE))
      return [first, stage.normaliser.answer(await connection.answer())]
    },
  },
  {
    name: 'another request on the same connection after a refused upgrade',
    async run(stage) {
      const connection = await stage.open()
      connection.send(request(`GET ${PATH}`, instead('Sec-WebSocket-Version', '99')))
      const first = stage.normaliser.answer(await connection.answer())
      connection.send(request(`OPTIONS ${PATH}`))
      return [first, stage.normaliser.answer(await connection.answer())]
    },
  },
]
