import {afterEach, describe, expect, it} from 'vitest'
import {PollingUser, SocketUser, notificationsOf} from '../../test/support/simulator-client.ts'
import {startSimulator, type Simulator, type SimulatorOptions} from './simulator.ts'
import type {ChatNotification} from '../wire/chat-messages.ts'

let simulator: Simulator | undefined
const said: string[] = []

async function start(options: SimulatorOptions = {}): Promise<{sim: Simulator; user: PollingUser; port: number}> {
  said.length = 0
  const note = (message: string): number => said.push(message)
  simulator = await startSimulator({nodes: 1, logger: {debug: note, info: note, warn: note}, ...options})
  const port = simulator.nodes[0]?.port ?? 0
  return {sim: simulator, user: await new PollingUser(port).start(), port}
}

afterEach(async () => {
  await simulator?.[Symbol.asyncDispose]()
  simulator = undefined
})

async function openChat(user: PollingUser): Promise<string> {
  const {notifications} = await user.ask({operation: 'requestChat', firstName: 'Ann', lastName: 'Example'})
  return notifications.at(-1)?.secureKey ?? ''
}

function expectRefused(notification: ChatNotification | undefined, code: number, chatEnded: boolean): void {
  expect(notification).toMatchObject({messages: [], statusCode: 2, chatEnded, errors: [{code}]})
  expect(notification?.errors?.[0]?.advice).toMatch(/referenceId\[\d{8}\]/)
}

describe('a chat', () => {
  it('opens with the client, then the agent joins: one event per unsolicited notification', async () => {
    const {user} = await start()
    const {notifications} = await user.ask({operation: 'requestChat', nickname: 'Ann'})
    expect(notifications).toHaveLength(2)
    expect(notifications[0]).toMatchObject({
      chatEnded: false,
      statusCode: 0,
      alias: '0',
      userId: 'deprecated',
      chatId: 'deprecated',
      nextPosition: 2,
      monitored: false,
      channel: '/service/chatV2/customer-support',
      messages: [{from: {nickname: 'Ann', participantId: 1, type: 'Client'}, index: 1, type: 'ParticipantJoined'}],
    })
    expect(notifications[1]?.messages).toMatchObject([{from: {type: 'Agent'}, index: 2, type: 'ParticipantJoined'}])
  })

  it('gives keys of base64 that every encoder must handle', async () => {
    const {user} = await start()
    const key = await openChat(user)
    expect(key).toMatch(/^[A-Za-z0-9+/]{99}=$/)
    expect(key).toMatch(/\+/)
    expect(key).toMatch(/\//)
  })

  it('has an agent who answers a message at once', async () => {
    const {user} = await start()
    const secureKey = await openChat(user)
    const {notifications} = await user.ask({operation: 'sendMessage', secureKey, message: 'hello'})
    expect(notifications.map(({messages}) => messages)).toMatchObject([
      [{from: {type: 'Client'}, index: 3, type: 'Message', text: 'hello', messageType: 'text'}],
      [{from: {type: 'Agent'}, index: 4, type: 'Message', text: 'You said: hello'}],
    ])
    expect(notifications[1]?.nextPosition).toBe(5)
  })

  it('has a silent agent when told so', async () => {
    const {user} = await start({agent: 'silent'})
    const {notifications} = await user.ask({operation: 'sendMessage', secureKey: await openChat(user), message: 'hello'})
    expect(notifications).toHaveLength(1)
  })

  it('ends: no key, no user, and one more operation is refused', async () => {
    const {user} = await start()
    const secureKey = await openChat(user)
    const ended = (await user.ask({operation: 'disconnect', secureKey})).notifications[0]
    expect(ended).toMatchObject({messages: [], chatEnded: true, statusCode: 0, nextPosition: 4})
    expect(ended).not.toHaveProperty('secureKey')
    expect(ended).not.toHaveProperty('userId')
    expectRefused((await user.ask({operation: 'sendMessage', secureKey, message: 'x'})).notifications[0], 249, true)
  })

  it('is one per connection', async () => {
    const {user} = await start()
    await openChat(user)
    expectRefused((await user.ask({operation: 'requestChat', nickname: 'again'})).notifications[0], 249, false)
  })

  it('refuses unknown keys, missing parameters and unknown operations', async () => {
    const {user} = await start()
    const secureKey = await openChat(user)
    expectRefused((await user.ask({operation: 'sendMessage', secureKey: 'nope', message: 'x'})).notifications[0], 249, true)
    expectRefused((await user.ask({operation: 'sendMessage', message: 'x'})).notifications[0], 102, false)
    expectRefused((await user.ask({operation: 'sendMessage', secureKey})).notifications[0], 102, false)
    expectRefused((await user.ask({operation: 'toString', secureKey})).notifications[0], 102, false)
    expectRefused((await user.ask({operation: 'requestChat'})).notifications[0], 102, false)
  })

  it('acknowledges a channel that nobody serves, and says so in the log', async () => {
    const {user} = await start()
    const {messages} = await user.post([user.message('/service/chatV2/sales', {data: {operation: 'requestChat', nickname: 'a'}})])
    expect(messages).toMatchObject([{successful: true}])
    expect(said.some(line => line.includes('/service/chatV2/sales'))).toBe(true)
  })

  it('never writes a key to the log', async () => {
    const {user} = await start()
    const secureKey = await openChat(user)
    await user.ask({operation: 'sendMessage', secureKey, message: 'hello'})
    expect(said.join('\n')).toContain('hello')
    expect(said.join('\n')).not.toContain(secureKey)
  })
})

describe('the secure key', () => {
  it('rotates with every answer; the one before stays valid for requests in flight', async () => {
    const {user} = await start()
    const first = await openChat(user)
    const second = (await user.ask({operation: 'sendMessage', secureKey: first, message: '1'})).notifications[0]?.secureKey ?? ''
    expect(second).not.toBe(first)
    expect((await user.ask({operation: 'sendMessage', secureKey: second, message: '2'})).notifications[0]?.statusCode).toBe(0)
    expect((await user.ask({operation: 'sendMessage', secureKey: first, message: '3'})).notifications[0]?.statusCode).toBe(0)
  })

  it('is refused once its successor was used and the grace is over, never before', async () => {
    const {user} = await start({secureKeyGraceMs: -1})
    const first = await openChat(user)
    const second = (await user.ask({operation: 'sendMessage', secureKey: first, message: '1'})).notifications[0]?.secureKey ?? ''
    expect((await user.ask({operation: 'sendMessage', secureKey: first, message: 'lost the answer'})).notifications[0]?.statusCode).toBe(0)
    await user.ask({operation: 'sendMessage', secureKey: second, message: '2'})
    expectRefused((await user.ask({operation: 'sendMessage', secureKey: first, message: '3'})).notifications[0], 249, true)
  })

  it('stays when told so', async () => {
    const {user} = await start({secureKeyRotation: 'never'})
    const secureKey = await openChat(user)
    expect((await user.ask({operation: 'sendMessage', secureKey, message: '1'})).notifications[0]?.secureKey).toBe(secureKey)
  })
})

describe('the agent speaks', () => {
  it('to every open chat, or to the one of any key it ever had, over any transport', async () => {
    const {sim, user, port} = await start()
    const old = await openChat(user)
    await user.ask({operation: 'sendMessage', secureKey: old, message: '1'})
    const other = await (await SocketUser.open(port)).start()
    await other.ask({operation: 'requestChat', nickname: 'b'})
    const held = user.connect()
    await sim.recorder.waitFor(request => request.ended === 'open' && request.messages.length > 0, 2000)
    expect(sim.agentSays('to one', old)).toBe(1)
    expect(notificationsOf((await held).messages).map(({messages}) => messages?.map(({text}) => text))).toEqual([['to one']])
    expect(sim.agentSays('to all')).toBe(2)
    await other.message(({data}) => JSON.stringify(data ?? '').includes('to all'))
    expect(JSON.stringify(other.frames)).not.toContain('to one')
    expect(sim.agentSays('to nobody', 'unknown')).toBe(0)
    other.socket.terminate()
  })
})
