import {expect, it} from 'vitest'
import {refused, startGms, told} from '../../test/support/gms.ts'
import {SocketUser, notificationsOf} from '../../test/support/simulator-client.ts'

it('a chat in which nothing happens is warned, then closed: one event per notification, the last ends it', async () => {
  await using gms = await startGms({idleAlertMs: 100, idleCloseMs: 200})
  const user = await (await SocketUser.open(gms.ports[0] ?? 0)).start()
  const {secureKey} = await user.ask({operation: 'requestChat', nickname: 'Ann'})
  await user.message(({data}) => JSON.stringify(data ?? '').includes('ParticipantLeft'))
  const heard = notificationsOf(user.frames.flat())
  expect(heard.map(told)).toEqual([
    ['1 ParticipantJoined'],
    ['3 ParticipantJoined'],
    ['4 IdleAlert'],
    ['5 IdleClose'],
    ['6 ParticipantLeft'],
  ])
  expect(heard.map(({chatEnded}) => chatEnded)).toEqual([false, false, false, false, true])
  expect(heard[4]).not.toHaveProperty('secureKey')
  expect(await user.ask({operation: 'sendMessage', secureKey, message: 'late'})).toMatchObject(refused(249, /Media/, {chatEnded: true}))
  user.socket.terminate()
})

it('a message starts the time anew, typing does not', async () => {
  const idleAlertMs = 400
  await using gms = await startGms({idleAlertMs, agent: 'silent'})
  const user = await (await SocketUser.open(gms.ports[0] ?? 0)).start()
  const {secureKey} = await user.ask({operation: 'requestChat', nickname: 'Ann'})
  await user.ask({operation: 'startTyping', secureKey})
  await user.message(({data}) => JSON.stringify(data ?? '').includes('IdleAlert'))
  const [opened, alerted] = ['ParticipantJoined', 'IdleAlert'].map(
    type => gms.sim.chats[0]?.transcript.findLast(event => event.type === type)?.utcTime ?? 0,
  )
  expect((alerted ?? 0) - (opened ?? 0)).toBeGreaterThanOrEqual(idleAlertMs - 5)
  user.frames.length = 0
  await user.ask({operation: 'sendMessage', secureKey, message: 'still here'})
  await user.message(({data}) => JSON.stringify(data ?? '').includes('IdleAlert'))
  const types = gms.sim.chats[0]?.transcript.map(({type}) => type)
  expect(types).toEqual(['ParticipantJoined', 'ParticipantJoined', 'TypingStarted', 'IdleAlert', 'Message', 'IdleAlert'])
  user.socket.terminate()
})
