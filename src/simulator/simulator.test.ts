import {once} from 'node:events'
import {createServer, type AddressInfo} from 'node:net'
import {afterEach, expect, it} from 'vitest'
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
  expect(followed.notifications[0]?.messages?.map(({index}) => index)).toEqual([1, 2])
  await simulator.stopNode('gms1')
  await expect(simulator.stopNode('gms9')).rejects.toBeInstanceOf(UsageError)
})
