import {CometD, type Message} from 'cometd'
import {adapt} from 'cometd-nodejs-client'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {startSimulator, type Simulator} from './simulator.ts'
import type {ChatNotification} from '../wire/chat-messages.ts'

const CHANNEL = '/service/chatV2/customer-support'
let simulator: Simulator

beforeAll(async () => {
  adapt()
  simulator = await startSimulator({nodes: 1})
})
afterAll(() => simulator[Symbol.asyncDispose]())

describe.each(['websocket', 'long-polling'])('the official client over %s', transport => {
  it('chats: handshake, requestChat, sendMessage, the agent, disconnect', async () => {
    const cometd = new CometD()
    for (const type of cometd.getTransportTypes()) if (type !== transport) cometd.unregisterTransport(type)
    cometd.configure({url: `http://127.0.0.1:${simulator.nodes[0]?.port ?? 0}/genesys/cometd`, logLevel: 'warn'})

    const events: string[] = []
    let secureKey = ''
    let wake = (): void => {}
    cometd.addListener(CHANNEL, (message: Message) => {
      const data = message.data as ChatNotification
      secureKey = data.secureKey ?? secureKey
      for (const event of data.messages ?? []) events.push(`${event.index} ${event.type} ${event.text ?? ''}`.trim())
      if (data.chatEnded) events.push('ended')
      wake()
    })
    const until = async (done: () => boolean): Promise<void> => {
      while (!done()) await new Promise<void>(resolve => (wake = resolve))
    }

    const handshake = await new Promise<Message>(resolve => cometd.handshake(resolve))
    expect(handshake.successful).toBe(true)
    cometd.publish(CHANNEL, {operation: 'requestChat', nickname: 'Ann'})
    await until(() => events.length === 2)
    cometd.publish(CHANNEL, {operation: 'sendMessage', secureKey, message: 'hello'})
    await until(() => events.length === 4)
    await simulator.recorder.waitFor(({messages}) => messages.filter(({channel}) => channel === '/meta/connect').length > 1, 2000)
    expect(simulator.agentSays('anything else?', secureKey)).toBe(1)
    await until(() => events.length === 5)
    cometd.publish(CHANNEL, {operation: 'disconnect', secureKey})
    await until(() => events.includes('ended'))
    expect(events).toEqual([
      '1 ParticipantJoined',
      '3 ParticipantJoined',
      '4 Message hello',
      '5 Message You said: hello',
      '6 Message anything else?',
      'ended',
    ])
    expect(cometd.getTransport()?.type).toBe(transport)
    const disconnected = await new Promise<Message>(resolve => cometd.disconnect(resolve))
    expect(disconnected.successful).toBe(true)
    expect(simulator.nodes[0]?.sessions).toBe(0)
  })
})
