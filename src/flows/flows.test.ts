import {afterAll, beforeAll, expect, test} from 'vitest'
import type {Simulator} from '../simulator/simulator.ts'
import {startSimulator} from '../simulator/simulator.ts'
import {PROBE_HEADER} from '../wire/probe.ts'
import {chat, CHAT_STEPS} from './chat.ts'
import type {Target} from './flow.ts'
import {freshClients} from './fresh-clients.ts'
import {handshake} from './handshake.ts'
import {heldPoll} from './held-poll.ts'
import {idleWebSocket} from './idle-websocket.ts'
import {openChats} from './open-chats.ts'
import {plainRequest} from './plain-request.ts'
import {upgrade} from './upgrade.ts'
import {upload} from './upload.ts'

const HOLD_MS = 1200
const context = {budgets: {answer: 10_000, hold: HOLD_MS, networkDelay: 10_000}, signal: new AbortController().signal}
const TRANSPORTS = ['websocket', 'long-polling', 'callback-polling'] as const
const POLLING = ['long-polling', 'callback-polling'] as const

let gms: Simulator
let target: Target

beforeAll(async () => {
  gms = await startSimulator({nodes: 1, holdMs: HOLD_MS})
  const [node] = gms.nodes
  if (node === undefined) throw new Error('no node')
  target = {url: new URL(`http://${node.host}:${node.port}`), hostHeader: 'chat.example.com:8443', chatService: 'customer-support'}
})
afterAll(async () => gms[Symbol.asyncDispose]())

test.each(TRANSPORTS)('handshake over %s', async transport => {
  const seen = await handshake.run(target, {transport, headers: {'X-Forwarded-For': '192.0.2.1'}}, context)
  expect(seen).toMatchObject({flow: 'handshake', ended: 'completed', supportedConnectionTypes: TRANSPORTS})
  expect(seen.cookies).toEqual(transport === 'websocket' ? [] : ['BAYEUX_BROWSER'])
  expect(seen.upgradeStatus).toBe(transport === 'websocket' ? 101 : undefined)
  const [arrived] = gms.recorder.bySession(seen.clientId ?? '')
  expect(arrived?.headers).toMatchObject({
    host: ['chat.example.com:8443'],
    'x-forwarded-for': ['192.0.2.1'],
    origin: ['http://chat.example.com:8443'],
  })
  expect(seen.exchanges.some(({probe}) => probe !== undefined && probe === arrived?.probe)).toBe(true)
})

test.each([...TRANSPORTS, 'negotiated' as const])('chat over %s', async transport => {
  const seen = await chat.run(target, {transport, text: 'Grüße'}, context)
  expect(seen).toMatchObject({ended: 'completed', handshakes: 1, negotiated: transport === 'negotiated' ? 'websocket' : transport})
  expect(seen.steps.map(({step, ok}) => [step, ok])).toEqual(CHAT_STEPS.map(step => [step, true]))
  expect(seen.messages.map(({index}) => index)).toEqual([1, 3, 4, 5])
  expect(seen.messages.map(({text}) => text)).toContain('Grüße')
  expect(seen.clientIds).toHaveLength(1)
  expect(JSON.stringify(seen)).not.toMatch(/secureKey\\*":\\*"[^‹]/)
})

test.each([
  ['Upgrade', 'websocket'],
  ['keep-alive, Upgrade', 'websocket'],
  ['upgrade', 'WebSocket'],
])('upgrade spelt "Connection: %s", "Upgrade: %s"', async (connection, protocol) => {
  const seen = await upgrade.run(target, {connection, upgrade: protocol, thenHandshake: true}, context)
  expect(seen).toMatchObject({ended: 'completed', status: 101, httpVersion: '1.1', acceptIsValid: true, handshake: true, stayedOpen: true})
  expect(gms.recorder.byProbe(seen.probe)?.headers).toMatchObject({connection: [connection], upgrade: [protocol]})
})

test('an upgrade over HTTP/1.0 is answered, and the answer kept', async () => {
  const seen = await upgrade.run(target, {connection: 'Upgrade', upgrade: 'websocket', httpVersion: '1.0'}, context)
  expect(seen).toMatchObject({ended: 'completed', status: 400, acceptIsValid: false})
  expect(seen.answer).toContain('Unknown Bayeux Transport')
})

test('a plain request goes out byte for byte', async () => {
  const seen = await plainRequest.run(target, {target: 'http://elsewhere.example/x?y', headers: [['hOsT', 'elsewhere.example']]}, context)
  expect(seen).toMatchObject({ended: 'completed', status: 404})
  expect(gms.recorder.byProbe(seen.probe)).toMatchObject({
    target: 'http://elsewhere.example/x?y',
    headers: {host: ['elsewhere.example'], [PROBE_HEADER]: [seen.probe]},
  })
})

test.each(POLLING)('a quiet poll over %s is held to the end', async transport => {
  const seen = await heldPoll.run(target, {transport}, context)
  expect(seen).toMatchObject({ended: 'completed', status: 200, successful: true})
  expect(seen.heldMs).toBeGreaterThanOrEqual(HOLD_MS - 50)
  expect(gms.recorder.byProbe(seen.probe ?? '')).toMatchObject({transport, status: 200})
})

test.each(POLLING)('an event ends the held poll over %s', async transport => {
  const held = (probe: string) => gms.recorder.waitFor(request => request.probe === probe && request.ended === 'open', 5000)
  const seen = await heldPoll.run(target, {transport, delivers: {held, speak: key => gms.agentSays('Hello?', key)}}, context)
  expect(seen).toMatchObject({ended: 'completed', successful: true, status: 200, deliveredBy: 'poll'})
  expect(seen.deliveredAfterMs).toBeLessThan(HOLD_MS)
})

test('without a witness the customer makes the agent speak', async () => {
  const seen = await heldPoll.run(target, {transport: 'callback-polling', delivers: {}}, context)
  expect(seen).toMatchObject({ended: 'completed', deliveredBy: 'poll'})
})

test('a WebSocket survives silence', async () => {
  const seen = await idleWebSocket.run(target, {silenceMs: 700}, context)
  expect(seen).toMatchObject({ended: 'completed', alive: true, answer: 'successful'})
  expect(seen.silentMs).toBeGreaterThanOrEqual(700)
  const frames = seen.exchanges.filter(({what}) => what.startsWith('frame'))
  const [last, before] = [frames.at(-1), frames.at(-2)]
  expect((last?.at ?? 0) - (before?.at ?? 0) - (before?.tookMs ?? 0)).toBeGreaterThanOrEqual(650)
})

test('"session unknown" after the silence is a sign of life', async () => {
  await using forgetful = await startSimulator({nodes: 1, holdMs: 200, maxIntervalMs: 100})
  const [node] = forgetful.nodes
  const seen = await idleWebSocket.run({...target, url: new URL(`http://${node?.host}:${node?.port}`)}, {silenceMs: 2500}, context)
  expect(seen).toMatchObject({ended: 'completed', alive: true})
  expect(seen.answer).toMatch(/^402/)
})

test('fresh clients are accepted everywhere on one node', async () => {
  const seen = await freshClients.run(target, {clients: 3, rounds: 2}, context)
  expect(seen.ended).toBe('completed')
  expect(seen.clients).toHaveLength(3)
  for (const client of seen.clients) expect(client).toMatchObject({sent: 4, accepted: 4, sessionUnknown: 0, cookies: ['BAYEUX_BROWSER']})
  expect(new Set(seen.clients.map(({clientId}) => clientId)).size).toBe(3)
})

test.each(TRANSPORTS)('an upload in a chat over %s comes back intact', async transport => {
  const seen = await upload.run(target, {transport, bytes: 300_000}, context)
  expect(seen).toMatchObject({ended: 'completed', uploaded: true, downloadedBytes: 300_000, downloadedSha256: seen.sentSha256})
  expect(seen.operations.map(({operation, status}) => [operation, status])).toEqual([
    ['fileGetLimits', 200],
    ['fileUpload', 200],
    ['fileDownload', 200],
    ['fileDelete', 200],
  ])
  const sent = seen.operations.find(({operation}) => operation === 'fileUpload')
  expect(gms.recorder.byProbe(sent?.probe ?? '')?.body).toEqual(seen.form)
  expect(seen.limits).toHaveProperty('upload-max-file-size')
})

test('an upload beyond the limit is told, not thrown', async () => {
  const seen = await upload.run(target, {transport: 'long-polling', bytes: 11 * 1_048_576, uploadOnly: true}, context)
  expect(seen).toMatchObject({ended: 'refused', uploaded: false})
  expect(seen.stoppedAt).toMatch(/^fileUpload: /)
})

test('many chats are held over several holds, and closed', async () => {
  const seen = await openChats.run(target, {chats: 100, holdMs: 2 * HOLD_MS}, context)
  expect(seen).toMatchObject({ended: 'completed', asked: 100, opened: 100, held: 100, hostLimit: false})
})
