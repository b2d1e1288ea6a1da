import {describe, expect, it} from 'vitest'
import {refused, startGms, told} from '../../test/support/gms.ts'
import {PollingUser, SocketUser, notificationsOf} from '../../test/support/simulator-client.ts'
import {CHAT_OPERATIONS, chatNotificationSchema, type ChatNotification} from '../wire/chat-messages.ts'

const CHANNEL = '/service/chatV2/customer-support'
/** What every answer of a living chat carries beside its messages. */
const ALIVE = {
  chatEnded: false,
  statusCode: 0,
  alias: '0',
  secureKey: expect.any(String) as string,
  userId: 'deprecated',
  chatId: 'deprecated',
  monitored: false,
  channel: CHANNEL,
}
const CLIENT = {nickname: 'Ann Example', participantId: 1, type: 'Client'}

function event(index: number, type: string, rest: object = {}): object {
  return {from: CLIENT, index, type, utcTime: expect.any(Number) as number, ...rest}
}

describe('requestChat', () => {
  it('opens with the client, then the agent joins: one event per unsolicited notification', async () => {
    await using gms = await startGms()
    const {notifications} = await gms.user.ask({operation: 'requestChat', nickname: 'Ann', firstName: 'A', lastName: 'E'})
    expect(notifications).toEqual([
      {...ALIVE, nextPosition: 2, messages: [event(1, 'ParticipantJoined', {from: {...CLIENT, nickname: 'Ann'}})]},
      {
        ...ALIVE,
        nextPosition: 4,
        messages: [event(3, 'ParticipantJoined', {from: {nickname: 'Agent', participantId: 2, type: 'Agent'}})],
      },
    ])
  })

  it('needs a nickname, or both names', async () => {
    await using gms = await startGms()
    for (const names of [{}, {firstName: 'Ann'}, {lastName: 'Example'}, {nickname: ''}])
      expect(await gms.ask({operation: 'requestChat', ...names})).toMatchObject(refused(102, /^Parameter nickname/))
    expect(await gms.ask({operation: 'requestChat', firstName: 'Ann', lastName: 'Example'})).toMatchObject({statusCode: 0})
  })

  it('is possible once per connection, even after the chat has ended', async () => {
    await using gms = await startGms()
    const secureKey = await gms.openChat()
    expect(await gms.ask({operation: 'requestChat', nickname: 'again'})).toMatchObject(refused(249, /already has a chat/))
    await gms.ask({operation: 'disconnect', secureKey})
    expect(await gms.ask({operation: 'requestChat', nickname: 'again'})).toMatchObject(refused(249, /already has a chat/))
  })

  it('is impossible on a connection that follows a chat', async () => {
    await using gms = await startGms({nodes: 2})
    const secureKey = await gms.openChat()
    const follower = await new PollingUser(gms.ports[1] ?? 0).start()
    await follower.ask({operation: 'requestNotifications', secureKey})
    const {notifications} = await follower.ask({operation: 'requestChat', nickname: 'again'})
    expect(notifications[0]).toMatchObject(refused(249, /already has a chat/))
  })
})

describe('operations', () => {
  it.each([
    ['sendMessage', {message: 'hello'}, [event(4, 'Message', {text: 'hello', messageType: 'text'})]],
    ['sendMessage', {message: 'hello', messageType: 'rich'}, [event(4, 'Message', {text: 'hello', messageType: 'rich'})]],
    ['startTyping', {message: 'hel'}, [event(4, 'TypingStarted', {text: 'hel'})]],
    ['startTyping', {}, [event(4, 'TypingStarted')]],
    ['stopTyping', {message: 'hello'}, [event(4, 'TypingStopped', {text: 'hello'})]],
    ['stopTyping', {}, [event(4, 'TypingStopped')]],
    ['pushUrl', {pushUrl: 'http://example.com'}, [event(4, 'PushUrl', {text: 'http://example.com'})]],
    ['updateNickname', {nickname: 'Joan'}, [event(4, 'NicknameUpdated', {text: 'Joan', from: {...CLIENT, nickname: 'Joan'}})]],
    ['customNotice', {message: 'blue'}, [event(4, 'CustomNotice', {text: 'blue'})]],
    ['customNotice', {}, [event(4, 'CustomNotice')]],
    ['updateData', {userData: {a: 'b'}}, []],
    ['updateData', {}, []],
    ['requestNotifications', {transcriptPosition: 3}, [{from: {type: 'Agent'}, index: 3}]],
  ])('%s %j answers as the page shows', async (operation, fields, messages) => {
    await using gms = await startGms({agent: 'silent'})
    const secureKey = await gms.openChat()
    const answer = await gms.ask({operation, secureKey, ...fields})
    expect(answer).toMatchObject({...ALIVE, nextPosition: messages.length === 0 || operation === 'requestNotifications' ? 4 : 5, messages})
    expect(answer.messages).toHaveLength(messages.length)
    expect(chatNotificationSchema.safeParse(answer).success).toBe(true)
  })

  it('readReceipt answers without alias, user and chat, for a position as number or as text', async () => {
    await using gms = await startGms()
    let secureKey = await gms.openChat()
    for (const transcriptPosition of [3, '3']) {
      const answer = await gms.ask({operation: 'readReceipt', secureKey, transcriptPosition})
      expect(Object.keys(answer).sort()).toEqual(
        ['messages', 'chatEnded', 'statusCode', 'secureKey', 'nextPosition', 'monitored', 'channel'].sort(),
      )
      expect(answer).toMatchObject({messages: [], chatEnded: false, statusCode: 0})
      secureKey = answer.secureKey ?? ''
    }
  })

  it('disconnect answers without key and user, and nothing works afterwards', async () => {
    await using gms = await startGms()
    const secureKey = await gms.openChat()
    const ended = await gms.ask({operation: 'disconnect', secureKey})
    expect(Object.keys(ended)).not.toContain('secureKey')
    expect(ended).toEqual({
      messages: [],
      chatEnded: true,
      statusCode: 0,
      alias: '0',
      chatId: 'deprecated',
      nextPosition: 5,
      monitored: false,
      channel: CHANNEL,
    })
    const request = {secureKey, message: 'x', transcriptPosition: 1, pushUrl: 'x', nickname: 'x'}
    for (const operation of CHAT_OPERATIONS.filter(name => name !== 'requestChat'))
      expect(await gms.ask({operation, ...request})).toMatchObject(refused(249, /Media server/, {chatEnded: true}))
  })

  it('updateData merges into the user data of the chat', async () => {
    await using gms = await startGms()
    const secureKey = await gms.openChat({nickname: 'Ann', userData: {a: '1', b: 2}})
    await gms.ask({operation: 'updateData', secureKey, userData: {b: '3', c: true}})
    expect(gms.sim.chats).toMatchObject([
      {number: 1, nickname: 'Ann', ended: false, nodes: ['gms1'], userData: {a: '1', b: '3', c: 'true'}},
    ])
  })

  it("takes user data as the page's tables have it too: text that is JSON", async () => {
    await using gms = await startGms()
    const secureKey = await gms.openChat({nickname: 'Ann', userData: '{"a":"1"}'})
    expect(await gms.ask({operation: 'updateData', secureKey, userData: 'no JSON'})).toMatchObject(refused(102, /userData is not valid/))
    expect(gms.sim.chats).toMatchObject([{userData: {a: '1'}}])
  })

  it('updateNickname names what comes after it, not what came before', async () => {
    await using gms = await startGms({agent: 'absent'})
    const secureKey = await gms.openChat()
    await gms.ask({operation: 'updateNickname', secureKey, nickname: 'Joan'})
    await gms.ask({operation: 'sendMessage', secureKey, message: 'hello'})
    expect(gms.sim.chats[0]?.transcript.map(({from}) => from.nickname)).toEqual(['Ann Example', 'Joan', 'Joan'])
  })

  it.each([
    ['sendMessage', 'message'],
    ['readReceipt', 'transcriptPosition'],
    ['pushUrl', 'pushUrl'],
    ['updateNickname', 'nickname'],
  ])('%s without %s is refused by name', async (operation, parameter) => {
    await using gms = await startGms()
    const secureKey = await gms.openChat()
    expect(await gms.ask({operation, secureKey})).toMatchObject(
      refused(102, new RegExp(`^Parameter ${parameter} is missing\\. referenceId\\[\\d{8}\\]$`)),
    )
    expect(await gms.ask({operation, secureKey, [parameter]: {}})).toMatchObject(
      refused(102, new RegExp(`^Parameter ${parameter} is not valid`)),
    )
    expect(await gms.ask({operation, [parameter]: '1'})).toMatchObject(refused(102, /^Parameter secureKey is missing/))
  })

  it('that nobody knows, and data that is none, are refused', async () => {
    await using gms = await startGms()
    const secureKey = await gms.openChat()
    for (const data of [{operation: 'toString', secureKey}, {operation: 7}, {}, [], 'requestChat'])
      expect(await gms.ask(data as object)).toMatchObject(refused(102, /^Unknown operation/))
    expect(await gms.ask({operation: 'sendMessage', secureKey: 'nope', message: 'x'})).toMatchObject(
      refused(249, /Media/, {chatEnded: true}),
    )
    expect(await gms.ask({operation: 'updateData', secureKey, userData: {a: []}})).toMatchObject(refused(102, /userData\.a is not valid/))
  })

  it('take what is deprecated, whatever it holds, and what nobody knows', async () => {
    await using gms = await startGms()
    const secureKey = await gms.openChat({nickname: 'Ann', alias: 1, colour: 'blue'})
    const answer = await gms.ask({
      operation: 'sendMessage',
      secureKey,
      message: 'x',
      alias: null,
      userId: [],
      chatId: 'nonsense',
      colour: {},
    })
    expect(answer.statusCode).toBe(0)
    expect(gms.said).toContain('gms1: sendMessage: deprecated alias, userId, chatId ignored')
  })
})

describe('the agent', () => {
  it('answers a message at once', async () => {
    await using gms = await startGms()
    const secureKey = await gms.openChat()
    const {notifications} = await gms.user.ask({operation: 'sendMessage', secureKey, message: 'hello'})
    expect(notifications.map(told)).toEqual([['4 Message hello'], ['5 Message You said: hello']])
    expect(notifications[1]).toMatchObject({...ALIVE, nextPosition: 6, messages: [{from: {type: 'Agent'}}]})
  })

  it('is seen typing before that when told so', async () => {
    await using gms = await startGms({agentTypes: true})
    const secureKey = await gms.openChat()
    const {notifications} = await gms.user.ask({operation: 'sendMessage', secureKey, message: 'hello'})
    expect(notifications.map(told)).toEqual([['4 Message hello'], ['5 TypingStarted'], ['6 TypingStopped'], ['7 Message You said: hello']])
  })

  it('is silent when told so', async () => {
    await using gms = await startGms({agent: 'silent'})
    const {notifications} = await gms.user.ask({operation: 'sendMessage', secureKey: await gms.openChat(), message: 'hello'})
    expect(notifications.map(told)).toEqual([['4 Message hello']])
  })

  it('is absent when told so: the chat opens, nobody joins until somebody is made to speak', async () => {
    await using gms = await startGms({agent: 'absent'})
    const {notifications} = await gms.user.ask({operation: 'requestChat', nickname: 'Ann'})
    expect(notifications.map(told)).toEqual([['1 ParticipantJoined']])
    expect(gms.sim.agentSays('sorry for the wait')).toBe(1)
    expect(notificationsOf((await gms.user.connect()).messages).map(told)).toEqual([
      ['3 ParticipantJoined'],
      ['4 Message sorry for the wait'],
    ])
  })

  it('types once, until he speaks', async () => {
    await using gms = await startGms()
    await gms.openChat()
    expect([gms.sim.agentTypes(), gms.sim.agentTypes(), gms.sim.agentSays('there')]).toEqual([1, 1, 1])
    expect(notificationsOf((await gms.user.connect()).messages).map(told)).toEqual([
      ['4 TypingStarted'],
      ['5 TypingStopped'],
      ['6 Message there'],
    ])
  })

  it('speaks to every open chat, or to the one of any key it ever had, over any transport', async () => {
    await using gms = await startGms()
    const old = await gms.openChat()
    await gms.ask({operation: 'sendMessage', secureKey: old, message: '1'})
    const other = await (await SocketUser.open(gms.ports[0] ?? 0)).start()
    await other.ask({operation: 'requestChat', nickname: 'b'})
    const held = gms.user.connect()
    await gms.sim.recorder.waitFor(request => request.ended === 'open' && request.messages.length > 0, 2000)
    expect(gms.sim.agentSays('to one', old)).toBe(1)
    expect(notificationsOf((await held).messages).map(told)).toEqual([['6 Message to one']])
    expect(gms.sim.agentSays('to all')).toBe(2)
    await other.message(({data}) => JSON.stringify(data ?? '').includes('to all'))
    expect(JSON.stringify(other.frames)).not.toContain('to one')
    expect(gms.sim.agentSays('to nobody', 'unknown')).toBe(0)
    other.socket.terminate()
  })
})

describe('the channel', () => {
  it('that nobody serves is acknowledged, and the log says so', async () => {
    await using gms = await startGms()
    const {messages} = await gms.user.post([gms.user.message('/service/chatV2/sales', {data: {operation: 'requestChat', nickname: 'a'}})])
    expect(messages).toMatchObject([{successful: true}])
    expect(gms.sim.warnings).toMatchObject([{node: 'gms1', what: expect.stringContaining('/service/chatV2/sales') as string}])
    expect(gms.said.some(line => line.includes('/service/chatV2/sales'))).toBe(true)
  })

  it('is acknowledged and silent while enable_notification_mode is off', async () => {
    await using gms = await startGms({enableNotificationMode: false})
    const {messages, notifications} = await gms.user.ask({operation: 'requestChat', nickname: 'Ann'})
    expect(messages).toMatchObject([{channel: CHANNEL, successful: true}])
    expect(notifications).toEqual([])
    expect(gms.sim.chats).toEqual([])
    expect(gms.sim.warnings).toMatchObject([{what: expect.stringContaining('enable_notification_mode') as string}])
  })

  it('never carries a key into the log', async () => {
    await using gms = await startGms()
    const secureKey = await gms.openChat()
    await gms.ask({operation: 'sendMessage', secureKey, message: 'hello'})
    expect(gms.said.join('\n')).toContain('hello')
    expect(gms.said.join('\n')).not.toContain(secureKey)
    expect(JSON.stringify(gms.sim.chats.map(({transcript, userData}) => ({transcript, userData})))).not.toContain(secureKey)
  })
})

describe('the secure key', () => {
  it('is base64 that every encoder must handle', async () => {
    await using gms = await startGms()
    const key = await gms.openChat()
    expect(key).toMatch(/^[A-Za-z0-9+/]{99}=$/)
    expect(key).toMatch(/\+/)
    expect(key).toMatch(/\//)
  })

  it('rotates with every answer; the one before stays valid for requests in flight', async () => {
    await using gms = await startGms()
    const first = await gms.openChat()
    const second = (await gms.ask({operation: 'startTyping', secureKey: first})).secureKey ?? ''
    expect(second).not.toBe(first)
    expect((await gms.ask({operation: 'sendMessage', secureKey: second, message: '2'})).statusCode).toBe(0)
    expect((await gms.ask({operation: 'sendMessage', secureKey: first, message: '3'})).statusCode).toBe(0)
  })

  it('is refused once its successor was used and the grace is over, never before', async () => {
    await using gms = await startGms({secureKeyGraceMs: -1})
    const send = (secureKey: string): Promise<ChatNotification> => gms.ask({operation: 'sendMessage', secureKey, message: 'x'})
    const first = await gms.openChat()
    const second = (await send(first)).secureKey ?? ''
    expect((await send(first)).statusCode).toBe(0)
    expect((await send(second)).statusCode).toBe(0)
    expect(await send(first)).toMatchObject(refused(249, /Media server/, {chatEnded: true}))
  })

  it.each(['never', 'files'] as const)('stays in the chat when it rotates %s', async secureKeyRotation => {
    await using gms = await startGms({secureKeyRotation})
    const secureKey = await gms.openChat()
    expect((await gms.ask({operation: 'sendMessage', secureKey, message: '1'})).secureKey).toBe(secureKey)
  })
})

describe('credentials of the chat service', () => {
  const auth = {username: 'user1', password: 'pässword:1'}
  const encoded = Buffer.from(`${auth.username}:${auth.password}`).toString('base64')

  it.each([
    ['open', auth],
    ['encoded', {encoded}],
  ])('are taken in the %s form, on requestChat and on everything after it', async (_, given) => {
    await using gms = await startGms({auth})
    const secureKey = await gms.openChat({nickname: 'Ann', auth: given})
    expect((await gms.ask({operation: 'sendMessage', secureKey, message: 'x', auth: given})).statusCode).toBe(0)
    expect((await gms.ask({operation: 'sendMessage', secureKey, message: 'x'})).statusCode).toBe(0)
  })

  it.each([
    ['missing', undefined],
    ['wrong', {...auth, password: 'no'}],
    ['wrong when decoded', {encoded: 'bm86bm8='}],
    ['no base64', {encoded: '!'}],
  ])('are refused when %s', async (_, given) => {
    await using gms = await startGms({auth})
    const refusal = refused(401, /credentials/)
    expect(await gms.ask({operation: 'requestChat', nickname: 'Ann', ...(given && {auth: given})})).toMatchObject(refusal)
    expect(gms.sim.chats).toEqual([])
    const secureKey = await gms.openChat({nickname: 'Ann', auth})
    if (given) expect(await gms.ask({operation: 'sendMessage', secureKey, message: 'x', auth: given})).toMatchObject(refusal)
  })

  it('are ignored by a service that has none, and refused by shape', async () => {
    await using gms = await startGms()
    expect(await gms.ask({operation: 'requestChat', nickname: 'Ann', auth: {user: 'x'}})).toMatchObject(
      refused(102, /^Parameter auth is not valid/),
    )
    expect(await gms.ask({operation: 'requestChat', nickname: 'Ann', auth})).toMatchObject({statusCode: 0})
  })
})
