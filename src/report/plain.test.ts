import {describe, expect, it} from 'vitest'
import {columns, duration, fit, harmless, wrap} from './plain.ts'

describe('harmless', () => {
  it.each([
    ['\u001b[31mred', '␛[31mred'],
    ['a\r\nb', 'a\nb'],
    ['a\rb', 'a␍b'],
    ['\u007f\u009b', '␡\\u{9b}'],
    ['\u202e\u200b\ufeff', '\\u{202e}\\u{200b}\\u{feff}'],
    ['\ud800x', '\ufffdx'],
    ['tab\tstays, é 日本 ✔ too', 'tab\tstays, é 日本 ✔ too'],
  ])('%j', (from, to) => {
    expect(harmless(from)).toBe(to)
    expect(harmless(to)).toBe(to)
  })
})

it('breaks lines at white space, and words that are too long', () => {
  expect(wrap('one two three four five six', 20)).toEqual(['one two three four', 'five six'])
  expect(wrap(`${'x'.repeat(45)} y`, 20)).toEqual(['x'.repeat(20), 'x'.repeat(20), `${'x'.repeat(5)} y`])
  expect(wrap('a\n  b', 20)).toEqual(['a', '  b'])
})

it('counts the columns of a terminal', () => {
  expect([columns('abc'), columns('日本'), columns('✔')]).toEqual([3, 4, 1])
  expect([fit('abc', 5), fit('abc', 5, 'right'), fit('abcdef', 4)]).toEqual(['abc  ', '  abc', 'abc…'])
})

it('speaks of time with three digits at most', () => {
  expect([18, 999, 4210, 38_200, 125_000].map(duration)).toEqual(['18 ms', '999 ms', '4.2 s', '38.2 s', '2 min 5 s'])
})
