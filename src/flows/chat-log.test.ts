import {expect, test} from 'vitest'
import type {ChatEvent, ChatOperation} from '../wire/chat-messages.ts'
import type {Flaw} from './chat-log.ts'
import {ChatLog, FLAWS} from './chat-log.ts'

const CHANNEL = '/service/chatV2/customer-support'
const event = (index: number, more: Partial<ChatEvent> = {}): ChatEvent => ({
  from: {nickname: 'a1001', participantId: 3, type: 'Agent'},
  index,
  type: 'Message',
  utcTime: 1590051516000,
  ...more,
})
/** A notification with events of these indexes. */
const told = (indexes: readonly number[], more: object = {}) => ({
  messages: indexes.map(index => event(index)),
  chatEnded: false,
  statusCode: 0,
  secureKey: 'zpcRUAk',
  ...more,
})
const without = (data: object, name: string) => Object.fromEntries(Object.entries(data).filter(([key]) => key !== name))

type Step = {asked: ChatOperation} | {data: unknown}
const asked = (operation: ChatOperation): Step => ({asked: operation})
const data = (value: unknown): Step => ({data: value})

function heard(steps: readonly Step[]): ChatLog {
  const log = new ChatLog()
  for (const step of steps) {
    if ('asked' in step) log.asked(step.asked)
    else log.accept({channel: CHANNEL, data: step.data})
  }
  return log
}

/** Every flaw, and what is like it and right. */
const CASES: Record<Flaw['kind'], {flawed: Record<string, readonly Step[]>; sound: Record<string, readonly Step[]>}> = {
  schema: {
    flawed: {
      'no status': [data(without(told([1]), 'statusCode'))],
      'an unknown status': [data(told([1], {statusCode: 3}))],
      'a status in words': [data(told([1], {statusCode: '0'}))],
      'an event without an index': [data(told([], {messages: [without(event(1), 'index')]}))],
      'an event of nobody': [data(told([], {messages: [without(event(1), 'from')]}))],
      'no word on the end': [data(without(told([1]), 'chatEnded'))],
      'events that are no list': [data(told([], {messages: 'none'}))],
      'a text': [data('hello')],
      nothing: [data(null)],
    },
    sound: {
      'fields that nobody knows': [data(told([1], {future: {x: 1}, messages: [{...event(1), mood: 'good'}]}))],
      'a type that nobody knows': [data(told([], {messages: [event(1, {type: 'ParticipantYawned'})]}))],
    },
  },
  'key-missing': {
    flawed: {'an event without a key': [data(without(told([1]), 'secureKey'))]},
    sound: {
      'the end': [asked('disconnect'), data({messages: [], chatEnded: true, statusCode: 0})],
      'an error': [asked('sendMessage'), data({messages: [], chatEnded: false, statusCode: 2, errors: [{code: 249, advice: 'no'}]})],
    },
  },
  'key-after-end': {
    flawed: {
      'a key': [asked('disconnect'), data(told([], {chatEnded: true}))],
      'a user': [asked('disconnect'), data(without(told([], {chatEnded: true, userId: 'deprecated'}), 'secureKey'))],
    },
    sound: {'closed by GMS, which is no answer': [data(told([7], {chatEnded: true}))]},
  },
  'event-count': {
    flawed: {
      'two events, unasked': [asked('sendMessage'), data(told([1, 2]))],
      'none, unasked': [asked('requestChat'), data(told([])), data(told([]))],
      'two answers to one request': [asked('requestChat'), data(told([1, 2])), data(told([3, 4]))],
    },
    sound: {
      'several in answer to requestChat': [asked('requestChat'), data(told([1, 2, 3])), data(told([4]))],
      'none in answer to anything': [asked('readReceipt'), data(told([]))],
      'when nobody says what was asked': [data(told([1, 2])), data(told([]))],
    },
  },
  'index-repeated': {
    flawed: {
      'the same event twice': [data(told([1])), data(told([1]))],
      'asked for once, told three times': [data(told([1])), asked('requestNotifications'), data(told([1, 2])), data(told([1]))],
    },
    sound: {
      'asked for again': [data(told([1])), data(told([2])), asked('requestNotifications'), data(told([1, 2, 3]))],
      gaps: [data(told([1])), data(told([7]))],
    },
  },
  'index-behind': {
    flawed: {'a new event from the past': [data(told([1])), data(told([5])), data(told([3]))]},
    sound: {'one after the other': [data(told([1])), data(told([3])), data(told([5]))]},
  },
  'next-position': {
    flawed: {'the next is the last': [data(told([4], {nextPosition: 4}))]},
    sound: {
      'the next is one further': [data(told([4], {nextPosition: 5}))],
      'no event to compare with': [asked('readReceipt'), data(told([], {nextPosition: 0}))],
    },
  },
}

const flawed = FLAWS.flatMap(kind => Object.entries(CASES[kind].flawed).map(([name, steps]) => [kind, name, steps] as const))
const sound = FLAWS.flatMap(kind => Object.entries(CASES[kind].sound).map(([name, steps]) => [kind, name, steps] as const))

test.each(flawed)('%s: %s', (kind, _, steps) => {
  expect(new Set(heard(steps).flaws.map(flaw => flaw.kind))).toEqual(new Set([kind]))
})

test.each(sound)('not %s: %s', (_, __, steps) => {
  expect(heard(steps).flaws).toEqual([])
})

test('an index that was processed is ignored, a gap is not, and every arrival is kept', () => {
  const log = heard([data(told([1])), data(told([4])), data(told([4])), data(told([2])), data(told([9]))])
  expect(log.events.map(({index}) => index)).toEqual([1, 4, 9])
  expect(log.arrivals).toEqual([1, 4, 4, 2, 9])
  expect(log.lastIndex).toBe(9)
})

test('what is wrong in one field is still read in the others', () => {
  const log = heard([data(without(told([], {messages: [event(1), without(event(2), 'from'), event(3)], secureKey: 'next'}), 'chatEnded'))])
  expect(log.events.map(({index}) => index)).toEqual([1, 3])
  expect(log).toMatchObject({secureKey: 'next', ended: false})
  expect(log.flaws.map(({what}) => what)).toEqual([
    expect.stringMatching(/^messages\.1\.from: /) as string,
    expect.stringMatching(/^chatEnded: /) as string,
  ])
})

test('flaws tell no secrets', () => {
  const log = heard([data(told([1], {secureKey: 4711})), data(told([2], {chatEnded: 'geheim', messages: [event(2, {text: 17 as never})]}))])
  expect(log.flaws.length).toBeGreaterThan(2)
  expect(JSON.stringify(log.flaws)).not.toMatch(/4711|geheim|17/)
})

test('acknowledgements and other channels are not heard', () => {
  const log = new ChatLog()
  log.accept({channel: CHANNEL, successful: true, id: '1'})
  log.accept({channel: '/meta/connect', successful: true})
  log.accept({channel: '/other', data: told([1])})
  expect(log).toMatchObject({notifications: [], flaws: []})
})

test('the number of keys', () => {
  const key = (secureKey: string) => data(told([], {secureKey}))
  expect(heard([asked('readReceipt'), key('a'), asked('readReceipt'), key('a'), asked('readReceipt'), key('b')])).toMatchObject({
    secureKey: 'b',
    keys: 2,
  })
})
