import {execa} from 'execa'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {openOfficialClient} from '../client/cometd.ts'
import {User} from '../client/user.ts'
import type {Simulator} from '../simulator/simulator.ts'
import {startSimulator} from '../simulator/simulator.ts'
import {chat} from './chat.ts'
import type {Target} from './flow.ts'

const context = {budgets: {answer: 10_000, hold: 1000, networkDelay: 10_000}, signal: new AbortController().signal}
let gms: Simulator
let targets: Target[]

beforeAll(async () => {
  gms = await startSimulator({nodes: 2, holdMs: 1000})
  targets = gms.nodes.map(({host, port, name}) => ({
    url: new URL(`http://${host}:${port}`),
    hostHeader: `${name}.example:8443`,
    chatService: 'customer-support',
  }))
})
afterAll(async () => gms[Symbol.asyncDispose]())

test('official clients that run at the same time share no cookies and leave the console alone', async () => {
  const methods = {...console}
  const transports = ['long-polling', 'callback-polling', 'websocket', 'negotiated'] as const
  const runs = targets.flatMap(target => transports.flatMap(transport => [1, 2, 3].map(() => chat.run(target, {transport}, context))))
  const seen = await Promise.all(runs)
  for (const {ended, stoppedAt, handshakes} of seen)
    expect({ended, stoppedAt, handshakes}).toEqual({ended: 'completed', stoppedAt: undefined, handshakes: 1})
  const cookieOwners = new Map<string, string>()
  for (const {clientIds} of seen) {
    for (const {headers, transport} of gms.recorder.bySession(clientIds[0] ?? '')) {
      const cookie = headers['cookie']?.[0]
      if (transport === 'websocket' || cookie === undefined) continue
      expect(cookieOwners.get(cookie) ?? clientIds[0]).toBe(clientIds[0])
      cookieOwners.set(cookie, clientIds[0] ?? '')
    }
  }
  expect(cookieOwners.size).toBe(2 * 2 * 3)
  expect({...console}).toEqual(methods)
  expect(Object.keys(globalThis)).not.toContain('window')
})

test('the upgrade of an official client carries its own cookies, Origin, Host and deflate offer', async () => {
  const [target] = targets as [Target]
  const user = new User(target, {headers: {'X-Seen': 'yes'}})
  user.jar.setCookieSync('GMS=gms1; Path=/', user.origin)
  const {client} = await openOfficialClient(user, {transport: 'websocket', connectTimeoutMs: 10_000, networkDelayMs: 10_000})
  await new Promise<void>(resolve => client.handshake(() => resolve()))
  const [upgrade] = gms.recorder.bySession(client.getClientId() ?? '')
  user.destroy()
  expect(upgrade?.headers).toMatchObject({
    cookie: ['GMS=gms1'],
    origin: ['http://gms1.example:8443'],
    host: ['gms1.example:8443'],
    'x-seen': ['yes'],
  })
  expect(upgrade?.headers['sec-websocket-extensions']?.[0]).toContain('permessage-deflate')
})

/** Runs `script` in a process of its own, with `target` as a global; the process has to end by itself. */
async function inOwnProcess(script: string, {descriptors}: {descriptors?: number} = {}): Promise<unknown> {
  const source = `const target = {...${JSON.stringify({...targets[0], url: undefined})}, url: new URL(${JSON.stringify(targets[0]?.url.href)})}
    const context = {budgets: {answer: 10000, hold: 1000, networkDelay: 10000}, signal: new AbortController().signal}
    ${script}`
  const limit = descriptors === undefined ? '' : `ulimit -Sn ${descriptors}; ulimit -Hn ${descriptors}; `
  const command = ['-c', `${limit}exec "$0" "$@"`, process.execPath, '--import', 'tsx', '--input-type=module', '-e', source]
  const {stdout} = await execa('sh', command, {timeout: 30_000, cwd: new URL('../..', import.meta.url)})
  return JSON.parse(stdout)
}

test('nothing is left open: the process ends by itself', async () => {
  const began = performance.now()
  const seen = await inOwnProcess(`
    const {chat} = await import('./src/flows/chat.ts')
    const {upload} = await import('./src/flows/upload.ts')
    const {idleWebSocket} = await import('./src/flows/idle-websocket.ts')
    const {openChats} = await import('./src/flows/open-chats.ts')
    const all = await Promise.all([
      chat.run(target, {transport: 'negotiated'}, context), chat.run(target, {transport: 'long-polling'}, context), chat.run(target, {transport: 'callback-polling'}, context),
      upload.run(target, {transport: 'long-polling', bytes: 1000}, context), idleWebSocket.run(target, {silenceMs: 300}, context), openChats.run(target, {chats: 20}, context)])
    console.log(JSON.stringify(all.map(({ended}) => ended)))`)
  expect(seen).toEqual(Array.from({length: 6}, () => 'completed'))
  expect(performance.now() - began).toBeLessThan(25_000)
})

test("this machine's own limit is told from a refusal", async () => {
  const seen = await inOwnProcess(
    `const {openChats} = await import('./src/flows/open-chats.ts')
     const {exchanges, ...rest} = await openChats.run(target, {chats: 300}, context)
     console.log(JSON.stringify(rest))`,
    {descriptors: 120},
  )
  expect(seen).toMatchObject({ended: 'refused', hostLimit: true, failure: expect.stringContaining('EMFILE') as string})
  expect((seen as {opened: number}).opened).toBeGreaterThan(10)
})
