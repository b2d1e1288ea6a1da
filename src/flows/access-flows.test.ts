import {createServer} from 'node:net'
import type {AddressInfo, Socket} from 'node:net'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {startSimulator} from '../simulator/simulator.ts'
import type {Simulator} from '../simulator/simulator.ts'
import {DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'
import type {Budgets, Target} from './flow.ts'
import {flood, office} from './office.ts'
import {secrets} from './secrets.ts'
import {setCookies} from './set-cookies.ts'
import {slowHeaders} from './slow-headers.ts'

const BUDGETS: Budgets = {answer: 5000, hold: 3000, networkDelay: 1000}
const context = {budgets: BUDGETS, signal: new AbortController().signal}
let simulator: Simulator
let target: Target
beforeAll(async () => {
  simulator = await startSimulator({nodes: 1, holdMs: BUDGETS.hold})
  target = at(simulator.nodes[0]?.port ?? 0)
})
afterAll(() => simulator[Symbol.asyncDispose]())

const at = (port: number): Target => ({
  url: new URL(`http://127.0.0.1:${port}`),
  hostHeader: `127.0.0.1:${port}`,
  chatService: DEFAULT_CHAT_SERVICE,
})

async function before<T>(treat: (socket: Socket) => void, use: (target: Target) => Promise<T>): Promise<T> {
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    treat(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use(at((server.address() as AddressInfo).port))
  } finally {
    server.close()
  }
}

const answering = (head: readonly string[]) => (socket: Socket) =>
  void socket.on('data', () => socket.end(['HTTP/1.1 200 OK', ...head, 'Content-Length: 2', 'Connection: close', '', '{}'].join('\r\n')))

test('a header that never ends is seen to stay open, and one that ends is served', async () => {
  const result = await slowHeaders.run(target, {clients: 3, watchMs: 1500, completeWithinMs: 300}, context)
  expect(result.clients).toEqual([{}, {}, {}])
  expect(simulator.recorder.byProbe(result.complete.probe)).toBeDefined()
  expect(result.others.map(({status}) => status)).toEqual([200, 200, 200])
})

test('a header that is cut is seen to be cut', async () => {
  const cutting = (socket: Socket) => void setTimeout(() => socket.end('HTTP/1.1 408 Request Timeout\r\n\r\n'), 300)
  const result = await before(cutting, own => slowHeaders.run(own, {clients: 2, watchMs: 3000, completeWithinMs: 100}, context))
  expect(result.clients).toHaveLength(2)
  for (const {endedAfterMs, status} of result.clients) {
    expect(endedAfterMs).toBeGreaterThan(200)
    expect(status).toBe(408)
  }
})

test('cookies are read with their attributes, never with their values', async () => {
  const cookie = 'Set-Cookie: NODE=secret; Path=/; HttpOnly; SameSite=None; Max-Age=60'
  const result = await before(answering([cookie, 'Set-Cookie: OLD=; Max-Age=0']), own => setCookies.run(own, {}, context))
  expect(result.answered).toBe(3)
  expect(result.cookies.filter(({name}) => name === 'NODE')).toHaveLength(3)
  expect(result.cookies[0]).toMatchObject({attributes: {path: '/', httponly: '', samesite: 'None', 'max-age': '60'}, removes: false})
  expect(result.cookies[1]).toMatchObject({name: 'OLD', removes: true})
  expect(JSON.stringify(result)).not.toContain('secret')
})

test('a chat leaves its secrets with GMS and tells what they were', async () => {
  const announced: string[] = []
  const result = await secrets.run(target, {announce: probe => announced.push(probe), oversize: 1_000_000}, context)
  expect(result.secrets.map(({name}) => name)).toContain('the secureKey of a chat')
  expect(result.probes).toEqual(expect.arrayContaining(announced))
  const [first = ''] = result.probes
  const arrived = simulator.recorder.byProbe(first)
  expect(arrived?.target).toContain('message=')
  expect(arrived?.headers['authorization']?.[0]).toContain(result.secrets.find(({name}) => name.includes('Authorization'))?.forms[0])
}, 30_000)

test('an office polls at an even pace, and a flood does not', async () => {
  const calm = await office.run(target, {chats: 3, perSecond: 40, requests: 20}, context)
  expect(calm.answers).toHaveLength(20)
  expect(calm.answers.every(({status}) => status === 200)).toBe(true)
  expect(calm.tookMs).toBeGreaterThan(20 * 20)
  expect(calm.held).toBe(3)
  const wild = await flood.run(target, {requests: 100, enough: 5}, context)
  expect(wild).toMatchObject({sent: 100, statuses: {200: 100}})
  expect(wild.refusedAfter).toBeUndefined()
}, 30_000)

test('a flood that is refused stops', async () => {
  const refusing = (socket: Socket) =>
    void socket.on('data', () => socket.end('HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'))
  const wild = await before(refusing, own => flood.run(own, {requests: 1000, enough: 5}, context))
  expect(wild.refusedAfter).toBeLessThan(100)
  expect(wild.sent).toBeLessThan(100)
})
