import {describe, expect, it} from 'vitest'
import {refused, startGms} from '../../test/support/gms.ts'
import {PollingUser} from '../../test/support/simulator-client.ts'

const DEVICE = {push_notification_deviceid: 'device-1', push_notification_type: 'fcm'}

describe('push notifications', () => {
  it('are what the page says for every event, the client’s own left out', async () => {
    await using gms = await startGms({idleAlertMs: 300, idleCloseMs: 600})
    const secureKey = await gms.openChat({nickname: 'Ann', userData: {...DEVICE, key1: 'value1'}})
    await gms.ask({operation: 'sendMessage', secureKey, message: 'hello'})
    await gms.ask({operation: 'pushUrl', secureKey, pushUrl: 'http://example.com'})
    await gms.ask({operation: 'customNotice', secureKey, message: 'blue'})
    gms.sim.agentTypes()
    gms.sim.agentSendsFile({name: 'bill.pdf', content: Buffer.from('%PDF')})
    while (!gms.sim.chats[0]?.ended) await gms.user.connect()
    expect(gms.sim.pushed.map(({event, title, body}) => [event, title, body])).toEqual([
      ['ParticipantJoined', 'Chat participants changed', 'Agent joined chat'],
      ['Message', 'Agent sent new message', 'You said: hello'],
      ['FileUploaded', 'Agent suggests to download file', 'Open app for more info'],
      ['IdleAlert', 'Chat will close soon', 'Please use app if you want to continue'],
      ['IdleClose', 'Chat is over', 'Your chat session was ended due to inactivity'],
    ])
    expect(gms.sim.pushed[0]).toEqual({
      at: expect.any(Number) as number,
      chat: 1,
      deviceId: 'device-1',
      type: 'fcm',
      debug: false,
      language: 'en_US',
      event: 'ParticipantJoined',
      title: 'Chat participants changed',
      body: 'Agent joined chat',
    })
  })

  it('tell the client’s own events when told so', async () => {
    await using gms = await startGms({pushOwnEvents: true, agent: 'absent'})
    const secureKey = await gms.openChat({nickname: 'A$&n', userData: DEVICE})
    await gms.ask({operation: 'sendMessage', secureKey, message: 'hello'})
    await gms.ask({operation: 'pushUrl', secureKey, pushUrl: 'http://example.com'})
    await gms.ask({operation: 'disconnect', secureKey})
    // The device is known from the answer on, so the client's own arrival comes first.
    expect(gms.sim.pushed.map(({title, body}) => [title, body])).toEqual([
      ['Chat participants changed', 'A$&n joined chat'],
      ['A$&n sent new message', 'hello'],
      ['A$&n suggests Web page', 'http://example.com'],
      ['Chat participants changed', 'A$&n left chat'],
    ])
  })

  it.each(['fcm', 'ios', 'customhttp'])('name device, provider, debug and language for %s', async type => {
    await using gms = await startGms()
    await gms.openChat({
      nickname: 'Ann',
      userData: {
        ...DEVICE,
        push_notification_type: type,
        push_notification_debug: 'true',
        push_notification_language: 'de_DE',
        push_notification_provider: 'bank',
      },
    })
    expect(gms.sim.pushed).toMatchObject([{deviceId: 'device-1', type, debug: true, language: 'de_DE', provider: 'bank'}])
  })

  it.each([
    ['push_notification_deviceid', {push_notification_type: 'fcm'}],
    ['push_notification_type', {push_notification_deviceid: 'x'}],
    ['push_notification_type', {...DEVICE, push_notification_type: 'gcm'}],
    ['push_notification_debug', {...DEVICE, push_notification_debug: 'yes'}],
    ['push_notification_language', {...DEVICE, push_notification_language: 'English'}],
    ['push_notification_provider', {...DEVICE, push_notification_provider: ''}],
  ])('are refused with a wrong %s: %j', async (parameter, userData) => {
    await using gms = await startGms()
    const refusal = refused(102, new RegExp(`^Parameter userData\\.${parameter} is not valid`))
    expect(await gms.ask({operation: 'requestChat', nickname: 'Ann', userData})).toMatchObject(refusal)
    const secureKey = await gms.openChat()
    expect(await gms.ask({operation: 'requestNotifications', secureKey, userData})).toMatchObject(refusal)
  })

  it('are not sent without a device', async () => {
    await using gms = await startGms()
    await gms.openChat({nickname: 'Ann', userData: {key1: 'value1'}})
    expect(gms.sim.pushed).toEqual([])
  })

  it('go out while the client is connected, unless only without an active client', async () => {
    for (const [pushToActiveClient, whileConnected] of [
      [false, 2],
      [true, 0],
    ] as const) {
      await using gms = await startGms({pushToActiveClient, nodes: 2})
      await gms.openChat({nickname: 'Ann', userData: DEVICE})
      gms.sim.agentSays('connected')
      expect(gms.sim.pushed).toHaveLength(whileConnected)
      await gms.sim.stopNode('gms1')
      gms.sim.agentSays('gone')
      expect(gms.sim.pushed.slice(whileConnected).map(({body}) => body)).toEqual(['gone'])
    }
  })

  it.each([
    ['stops', ['same']],
    ['goes-on', ['without', 'other', 'same']],
    ['refused', ['without', 'other', 'same']],
  ] as const)('that are not the same in requestNotifications: %s', async (pushMismatch, expected) => {
    await using gms = await startGms({pushMismatch, agent: 'silent'})
    const secureKey = await gms.openChat({nickname: 'Ann', userData: DEVICE})
    const before = gms.sim.pushed.length
    for (const [text, userData] of [
      ['without', {key1: 'value1'}],
      ['other', {...DEVICE, push_notification_debug: 'true'}],
      ['same', {key1: 'other', ...DEVICE}],
    ] as const) {
      const again = await new PollingUser(gms.ports[0] ?? 0).start()
      const {notifications} = await again.ask({operation: 'requestNotifications', secureKey, transcriptPosition: 9, userData})
      if (pushMismatch === 'refused' && text !== 'same') expect(notifications[0]).toMatchObject(refused(102, /^Parameter userData/))
      else expect(notifications[0]).toMatchObject({statusCode: 0})
      gms.sim.agentSays(text)
    }
    expect(gms.sim.pushed.slice(before).map(({body}) => body)).toEqual(expected)
    expect(gms.sim.warnings.map(({what}) => what)).toEqual([
      expect.stringContaining('push data are not those of requestChat'),
      expect.stringContaining('push data are not those of requestChat'),
    ])
  })
})
