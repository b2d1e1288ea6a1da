import {describe, expect, it} from 'vitest'
import {startGms, told} from '../../test/support/gms.ts'
import {PollingUser, SocketUser, notificationsOf} from '../../test/support/simulator-client.ts'

describe('requestNotifications', () => {
  it('tells exactly the events from a position, on any node, after the node of the session has died', async () => {
    await using gms = await startGms({nodes: 2})
    const secureKey = await gms.openChat()
    await gms.ask({operation: 'sendMessage', secureKey, message: 'hello'})
    await gms.sim.stopNode('gms1')
    expect(gms.sim.chats).toMatchObject([{ended: false, nodes: []}])
    expect(gms.sim.agentSays('are you there?')).toBe(0)

    const moved = await new PollingUser(gms.ports[1] ?? 0).start()
    const all = ['1 ParticipantJoined', '3 ParticipantJoined', '4 Message hello', '5 Message You said: hello', '6 Message are you there?']
    for (const [transcriptPosition, expected] of [
      [5, all.slice(3)],
      [6, all.slice(4)],
      [2, all.slice(1)],
      ['4', all.slice(2)],
      [7, []],
      [0, all],
      [undefined, all],
    ] as const) {
      const {notifications} = await moved.ask({operation: 'requestNotifications', secureKey, transcriptPosition})
      expect(notifications.map(told)).toEqual([expected])
    }
    expect(gms.sim.agentSays('good')).toBe(1)
    expect(notificationsOf((await moved.connect()).messages).map(told)).toEqual([['7 Message good']])
  })

  it('goes on after the sessions were swept', async () => {
    await using gms = await startGms()
    const secureKey = await gms.openChat()
    gms.sim.sweepSessions()
    expect((await gms.user.ask({operation: 'sendMessage', secureKey, message: 'x'})).messages).toMatchObject([
      {error: '402::session_unknown'},
    ])
    const again = await new PollingUser(gms.ports[0] ?? 0).start()
    expect((await again.ask({operation: 'requestNotifications', secureKey, transcriptPosition: 3})).notifications.map(told)).toEqual([
      ['3 ParticipantJoined'],
    ])
  })

  it('leaves out the own typing and what is for agents: the indexes have gaps', async () => {
    await using gms = await startGms({agent: 'silent'})
    const secureKey = await gms.openChat()
    await gms.ask({operation: 'startTyping', secureKey})
    await gms.ask({operation: 'readReceipt', secureKey, transcriptPosition: 3})
    gms.sim.agentTypes()
    await gms.user.connect()
    const answer = await gms.ask({operation: 'requestNotifications', secureKey})
    expect(told(answer)).toEqual(['1 ParticipantJoined', '3 ParticipantJoined', '6 TypingStarted'])
    expect(answer.nextPosition).toBe(7)
  })

  it('leaves out nothing when told so', async () => {
    await using gms = await startGms({agent: 'silent', indexGaps: false})
    const secureKey = await gms.openChat()
    await gms.ask({operation: 'startTyping', secureKey})
    await gms.ask({operation: 'readReceipt', secureKey, transcriptPosition: 2})
    expect(told(await gms.ask({operation: 'requestNotifications', secureKey}))).toEqual([
      '1 ParticipantJoined',
      '2 ParticipantJoined',
      '3 TypingStarted',
    ])
  })

  it('makes a second device hear what the first one does, and its leaving', async () => {
    await using gms = await startGms({agent: 'silent'})
    const secureKey = await gms.openChat()
    const second = await (await SocketUser.open(gms.ports[0] ?? 0)).start()
    await second.ask({operation: 'requestNotifications', secureKey, transcriptPosition: 4})
    await gms.ask({operation: 'sendMessage', secureKey, message: 'from one'})
    await gms.ask({operation: 'disconnect', secureKey})
    await second.message(({data}) => JSON.stringify(data ?? '').includes('ParticipantLeft'))
    const heard = notificationsOf(second.frames.flat())
    expect(heard.map(told)).toEqual([[], ['4 Message from one'], ['5 ParticipantLeft']])
    expect(heard.map(({chatEnded}) => chatEnded)).toEqual([false, false, true])
    expect(heard[2]).not.toHaveProperty('secureKey')
    second.socket.terminate()
  })
})
