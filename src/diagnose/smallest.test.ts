import {expect, it} from 'vitest'
import {smallest} from './smallest.ts'

/** Asks as `fix` does, and notes every set that was asked. */
function asking(holds: (set: readonly number[]) => boolean) {
  const asked: string[] = []
  return {
    asked,
    tryAll: (sets: readonly (readonly number[])[]) => {
      asked.push(...sets.map(set => set.join()))
      return Promise.resolve(sets.map(holds))
    },
  }
}

const all = [1, 2, 3, 4, 5, 6, 7, 8]

it.each([
  {name: 'one of eight', needed: [5]},
  {name: 'two that are far apart', needed: [1, 8]},
  {name: 'neighbours', needed: [4, 5]},
  {name: 'all', needed: all},
])('finds what is needed: $name', async ({needed}) => {
  const {tryAll} = asking(set => needed.every(each => set.includes(each)))
  expect(await smallest(all, tryAll)).toEqual(needed)
})

it('finds one of two ways, from which nothing can be taken away', async () => {
  const holds = (set: readonly number[]) => [1, 2].every(each => set.includes(each)) || [7, 8].every(each => set.includes(each))
  const found = await smallest(all, asking(holds).tryAll)
  expect(holds(found)).toBe(true)
  for (const each of found) expect(holds(found.filter(other => other !== each))).toBe(false)
})

it('never asks the same twice, nor for all or nothing', async () => {
  const {asked, tryAll} = asking(set => set.includes(3) && set.includes(6))
  await smallest(all, tryAll)
  expect(new Set(asked).size).toBe(asked.length)
  expect(asked).not.toContain('')
  expect(asked).not.toContain(all.join())
})

it('leaves a single one alone', async () => {
  const {asked, tryAll} = asking(() => true)
  expect(await smallest([1], tryAll)).toEqual([1])
  expect(asked).toEqual([])
})
