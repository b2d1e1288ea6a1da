import {afterAll, beforeAll, expect, test} from 'vitest'
import type {Simulator} from '../simulator/simulator.ts'
import {startSimulator} from '../simulator/simulator.ts'
import type {Target} from './flow.ts'
import {handover} from './handover.ts'
import {ownAddresses} from './own-addresses.ts'
import {reconnect} from './reconnect.ts'

const HOLD_MS = 1200
const context = {budgets: {answer: 10_000, hold: HOLD_MS, networkDelay: 10_000}, signal: new AbortController().signal}
const TRANSPORTS = ['websocket', 'long-polling', 'callback-polling'] as const

let gms: Simulator
let target: Target

beforeAll(async () => {
  gms = await startSimulator({nodes: 1, holdMs: HOLD_MS})
  const [node] = gms.nodes
  if (node === undefined) throw new Error('no node')
  target = {url: new URL(`http://${node.host}:${node.port}`), hostHeader: 'chat.example.com:8443', chatService: 'customer-support'}
})
afterAll(async () => gms[Symbol.asyncDispose]())

const times = (events: readonly {text?: string | undefined}[], text: string) => events.filter(event => event.text === text).length

test.each(TRANSPORTS)('a session over %s outlives its connections', async transport => {
  const seen = await reconnect.run(
    target,
    {
      legs: [
        {transport, session: 'new'},
        {transport, session: 'same'},
      ],
      away: ({secureKey}) => gms.agentSays('While you were away', secureKey),
    },
    context,
  )
  expect(seen).toMatchObject({ended: 'completed', legs: [{handshakes: 1}, {handshakes: 0}]})
  expect(seen.legs[1]?.clientId).toBe(seen.legs[0]?.clientId)
  for (const {said} of seen.legs) expect(times(seen.events, said ?? ''), said).toBe(1)
  expect(times(seen.events, 'While you were away')).toBe(1)
})

test.each(TRANSPORTS)('a session over %s that was swept is told so, and its chat goes on in a new one', async transport => {
  const seen = await reconnect.run(
    target,
    {
      legs: [
        {transport, session: 'new'},
        {transport, session: 'same'},
      ],
      away: ({secureKey}) => {
        gms.sweepSessions()
        gms.agentSays('While you were away', secureKey)
      },
    },
    context,
  )
  expect(seen).toMatchObject({ended: 'completed', legs: [{}, {handshakes: 1}]})
  expect(seen.legs[0]?.unknownAt).toBeUndefined()
  expect(seen.legs[1]?.unknownAt).toContain('connect')
  expect(seen.legs[1]?.clientId).not.toBe(seen.legs[0]?.clientId)
  for (const {said} of seen.legs) expect(times(seen.events, said ?? ''), said).toBe(1)
  expect(times(seen.events, 'While you were away')).toBe(1)
})

test('a session that began over HTTP goes on over WebSocket and back; one that began on WebSocket does not go on over HTTP', async () => {
  const upgraded = await reconnect.run(
    target,
    {
      legs: [
        {transport: 'long-polling', session: 'new'},
        {transport: 'websocket', session: 'same'},
        {transport: 'long-polling', session: 'same'},
      ],
    },
    context,
  )
  expect(upgraded).toMatchObject({ended: 'completed', legs: [{handshakes: 1}, {handshakes: 0}, {handshakes: 0}]})
  expect(upgraded.legs[1]?.cookies).toEqual(['BAYEUX_BROWSER'])
  const fallen = await reconnect.run(
    target,
    {
      legs: [
        {transport: 'websocket', session: 'new'},
        {transport: 'long-polling', session: 'same'},
      ],
    },
    context,
  )
  expect(fallen).toMatchObject({ended: 'completed', legs: [{handshakes: 1}, {handshakes: 1, cookies: []}]})
  expect(fallen.legs[1]?.unknownAt).toContain('connect')
  for (const {legs, events} of [upgraded, fallen]) for (const {said} of legs) expect(times(events, said ?? ''), said).toBe(1)
})

test('a peer that is not there ends the first leg', async () => {
  const nobody = {...target, url: new URL('http://127.0.0.1:9')}
  const seen = await reconnect.run(nobody, {legs: [{transport: 'long-polling', session: 'new'}]}, context)
  expect(seen).toMatchObject({ended: 'refused', legs: [{answered: false}], events: []})
})

test('chats of the official client go on after an expiry and after a restart, and newcomers come all the time', async () => {
  const [node] = gms.nodes
  if (node === undefined) throw new Error('no node')
  const seen = await handover.run(
    target,
    {
      chats: TRANSPORTS,
      from: await ownAddresses(target.url, 8),
      blows: [
        {least: 500, most: 10_000, strike: () => Promise.resolve(gms.sweepSessions() && gms.agentSays('After the sweep'))},
        {least: 900, most: 900, customersSpeak: false, strike: () => gms.stopNode(node.name)},
        {
          least: 0,
          most: 15_000,
          enough: newcomers => newcomers.some(({clientId}) => clientId !== undefined),
          strike: async () => {
            await gms.startNode(node.name)
            gms.agentSays('After the restart')
          },
        },
      ],
    },
    context,
  )
  expect(seen.ended).toBe('completed')
  expect(seen.struckAt).toHaveLength(3)
  for (const {transport, opened, sessions, said, events} of seen.chats) {
    expect(opened, transport).toBe(true)
    expect(sessions.length, transport).toBeGreaterThanOrEqual(3)
    expect(said.map(({answered}) => answered !== undefined)).toEqual([true, true])
    for (const text of ['After the sweep', 'After the restart', ...said.map(({answered}) => answered ?? '')])
      expect(times(events, text), `${transport}: ${text}`).toBe(1)
  }
  const cameTo = (blow: number) => seen.newcomers.filter(newcomer => newcomer.blow === blow)
  expect(cameTo(0).every(({clientId}) => clientId !== undefined)).toBe(true)
  expect(cameTo(1).every(({clientId}) => clientId === undefined)).toBe(true)
  expect(cameTo(2).some(({clientId}) => clientId !== undefined)).toBe(true)
}, 40_000)
