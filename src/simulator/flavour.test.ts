import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {SocketUser, sendRaw} from '../../test/support/simulator-client.ts'
import {startSimulator, type Simulator} from './simulator.ts'

/** What CometD 8.0.10 on Jetty 12.0.25 answered where it differs from the golden generation; all of it is compared by `npm run test:oracle`. */
let simulator: Simulator
let port: number

beforeAll(async () => {
  simulator = await startSimulator({nodes: 1, flavour: 'cometd-8'})
  port = simulator.nodes[0]?.port ?? 0
})
afterAll(() => simulator[Symbol.asyncDispose]())

const HANDSHAKE = JSON.stringify([{channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['long-polling'], id: '1'}])
const UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']

function get(headers: readonly string[], target = '/genesys/cometd'): string {
  return `GET ${target} HTTP/1.1\r\nHost: gms\r\n${headers.map(header => `${header}\r\n`).join('')}\r\n`
}

function post(body: string): string {
  return `POST /genesys/cometd HTTP/1.1\r\nHost: gms\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

describe('CometD 8 on Jetty 12', () => {
  it.each([
    ['a handshake', post(HANDSHAKE), 'HTTP/1.1 200 OK', ['server', 'date', 'set-cookie', 'content-type', 'content-length']],
    ['garbage', post('garbage'), 'HTTP/1.1 400 Bad Request', ['server', 'date', 'cache-control', 'content-type', 'content-length']],
    ['no message', post('[]'), 'HTTP/1.1 500 Server Error', ['server', 'date', 'cache-control', 'content-type', 'content-length']],
    [
      'an upgrade without Connection',
      get(UPGRADE.filter(header => !header.startsWith('Connection'))),
      'HTTP/1.1 400 Bad Request',
      ['server', 'date', 'cache-control', 'content-type', 'content-length', 'connection'],
    ],
    [
      'an upgrade',
      get([...UPGRADE, 'Sec-WebSocket-Extensions: permessage-deflate']),
      'HTTP/1.1 101 Switching Protocols',
      ['server', 'date', 'sec-websocket-extensions', 'upgrade', 'sec-websocket-accept', 'connection'],
    ],
  ])('answers %s in its order', async (_, send, statusLine, names) => {
    const answer = await sendRaw(port, send)
    expect(answer.statusLine).toBe(statusLine)
    expect(Object.keys(answer.headers)).toEqual(names)
    expect(answer.headers['server']).toBe('Jetty(12.0.25)')
  })

  it.each([
    ['another version', get(UPGRADE.map(header => header.replace(': 13', ': 99'))), 'Unknown Bayeux Transport'],
    ['an ambiguous path', get([], '/genesys/cometd//'), 'Ambiguous URI empty segment'],
    ['an escaped slash', get([], '/genesys%2Fcometd'), 'Ambiguous URI path separator'],
    ['a header without colon', get(['Nonsense']), 'Illegal character LF=\\n'],
    ['two callbacks', get([], '/genesys/cometd?jsonp=a&jsonp=b'), 'Unknown Bayeux Transport'],
    [
      'an extension that it does not know',
      get([...UPGRADE, 'Sec-WebSocket-Extensions: permessage-deflate; x=1']),
      'could not instantiate offered extension',
    ],
  ])('refuses %s with a page', async (_, send, message) => {
    const answer = await sendRaw(port, send)
    expect(answer.status).toBe(400)
    expect(answer.body).toContain(`<title>Error 400 ${message}</title>`)
  })

  it('says application/json without a charset, and Upgrade: websocket', async () => {
    expect((await sendRaw(port, post(HANDSHAKE))).headers['content-type']).toBe('application/json')
    expect((await sendRaw(port, get(UPGRADE))).headers['upgrade']).toBe('websocket')
  })

  it.each([
    ['', 1011, 'java.io.IOException: bayeux protocol violation'],
    ['garbage', 1011, 'java.text.ParseException: garbage'],
    ['x'.repeat(65_537), 1009, 'Text message too large: 65,537 > 65,536'],
  ])('closes a WebSocket for %.10s with %i', async (text, code, reason) => {
    const {socket} = await SocketUser.open(port, {perMessageDeflate: false})
    const closed = new Promise(resolve => socket.once('close', (...[seen, why]: [number, Buffer]) => resolve([seen, why.toString()])))
    socket.send(text)
    expect(await closed).toEqual([code, reason])
  })
})
