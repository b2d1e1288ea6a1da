import {expect, it} from 'vitest'
import {slipOf} from './slips.ts'

it.each([
  ['timout', 'timeout'],
  ['tiemout', 'timeout'],
  ['default_backnd', 'default_backend'],
  ['defalt_backnd', 'default_backend'],
  ['timeout', 'timeout'],
  ['tim', undefined],
  ['tmout', undefined],
  ['something_else', undefined],
  ['', undefined],
])('%j means %j', (word, meant) => expect(slipOf(word, ['timeout', 'time', 'default_backend', 'bind'])).toBe(meant))
