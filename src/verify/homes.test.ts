import {expect, test} from 'vitest'
import {onOneNode} from './homes.ts'

test('users who were all on one node are no proof for the other', () => {
  expect(onOneNode(['gms1', 'gms1'])).toBe(', all on gms1: other nodes were not seen')
  expect(onOneNode(['gms1', 'gms2', 'gms1'])).toBe('')
  expect(onOneNode([undefined])).toBe('')
  expect(onOneNode([])).toBe('')
})
