import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {sendRaw} from '../../test/support/simulator-client.ts'
import {startSimulator, type Simulator} from './simulator.ts'

/**
 * Every probe that was sent to a real CometD 5.0.18 on Jetty 9.4.57, and what it answered: status, the headers that matter, the body.
 * Values that differ from run to run (clientId, dates, secure keys) are compared by shape.
 */
let simulator: Simulator
let port: number

beforeAll(async () => {
  simulator = await startSimulator({nodes: 1})
  port = simulator.nodes[0]?.port ?? 0
})
afterAll(() => simulator[Symbol.asyncDispose]())

const JETTY = 'Jetty(9.4.57.v20241219)'
const DATE: unknown = expect.stringMatching(/GMT$/)
const JSON_TYPE = 'application/json;charset=utf-8'
const HANDSHAKE = JSON.stringify([{channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['long-polling'], id: '1'}])

function post(body: string, headers = 'Content-Type: application/json\r\n', path = '/genesys/cometd'): string {
  return `POST ${path} HTTP/1.1\r\nHost: gms\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function get(headers: readonly string[], {target = '/genesys/cometd', version = '1.1', method = 'GET'} = {}): string {
  return `${method} ${target} HTTP/${version}\r\nHost: gms\r\n${headers.map(header => `${header}\r\n`).join('')}\r\n`
}

const UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

describe('Bayeux answers', () => {
  it('long-polling handshake', async () => {
    const answer = await sendRaw(port, post(HANDSHAKE, undefined, '/genesys/cometd/handshake'))
    expect(answer.statusLine).toBe('HTTP/1.1 200 OK')
    expect(answer.headers).toMatchObject({'content-type': JSON_TYPE, server: JETTY})
    expect(answer.headers['set-cookie']).toMatch(/^BAYEUX_BROWSER=[0-9a-z]{16}; Path=\/; HttpOnly$/)
    expect(Object.keys(answer.headers)).toEqual(['date', 'set-cookie', 'content-type', 'content-length', 'server'])
    expect(answer.headers['date']).toMatch(/GMT$/)
    // The text, not the object: clients in the field depend on the order of fields too.
    expect(answer.body.replace(/"clientId":"[0-9a-z]{25}"/, '"clientId":"ID"')).toBe(
      '[{"minimumVersion":"1.0","clientId":"ID","supportedConnectionTypes":["websocket","long-polling","callback-polling"],"advice":{"interval":0,"timeout":30000,"reconnect":"retry"},"channel":"/meta/handshake","id":"1","version":"1.0","successful":true}]',
    )
  })

  it('first connect, publish, subscribe, and what comes without the cookie', async () => {
    const handshake = await sendRaw(port, post(HANDSHAKE, undefined, '/genesys/cometd/handshake'))
    const cookie = handshake.headers['set-cookie']?.split(';')[0] ?? ''
    const clientId = /"clientId":"(.*?)"/.exec(handshake.body)?.[1] ?? ''
    const ask = async (message: object, withCookie = true) => {
      const answer = await sendRaw(
        port,
        post(JSON.stringify([message]), `Content-Type: application/json\r\n${withCookie ? `Cookie: ${cookie}\r\n` : ''}`),
      )
      expect(answer.statusLine).toBe('HTTP/1.1 200 OK')
      expect(Object.keys(answer.headers)).toEqual(['date', 'content-type', 'content-length', 'server'])
      expect(answer.headers).toMatchObject({'content-type': JSON_TYPE, server: JETTY})
      return answer.body
    }
    const channel = '/service/chatV2/customer-support'
    const connect = {channel: '/meta/connect', id: '2', clientId, connectionType: 'long-polling', advice: {timeout: 0}}
    expect(await ask(connect)).toBe(
      '[{"advice":{"interval":0,"timeout":30000,"reconnect":"retry"},"channel":"/meta/connect","id":"2","successful":true}]',
    )
    const published = await ask({channel, id: '3', clientId, data: {operation: 'requestChat', nickname: 'a'}})
    const ack = ',{"channel":"/service/chatV2/customer-support","id":"3","successful":true}]'
    expect(published.endsWith(ack)).toBe(true)
    const [event] = JSON.parse(published) as [{data: object}]
    expect(Object.keys(event)).toEqual(['data', 'channel'])
    expect(event).toMatchObject({data: {chatEnded: false, statusCode: 0}, channel})

    expect(await ask({channel: '/meta/subscribe', id: '4', clientId, subscription: channel})).toBe(
      '[{"channel":"/meta/subscribe","id":"4","subscription":"/service/chatV2/customer-support","successful":true}]',
    )
    expect(await ask({...connect, id: '5'}, false)).toBe(
      '[{"advice":{"interval":0,"reconnect":"handshake"},"channel":"/meta/connect","id":"5","error":"402::session_unknown","successful":false}]',
    )
    const lost = '[{"channel":"/service/chatV2/customer-support","id":"6","error":"402::session_unknown","successful":false}]'
    expect(await ask({channel, id: '6', clientId, data: {}}, false)).toBe(lost)
    expect(await ask({channel, id: '6', clientId: 'nobody', data: {}})).toBe(lost)
  })

  it('callback-polling handshake', async () => {
    const target = `/genesys/cometd/handshake?jsonp=_cometd_jsonp_0&message=${encodeURIComponent(HANDSHAKE)}`
    const answer = await sendRaw(port, get([], {target}))
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({'content-type': 'text/javascript;charset=UTF-8', server: JETTY})
    expect(Object.keys(answer.headers)).toEqual(['date', 'set-cookie', 'content-type', 'content-length', 'server'])
    expect(answer.headers['set-cookie']).toMatch(/^BAYEUX_BROWSER=[0-9a-z]{16}; Path=\/; HttpOnly$/)
    expect(answer.body.replace(/"clientId":"[0-9a-z]{25}"/, '"clientId":"ID"')).toBe(
      '_cometd_jsonp_0([{"minimumVersion":"1.0","clientId":"ID","supportedConnectionTypes":["websocket","long-polling","callback-polling"],"advice":{"interval":0,"timeout":30000,"reconnect":"retry"},"channel":"/meta/handshake","id":"1","version":"1.0","successful":true}])',
    )
  })
})

const PAGE_HEADERS = {'cache-control': 'must-revalidate,no-cache,no-store', 'content-type': 'text/html;charset=iso-8859-1'}

/** Jetty's page for a request that is of no transport: 535 bytes. */
const UNKNOWN_TRANSPORT = {
  statusLine: 'HTTP/1.1 400 Bad Request',
  headers: {...PAGE_HEADERS, 'content-length': '535', server: JETTY},
  body: `<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>
<title>Error 400 Unknown Bayeux Transport</title>
</head>
<body><h2>HTTP ERROR 400 Unknown Bayeux Transport</h2>
<table>
<tr><th>URI:</th><td>/genesys/cometd</td></tr>
<tr><th>STATUS:</th><td>400</td></tr>
<tr><th>MESSAGE:</th><td>Unknown Bayeux Transport</td></tr>
<tr><th>SERVLET:</th><td>org.cometd.server.CometDServlet-2f943d71</td></tr>
</table>
<hr/><a href="https://jetty.org/">Powered by Jetty:// 9.4.57.v20241219</a><hr/>

</body>
</html>
`,
}

const SERVER_ERROR = {statusLine: 'HTTP/1.1 500 Server Error', headers: {date: DATE, connection: 'close', server: JETTY}, body: ''}
const SWITCHED = {statusLine: 'HTTP/1.1 101 Switching Protocols', body: ''}

interface Probe {
  name: string
  send: string
  statusLine: string
  /** All of them, in their order. */
  headers: Record<string, unknown>
  /** The whole body, or its title where the rest was not kept. */
  body?: string
  title?: string
}

const PROBES: readonly Probe[] = [
  {name: 'GET without parameters', send: get([]), ...UNKNOWN_TRANSPORT},
  {
    name: 'OPTIONS',
    send: get([], {method: 'OPTIONS'}),
    statusLine: 'HTTP/1.1 200 OK',
    headers: {date: DATE, 'content-length': '0', server: JETTY},
    body: '',
  },
  {name: 'POST garbage', send: post('garbage'), ...SERVER_ERROR},
  {
    name: 'POST form',
    send: post(`message=${encodeURIComponent(HANDSHAKE)}`, 'Content-Type: application/x-www-form-urlencoded\r\n'),
    ...SERVER_ERROR,
  },
  {
    name: 'POST of no message',
    send: post('[]'),
    statusLine: 'HTTP/1.1 500 Server Error',
    headers: {date: DATE, 'content-length': '0', server: JETTY},
    body: '',
  },
  {
    name: 'upgrade',
    send: get([...UPGRADE, 'Sec-WebSocket-Extensions: permessage-deflate']),
    ...SWITCHED,
    headers: {
      date: DATE,
      'sec-websocket-extensions': 'permessage-deflate',
      connection: 'Upgrade',
      'sec-websocket-accept': ACCEPT,
      server: JETTY,
      upgrade: 'WebSocket',
    },
  },
  {
    name: 'upgrade whose Connection was dropped',
    send: get(UPGRADE.filter(header => !header.startsWith('Connection'))),
    statusLine: 'HTTP/1.1 400 Bad Request',
    headers: {'content-type': 'text/html;charset=iso-8859-1', 'content-length': '54', connection: 'close', server: JETTY},
    body: '<h1>Bad Message 400</h1><pre>reason: Bad Request</pre>',
  },
  {
    name: 'upgrade whose Upgrade was dropped',
    send: get(['Connection: close', ...UPGRADE.slice(2)]),
    ...UNKNOWN_TRANSPORT,
    headers: {connection: 'close', ...UNKNOWN_TRANSPORT.headers},
  },
  {name: 'upgrade over HTTP/1.0', send: get(UPGRADE, {version: '1.0'}), ...UNKNOWN_TRANSPORT},
  {
    name: 'upgrade of another version',
    send: get(UPGRADE.map(header => header.replace('Version: 13', 'Version: 99'))),
    statusLine: 'HTTP/1.1 400 Bad Request',
    headers: {'sec-websocket-version': '13', ...PAGE_HEADERS, 'content-length': '592', server: JETTY},
    title: 'Error 400 Unsupported websocket version specification',
  },
  {
    name: 'upgrade without key',
    send: get(UPGRADE.filter(header => !header.startsWith('Sec-WebSocket-Key'))),
    statusLine: 'HTTP/1.1 400 Bad Request',
    // The real page has 3784 bytes: it carries a stack trace.
    headers: {...PAGE_HEADERS, 'content-length': expect.any(String), connection: 'close', server: JETTY},
    title: 'Error 400 Missing request header &apos;Sec-WebSocket-Key&apos;',
  },
  {
    name: 'upgrade with a subprotocol',
    send: get([...UPGRADE, 'Sec-WebSocket-Protocol: chat']),
    ...SWITCHED,
    headers: {date: DATE, connection: 'Upgrade', 'sec-websocket-accept': ACCEPT, server: JETTY, upgrade: 'WebSocket'},
  },
  {
    name: 'upgrade of another origin',
    send: get([...UPGRADE, 'Origin: https://elsewhere.example']),
    ...SWITCHED,
    headers: {date: DATE, connection: 'Upgrade', 'sec-websocket-accept': ACCEPT, server: JETTY, upgrade: 'WebSocket'},
  },
]

describe('HTTP answers', () => {
  it.each(PROBES)('$name', async ({send, statusLine, headers, title, body}) => {
    const answer = await sendRaw(port, send)
    expect(answer.statusLine).toBe(statusLine)
    expect(answer.headers).toEqual(headers)
    expect(Object.keys(answer.headers)).toEqual(Object.keys(headers))
    if (title !== undefined) expect(answer.body).toContain(`<title>${title}</title>`)
    if (body !== undefined) expect(answer.body).toBe(body)
  })
})
