import {createServer} from 'node:net'
import type {AddressInfo, Socket} from 'node:net'
import {expect, test} from 'vitest'
import type {Budgets} from '../flows/flow.ts'
import type {Promises} from '../model/report.ts'
import {FaultBoard} from '../simulator/faults.ts'
import {startSimulator} from '../simulator/simulator.ts'
import type {Simulator} from '../simulator/simulator.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {DEFAULT_CHAT_SERVICE, FILES_PATH} from '../wire/chat.ts'
import type {Stage} from './check.ts'
import {CHECKS} from './checks/index.ts'

// No check may pass for a promise that it did not see kept.

const BUDGETS: Budgets = {answer: 1000, hold: 500, networkDelay: 500}
const PROMISES: Promises = {
  chats: 3,
  maxFileSize: 10_000,
  nodes: 2,
  holdMs: 500,
  upgradeIdleMs: 2000,
  paths: [COMETD_PATH, FILES_PATH],
  affinity: 'required',
  tls: false,
  upstreamTls: false,
  origins: [],
  source: {},
}
/** What can be said of a proxy without any traffic. */
const NEEDS_NO_TRAFFIC = ['listener-config-accepted']

function stageBefore(url: URL, simulator: Simulator, promises = PROMISES): Stage {
  const {signal} = new AbortController()
  const [node, , bystander] = simulator.nodes
  const target = {url, hostHeader: url.host, chatService: DEFAULT_CHAT_SERVICE}
  return {
    target,
    promises,
    budgets: BUDGETS,
    mostChats: 1000,
    signal,
    configuration: {
      accepted: true,
      listeners: [],
      messages: [],
      complaints: () => Promise.resolve([]),
      log: () => Promise.resolve(''),
      memory: () => Promise.resolve(undefined),
      reload: () => Promise.resolve(),
      findInLog: () => Promise.resolve([]),
    },
    upstream: {
      recorder: simulator.recorder,
      nodes: simulator.nodes.slice(0, 2),
      written: ['gms1.example.com:8080', 'gms2.example.com:8080'],
      bystander: {name: bystander?.name ?? '', address: `127.0.0.1:${bystander?.port ?? 0}`},
      control: simulator,
      direct: {...target, url: new URL(`http://127.0.0.1:${node?.port ?? 0}`)},
    },
    flow: (flow, input, against = target) => flow.run(against, input, {budgets: BUDGETS, signal}),
  }
}

/** All checks against a peer that treats every connection like this; the ids of those that pass. */
async function passedBefore(treat: (socket: Socket) => void): Promise<readonly string[]> {
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    treat(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    await using simulator = await startSimulator({nodes: 3, holdMs: BUDGETS.hold})
    const stage = stageBefore(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), simulator)
    const judged = await Promise.all(CHECKS.map(async check => ({id: check.meta.id, judgement: await check.run(stage)})))
    return judged.filter(({judgement}) => judgement.status === 'passed').map(({id}) => id)
  } finally {
    server.close()
  }
}

function answering(body: string): (socket: Socket) => void {
  return socket => {
    socket.on('data', () => {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
    })
  }
}

test('a proxy that closes every connection keeps no promise', async () => {
  expect(await passedBefore(socket => socket.destroy())).toEqual(NEEDS_NO_TRAFFIC)
}, 60_000)

test('a proxy that takes every connection and says nothing keeps no promise', async () => {
  expect(await passedBefore(socket => void socket.resume())).toEqual(NEEDS_NO_TRAFFIC)
}, 120_000)

test('a proxy that answers everything itself forwards nothing for strangers; that is all that can be said for it', async () => {
  const expected = [...NEEDS_NO_TRAFFIC, 'access-not-a-forward-proxy']
  expect(await passedBefore(answering('OK'))).toEqual(expected)
}, 120_000)

test.each([
  '[{"id":"1","channel":"/meta/handshake","successful":true,"clientId":"same","supportedConnectionTypes":["long-polling"]}]',
  '[{"channel":"/meta/handshake","successful":true}]',
  '[{"channel":"/meta/connect","successful":true,"advice":null}]',
  '[null]',
  'null',
  '{}',
])(
  'answers that look like Bayeux (%s) neither pass for GMS nor end the process',
  async body => {
    const forStrangers = [...NEEDS_NO_TRAFFIC, 'access-not-a-forward-proxy']
    expect((await passedBefore(answering(body))).filter(id => !forStrangers.includes(id))).toEqual([])
  },
  120_000,
)

function checkNamed(id: string) {
  const check = CHECKS.find(({meta}) => meta.id === id)
  if (!check) throw new Error(`no check ${id}`)
  return check
}

test('behind a URL, a hold that GMS ends itself before its time was not seen kept', async () => {
  await using simulator = await startSimulator({nodes: 3, holdMs: BUDGETS.hold})
  const {upstream: _, ...stage} = stageBefore(new URL(`http://127.0.0.1:${simulator.nodes[0]?.port ?? 0}`), simulator, {
    ...PROMISES,
    holdMs: 30_000,
  })
  expect(await checkNamed('polling-hold-survives').run(stage)).toMatchObject({status: 'skipped'})
})

test('a negotiated WebSocket over which no chat comes about is not well', async () => {
  await using simulator = await startSimulator({nodes: 3, holdMs: BUDGETS.hold, chatService: 'other-name'})
  const stage = stageBefore(new URL(`http://127.0.0.1:${simulator.nodes[0]?.port ?? 0}`), simulator)
  expect(await checkNamed('upgrade-negotiated').run(stage)).toMatchObject({status: 'failed'})
}, 30_000)

test('a GMS that did not do as it was told says nothing of the proxy', async () => {
  await using simulator = await startSimulator({nodes: 3, holdMs: BUDGETS.hold})
  const stage = stageBefore(new URL(`http://127.0.0.1:${simulator.nodes[0]?.port ?? 0}`), simulator)
  if (!stage.upstream) throw new Error('a stage without GMS')
  const deaf: Stage = {...stage, upstream: {...stage.upstream, control: {...simulator, faults: new FaultBoard(['gms1', 'gms2', 'gms3'])}}}
  for (const id of ['upload-late-answer', 'upstream-post-sent-once'])
    expect(await checkNamed(id).run(deaf), id).toMatchObject({status: 'errored'})
  for (const id of ['upload-late-answer', 'upstream-post-sent-once'])
    expect(await checkNamed(id).run(stage), id).toMatchObject({status: 'passed'})
}, 30_000)

test('a GMS that takes a larger file than was promised refuses nothing that could be judged', async () => {
  await using simulator = await startSimulator({nodes: 3, holdMs: BUDGETS.hold})
  const stage = stageBefore(new URL(`http://127.0.0.1:${simulator.nodes[0]?.port ?? 0}`), simulator)
  expect(await checkNamed('upload-oversize-refused-by-gms').run(stage)).toMatchObject({status: 'skipped'})
}, 30_000)
