import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import type {Simulator, SimulatorOptions} from '../simulator/simulator.ts'
import {startSimulator} from '../simulator/simulator.ts'
import {BAYEUX_TRANSPORTS} from '../wire/bayeux.ts'
import {CHAT_OPERATIONS} from '../wire/chat-messages.ts'
import {auth, CREDENTIALS} from './auth.ts'
import {CHAT_CLIENTS, CHAT_STYLES} from './chat-session.ts'
import {FILE_LIMITS, files} from './files.ts'
import type {Target} from './flow.ts'
import {longChat} from './long-chat.ts'
import {operations} from './operations.ts'
import {push} from './push.ts'
import {typing} from './typing.ts'

const HOLD_MS = 1200
const context = {budgets: {answer: 10_000, hold: HOLD_MS, networkDelay: 10_000}, signal: new AbortController().signal}

function targetOf({nodes: [node]}: Simulator): Target {
  return {url: new URL(`http://${node?.host}:${node?.port}`), hostHeader: 'chat.example.com', chatService: 'customer-support'}
}

async function withGms(options: SimulatorOptions, use: (target: Target, gms: Simulator) => Promise<void>): Promise<void> {
  await using gms = await startSimulator({nodes: 1, holdMs: HOLD_MS, ...options})
  await use(targetOf(gms), gms)
}

let gms: Simulator
let target: Target

beforeAll(async () => {
  gms = await startSimulator({nodes: 1, holdMs: HOLD_MS, agentTypes: true})
  target = targetOf(gms)
})
afterAll(async () => gms[Symbol.asyncDispose]())

describe.each(BAYEUX_TRANSPORTS)('over %s', transport => {
  const variants = CHAT_CLIENTS.flatMap(client => CHAT_STYLES.map(style => [client, style] as const))

  test.each(variants)('each operation once: %s client, %s', async (client, style) => {
    const seen = await operations.run(target, {transport, client, style}, context)
    expect(seen).toMatchObject({ended: 'completed', transport, flaws: []})
    expect(seen.operations.map(({operation}) => operation).toSorted()).toEqual([...CHAT_OPERATIONS].toSorted())
    for (const {operation, statusCode, errors, newKey} of seen.operations)
      expect({operation, statusCode, errors, newKey}).toEqual({operation, statusCode: 0, errors: [], newKey: operation !== 'disconnect'})
    const subscribed = gms.recorder
      .bySession(seen.clientId ?? '')
      .flatMap(({messages}) => messages.filter(({channel}) => channel === '/meta/subscribe'))
    expect(subscribed).toHaveLength(style === 'subscribe' ? 1 : 0)
    expect(JSON.stringify(seen)).not.toMatch(/secureKey\\*":\\*"[^‹]/)
  })

  test('typing, a message and its receipt', async () => {
    const seen = await typing.run(target, {transport, deprecated: true}, context)
    expect(seen).toMatchObject({ended: 'completed', flaws: [], preview: 'I need help with my acc', agentTyped: true})
    const read = seen.events.find(({index}) => index === seen.read)
    expect(read).toMatchObject({type: 'Message', from: {type: 'Agent'}, text: 'You said: I need help with my account.'})
  })

  test('a long chat in both directions, with files between', async () => {
    const speaks = (key: string, round: number) => gms.agentSays(`By the way, ${round}`, key)
    const seen = await longChat.run(target, {transport, messages: 12, agentSpeaks: speaks}, context)
    expect(seen).toMatchObject({ended: 'completed', transport})
    // Over HTTP what the agent says unasked may be overtaken by an answer on another connection.
    expect(seen.flaws.filter(({kind}) => kind !== 'index-behind' || transport === 'websocket')).toEqual([])
    expect(seen.operations.filter(({statusCode}) => statusCode !== 0)).toEqual([])
    expect(new Set(seen.operations.map(({operation}) => operation))).toEqual(new Set(CHAT_OPERATIONS))
    expect(seen.said.map(({text}) => text)).toEqual(Array.from({length: 12}, (_, index) => `Message ${index + 1} of a long chat`))
    const indexes = seen.said.map(({index}) => index ?? 0)
    expect(indexes).toEqual(indexes.toSorted((one, other) => one - other))
    expect(new Set(indexes).size).toBe(12)
    const heard = new Set(seen.arrivals)
    expect(heard.size).toBeGreaterThan(12 * 8)
    expect(seen.keys).toBeGreaterThan(12 * 8)
    expect(seen.files).toHaveLength(2)
    for (const {sentSha256, gotSha256} of seen.files) expect(gotSha256).toBe(sentSha256)
  })

  test('the life of a file', async () => {
    const seen = await files.run(target, {transport}, context)
    expect(seen).toMatchObject({ended: 'completed', flaws: [], deleted: true, refusals: []})
    expect(seen.told.map(({type, limits}) => [type, limits['upload-max-files']])).toEqual([
      ['multipart/form-data', '5'],
      ['application/x-www-form-urlencoded', '5'],
    ])
    expect(seen.uploadedEvent).toMatchObject({userData: {...seen.described, 'file-id': seen.fileId}})
    expect(seen.deletedEvent).toMatchObject({userData: {'file-id': seen.fileId}})
    expect(seen.downloads.map(({type, fieldsIn, status, sha256}) => [type, fieldsIn, status, sha256])).toEqual([
      ['multipart/form-data', 'form', 200, seen.sentSha256],
      ['application/x-www-form-urlencoded', 'query', 200, seen.sentSha256],
    ])
    expect(seen.afterDelete).toEqual({status: 500, contentType: expect.stringContaining('text/html') as string, hasReferenceId: true})
  })

  test('a chat goes on in another session with nothing lost and nothing twice', async () => {
    const device = {push_notification_deviceid: `device of ${transport}`, push_notification_type: 'fcm'} as const
    const away = (key: string) => gms.agentSays('Are you still there?', key)
    const seen = await push.run(target, {transport, device, whileAway: away}, context)
    expect(seen).toMatchObject({ended: 'completed', flaws: []})
    expect(new Set(seen.clientIds).size).toBe(2)
    expect(seen.caughtUp.map(({index}) => index)).toEqual([seen.leftAt, (seen.leftAt ?? 0) + 1])
    const texts = seen.events.flatMap(({type, text}) => (type === 'Message' && text !== undefined ? [text] : []))
    expect(texts).toEqual([
      'I shall be away for a moment',
      'You said: I shall be away for a moment',
      'Are you still there?',
      'Here I am again',
      'You said: Here I am again',
    ])
    const pushed = gms.pushed.filter(({deviceId}) => deviceId === device.push_notification_deviceid)
    expect(pushed.map(({body}) => body)).toContain('Are you still there?')
    expect(gms.warnings.filter(({what}) => what.includes('push data'))).toEqual([])
  })

  test('credentials in each form', async () => {
    await withGms({auth: {username: 'user1', password: 'pass1'}}, async guarded => {
      const seen = await auth.run(guarded, {transport, username: 'user1', password: 'pass1'}, context)
      expect(seen.ended).toBe('completed')
      expect(seen.attempts.map(({credentials}) => credentials)).toEqual(CREDENTIALS)
      expect(seen.attempts.filter(({opened}) => opened).map(({credentials}) => credentials)).toEqual(['open', 'encoded'])
      for (const {opened, errors} of seen.attempts)
        expect(errors).toEqual(opened ? [] : [expect.stringMatching(/^401 .*referenceId/) as string])
      expect(JSON.stringify(seen)).not.toContain('pass1')
    })
  })
})

test.each(FILE_LIMITS)('the limit %s is run into, and told', async limit => {
  await withGms({maxFileSize: 3000, maxTotalSize: 7000}, async (small, {recorder}) => {
    const seen = await files.run(small, {transport: 'long-polling', limits: [limit]}, context)
    expect(seen.ended).toBe('completed')
    expect(seen.refusals).toEqual([{limit, refusal: expect.any(String) as string}])
    expect(recorder.requests.length).toBeLessThan(60)
  })
})

test('a limit that is not kept is told without words', async () => {
  await withGms({maxFiles: 1000}, async lax => {
    const seen = await files.run(lax, {transport: 'websocket', client: 'probe', limits: ['upload-max-files']}, context)
    expect(seen).toMatchObject({ended: 'completed', refusals: [{limit: 'upload-max-files'}]})
  })
})

test('a chat that has to last does so', async () => {
  const seen = await longChat.run(target, {transport: 'websocket', messages: 1, lastsMs: 600, pauseMs: 200, files: 0}, context)
  expect(seen.ended).toBe('completed')
  expect(seen.lastedMs).toBeGreaterThanOrEqual(600)
  expect(seen.said.length).toBeGreaterThan(1)
})

test.each(['join', 'absent'] as const)('no answer is expected of an agent who says nothing: %s', async agent => {
  await withGms({agent: agent === 'join' ? 'silent' : 'absent'}, async lonely => {
    for (const flow of [operations, typing, longChat]) {
      const seen = await flow.run({...lonely, agent}, {transport: 'websocket'}, context)
      expect(seen).toMatchObject({flow: flow.id, ended: 'completed', flaws: []})
    }
  })
})

describe('what stops a conversation', () => {
  const impatient = {...context, budgets: {...context.budgets, answer: 400}}

  test.each(CHAT_CLIENTS)('the session is forgotten: %s client', async client => {
    await withGms({}, async (there, {sweepSessions}) => {
      const seen = await longChat.run(there, {transport: 'long-polling', client, files: 0, agentSpeaks: () => sweepSessions()}, context)
      expect(seen.ended).not.toBe('completed')
      expect(seen.stoppedAt).toMatch(/402|session was lost/)
    })
  })

  test.each(BAYEUX_TRANSPORTS)('nothing comes after the acknowledgement: %s', async transport => {
    await withGms({enableNotificationMode: false}, async deaf => {
      const seen = await operations.run(deaf, {transport, client: 'probe'}, impatient)
      expect(seen).toMatchObject({ended: 'timed-out', operations: [], stoppedAt: 'requestChat: no notification answered it within 800 ms'})
    })
  })

  test('the chat is refused', async () => {
    await withGms({auth: {username: 'user1', password: 'pass1'}}, async guarded => {
      const seen = await typing.run(guarded, {transport: 'websocket'}, context)
      expect(seen).toMatchObject({ended: 'refused', operations: [{operation: 'requestChat', statusCode: 2}]})
      expect(seen.stoppedAt).toMatch(/^requestChat: 401 /)
      const {auth: _, ...signed} = {...guarded, auth: {username: 'user1', password: 'pass1'}}
      expect(await typing.run({...signed, auth: {encoded: 'dXNlcjE6cGFzczE='}}, {transport: 'websocket'}, context)).toMatchObject({
        ended: 'completed',
      })
    })
  })

  test('the agent does not come', async () => {
    await withGms({agent: 'absent'}, async lonely => {
      const seen = await typing.run(lonely, {transport: 'long-polling'}, impatient)
      expect(seen).toMatchObject({ended: 'timed-out', stoppedAt: 'agent joins: no event told of it within 400 ms'})
    })
  })
})
