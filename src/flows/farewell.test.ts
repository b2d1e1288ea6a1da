import {expect, test} from 'vitest'
import {BayeuxClient} from '../client/bayeux-client.ts'
import {CallbackPollingTransport} from '../client/callback-polling.ts'
import {Ledger} from '../client/ledger.ts'
import {LongPollingTransport} from '../client/long-polling.ts'
import {User} from '../client/user.ts'
import {WebSocketTransport} from '../client/websocket.ts'
import {startSimulator} from '../simulator/simulator.ts'
import {chatChannel, DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'
import {farewell} from './farewell.ts'

const DEADLINE_MS = 5000

/** A user whose chat travels over WebSocket; `heard`: it knows the key of the chat. Then it is gone. */
async function leaveOnWebSocket(at: {url: URL; hostHeader: string}, ledger: Ledger, heard: boolean): Promise<void> {
  const user = new User({...at, ledger})
  const {transport} = await WebSocketTransport.open(user, {deadlineMs: DEADLINE_MS})
  const bayeux = new BayeuxClient(transport)
  await bayeux.handshake(DEADLINE_MS)
  await bayeux.connect(DEADLINE_MS, {immediate: true})
  // Nothing is held: what GMS has to tell waits for the next connect.
  await bayeux.publish(chatChannel(DEFAULT_CHAT_SERVICE), {operation: 'requestChat', nickname: 'gone'}, DEADLINE_MS)
  if (heard) await bayeux.connect(DEADLINE_MS, {immediate: true})
  transport.terminate()
  await transport.ended
  user.destroy()
}

test.each([
  ['knew its key', true],
  ['had not heard its key yet', false],
])('the chat of a user who left on a WebSocket and %s is closed, its session too', async (_, heard) => {
  await using simulator = await startSimulator({nodes: 2, holdMs: 2000, agent: 'absent'})
  const [home, other] = simulator.nodes.map(({port}) => ({url: new URL(`http://127.0.0.1:${port}`), hostHeader: `127.0.0.1:${port}`}))
  if (!home || !other) throw new Error('a simulator without its nodes')
  const ledger = new Ledger()
  await leaveOnWebSocket(home, ledger, heard)
  expect(simulator.chats.map(({ended}) => ended)).toEqual([false])
  expect(await farewell(ledger, {at: [other, home], deadlineMs: DEADLINE_MS})).toEqual({chats: 1, left: 0})
  expect(simulator.chats.map(({ended}) => ended)).toEqual([true])
  expect(simulator.nodes.map(({sessions}) => sessions)).toEqual([0, 0])
})

test('a chat that may have been granted to a session that nobody knows any more is told of', async () => {
  const ledger = new Ledger()
  await using simulator = await startSimulator({nodes: 1, holdMs: 2000, agent: 'absent'})
  const [home] = simulator.nodes.map(({port}) => ({url: new URL(`http://127.0.0.1:${port}`), hostHeader: `127.0.0.1:${port}`}))
  if (!home) throw new Error('a simulator without its node')
  await leaveOnWebSocket(home, ledger, false)
  await simulator.stopNode('gms1')
  expect(await farewell(ledger, {at: [home], deadlineMs: DEADLINE_MS})).toEqual({chats: 1, left: 1})
})

test.each(['long-polling', 'callback-polling'] as const)(
  'the chat of a user who left over %s while it was being opened is closed',
  async type => {
    await using simulator = await startSimulator({nodes: 1, holdMs: 2000, agent: 'absent'})
    const [home] = simulator.nodes.map(({port}) => ({url: new URL(`http://127.0.0.1:${port}`), hostHeader: `127.0.0.1:${port}`}))
    if (!home) throw new Error('a simulator without its node')
    const ledger = new Ledger()
    const user = new User({...home, ledger})
    const bayeux = new BayeuxClient(type === 'long-polling' ? new LongPollingTransport(user) : new CallbackPollingTransport(user))
    await bayeux.handshake(DEADLINE_MS)
    await bayeux.connect(DEADLINE_MS, {immediate: true})
    simulator.faults.add({fault: {kind: 'delay', ms: 300}, on: ['publish'], times: 1})
    const asked = bayeux.publish(chatChannel(DEFAULT_CHAT_SERVICE), {operation: 'requestChat', nickname: 'gone'}, DEADLINE_MS)
    await simulator.recorder.waitFor(
      ({messages}) => messages.some(({channel}) => channel === chatChannel(DEFAULT_CHAT_SERVICE)),
      DEADLINE_MS,
    )
    user.destroy()
    expect(await farewell(ledger, {at: [home], deadlineMs: DEADLINE_MS})).toEqual({chats: 1, left: 0})
    expect(simulator.chats.map(({ended}) => ended)).toEqual([true])
    await asked
  },
)
