import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {PollingUser, sendRaw} from '../../test/support/simulator-client.ts'
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
const ADVICE = {interval: 0, timeout: 30_000, reconnect: 'retry'}
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
    expect(answer.headers['date']).toMatch(/GMT$/)
    expect(answer.headers).not.toHaveProperty('connection')
    expect(answer.headers).not.toHaveProperty('keep-alive')
    // The text, not the object: clients in the field depend on the order of fields too.
    expect(answer.body.replace(/"clientId":"[0-9a-z]{25}"/, '"clientId":"ID"')).toBe(
      '[{"minimumVersion":"1.0","clientId":"ID","supportedConnectionTypes":["websocket","long-polling","callback-polling"],"advice":{"interval":0,"timeout":30000,"reconnect":"retry"},"channel":"/meta/handshake","id":"1","version":"1.0","successful":true}]',
    )
  })

  it('first connect, publish, subscribe, and what comes without the cookie', async () => {
    const user = new PollingUser(port)
    await user.handshake()
    const connect = await user.connect({advice: {timeout: 0}})
    expect(connect.headers.get('set-cookie')).toBeNull()
    expect(connect.messages).toEqual([{advice: ADVICE, channel: '/meta/connect', id: '2', successful: true}])

    const channel = '/service/chatV2/customer-support'
    const publish = await user.post([user.message(channel, {data: {operation: 'requestChat', nickname: 'a'}})])
    expect(publish.messages[0]).toMatchObject({data: {chatEnded: false, statusCode: 0}, channel})
    expect(Object.keys(publish.messages[0] ?? {})).toEqual(['data', 'channel'])
    expect(publish.messages.at(-1)).toEqual({channel, id: '3', successful: true})

    const subscribe = await user.post([user.message('/meta/subscribe', {subscription: channel})])
    expect(subscribe.messages).toEqual([{channel: '/meta/subscribe', id: '4', subscription: channel, successful: true}])

    user.cookie = undefined
    const lost = await user.connect()
    expect(lost.status).toBe(200)
    expect(lost.messages).toEqual([
      {advice: {interval: 0, reconnect: 'handshake'}, channel: '/meta/connect', id: '5', error: '402::session_unknown', successful: false},
    ])
    const lostPublish = await user.post([user.message(channel, {data: {}})])
    expect(lostPublish.messages).toEqual([{channel, id: '6', error: '402::session_unknown', successful: false}])
    const unknown = await user.post([{channel, id: '6', clientId: 'nobody', data: {}}])
    expect(unknown.messages).toEqual([{channel, id: '6', error: '402::session_unknown', successful: false}])
  })

  it('callback-polling handshake', async () => {
    const target = `/genesys/cometd/handshake?jsonp=_cometd_jsonp_0&message=${encodeURIComponent(HANDSHAKE)}`
    const answer = await sendRaw(port, get([], {target}))
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({'content-type': 'text/javascript;charset=UTF-8', server: JETTY})
    expect(answer.headers['set-cookie']).toMatch(/^BAYEUX_BROWSER=/)
    expect(answer.body).toMatch(/^_cometd_jsonp_0\(\[\{"minimumVersion":"1\.0","clientId":.*"successful":true\}\]\)$/)
  })
})

const UNKNOWN_TRANSPORT = {
  status: 400,
  headers: {
    'cache-control': 'must-revalidate,no-cache,no-store',
    'content-type': 'text/html;charset=iso-8859-1',
    'content-length': '535',
    server: JETTY,
  },
  title: 'Error 400 Unknown Bayeux Transport',
}

interface Probe {
  name: string
  send: string
  status: number
  headers: Record<string, string>
  absent?: readonly string[]
  title?: string
  body?: string
}

const PROBES: readonly Probe[] = [
  {name: 'GET without parameters', send: get([]), ...UNKNOWN_TRANSPORT},
  {
    name: 'OPTIONS',
    send: get([], {method: 'OPTIONS'}),
    status: 200,
    headers: {'content-length': '0', server: JETTY},
    absent: ['access-control-allow-origin', 'allow'],
  },
  {
    name: 'POST garbage',
    send: post('garbage'),
    status: 500,
    headers: {connection: 'close', server: JETTY},
    absent: ['content-length'],
    body: '',
  },
  {
    name: 'POST form',
    send: post(`message=${encodeURIComponent(HANDSHAKE)}`, 'Content-Type: application/x-www-form-urlencoded\r\n'),
    status: 500,
    headers: {connection: 'close', server: JETTY},
    absent: ['content-length'],
    body: '',
  },
  {
    name: 'POST of no message',
    send: post('[]'),
    status: 500,
    headers: {'content-length': '0', server: JETTY},
    absent: ['connection'],
    body: '',
  },
  {
    name: 'upgrade',
    send: get([...UPGRADE, 'Sec-WebSocket-Extensions: permessage-deflate']),
    status: 101,
    headers: {
      'sec-websocket-extensions': 'permessage-deflate',
      connection: 'Upgrade',
      'sec-websocket-accept': ACCEPT,
      server: JETTY,
      upgrade: 'WebSocket',
    },
    absent: ['set-cookie', 'sec-websocket-protocol'],
  },
  {
    name: 'upgrade whose Connection was dropped',
    send: get(UPGRADE.filter(header => !header.startsWith('Connection'))),
    status: 400,
    headers: {'content-type': 'text/html;charset=iso-8859-1', 'content-length': '54', connection: 'close', server: JETTY},
    body: '<h1>Bad Message 400</h1><pre>reason: Bad Request</pre>',
  },
  {
    name: 'upgrade whose Upgrade was dropped',
    send: get(['Connection: close', ...UPGRADE.slice(2)]),
    ...UNKNOWN_TRANSPORT,
    headers: {...UNKNOWN_TRANSPORT.headers, connection: 'close'},
  },
  {name: 'upgrade over HTTP/1.0', send: get(UPGRADE, {version: '1.0'}), ...UNKNOWN_TRANSPORT},
  {
    name: 'upgrade of another version',
    send: get(UPGRADE.map(header => header.replace('Version: 13', 'Version: 99'))),
    status: 400,
    headers: {'sec-websocket-version': '13', 'content-length': '592', 'content-type': 'text/html;charset=iso-8859-1'},
    title: 'Error 400 Unsupported websocket version specification',
  },
  {
    name: 'upgrade without key',
    send: get(UPGRADE.filter(header => !header.startsWith('Sec-WebSocket-Key'))),
    status: 400,
    // The real page is longer: it carries a stack trace.
    headers: {connection: 'close', 'content-type': 'text/html;charset=iso-8859-1'},
    title: 'Error 400 Missing request header &apos;Sec-WebSocket-Key&apos;',
  },
  {
    name: 'upgrade with a subprotocol',
    send: get([...UPGRADE, 'Sec-WebSocket-Protocol: chat']),
    status: 101,
    headers: {connection: 'Upgrade', 'sec-websocket-accept': ACCEPT, upgrade: 'WebSocket'},
    absent: ['sec-websocket-protocol', 'sec-websocket-extensions'],
  },
  {
    name: 'upgrade of another origin',
    send: get([...UPGRADE, 'Origin: https://elsewhere.example']),
    status: 101,
    headers: {connection: 'Upgrade', 'sec-websocket-accept': ACCEPT, upgrade: 'WebSocket'},
  },
]

describe('HTTP answers', () => {
  it.each(PROBES)('$name', async ({send, status, headers, absent = [], title, body}) => {
    const answer = await sendRaw(port, send)
    expect(answer.status).toBe(status)
    expect(answer.statusLine).toMatch(/^HTTP\/1\.1 /)
    expect(answer.headers).toMatchObject(headers)
    for (const name of absent) expect(answer.headers).not.toHaveProperty(name)
    if (title !== undefined) expect(answer.body).toContain(`<title>${title}</title>`)
    if (body !== undefined) expect(answer.body).toBe(body)
  })

  it('says 500 as Jetty does', async () => {
    expect((await sendRaw(port, post('garbage'))).statusLine).toBe('HTTP/1.1 500 Server Error')
  })
})
