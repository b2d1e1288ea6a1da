import {expect, test} from 'vitest'
import type {PageSeen} from '../flows/customer-page.ts'
import type {Transcript} from '../flows/flow.ts'
import {lossIn} from './outage.ts'

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
