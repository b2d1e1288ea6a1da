import {expect, it} from 'vitest'
import {decide} from './chat-options.ts'

it('an option that is left out, or there without a value, has its default', () => {
  expect(decide({maxFiles: undefined as never, agent: 'silent'})).toMatchObject({maxFiles: 5, maxDownloads: 2, agent: 'silent'})
})
