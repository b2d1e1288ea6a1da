import {once} from 'node:events'
import {connect} from 'node:net'
import {afterEach, describe, expect, it} from 'vitest'
import {WebSocket} from 'ws'
import {PollingUser, SocketUser, openSocket, sendRaw} from '../../test/support/simulator-client.ts'
import {startSimulator, type Simulator, type SimulatorOptions} from './simulator.ts'

const CHANNEL = '/service/chatV2/customer-support'
let simulator: Simulator | undefined

async function start(options: SimulatorOptions = {}): Promise<{sim: Simulator; port: number; second: number}> {
  simulator = await startSimulator(options)
  return {sim: simulator, port: simulator.nodes[0]?.port ?? 0, second: simulator.nodes[1]?.port ?? 0}
}

afterEach(async () => {
  await simulator?.[Symbol.asyncDispose]()
  simulator = undefined
})

describe('holding', () => {
  it('answers the first connect at once whatever its advice, and holds the next', async () => {
    const {port} = await start({holdMs: 700})
    const user = new PollingUser(port)
    await user.handshake()
    const began = Date.now()
    await user.connect()
    expect(Date.now() - began).toBeLessThan(600)
    const held = Date.now()
    expect((await user.connect()).messages).toEqual([{channel: '/meta/connect', id: '3', successful: true}])
    expect(Date.now() - held).toBeGreaterThanOrEqual(695)
  })

  it('does not hold a connect that comes with other messages', async () => {
    const {port} = await start()
    const user = await new PollingUser(port).start()
    const {messages} = await user.post([user.message('/meta/connect'), user.message('/meta/subscribe', {subscription: CHANNEL})])
    expect(messages.map(({channel}) => channel)).toEqual(['/meta/connect', '/meta/subscribe'])
  })

  it('wakes a held connect when an event comes, event first', async () => {
    const {sim, port} = await start()
    const user = await new PollingUser(port).start()
    await user.ask({operation: 'requestChat', nickname: 'a'})
    const held = user.connect()
    await sim.recorder.waitFor(request => request.ended === 'open' && request.messages.length > 0, 2000)
    expect(sim.agentSays('wake up')).toBe(1)
    const {messages} = await held
    expect(messages.map(({channel}) => channel)).toEqual([CHANNEL, '/meta/connect'])
  })

  it('answers the older of two connects of one session with 500', async () => {
    const {sim, port} = await start({holdMs: 400})
    const user = await new PollingUser(port).start()
    const older = user.connect()
    await sim.recorder.waitFor(request => request.ended === 'open' && request.messages.length > 0, 2000)
    const newer = user.connect()
    expect((await older).status).toBe(500)
    expect((await newer).status).toBe(200)
  })

  it('tells the second session of a browser to poll, and only while the first is held', async () => {
    const {sim, port} = await start({holdMs: 800})
    const first = await new PollingUser(port).start()
    const second = new PollingUser(port)
    second.cookie = first.cookie
    await second.start()
    const held = first.connect()
    await sim.recorder.waitFor(request => request.ended === 'open' && request.messages.length > 0, 2000)
    expect((await second.connect()).messages[0]?.advice).toEqual({interval: 2000, reconnect: 'retry', 'multiple-clients': true})
    await held
    expect((await second.connect()).messages[0]?.advice).toBeUndefined()
  })

  it('answers the held connect before the disconnect, over both transports', async () => {
    const {sim, port} = await start()
    const polling = await new PollingUser(port).start()
    const held = polling.connect()
    await sim.recorder.waitFor(request => request.ended === 'open' && request.messages.length > 0, 2000)
    await polling.post([polling.message('/meta/disconnect')], {path: '/disconnect'})
    expect((await held).messages).toEqual([{advice: {reconnect: 'none'}, channel: '/meta/connect', id: '3', successful: true}])

    const socket = await (await SocketUser.open(port)).start()
    const connectId = socket.send('/meta/connect', {connectionType: 'websocket'})
    const disconnectId = socket.send('/meta/disconnect')
    await socket.message(({id}) => id === disconnectId)
    const order = socket.frames.flat().slice(-2)
    expect(order.map(({id}) => id)).toEqual([connectId, disconnectId])
    expect(order[0]?.advice).toEqual({reconnect: 'none'})
    socket.socket.terminate()
  })

  it('survives a peer that goes away during a held poll, and says so', async () => {
    const {sim, port} = await start()
    const user = await new PollingUser(port).start()
    await user.ask({operation: 'requestChat', nickname: 'a'})
    const socket = await openSocket(port)
    const body = JSON.stringify([user.message('/meta/connect', {connectionType: 'long-polling'})])
    socket.write(
      `POST /genesys/cometd/connect HTTP/1.1\r\nHost: gms\r\nCookie: ${user.cookie}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await sim.recorder.waitFor(request => request.ended === 'open' && request.messages.length > 0, 2000)
    socket.destroy()
    const cut = await sim.recorder.waitFor(request => request.ended === 'peer-closed', 2000)
    expect(cut).toMatchObject({method: 'POST', target: '/genesys/cometd/connect'})
    expect(cut?.status).toBeUndefined()
    // What happens meanwhile is delivered to the next connect.
    sim.agentSays('still there?')
    expect((await user.connect()).messages[0]?.channel).toBe(CHANNEL)
  })
})

describe('sessions', () => {
  it('are unknown on another node, and the chat is found again with requestNotifications', async () => {
    const {sim, port, second} = await start()
    const user = await new PollingUser(port).start()
    const {notifications} = await user.ask({operation: 'requestChat', nickname: 'a'})
    const elsewhere = new PollingUser(second)
    elsewhere.cookie = user.cookie
    elsewhere.clientId = user.clientId
    expect((await elsewhere.connect()).messages[0]).toMatchObject({error: '402::session_unknown', advice: {reconnect: 'handshake'}})
    expect((await elsewhere.ask({operation: 'sendMessage', message: 'x', secureKey: ''})).messages[0]?.error).toBe('402::session_unknown')

    elsewhere.clientId = ''
    await elsewhere.start()
    const found = await elsewhere.ask({
      operation: 'requestNotifications',
      secureKey: notifications.at(-1)?.secureKey,
      transcriptPosition: 2,
    })
    expect(found.notifications[0]?.messages?.map(({index}) => index)).toEqual([3])
    expect(sim.nodes.map(({sessions}) => sessions)).toEqual([1, 1])
  })

  it('need cookie and clientId over HTTP, the clientId alone over WebSocket', async () => {
    const {port} = await start()
    const polling = await new PollingUser(port).start()
    const socket = await SocketUser.open(port)
    socket.clientId = polling.clientId
    const id = socket.send('/meta/connect', {connectionType: 'websocket', advice: {timeout: 0}})
    expect((await socket.message(reply => reply.id === id)).successful).toBe(true)
    socket.socket.terminate()
    const other = await new PollingUser(port).start()
    other.clientId = polling.clientId
    expect((await other.connect()).messages[0]?.error).toBe('402::session_unknown')
  })

  it('are swept after maxInterval, and their WebSocket stays open', async () => {
    const {sim, port} = await start({maxIntervalMs: 100})
    const swept = await (await SocketUser.open(port)).start()
    await expect.poll(() => sim.nodes[0]?.sessions, {timeout: 3000}).toBe(0)
    expect(swept.socket.readyState).toBe(WebSocket.OPEN)
    const id = swept.send('/meta/connect', {connectionType: 'websocket'})
    expect(await swept.message(reply => reply.id === id)).toMatchObject({error: '402::session_unknown', advice: {reconnect: 'handshake'}})
    swept.socket.terminate()
  })

  it('live on for maxInterval when their WebSocket is cut', async () => {
    const {sim, port} = await start()
    const user = await (await SocketUser.open(port)).start()
    user.send('/meta/connect', {connectionType: 'websocket'})
    user.socket.terminate()
    await sim.recorder.waitFor(request => request.close !== undefined, 2000)
    const again = await SocketUser.open(port)
    again.clientId = user.clientId
    const id = again.send('/meta/connect', {connectionType: 'websocket', advice: {timeout: 0}})
    expect((await again.message(reply => reply.id === id)).successful).toBe(true)
    again.socket.terminate()
  })

  it('keep the browser cookie that the client brings', async () => {
    const {port} = await start()
    const user = new PollingUser(port)
    const {headers} = await user.post([user.message('/meta/handshake', {version: '1.0'})], {headers: {cookie: 'a=b; BAYEUX_BROWSER=mine'}})
    expect(headers.get('set-cookie')).toBeNull()
  })
})

describe('wire', () => {
  it('delivers over WebSocket before the acknowledgement of the same batch', async () => {
    const {port} = await start()
    const user = await (await SocketUser.open(port)).start()
    const id = user.send(CHANNEL, {data: {operation: 'requestChat', nickname: 'a'}})
    await user.message(reply => reply.id === id)
    const messages = user.frames.flat()
    expect(messages.findIndex(({data}) => data !== undefined)).toBeLessThan(messages.findIndex(reply => reply.id === id))
    user.socket.terminate()
  })

  it('delivers over callback-polling through the connect only', async () => {
    const {port} = await start()
    let cookie = ''
    const ask = async (message: object): Promise<{channel: string; clientId?: string}[]> => {
      const answer = await fetch(
        `http://127.0.0.1:${port}/genesys/cometd?jsonp=cb&message=${encodeURIComponent(JSON.stringify([message]))}`,
        {headers: {cookie}},
      )
      cookie ||= answer.headers.get('set-cookie')?.split(';')[0] ?? ''
      return JSON.parse((await answer.text()).slice(3, -1)) as {channel: string; clientId?: string}[]
    }
    const [handshake] = await ask({channel: '/meta/handshake', id: '1', version: '1.0'})
    const clientId = handshake?.clientId
    await ask({channel: '/meta/connect', id: '2', clientId})
    const held = ask({channel: '/meta/connect', id: '3', clientId})
    const publish = await ask({channel: CHANNEL, id: '4', clientId, data: {operation: 'requestChat', nickname: 'a'}})
    expect(publish).toEqual([{channel: CHANNEL, id: '4', successful: true}])
    expect((await held).map(({channel}) => channel)).toEqual([CHANNEL, CHANNEL, '/meta/connect'])
  })

  it.each([
    ['/genesys/cometd', 400],
    ['/genesys/cometd/', 400],
    ['/genesys/cometd/handshake', 400],
    ['/genesys/cometd;jsessionid=1/connect', 400],
    ['http://elsewhere/genesys/cometd?x=y', 400],
    ['/genesys/cometdx', 404],
    ['/cometd', 404],
    ['/', 404],
    ['http://elsewhere/', 404],
    ['/genesys/2/chat-ntf', 405],
    [`/genesys/cometd?jsonp=${'c'.repeat(64)}&message=[]`, 500],
    [`/genesys/cometd?jsonp=${'c'.repeat(65)}&message=[]`, 400],
    [`/genesys/cometd?jsonp=cb&message=${'x'.repeat(8200)}`, 414],
  ])('GET %s is %i', async (target, status) => {
    const {port} = await start({nodes: 1})
    expect((await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: gms\r\n\r\n`)).status).toBe(status)
  })

  it('takes a callback-polling request of 7.5 kB', async () => {
    const {port} = await start({nodes: 1})
    const message = encodeURIComponent(
      JSON.stringify([{channel: '/meta/handshake', id: '1', version: '1.0', ext: {pad: 'x'.repeat(7400)}}]),
    )
    expect((await sendRaw(port, `GET /genesys/cometd/handshake?jsonp=cb&message=${message} HTTP/1.1\r\nHost: gms\r\n\r\n`)).status).toBe(
      200,
    )
  })

  it.each([
    ['Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n', 200],
    ['Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n', 200],
  ])('takes a POST with %j as any other, body and all', async (headers, status) => {
    const {sim, port} = await start({nodes: 1})
    const body = JSON.stringify([{channel: '/meta/handshake', id: '1', version: '1.0'}])
    const answer = await sendRaw(
      port,
      `POST /genesys/cometd HTTP/1.1\r\nHost: gms\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`,
    )
    expect(answer.status).toBe(status)
    expect(sim.recorder.requests).toHaveLength(1)
    expect(sim.recorder.requests[0]?.headers['upgrade']).toHaveLength(1)
  })

  it.each([
    ['Upgrade', 'websocket', 101],
    ['keep-alive, Upgrade', 'WebSocket', 101],
    ['upgrade', 'WEBSOCKET', 101],
    ['keep-alive', 'websocket', 400],
  ])('Connection: %s with Upgrade: %s is %i', async (connection, upgrade, status) => {
    const {port} = await start({nodes: 1})
    const head = `GET /genesys/cometd HTTP/1.1\r\nHost: gms\r\nConnection: ${connection}\r\nUpgrade: ${upgrade}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
    expect((await sendRaw(port, head)).status).toBe(status)
  })

  it('upgrades the CometD path only', async () => {
    const {port} = await start({nodes: 1})
    const upgrade = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: gms\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
    expect((await sendRaw(port, upgrade('/genesys/cometd?a=b'))).status).toBe(101)
    expect((await sendRaw(port, upgrade('/genesys/cometd/handshake'))).status).toBe(400)
    expect((await sendRaw(port, upgrade('/other'))).status).toBe(404)
  })

  it('closes a WebSocket with 1009 above the largest message, and takes one at the limit', async () => {
    const {sim, port} = await start({nodes: 1})
    const user = await (await SocketUser.open(port)).start()
    const empty = JSON.stringify([{channel: '/foo', id: 'x', clientId: user.clientId, data: ''}]).length
    user.socket.send(JSON.stringify([{channel: '/foo', id: 'x', clientId: user.clientId, data: 'x'.repeat(65_536 - empty)}]))
    expect((await user.message(({id}) => id === 'x')).successful).toBe(true)
    user.socket.send('x'.repeat(65_537))
    const [code] = (await once(user.socket, 'close')) as [number]
    expect(code).toBe(1009)
    const closed = await sim.recorder.waitFor(request => request.close !== undefined, 2000)
    expect(closed?.close).toMatchObject({code: 1009, by: 'gms'})
  })

  it.each(['garbage', '[]', '[1]'])('closes a WebSocket that says %s with 1011', async text => {
    const {sim, port} = await start({nodes: 1})
    const user = await SocketUser.open(port)
    user.socket.send(text)
    const [code] = (await once(user.socket, 'close')) as [number]
    expect(code).toBe(1011)
    expect((await sim.recorder.waitFor(request => request.close !== undefined, 2000))?.close).toMatchObject({code: 1011, by: 'gms'})
  })

  it('compresses long answers when the client offered it', async () => {
    const {port} = await start({nodes: 1})
    const user = await (await SocketUser.open(port)).start()
    expect(user.socket.extensions).toBe('permessage-deflate')
    const message = 'long '.repeat(2000)
    const {secureKey} = await user.ask({operation: 'requestChat', nickname: 'a'})
    expect((await user.ask({operation: 'sendMessage', secureKey, message})).messages?.[0]?.text).toBe(message)
    user.socket.terminate()
  })

  it('leaves permessage-deflate alone when told so', async () => {
    const {port} = await start({nodes: 1, deflate: false})
    const user = await SocketUser.open(port)
    expect(user.socket.extensions).toBe('')
    user.socket.terminate()
  })

  it('keeps an idle connection open for the next request, and answers pipelined ones in order', async () => {
    const {port} = await start({nodes: 1})
    const socket = connect(port, '127.0.0.1')
    const request = 'OPTIONS /genesys/cometd HTTP/1.1\r\nHost: gms\r\n\r\n'
    socket.write(request + request)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    await expect.poll(() => text.split('HTTP/1.1 200 OK').length).toBe(3)
    socket.destroy()
  })
})

/** Measured on CometD 5.0.14 and 8.0.10, which agree in all of this. */
describe('messages as CometD judges them', () => {
  it.each([
    ['no channel', {channel: undefined}, {error: '400::channel_missing'}],
    ['a channel without slash', {channel: 'chat'}, {error: '405::channel_invalid'}],
    ['an id that is no word', {channel: CHANNEL, id: '1.5'}, {error: '405::message_id_invalid'}],
    ['another session', {channel: CHANNEL, clientId: 'nobody'}, {error: '402::session_unknown'}],
    ['an unknown meta channel', {channel: '/meta/nonsense'}, {error: '403:denied_by_security_policy:channel_create_denied'}],
    ['a subscription to nothing', {channel: '/meta/subscribe'}, {error: '403::subscription_missing'}],
    ['a subscription to no channel', {channel: '/meta/subscribe', subscription: 'chat'}, {error: '403::subscription_invalid'}],
    [
      'a subscription to a meta channel',
      {channel: '/meta/subscribe', subscription: '/meta/connect'},
      {error: '403:denied_by_security_policy:subscribe_denied'},
    ],
    ['leaving a channel that there is not', {channel: '/meta/unsubscribe', subscription: '/none'}, {error: '400::channel_missing'}],
  ])('%s', async (_, fields, answer) => {
    const {port} = await start({nodes: 1})
    const user = await new PollingUser(port).start()
    const {messages} = await user.post([{...user.message(CHANNEL), ...fields}])
    expect(messages.at(-1)).toMatchObject({...answer, successful: false})
  })

  it.each([
    ['a channel that is a number', {channel: 1}],
    ['a clientId that is a number', {channel: CHANNEL, clientId: 1}],
    ['advice that is no object', {channel: '/meta/connect', advice: 1}],
    ['a wildcard in the middle', {channel: '/meta/subscribe', subscription: '/a/*/b'}],
  ])('%s is 500', async (_, fields) => {
    const {port} = await start({nodes: 1})
    const user = await new PollingUser(port).start()
    expect((await user.post([{...user.message(CHANNEL), ...fields}])).status).toBe(500)
  })

  it('lets the first message of a batch decide on the session', async () => {
    const {port} = await start({nodes: 1})
    const user = await new PollingUser(port).start()
    const {messages} = await user.post([user.message('/service/none', {clientId: 'nobody'}), user.message('/service/none')])
    expect(messages.map(({error}) => error)).toEqual(['402::session_unknown', '402::session_unknown'])
  })

  it('keeps a session of one polling transport from the other', async () => {
    const {port} = await start({nodes: 1})
    const user = await new PollingUser(port).start()
    const message = encodeURIComponent(JSON.stringify([user.message('/service/none')]))
    const target = `/genesys/cometd?jsonp=cb&message=${message}`
    const answer = await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: gms\r\nCookie: ${user.cookie}\r\n\r\n`)
    expect(answer.body).toContain('402::session_unknown')
  })

  it('binds a WebSocket to the session of its first message', async () => {
    const {port} = await start({nodes: 1})
    const [mine, other] = [await (await SocketUser.open(port)).start(), await (await SocketUser.open(port)).start()]
    const id = mine.send('/service/none', {clientId: other.clientId})
    expect(await mine.message(message => message.id === id)).toMatchObject({error: '402::session_unknown'})
    for (const {socket} of [mine, other]) socket.terminate()
  })

  it('answers the neighbours of a held connect together with it', async () => {
    const {port} = await start({nodes: 1, holdMs: 300})
    const user = await (await SocketUser.open(port)).start()
    const message = {clientId: user.clientId}
    user.socket.send(
      JSON.stringify([
        {...message, channel: '/meta/connect', id: 'c'},
        {...message, channel: '/service/none', id: 'p'},
      ]),
    )
    await user.message(({id}) => id === 'c')
    expect(user.frames.at(-1)?.map(({id}) => id)).toEqual(['p', 'c'])
    user.socket.terminate()
  })

  it('tells advice again to a client that sends some, with the interval that it asked for', async () => {
    const {port} = await start({nodes: 1, holdMs: 500})
    const user = await new PollingUser(port).start()
    const {messages} = await user.connect({advice: {timeout: 0, interval: 700}})
    expect(messages[0]?.advice).toEqual({interval: 700, timeout: 500, reconnect: 'retry'})
  })

  it('broadcasts to subscribers, by name and by wildcard', async () => {
    const {port} = await start({nodes: 1})
    const [speaker, listener] = [await new PollingUser(port).start(), await (await SocketUser.open(port)).start()]
    const subscribed = listener.send('/meta/subscribe', {subscription: '/hall/**'})
    await listener.message(({id}) => id === subscribed)
    await speaker.post([speaker.message('/hall/a', {data: 'hello'})])
    expect(await listener.message(({data}) => data !== undefined)).toEqual({data: 'hello', channel: '/hall/a'})
    listener.socket.terminate()
  })
})
