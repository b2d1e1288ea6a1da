import {expect, test} from 'vitest'
import {watchBusyness} from './busyness.ts'

test('a process that works all the time is busy', async () => {
  const wasBusy = watchBusyness()
  const until = performance.now() + 200
  while (performance.now() < until) await new Promise(setImmediate)
  expect(wasBusy()).toBe(true)
})

test('one that waits for others is not', async () => {
  const wasBusy = watchBusyness()
  await new Promise(resolve => setTimeout(resolve, 500))
  expect(wasBusy()).toBe(false)
})
