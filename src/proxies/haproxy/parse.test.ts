import {spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import type {ConfigBundle} from '../../model/bundle.ts'
import {parse, quoteWord, usesEnvironment} from './parse.ts'

const bundleOf = (text: string): ConfigBundle => ({
  proxy: 'haproxy',
  entry: 'haproxy.cfg',
  origin: 'read',
  files: [{path: 'haproxy.cfg', text}],
})
const read = (text: string) => {
  const config = parse(bundleOf(text))
  return {problems: config.problems, directives: config.files[0]?.directives ?? []}
}
const words = (line: string) => read(line).directives.flatMap(({name, args}) => [name, ...args.map(({value}) => value)])
const installed = spawnSync('haproxy', ['-v'], {env: {PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`}}).status === 0

describe('words', () => {
  test.each([
    ['server a 10.0.0.1:80', ['server', 'a', '10.0.0.1:80']],
    ['\tserver\ta\v1:80\r', ['server', 'a', '1:80']],
    ['acl x path /a#comment', ['acl', 'x', 'path', '/a']],
    ['acl x path /a\\#b', ['acl', 'x', 'path', '/a#b']],
    [String.raw`log-format a\ b"c d"'e f'\x41`, ['log-format', 'a bc de fA']],
    [String.raw`log-format "x'\"y" 'a\x41"'`, ['log-format', `x'"y`, String.raw`a\x41"`]],
    [String.raw`log-format \q "\$A" \$A`, ['log-format', String.raw`\q`, '$A', String.raw`\$A`]],
    ['log-format ""', ['log-format', '']],
    ['# nothing', []],
  ])('%s', (line, expected) => {
    expect(words(line)).toEqual(expected)
    expect(read(line).problems).toEqual([])
  })

  test('a quote that is left open is a problem at the place where it opened', () => {
    expect(read('global\n  log "x').problems).toMatchObject([{message: 'unmatched quote "', span: {line: 2, column: 7}}])
  })

  test('nothing continues a line', () => {
    expect(read('global\n  maxconn \\\n  20').directives[0]?.block).toHaveLength(2)
  })
})

describe('spans', () => {
  const text = '# first\nglobal\n  maxconn 10 # c\n\nfrontend  "a b"\r\n  bind :80  ssl\r\n'

  test('cut exactly the text they name', () => {
    const cut = ({start, end}: {start: number; end: number}) => text.slice(start, end)
    const [global, frontend] = read(text).directives
    expect(cut(global?.span ?? {start: 0, end: 0})).toBe('global\n  maxconn 10')
    expect(frontend?.args[0]).toMatchObject({value: 'a b', raw: '"a b"', quote: '"', span: {line: 5, column: 11}})
    const bind = frontend?.block?.[0]
    expect(bind?.args.map(({span}) => cut(span))).toEqual([':80', 'ssl'])
    expect(bind?.nameSpan).toMatchObject({line: 6, column: 3})
  })

  test('cut the raw text of every word of any text', () => {
    fc.assert(
      fc.property(fc.string({unit: fc.constantFrom('a', ' ', '\n', '"', "'", '\\', '#', 'x41', 'listen ', 'é', '\t')}), random => {
        for (const top of read(random).directives)
          for (const {args} of [top, ...(top.block ?? [])])
            for (const {raw, span} of args) expect(random.slice(span.start, span.end)).toBe(raw)
      }),
    )
  })
})

test('variables are seen between double quotes only', () => {
  expect(['"$A"', 'x"${A}"', '"\'$A\'"'].map(raw => usesEnvironment({raw}))).toEqual([true, true, true])
  expect(['$A', "'$A'", '"\\$A"', `'"$A"'`].map(raw => usesEnvironment({raw}))).toEqual([false, false, false, false])
})

describe.skipIf(!installed)('agreement with HAProxy itself', () => {
  /** `.notice WORD` makes `haproxy -c` print the word as it understood it; HAProxy gives up after 20 errors. */
  function understood(lines: readonly string[]): readonly (string | undefined)[] {
    if (lines.length > 20) return [...understood(lines.slice(0, 20)), ...understood(lines.slice(20))]
    const folder = mkdtempSync(join(tmpdir(), 'gms-proxy-parse-'))
    try {
      writeFileSync(join(folder, 'a.cfg'), lines.map(line => `.notice ${line}\n`).join(''))
      const {stderr} = spawnSync('haproxy', ['-c', '-f', 'a.cfg'], {
        cwd: folder,
        encoding: 'utf8',
        env: {PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`},
      })
      const said = new Map(
        [...stderr.matchAll(/^\[NOTICE\].*parsing \[a\.cfg:(\d+)\]: '(.*)'\.$/gm)].map(([, line, word]) => [Number(line), word]),
      )
      return lines.map((_, i) => said.get(i + 1))
    } finally {
      rmSync(folder, {recursive: true})
    }
  }

  test('on 300 random words', () => {
    const unit = fc.constantFrom('a', 'b', ' ', '\t', '"', "'", '\\', '#', '\\x41', '\\x4', '\\"', "\\'", '\\ ', '\\#', '$', '/')
    const lines = fc.sample(fc.string({unit, minLength: 1, maxLength: 12}), 300).filter(line => !usesEnvironment({raw: line}))
    const ours = lines.map(line => {
      const {problems, directives} = read(`.notice ${line}`)
      const args = directives[0]?.args ?? []
      return problems.length === 0 && (args[1]?.value ?? '') === '' ? (args[0]?.value ?? '') : undefined
    })
    const theirs = understood(lines)
    lines.forEach((line, i) => expect({line, word: ours[i]}).toEqual({line, word: theirs[i]}))
  })

  test('on words that were quoted by us', () => {
    const values = ['a b', `it's`, '$HOME "x"', 'a\\b', '#', 'plain-1.2_3:4', '']
    expect(understood(values.map(quoteWord))).toEqual(values)
  })
})
