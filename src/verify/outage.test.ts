import {expect, test} from 'vitest'
import type {PageSeen} from '../flows/customer-page.ts'
import type {Transcript} from '../flows/flow.ts'
import {RequestLog} from '../simulator/request-log.ts'
import {lossIn, metAnError, newcomerEveryMs} from './outage.ts'

const AGENT = {nickname: 'Agent', participantId: 2, type: 'Agent'} as const
const CLIENT = {nickname: 'Probe', participantId: 1, type: 'Client'} as const

function chatWith(texts: readonly (readonly [from: typeof AGENT | typeof CLIENT, text: string])[]): Transcript & PageSeen {
  return {
    flow: 'customer-page',
    exchanges: [],
    ended: 'completed',
    transport: 'websocket',
    opened: true,
    sessions: [],
    failures: [],
    events: texts.map(([from, text], at) => ({from, text, index: at + 1, type: 'Message', utcTime: 0})),
    said: [{attempts: ['hello', 'hello (2)'], answered: 'hello (2)', at: 0, answeredAt: 1}],
  }
}

test('what was said is in the transcript once', () => {
  expect(
    lossIn(
      chatWith([
        [AGENT, 'news'],
        [CLIENT, 'hello (2)'],
      ]),
      ['news'],
    ),
  ).toBeUndefined()
})

test.each([
  ['what the agent said is missing', [[CLIENT, 'hello (2)']], /"news".* never/],
  [
    'what the agent said is there twice',
    [
      [AGENT, 'news'],
      [AGENT, 'news'],
      [CLIENT, 'hello (2)'],
    ],
    /"news".* 2 times/,
  ],
  ['what the customer said is missing', [[AGENT, 'news']], /"hello \(2\)".* never/],
  [
    'an attempt that got no answer was carried out twice',
    [
      [AGENT, 'news'],
      [CLIENT, 'hello'],
      [CLIENT, 'hello'],
      [CLIENT, 'hello (2)'],
    ],
    /"hello" of the customer.* 2 times/,
  ],
] as const)('%s', (_, texts, loss) => {
  expect(lossIn(chatWith(texts), ['news'])).toMatch(loss)
})

test.each([2, 3, 5, 10])('of %i nodes none is missed by chance', nodes => {
  // Of the 30 s after its return a node may still be left out for ten; half of the newcomers come over each transport.
  const chances = 20_000 / newcomerEveryMs(nodes) / 2
  expect((1 - 1 / nodes) ** chances).toBeLessThan(0.00001)
})

test.each([
  ['timed-out', 0.95, false],
  ['timed-out', 0.5, true],
  ['refused', 0.95, true],
] as const)('a newcomer who %s while this process was busy for %d of the time', (ended, strain, isError) => {
  const newcomer = {flow: 'handshake', exchanges: [], transport: 'websocket', blow: 0, cameAfterMs: 25_000, tookMs: 15_000} as const
  const handshake = {supportedConnectionTypes: [], cookies: [], headers: {}}
  expect(metAnError({...newcomer, ...handshake, ended, strain}, new RequestLog(8))).toBe(isError)
})
