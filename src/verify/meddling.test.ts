import {connect, createServer} from 'node:net'
import type {AddressInfo, Socket} from 'node:net'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import type {Budgets} from '../flows/flow.ts'
import {startSimulator} from '../simulator/simulator.ts'
import type {Simulator} from '../simulator/simulator.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'
import type {Judgement, Stage} from './check.ts'
import {check} from './checks/upgrade-frames-intact/check.ts'

// The three proxies copy bytes once a WebSocket is open. What meddles with frames all the same (another hop, a module) is noticed too.

const BUDGETS: Budgets = {answer: 3000, hold: 2000, networkDelay: 500}
const [TEXT, CLOSE, PONG] = [1, 8, 10]

/** One frame of the server with its bytes. */
interface Frame {
  opcode: number
  payload: Buffer
  bytes: Buffer
}

/** What the client gets instead of a frame; `cut` ends its connection. */
type Meddle = (frame: Frame) => readonly Buffer[] | 'cut'

/** Complete unmasked frames at the beginning of `bytes`, and what is left over (RFC 6455, 5.2). */
function framesIn(bytes: Buffer): {frames: readonly Frame[]; rest: Buffer} {
  const frames: Frame[] = []
  let at = 0
  for (;;) {
    if (bytes.length < at + 2) break
    const short = bytes.readUInt8(at + 1)
    const head = short === 127 ? 10 : short === 126 ? 4 : 2
    if (bytes.length < at + head) break
    const length = short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short
    const end = at + head + length
    if (bytes.length < end) break
    frames.push({opcode: bytes.readUInt8(at) & 15, payload: bytes.subarray(at + head, end), bytes: bytes.subarray(at, end)})
    at = end
  }
  return {frames, rest: bytes.subarray(at)}
}

let simulator: Simulator
beforeAll(async () => {
  // Uncompressed, so that what is meddled with can be recognised.
  simulator = await startSimulator({nodes: 3, holdMs: BUDGETS.hold, deflate: false})
})
afterAll(() => simulator[Symbol.asyncDispose]())

async function judgedThrough(meddle: Meddle): Promise<Judgement> {
  const [node, , bystander] = simulator.nodes
  if (!node || !bystander) throw new Error('a simulator without nodes')
  const server = createServer(client => relay(client, connect({host: node.host, port: node.port}), meddle))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const {signal} = new AbortController()
  const target = {url, hostHeader: url.host, chatService: DEFAULT_CHAT_SERVICE}
  const stage: Stage = {
    target,
    promises: {
      chats: 3,
      maxFileSize: 10_000,
      nodes: 2,
      holdMs: BUDGETS.hold,
      upgradeIdleMs: 2000,
      paths: [COMETD_PATH],
      affinity: 'required',
      tls: false,
      upstreamTls: false,
      origins: [],
      source: {},
    },
    budgets: BUDGETS,
    mostChats: 100,
    signal,
    upstream: {
      recorder: simulator.recorder,
      nodes: simulator.nodes.slice(0, 2),
      written: [],
      bystander: {name: bystander.name, address: `127.0.0.1:${bystander.port}`},
      control: simulator,
      direct: target,
    },
    flow: (flow, input, against = target) => flow.run(against, input, {budgets: BUDGETS, signal}),
  }
  try {
    return await check.run(stage)
  } finally {
    server.close()
  }
}

function relay(client: Socket, upstream: Socket, meddle: Meddle): void {
  let switched = false
  let pending = Buffer.alloc(0)
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const)
    one.on('error', () => other.destroy()).on('close', () => other.end())
  client.on('data', chunk => upstream.write(chunk))
  upstream.on('data', chunk => {
    pending = Buffer.concat([pending, chunk])
    if (!switched) {
      const end = pending.indexOf('\r\n\r\n')
      if (end < 0) return
      switched = true
      client.write(pending.subarray(0, end + 4))
      pending = pending.subarray(end + 4)
    }
    const {frames, rest} = framesIn(pending)
    pending = Buffer.from(rest)
    for (const frame of frames) {
      const instead = meddle(frame)
      if (instead === 'cut') client.destroy()
      else for (const bytes of instead) if (client.writable) client.write(bytes)
    }
  })
}

const says = ({opcode, payload}: Frame, text: string) => opcode === TEXT && payload.includes(`"text":"${text}"`)
const messagesOf = (judgement: Judgement) => (judgement.status === 'failed' ? judgement.findings.map(({message}) => message) : judgement)

describe('a hop that copies frames', () => {
  test('passes', async () => {
    expect(await judgedThrough(({bytes}) => [bytes])).toMatchObject({status: 'passed'})
  }, 60_000)
})

describe('a hop that meddles', () => {
  test.each<[string, Meddle, string]>([
    ['loses pongs', ({opcode, bytes}) => (opcode === PONG ? [] : [bytes]), 'Expected a ping to be answered with its payload'],
    [
      'sends a message twice',
      frame => (says(frame, 'burst 3 of 12') ? [frame.bytes, frame.bytes] : [frame.bytes]),
      'Expected what GMS records to reach the client once and in order',
    ],
    [
      'loses a message',
      frame => (says(frame, 'You said: burst 3 of 12') ? [] : [frame.bytes]),
      'Expected what the agent says to reach the client once and in order',
    ],
    [
      'loses large messages',
      ({bytes}) => (bytes.length > 40_000 ? [] : [bytes]),
      "Expected an agent's message of 49152 bytes to reach the client whole",
    ],
    [
      'cuts the connection when GMS closes with a reason',
      ({opcode, payload, bytes}) => (opcode === CLOSE && payload.readUInt16BE(0) === 1009 ? 'cut' : [bytes]),
      'Expected the close code to reach the other side when GMS is sent a message of 65537 bytes',
    ],
  ])(
    '%s',
    async (_, meddle, message) => {
      expect(messagesOf(await judgedThrough(meddle))).toContain(message)
    },
    60_000,
  )

  test('changes the order', async () => {
    let kept: Buffer | undefined
    const swap: Meddle = frame => {
      if (says(frame, 'burst 3 of 12')) {
        kept = frame.bytes
        return []
      }
      const before = kept
      if (before === undefined || !says(frame, 'burst 4 of 12')) return [frame.bytes]
      kept = undefined
      return [frame.bytes, before]
    }
    expect(messagesOf(await judgedThrough(swap))).toContain('Expected what GMS records to reach the client once and in order')
  }, 60_000)
})
