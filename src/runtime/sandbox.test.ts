import {describe, expect, it} from 'vitest'
import type {Edit} from '../model/bundle.ts'
import {applyEdits} from '../model/bundle.ts'
import {originalLine} from './sandbox.ts'

const text = 'one\ntwo\nthree\nfour\nfive\n'

/** Replaces the first occurrence of `what`. */
function edit(what: string, replacement: string, at = text.indexOf(what)): Edit {
  const before = text.slice(0, at)
  return {
    span: {file: 'f', start: at, end: at + what.length, line: before.split('\n').length, column: at - before.lastIndexOf('\n')},
    text: replacement,
    why: '',
  }
}

/** For each line of the edited text: the line it is said to come from. */
function origins(edits: readonly Edit[]): readonly string[] {
  const edited = applyEdits({proxy: 'nginx', entry: 'f', files: [{path: 'f', text}], origin: 'read'}, edits).files[0]?.text ?? ''
  return edited
    .trimEnd()
    .split('\n')
    .map((line, index) => `${line}<${originalLine(text, edits, index + 1)}`)
}

describe('the line of the user that a line of the sandbox came from', () => {
  it('is the same while edits keep their lines', () => {
    expect(origins([edit('two', 'TWO'), edit('four', '')])).toEqual(['one<1', 'TWO<2', 'three<3', '<4', 'five<5'])
  })

  it('counts lines that were inserted', () => {
    expect(origins([edit('', 'a\nb\n', 0), edit('', 'c\n', text.indexOf('four'))])).toEqual([
      'a<1',
      'b<1',
      'one<1',
      'two<2',
      'three<3',
      'c<4',
      'four<4',
      'five<5',
    ])
  })

  it('counts lines that were removed', () => {
    expect(origins([edit('two\nthree\n', '')])).toEqual(['one<1', 'four<4', 'five<5'])
  })

  it('stays inside a replacement that is longer or shorter', () => {
    expect(origins([edit('two', 'a\nb\nc'), edit('three\nfour', 'd')])).toEqual(['one<1', 'a<2', 'b<2', 'c<2', 'd<3', 'five<5'])
  })
})
