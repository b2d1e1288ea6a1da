import {connect, createServer} from 'node:net'
import type {AddressInfo, Socket} from 'node:net'
import {setTimeout} from 'node:timers/promises'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import type {Budgets} from '../flows/flow.ts'
import type {Promises} from '../model/report.ts'
import {startSimulator} from '../simulator/simulator.ts'
import type {Simulator} from '../simulator/simulator.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'
import type {Judgement, Stage} from './check.ts'
import {check} from './checks/limits-hold-idle-chats/check.ts'

// What the three proxies do at their limits is in the broken configurations of the check; here is what they do not do.

const BUDGETS: Budgets = {answer: 5000, hold: 2000, networkDelay: 500}
const CHATS = 40
const PROMISES: Promises = {
  chats: CHATS,
  maxFileSize: 10_000,
  nodes: 1,
  holdMs: BUDGETS.hold,
  upgradeIdleMs: 2000,
  paths: [COMETD_PATH],
  affinity: 'none',
  tls: false,
  upstreamTls: false,
  origins: ['https://www.example.com'],
  source: {},
}

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({nodes: 2, holdMs: BUDGETS.hold})
})
afterAll(() => simulator[Symbol.asyncDispose]())

interface Hop {
  /** How long a connection that is no upgrade waits for each answer, ms. */
  slowMs?: number
  /** Connections that one address may have at once. */
  mostOfOneAddress?: number
  /** Only upgrades with this origin. */
  origin?: string
  /** What it tells GMS of every client. */
  tells?: string
  /** Users cannot have addresses of their own there. */
  name?: string
}

async function judged(
  {slowMs = 0, mostOfOneAddress = Infinity, origin, tells, name = '127.0.0.1'}: Hop,
  more: Partial<Stage> = {},
  gms = simulator,
): Promise<Judgement> {
  const [node, bystander] = gms.nodes
  if (!node || !bystander) throw new Error('a simulator without nodes')
  const open = new Map<string, number>()
  const relay = (client: Socket) => {
    const from = client.remoteAddress ?? ''
    const now = (open.get(from) ?? 0) + 1
    open.set(from, now)
    client.on('error', () => client.destroy()).on('close', () => open.set(from, (open.get(from) ?? 1) - 1))
    if (now > mostOfOneAddress) {
      client.destroy()
      return
    }
    client.once('data', head => {
      const text = head.toString('latin1')
      const upgrade = /^upgrade: websocket/im.test(text)
      if (upgrade && origin !== undefined && !text.includes(`Origin: ${origin}\r\n`)) {
        client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
        return
      }
      const upstream = connect({host: node.host, port: node.port})
      upstream.on('error', () => client.destroy()).on('close', () => client.destroy())
      client.on('close', () => upstream.destroy()).on('data', chunk => upstream.write(chunk))
      upstream.write(tells === undefined ? head : text.replace('\r\n\r\n', `\r\nX-Forwarded-For: ${tells}\r\n\r\n`), 'latin1')
      const pass = async (chunk: Buffer) => {
        if (!upgrade && slowMs > 0) await setTimeout(slowMs)
        if (client.writable) client.write(chunk)
      }
      upstream.on('data', (chunk: Buffer) => void pass(chunk))
    })
  }
  const server = createServer(relay)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(`http://${name}:${(server.address() as AddressInfo).port}`)
  const {signal} = new AbortController()
  const target = {url, hostHeader: url.host, chatService: DEFAULT_CHAT_SERVICE, origin: 'https://www.example.com'}
  const stage: Stage = {
    target,
    promises: PROMISES,
    budgets: BUDGETS,
    mostChats: 1000,
    signal,
    upstream: {
      recorder: gms.recorder,
      nodes: [node],
      written: [],
      bystander: {name: bystander.name, address: `127.0.0.1:${bystander.port}`},
      control: gms,
      direct: {...target, url: new URL(`http://127.0.0.1:${node.port}`)},
    },
    flow: (flow, input, against = target) => flow.run(against, input, {budgets: BUDGETS, signal}),
    ...more,
  }
  try {
    return await check.run(stage)
  } finally {
    server.close()
  }
}

test('a hop that holds them all passes', async () => {
  expect(await judged({})).toMatchObject({status: 'passed', detail: expect.stringContaining(`${CHATS} held`) as string})
}, 60_000)

test('a hop that holds them all and lets a poll wait fails', async () => {
  expect(await judged({slowMs: 1200})).toMatchObject({
    status: 'failed',
    findings: [{actual: expect.stringMatching(/^40 chats held; a plain poll was answered .* later than by GMS itself$/) as string}],
  })
}, 60_000)

test.runIf(process.platform === 'linux')(
  'customers have an address each, whatever one address may have open',
  async () => {
    expect(await judged({mostOfOneAddress: 5})).toMatchObject({status: 'passed'})
  },
  60_000,
)

describe('where all users have one address', () => {
  const crowd = {name: 'localhost', mostOfOneAddress: 20}
  const promises = {...PROMISES, connectionsPerClient: 20}
  const OTHER_STAGE = () => startSimulator({nodes: 2, holdMs: BUDGETS.hold})

  test('a limit for each client that was promised is not held against the proxy', async () => {
    await using own = await OTHER_STAGE()
    expect(await judged({...crowd, tells: '192.0.2.1'}, {promises}, own)).toMatchObject({
      status: 'skipped',
      because: expect.stringContaining('limits.connectionsPerClient: 20') as string,
    })
  }, 60_000)

  test('one that nobody promised is', async () => {
    await using own = await OTHER_STAGE()
    expect(await judged({...crowd, tells: '192.0.2.1'}, {}, own)).toMatchObject({status: 'failed'})
  }, 60_000)

  test('nor is a proxy excused that holds fewer, or does not say that it sees one client', async () => {
    await using own = await OTHER_STAGE()
    expect(await judged({...crowd, tells: '192.0.2.1', mostOfOneAddress: 10}, {promises}, own)).toMatchObject({status: 'failed'})
    await using another = await OTHER_STAGE()
    expect(await judged(crowd, {promises}, another)).toMatchObject({status: 'failed'})
  }, 60_000)
})

test('chats come from the page of the deployment', async () => {
  expect(await judged({origin: 'https://www.example.com'})).toMatchObject({status: 'passed'})
}, 60_000)

test('fewer chats than promised are never a pass', async () => {
  expect(await judged({}, {mostChats: CHATS - 1})).toMatchObject({
    status: 'skipped',
    because: expect.stringContaining('39 of the 40') as string,
  })
}, 60_000)

test('what the chats took in memory is told', async () => {
  let asked = 0
  const configuration = {
    accepted: true,
    listeners: [],
    messages: [],
    complaints: () => Promise.resolve([]),
    log: () => Promise.resolve(''),
    findInLog: () => Promise.resolve([]),
    reload: () => Promise.resolve(),
    memory: () => Promise.resolve(10_000_000 + 800_000 * asked++),
  }
  expect(await judged({}, {configuration})).toMatchObject({
    status: 'passed',
    detail: expect.stringContaining('1 MB of memory more than without, 20.0 kB each') as string,
  })
}, 60_000)
