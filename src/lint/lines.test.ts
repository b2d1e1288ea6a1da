import {describe, expect, it} from 'vitest'
import type {Span} from '../model/bundle.ts'
import {Lines} from './lines.ts'

const span = (text: string, part: string): Span => {
  const start = text.indexOf(part)
  return {file: 'f', start, end: start + part.length, line: 0, column: 0}
}

it.each([
  {text: '', offset: 0, at: {line: 1, column: 1}},
  {text: 'a\nb', offset: 0, at: {line: 1, column: 1}},
  {text: 'a\nb', offset: 1, at: {line: 1, column: 2}},
  {text: 'a\nb', offset: 2, at: {line: 2, column: 1}},
  {text: 'a\n', offset: 2, at: {line: 2, column: 1}},
  {text: 'a\r\n\r\nb', offset: 5, at: {line: 3, column: 1}},
])('finds offset $offset of $text', ({text, offset, at}) => {
  expect(new Lines(text).at(offset)).toEqual(at)
})

describe('a place', () => {
  const text = 'http {\n\tserver {\n\t\tlisten 80;\n\t}\n}\n'

  it('is the first line of a block', () => {
    expect(new Lines(text).locate(span(text, 'server {\n\t\tlisten 80;\n\t}'), 'conf/f')).toEqual({
      file: 'conf/f',
      line: 2,
      column: 2,
      endLine: 2,
      endColumn: 10,
      text: 'server {',
    })
  })

  it('has its neighbours, but no empty lines at the edges', () => {
    const lines = new Lines('a\n\nb\n\nc')
    expect(lines.excerpt({file: 'f', line: 3, column: 1, endColumn: 2})).toEqual({
      line: 3,
      lines: ['b'],
      mark: {line: 3, column: 1, endColumn: 2},
    })
    expect(new Lines('a\nb\nc').excerpt({file: 'f', line: 1, column: 1}).lines).toEqual(['a', 'b'])
  })

  it('survives the end of the file', () => {
    const lines = new Lines('a\n')
    expect(lines.locate({file: 'f', start: 2, end: 2, line: 2, column: 1}, 'f')).toEqual({
      file: 'f',
      line: 2,
      column: 1,
      endLine: 2,
      endColumn: 1,
    })
    expect(lines.excerpt({file: 'f', line: 2, column: 1}).mark).toEqual({line: 2, column: 1, endColumn: 2})
  })
})

describe('secrets', () => {
  it('are hidden, and then the whole line is pointed at', () => {
    const lines = new Lines('server {\n  stats auth admin:secret extra\n}')
    expect(lines.excerpt({file: 'f', line: 2, column: 27, endColumn: 32})).toEqual({
      line: 1,
      lines: ['server {', '  stats auth ‹redacted› extra', '}'],
      mark: {line: 2, column: 3, endColumn: 30},
    })
  })

  it('that span lines are hidden on each of them', () => {
    const key = Array.from({length: 30}, (_, index) => `MIIE${index}abc`)
    const text = ['-----BEGIN PRIVATE KEY-----', ...key, '-----END PRIVATE KEY-----', 'listen 80;'].join('\n')
    const lines = new Lines(text)
    for (let line = 1; line <= lines.count; line += 1)
      expect(
        JSON.stringify([
          lines.excerpt({file: 'f', line, column: 1}),
          lines.locate({...span(text, ''), start: lines.offset(line), end: lines.offset(line)}, 'f'),
        ]),
      ).not.toContain('MIIE')
    expect(lines.safe(lines.count)).toBe('listen 80;')
  })

  it('in quotes over two lines are hidden', () => {
    const lines = new Lines('proxy_set_header Authorization "Basic\n dXNlcjpwYXNz";\nlisten 80;')
    expect(JSON.stringify(lines.excerpt({file: 'f', line: 1, column: 1}))).not.toContain('dXNl')
  })
})
