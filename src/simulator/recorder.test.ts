import {createHash} from 'node:crypto'
import {once} from 'node:events'
import {afterEach, expect, it} from 'vitest'
import {PollingUser, SocketUser, sendRaw} from '../../test/support/simulator-client.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import {startSimulator, type Simulator, type SimulatorOptions} from './simulator.ts'

let simulator: Simulator | undefined

async function start(options: SimulatorOptions = {}): Promise<{sim: Simulator; port: number; second: number}> {
  simulator = await startSimulator(options)
  const [port = 0, second = 0] = simulator.nodes.map(node => node.port)
  return {sim: simulator, port, second}
}

afterEach(async () => {
  await simulator?.[Symbol.asyncDispose]()
  simulator = undefined
})

it('keeps a refused request as it came: target, version, repeats, body', async () => {
  const {sim, second} = await start()
  const answer = await sendRaw(
    second,
    `POST http://other.example/nothing?a=b HTTP/1.0\r\nHost: gms\r\nX-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2\r\n${PROBE_HEADER}: p1\r\nContent-Length: 3\r\n\r\nabc`,
  )
  expect(answer.status).toBe(404)
  const request = await sim.recorder.waitFor(({body}) => body !== undefined, 2000)
  expect(request).toMatchObject({
    node: 'gms2',
    method: 'POST',
    target: 'http://other.example/nothing?a=b',
    httpVersion: '1.0',
    remoteAddress: '127.0.0.1',
    probe: 'p1',
    status: 404,
    ended: 'answered',
    messages: [],
    body: {bytes: 3, sha256: createHash('sha256').update('abc').digest('hex')},
  })
  expect(request?.headers['x-forwarded-for']).toEqual(['1.1.1.1', '2.2.2.2'])
  expect(sim.recorder.byProbe('p1')).toBe(request)
  expect(sim.recorder.byProbe('p2')).toBeUndefined()
})

it('keeps refused upgrades with the headers that Node would have eaten', async () => {
  const {sim, port} = await start()
  await sendRaw(
    port,
    `GET /genesys/cometd HTTP/1.0\r\nHost: gms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${PROBE_HEADER}: old\r\n\r\n`,
  )
  const request = sim.recorder.byProbe('old')
  expect(request).toMatchObject({httpVersion: '1.0', status: 400, headers: {upgrade: ['websocket'], connection: ['Upgrade']}})
  expect(request?.transport).toBeUndefined()
})

it('keeps CONNECT, which no GMS serves', async () => {
  const {sim, port} = await start()
  expect((await sendRaw(port, 'CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n')).status).toBe(400)
  expect(sim.recorder.requests[0]).toMatchObject({method: 'CONNECT', target: 'other.example:443', status: 400})
})

it('knows the requests of a session, its handshake first', async () => {
  const {sim, port, second} = await start()
  const user = await new PollingUser(port).start()
  const stray = new PollingUser(second)
  stray.clientId = user.clientId
  await stray.connect()
  const requests = sim.recorder.bySession(user.clientId)
  expect(requests.map(({node, transport, messages}) => [node, transport, messages[0]?.channel])).toEqual([
    ['gms1', 'long-polling', '/meta/handshake'],
    ['gms1', 'long-polling', '/meta/connect'],
    ['gms2', 'long-polling', '/meta/connect'],
  ])
  expect(sim.recorder.bySession('nobody')).toEqual([])
})

it('appends the frames of a WebSocket to its upgrade and says how it ended', async () => {
  const {sim, port} = await start()
  const user = await (await SocketUser.open(port, {headers: {[PROBE_HEADER]: 'ws'}})).start()
  const upgrade = sim.recorder.byProbe('ws')
  expect(upgrade).toMatchObject({transport: 'websocket', status: 101, ended: 'answered'})
  expect(upgrade?.messages.map(({channel}) => channel)).toEqual(['/meta/handshake', '/meta/connect'])
  expect(sim.recorder.bySession(user.clientId)).toEqual([upgrade])
  user.socket.close(1000)
  await sim.recorder.waitFor(({close}) => close !== undefined, 2000)
  expect(upgrade?.close).toMatchObject({code: 1000, by: 'client'})

  const cut = await SocketUser.open(port, {headers: {[PROBE_HEADER]: 'cut'}})
  cut.socket.terminate()
  const ended = await sim.recorder.waitFor(({probe, close}) => probe === 'cut' && close !== undefined, 2000)
  expect(ended?.close).toMatchObject({code: 1006, by: 'cut'})
})

it('waits for what is not there yet, and gives up in time', async () => {
  const {sim, port} = await start()
  const seen = sim.recorder.waitFor(({target, status}) => target === '/later' && status === 404, 5000)
  await sendRaw(port, 'GET /later HTTP/1.1\r\nHost: gms\r\n\r\n')
  expect((await seen)?.target).toBe('/later')
  expect(await sim.recorder.waitFor(({target}) => target === '/never', 20)).toBeUndefined()
  await expect(
    sim.recorder.waitFor(() => {
      throw new Error('a bug in the predicate')
    }, 20),
  ).rejects.toThrow('a bug in the predicate')
})

it('stops waiting when the simulator ends', async () => {
  const {sim} = await start()
  const waiting = sim.recorder.waitFor(() => false, 60_000)
  await sim[Symbol.asyncDispose]()
  expect(await waiting).toBeUndefined()
})

it('forgets the oldest that have ended, never an open one', async () => {
  const {sim, port} = await start({keptRequests: 10})
  const user = await SocketUser.open(port, {headers: {[PROBE_HEADER]: 'open'}})
  for (let i = 0; i < 30; i += 1) await sendRaw(port, `GET /${i} HTTP/1.1\r\nHost: gms\r\n${PROBE_HEADER}: ${i}\r\n\r\n`)
  expect(sim.recorder.requests.length).toBeLessThanOrEqual(10)
  expect(sim.recorder.byProbe('open')).toBeDefined()
  expect(sim.recorder.byProbe('0')).toBeUndefined()
  expect(sim.recorder.byProbe('29')).toBeDefined()
  user.socket.terminate()
})

it('keeps of a WebSocket that is never closed the newest messages', async () => {
  const {sim, port} = await start()
  const user = await SocketUser.open(port)
  const frame = JSON.stringify(Array.from({length: 1000}, (_, i) => ({channel: '/foo', id: String(i)})))
  for (let i = 0; i < 25; i += 1) user.socket.send(frame)
  user.send('/last')
  const capture = await sim.recorder.waitFor(({messages}) => messages.at(-1)?.channel === '/last', 5000)
  expect(capture?.messages.length).toBeGreaterThan(9000)
  expect(capture?.messages.length).toBeLessThan(20_000)
  user.socket.close()
})

it('answers a batch that it cannot work on, and goes on', async () => {
  const {port} = await start()
  const user = await new PollingUser(port).start()
  const answer = await fetch(`http://127.0.0.1:${port}/genesys/cometd/`, {
    method: 'POST',
    headers: {cookie: user.cookie ?? ''},
    body: `[{"channel":"/meta/connect","clientId":"${user.clientId}","id":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}]`,
  })
  expect(answer.status).toBe(500)
  expect((await user.ask({operation: 'requestChat', nickname: 'Ann'})).notifications).not.toEqual([])
})

it('a frame nested by the thousand costs its own WebSocket alone', async () => {
  const {port} = await start()
  const bystander = await new PollingUser(port).start()
  const user = await SocketUser.open(port)
  const closed = once(user.socket, 'close')
  user.socket.send(`[{"channel":"/meta/connect","clientId":"x","id":${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}}]`)
  expect((await closed)[0]).toBe(1011)
  expect(await bystander.ask({operation: 'requestChat', nickname: 'Ann'})).toBeDefined()
})
