import {describe, expect, test} from 'vitest'
import type {Directive} from '../syntax.ts'
import {parse} from './parse.ts'

const read = (text: string) => {
  const config = parse({proxy: 'nginx', entry: 'nginx.conf', origin: 'read', files: [{path: 'nginx.conf', text}]})
  return {
    directives: config.files[0]?.directives ?? [],
    problems: config.problems.map(({message, span}) => `${span.line}:${span.column} ${message}`),
  }
}
/** `name a b {child}`: names and values only. */
const shape = (directives: readonly Directive[]): string =>
  directives.map(({name, args, block}) => [name, ...args.map(({value}) => value)].join('|') + (block ? `{${shape(block)}}` : '')).join(' ')

describe('words', () => {
  test.each([
    ['several directives on a line', 'a 1;b 2; c{d;}', 'a|1 b|2 c{d}'],
    ['quotes keep spaces, braces, semicolons and line ends', `a "x; {\n}" 'y "z"';`, 'a|x; {\n}|y "z"'],
    ['a quote within a word is a character', `a b"c d'e;`, `a|b"c|d'e`],
    ['escapes', String.raw`a "x\"y" z\;w \{ "a\tb" "\." "\\";`, 'a|x"y|z\\;w|\\{|a\tb|\\.|\\'],
    ['a variable in braces does not open a block', 'a http://${host}:80${uri};', 'a|http://${host}:80${uri}'],
    ['a regular expression with braces needs quotes', 'location ~ "^/[a-z]{2,5}$" { b; }', 'location|~|^/[a-z]{2,5}${b}'],
    ['comments between arguments', 'a 1 # one; {\n  2; # two\n', 'a|1|2'],
    ['# within a word is a character', 'a b#c;', 'a|b#c'],
    ['an empty argument', `map $a $b { '' close; "" x; }`, 'map|$a|$b{|close |x}'],
    ['a closing brace within a word is a character', 'a x} y;', 'a|x}|y'],
    ['if', 'if ($a = "b c") { return 418; }', 'if|($a|=|b c|){return|418}'],
    ['CRLF', 'a 1;\r\nb {\r\n}\r\n', 'a|1 b{}'],
    ['a quoted name', '"listen" 80;', 'listen|80'],
    [
      'Lua with braces in strings and comments',
      'content_by_lua_block {\n  -- }\n  say("}") --[[ } ]]\n  if x then y = {1} end\n}\nb;',
      'content_by_lua_block b',
    ],
  ])('%s', (_, text, expected) => {
    const {directives, problems} = read(text)
    expect(problems).toEqual([])
    expect(shape(directives)).toBe(expected)
  })

  test.each([
    ['a', '1:2 unexpected end of file, expecting ";" or "}"'],
    ['a {\n  b;\n', '3:1 unexpected end of file, expecting "}"'],
    ['a; }', '1:4 unexpected "}"'],
    ['a { b }', '1:7 unexpected "}"'],
    [';', '1:1 unexpected ";"'],
    ['a "b"c;', '1:6 unexpected "c"'],
    ['a "b;\n', '1:3 unexpected end of file, a quote is not closed'],
  ])('%j is a problem with a place', (text, expected) => {
    expect(read(text).problems[0]).toBe(expected)
  })
})

test('spans cover what is written, quotes and closing brace included', () => {
  const text = 'http {\n    server {\n        listen  "80" default_server;\n    }\n}\n'
  const listen = read(text).directives[0]?.block?.[0]?.block?.[0]
  const address = listen?.args[0]
  expect(text.slice(listen?.span.start, listen?.span.end)).toBe('listen  "80" default_server;')
  expect(address).toMatchObject({value: '80', raw: '"80"', quote: '"', span: {line: 3, column: 17}})
  const server = read(text).directives[0]?.block?.[0]
  expect(text.slice(server?.span.start, server?.span.end)).toMatch(/^server \{[^]*\}$/)
})
