import {expect, it} from 'vitest'
import {applyEdits} from '../model/bundle.ts'
import type {ConfigBundle, Edit} from '../model/bundle.ts'
import {nginx} from '../proxies/nginx/index.ts'
import type {Directive, ParsedConfig} from '../proxies/syntax.ts'
import {allOf, insertedBelow, insertedInto, siblingsAt, withArguments, withoutArgument, withoutLine} from './source.ts'

const TEXT = 'server {\r\n    listen 80 ssl; # one\r\n    server_name a b;\r\n    location / { return 404; }\r\n}\r\n'

function edited(name: RegExp, edits: (config: ParsedConfig, line: Directive) => readonly Edit[]): string | undefined {
  const bundle: ConfigBundle = {proxy: 'nginx', entry: 'nginx.conf', origin: 'read', files: [{path: 'nginx.conf', text: TEXT}]}
  const config = nginx.parse(bundle)
  const [line] = allOf(config, name)
  return line && applyEdits(bundle, edits(config, line)).files[0]?.text
}

it('takes a line away with its end, and only the words where something else stands on it', () => {
  expect(edited(/^server_name$/, (config, line) => withoutLine(config, line, ''))).toBe(TEXT.replace('    server_name a b;\r\n', ''))
  expect(edited(/^return$/, (config, line) => withoutLine(config, line, ''))).toBe(TEXT.replace('return 404;', ''))
  expect(edited(/^listen$/, (config, line) => withoutLine(config, line, ''))).toBe(TEXT.replace('listen 80 ssl;', ''))
})

it('puts lines below, behind a comment, indented and ended as the file does', () => {
  expect(edited(/^listen$/, (config, line) => insertedBelow(config, line.span, ['', 'a;', 'b;'], ''))).toBe(
    TEXT.replace('# one\r\n', '# one\r\n\r\n    a;\r\n    b;\r\n'),
  )
  expect(edited(/^server$/, (config, line) => insertedInto(config, line.span, 'a;'))).toBe(TEXT.replace('a b;\r\n', 'a b;\r\n    a;\r\n'))
})

it('changes and takes away arguments', () => {
  expect(edited(/^listen$/, (_, line) => withoutArgument(line, 1, ''))).toBe(TEXT.replace('80 ssl', '80'))
  expect(edited(/^server_name$/, (_, line) => withArguments(line, 'c', ''))).toBe(TEXT.replace('a b', 'c'))
})

it('knows the lines beside a line', () => {
  edited(/^return$/, (config, line) => {
    expect(siblingsAt(config, line.span)).toEqual([line])
    return []
  })
  edited(/^listen$/, (config, line) => {
    expect(siblingsAt(config, line.span).map(({name}) => name)).toEqual(['listen', 'server_name', 'location'])
    return []
  })
})
