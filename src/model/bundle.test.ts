import {expect, it} from 'vitest'
import type {Edit} from './bundle.ts'
import {applyEdits} from './bundle.ts'

const BUNDLE = {proxy: 'nginx', entry: 'a', origin: 'read', files: [{path: 'a', text: 'one two'}]} as const
const edit = (start: number, end: number, text: string): Edit => ({
  span: {file: 'a', start, end, line: 1, column: start + 1},
  text,
  why: '',
})
const edited = (...edits: readonly Edit[]) => applyEdits(BUNDLE, edits).files[0]?.text

it('applies edits by their places, whatever their order', () => {
  expect(edited(edit(4, 7, '2'), edit(0, 3, '1'))).toBe('1 2')
})

it('puts a line in once that two mends need', () => {
  expect(edited(edit(4, 4, 'and '), edit(4, 4, 'and '), edit(4, 4, 'not '))).toMatch(/^one (?:and not|not and) two$/)
})

it('refuses edits that overlap', () => {
  expect(() => edited(edit(0, 3, '1'), edit(2, 5, 'x'))).toThrow('overlapping edits at a:1:1')
})
