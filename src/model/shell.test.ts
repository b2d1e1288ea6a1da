import {execa} from 'execa'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {shellWord} from './shell.ts'

describe('a word of a command line', () => {
  it.each([
    ['polling.hold=45s', 'polling.hold=45s'],
    ['', "''"],
    ['a b', "'a b'"],
    ["it's", String.raw`'it'\''s'`],
    ['größe.yaml', "'größe.yaml'"],
    ['a\nb', String.raw`$'a\nb'`],
    ['a\u202eb', String.raw`$'a\u202eb'`],
    ["\u0000'\\", String.raw`$'\x00\'\\'`],
  ])('%j', (word, expected) => expect(shellWord(word)).toBe(expected))

  it('is one line, and what bash makes of it', async () => {
    // A shell has no word with NUL, and none that is not UTF-8.
    const words = fc.sample(
      fc.string({unit: 'binary', maxLength: 12}).filter(word => !word.includes('\0') && !/\p{Cs}/u.test(word)),
      400,
    )
    const quoted = words.map(shellWord)
    for (const word of quoted) expect(word).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
    const {stdout} = await execa('bash', ['-c', `printf '%s\\0' ${quoted.join(' ')}`], {env: {LC_ALL: 'C.UTF-8'}, stripFinalNewline: false})
    expect(stdout.split('\0').slice(0, -1)).toEqual(words)
  })
})
