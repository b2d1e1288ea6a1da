import {expect, it} from 'vitest'
import {told} from '../../test/support/gms.ts'
import {notificationsOf, PollingUser, sendRaw} from '../../test/support/simulator-client.ts'
import {startSimulator} from './simulator.ts'

const HANDSHAKE = JSON.stringify([{channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['long-polling'], id: '1'}])
const UPGRADE = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

function post(path: string, cookie = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: gms\r\nContent-Type: application/json\r\n${cookie}Content-Length: ${HANDSHAKE.length}\r\n\r\n${HANDSHAKE}`
}

it('sets a cookie that ends with the route of the node, until one of that node is brought', async () => {
  await using simulator = await startSimulator({nodes: 3, sessionCookie: {name: 'JSESSIONID', routes: ['east', 'west']}})
  const [east = 0, west = 0, unnamed = 0] = simulator.nodes.map(({port}) => port)
  // The test's reader keeps one cookie of an answer: CometD's own is not set to who brings one.
  const first = await sendRaw(east, post('/genesys/cometd/handshake', 'Cookie: BAYEUX_BROWSER=a\r\n'))
  const [own = ''] = /JSESSIONID=[^;]+/.exec(first.headers['set-cookie'] ?? '') ?? []
  expect(first.headers['set-cookie']).toMatch(/JSESSIONID=\w+\.east; Path=\/genesys; HttpOnly/)

  const again = await sendRaw(east, post('/genesys/cometd/handshake', `Cookie: BAYEUX_BROWSER=a; ${own}\r\n`))
  expect(again.headers['set-cookie']).toBeUndefined()
  const elsewhere = await sendRaw(west, post('/genesys/cometd/handshake', `Cookie: BAYEUX_BROWSER=a; ${own}\r\n`))
  expect(elsewhere.headers['set-cookie']).toMatch(/^JSESSIONID=\w+\.west;/)
  expect((await sendRaw(unnamed, post('/genesys/2/chat-ntf'))).headers['set-cookie']).toMatch(/^JSESSIONID=\w+; Path/)
})

it('forgets its sessions, and so their cookies, when the node stops', async () => {
  await using simulator = await startSimulator({nodes: 1, sessionCookie: {name: 'SID', routes: ['east']}})
  const port = simulator.nodes[0]?.port ?? 0
  const ask = (cookie = '') => sendRaw(port, post('/genesys/2/chat-ntf', cookie))
  const [own = ''] = /SID=[^;]+/.exec((await ask()).headers['set-cookie'] ?? '') ?? []
  expect((await ask(`Cookie: ${own}\r\n`)).headers['set-cookie']).toBeUndefined()
  await simulator.stopNode('gms1')
  await simulator.startNode('gms1')
  expect((await ask(`Cookie: ${own}\r\n`)).headers['set-cookie']).toMatch(/^SID=\w+\.east;/)
})

it('sets none with a 101, none outside GMS, and none unless asked to', async () => {
  await using simulator = await startSimulator({nodes: 1, sessionCookie: {name: 'JSESSIONID'}})
  const port = simulator.nodes[0]?.port ?? 0
  const upgraded = await sendRaw(port, `GET /genesys/cometd HTTP/1.1\r\nHost: gms\r\n${UPGRADE}\r\n`)
  expect(upgraded.statusLine).toContain('101')
  expect(upgraded.headers['set-cookie']).toBeUndefined()
  expect((await sendRaw(port, post('/elsewhere'))).headers['set-cookie']).toBeUndefined()
  await using plain = await startSimulator({nodes: 1})
  expect((await sendRaw(plain.nodes[0]?.port ?? 0, post('/genesys/2/chat-ntf'))).headers['set-cookie']).toBeUndefined()
})

it('knows every session on every node when they have them in common, and keeps them when a node stops', async () => {
  await using simulator = await startSimulator({nodes: 2, commonSessions: true})
  const [one = 0, other = 0] = simulator.nodes.map(({port}) => port)
  const {body, headers} = await sendRaw(one, post('/genesys/cometd/handshake'))
  const [{clientId}] = JSON.parse(body) as [{clientId: string}]
  const connect = JSON.stringify([{channel: '/meta/connect', clientId, connectionType: 'long-polling', id: '2', advice: {timeout: 0}}])
  await simulator.stopNode('gms1')
  const answer = await sendRaw(
    other,
    `POST /genesys/cometd/connect HTTP/1.1\r\nHost: gms\r\nContent-Type: application/json\r\nCookie: ${headers['set-cookie']?.split(';')[0] ?? ''}\r\nContent-Length: ${connect.length}\r\n\r\n${connect}`,
  )
  expect(answer.body).toContain('"successful":true')
})

it('keeps what is said in the moment in which a node dies, for the next connect elsewhere', async () => {
  await using simulator = await startSimulator({nodes: 2, commonSessions: true})
  const [one = 0, other = 0] = simulator.nodes.map(({port}) => port)
  const user = await new PollingUser(one).start()
  await user.ask({operation: 'requestChat', nickname: 'a'})
  const held = user.connect().catch(() => undefined)
  await simulator.recorder.waitFor(({ended, messages}) => ended === 'open' && messages.length > 0, 2000)
  await simulator.stopNode('gms1')
  simulator.agentSays('still there?')
  expect(await held).toBeUndefined()
  const elsewhere = new PollingUser(other)
  elsewhere.cookie = user.cookie
  elsewhere.clientId = user.clientId
  expect(notificationsOf((await elsewhere.connect()).messages).flatMap(told)).toEqual([expect.stringContaining('still there?')])
})
