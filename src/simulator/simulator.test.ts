import {once} from 'node:events'
import {createServer, type AddressInfo} from 'node:net'
import {afterEach, describe, expect, it} from 'vitest'
import {PollingUser, SocketUser, openSocket} from '../../test/support/simulator-client.ts'
import {EnvironmentError, UsageError} from '../errors.ts'
import {startSimulator, type Simulator} from './simulator.ts'

let simulator: Simulator | undefined

afterEach(async () => {
  await simulator?.[Symbol.asyncDispose]()
  simulator = undefined
})

it('names its nodes and listens on the asked ports', async () => {
  simulator = await startSimulator({nodes: 3})
  expect(simulator.nodes.map(({name, host, sessions}) => [name, host, sessions])).toEqual([
    ['gms1', '127.0.0.1', 0],
    ['gms2', '127.0.0.1', 0],
    ['gms3', '127.0.0.1', 0],
  ])
  expect(new Set(simulator.nodes.map(({port}) => port)).size).toBe(3)
})

it('names the port that is taken and leaves nothing listening', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const {port} = other.address() as AddressInfo
  const failure = await startSimulator({nodes: 2, ports: [0, port]}).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(EnvironmentError)
  expect(failure).toMatchObject({
    message: expect.stringContaining(`port ${port}`) as string,
    suggestions: [expect.stringContaining(`port ${port}`) as string],
  })
  other.close()
})

it('stops quickly with held polls, open WebSockets and half requests, and frees its ports', async () => {
  simulator = await startSimulator({nodes: 1})
  const port = simulator.nodes[0]?.port ?? 0
  const user = await new PollingUser(port).start()
  const held = user.connect().catch((error: unknown) => error)
  const socket = await (await SocketUser.open(port)).start()
  socket.send('/meta/connect', {connectionType: 'websocket'})
  const half = await openSocket(port)
  half.write(
    'POST /genesys/2/chat-ntf HTTP/1.1\r\nHost: gms\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 99\r\n\r\n--b',
  )
  await simulator.recorder.waitFor(request => request.ended === 'open' && request.messages.length > 0, 2000)
  const began = Date.now()
  const closed = once(socket.socket, 'close')
  await simulator[Symbol.asyncDispose]()
  expect(Date.now() - began).toBeLessThan(1000)
  expect(await held).toBeInstanceOf(Error)
  await closed
  simulator = await startSimulator({nodes: 1, ports: [port]})
})

it('stops one node: its sessions are gone, chats live on with the other', async () => {
  simulator = await startSimulator({nodes: 2})
  const [first = 0, second = 0] = simulator.nodes.map(({port}) => port)
  const user = await new PollingUser(first).start()
  const {notifications} = await user.ask({operation: 'requestChat', nickname: 'a'})
  await simulator.stopNode('gms1')
  await expect(user.connect()).rejects.toThrow()
  expect(simulator.nodes[0]?.sessions).toBe(0)
  const moved = await new PollingUser(second).start()
  const followed = await moved.ask({operation: 'requestNotifications', secureKey: notifications.at(-1)?.secureKey})
  expect(followed.notifications[0]?.messages?.map(({index}) => index)).toEqual([1, 3])
  await simulator.stopNode('gms1')
  await expect(simulator.stopNode('gms9')).rejects.toBeInstanceOf(UsageError)
})

describe('a node that stops and starts', () => {
  const reach = (port: number) => fetch(`http://127.0.0.1:${port}/genesys/cometd`, {method: 'OPTIONS'}).then(({status}) => status)

  it('twice, with connections open: the same port, no session, and both witnesses say who closed', async () => {
    simulator = await startSimulator({nodes: 2})
    const port = simulator.nodes[0]?.port ?? 0
    for (const _ of ['once', 'twice']) {
      const user = await new PollingUser(port).start()
      const held = user.connect().catch((error: unknown) => error)
      const socket = await (await SocketUser.open(port)).start()
      const capture = await simulator.recorder.waitFor(request => request.ended === 'open' && request.messages.length > 0, 2000)
      const closed = once(socket.socket, 'close')
      await simulator.stopNode('gms1')
      expect(simulator.nodes[0]).toMatchObject({running: false, sessions: 0, port})
      expect(await held).toBeInstanceOf(Error)
      expect(await closed).toMatchObject({0: 1006})
      expect(capture?.ended).toBe('gms-closed')
      await expect(reach(port)).rejects.toThrow()
      await simulator.startNode('gms1')
      expect(simulator.nodes[0]).toMatchObject({running: true, sessions: 0, port})
      expect((await user.connect()).messages[0]?.error).toBe('402::session_unknown')
      expect(await (await SocketUser.open(port)).start()).toMatchObject({clientId: expect.stringMatching(/./) as string})
    }
  })

  it('takes orders one after the other, and twice the same for once', async () => {
    simulator = await startSimulator({nodes: 1})
    const port = simulator.nodes[0]?.port ?? 0
    await simulator.startNode('gms1')
    await Promise.all([simulator.stopNode('gms1'), simulator.stopNode('gms1'), simulator.startNode('gms1'), simulator.startNode('gms1')])
    expect(await reach(port)).toBe(200)
    await Promise.all([simulator.stopNode('gms1'), simulator.startNode('gms1'), simulator.stopNode('gms1')])
    await expect(reach(port)).rejects.toThrow()
  })

  it('says so when its port has been taken meanwhile, and starts when it is free again', async () => {
    simulator = await startSimulator({nodes: 1})
    const port = simulator.nodes[0]?.port ?? 0
    await simulator.stopNode('gms1')
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    await expect(simulator.startNode('gms1')).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`)
    expect(simulator.nodes[0]?.running).toBe(false)
    const starts = simulator.startNode('gms1')
    other.close()
    await starts
    expect(await reach(port)).toBe(200)
  })

  it('comes back ONLINE, and can be disposed of while it is down', async () => {
    simulator = await startSimulator({nodes: 1})
    simulator.setStatus('gms1', 'OFFLINE')
    expect(simulator.nodes[0]?.status).toBe('OFFLINE')
    await simulator.stopNode('gms1')
    await simulator.startNode('gms1')
    expect(simulator.nodes[0]?.status).toBe('ONLINE')
    await simulator.stopNode('gms1')
  })
})

describe('a sweep of sessions', () => {
  it('answers the held connect as ever, and 402 to what follows; sockets stay open', async () => {
    simulator = await startSimulator({nodes: 2})
    const port = simulator.nodes[0]?.port ?? 0
    const polling = await new PollingUser(port).start()
    const held = polling.connect()
    const socket = await (await SocketUser.open(port)).start()
    const connect = socket.send('/meta/connect', {connectionType: 'websocket'})
    await simulator.recorder.waitFor(request => request.ended === 'open' && request.messages.length > 0, 2000)
    // The socket's connect has arrived as well when an answer to something later has.
    const later = socket.send('/meta/subscribe', {subscription: '/service/x'})
    await socket.message(({id}) => id === later)
    expect(simulator.sweepSessions('gms2')).toBe(0)
    expect(simulator.sweepSessions()).toBe(2)
    expect((await held).messages).toEqual([{channel: '/meta/connect', id: '3', successful: true}])
    expect(await socket.message(({id}) => id === connect)).toMatchObject({successful: true})
    expect((await polling.connect()).messages).toMatchObject([{error: '402::session_unknown', advice: {reconnect: 'handshake'}}])
    const again = socket.send('/meta/connect', {connectionType: 'websocket'})
    expect(await socket.message(({id}) => id === again)).toMatchObject({error: '402::session_unknown', advice: {reconnect: 'handshake'}})
    socket.socket.terminate()
  })
})
