import {expect, it} from 'vitest'
import {hasMisplacedWildcard, isChannelName, wildcardsOf} from './bayeux-channel.ts'

it.each([
  ['/a', true],
  ['/service/chatV2/customer-support', true],
  ['/a b!#$()*+-./@_{~}', true],
  ['/', false],
  ['', false],
  ['chat', false],
  ['/a?b', false],
  ['/ä', false],
])('%s is a channel name: %s', (name, valid) => {
  expect(isChannelName(name)).toBe(valid)
})

it.each([
  ['/a/*', false],
  ['/a/**', false],
  ['/a', false],
  ['/a/*/b', true],
  ['/a/b*', true],
  ['/a/***', true],
])('%s has a wildcard in a wrong place: %s', (name, misplaced) => {
  expect(hasMisplacedWildcard(name)).toBe(misplaced)
})

it('names every wildcard above a channel', () => {
  expect(wildcardsOf('/a/b/c')).toEqual(['/a/b/*', '/a/b/**', '/a/**', '/**'])
  expect(wildcardsOf('/a')).toEqual(['/*', '/**'])
})
