import {spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'
import {afterAll, describe, expect, it, test} from 'vitest'
import type {Directive} from '../syntax.ts'
import {apache} from './index.ts'
import {isNamed, parse, parseFile, walk} from './parse.ts'

const bundleOf = (text: string) => ({proxy: 'apache', entry: 'httpd.conf', origin: 'read', files: [{path: 'httpd.conf', text}]}) as const
const words = (directive: Directive | undefined) => [directive?.name, ...(directive?.args ?? []).map(({value}) => value)]
const read = (text: string) => parseFile('httpd.conf', text)

describe('words', () => {
  test.each([
    ['Header set X "a b" c', ['Header', 'set', 'X', 'a b', 'c']],
    ['Header set X \'a "b"\'', ['Header', 'set', 'X', 'a "b"']],
    ['Header set X "a \\"b\\" \\\\ \\d"', ['Header', 'set', 'X', 'a "b" \\ \\d']],
    ['ProxyPass / http://<your_domain_name>:<your_port>/', ['ProxyPass', '/', 'http://<your_domain_name>:<your_port>/']],
    ['A b"c d"', ['A', 'b"c', 'd"']],
    ['A "b"c', ['A', 'b', 'c']],
    ['A "not closed', ['A', 'not closed']],
    ['"LoadModule" x y', ['LoadModule', 'x', 'y']],
    ['\t \fListen\v80 \t', ['Listen', '80']],
    ['Load\\\nModule a \\\n  b', ['LoadModule', 'a', 'b']],
    ['Listen 80 \\\r\n 443\r\n', ['Listen', '80', '443']],
    ['Listen 80 # no comment', ['Listen', '80', '#', 'no', 'comment']],
    ['Listen 80\\', ['Listen', '80\\']],
  ])('%j', (text, expected) => {
    expect(words(read(text).directives[0])).toEqual(expected)
  })

  test('a comment is continued like any other line', () => {
    expect(read('# one \\\nLoadModule evil x\nListen 80').directives.map(({name}) => name)).toEqual(['Listen'])
  })
})

describe('spans', () => {
  const text = 'Listen 80\n<VirtualHost *:80>\n  Server\\\nAlias "a b" \\\n    c\n</VirtualHost>\n'
  const {directives} = read(text)

  test('cover what was written, continuation included', () => {
    const alias = directives[1]?.block?.[0]
    expect(alias?.name).toBe('ServerAlias')
    expect(text.slice(alias?.span.start, alias?.span.end)).toBe('Server\\\nAlias "a b" \\\n    c')
    expect(alias?.args.map(({raw, quote, span}) => [raw, quote, span.line, span.column])).toEqual([
      ['"a b"', '"', 4, 7],
      ['c', undefined, 5, 5],
    ])
    expect(alias?.nameSpan).toMatchObject({line: 3, column: 3})
  })

  test('a section covers its closing line', () => {
    const host = directives[1]
    expect(words(host)).toEqual(['VirtualHost', '*:80'])
    expect(text.slice(host?.span.start, host?.span.end)).toBe(text.slice(text.indexOf('<V'), -1))
    expect(host?.args[0]?.span).toMatchObject({line: 2, column: 14})
  })
})

describe('sections', () => {
  it('nests, and compares names without regard to case', () => {
    const {directives, problems} = read('<IfModule a>\n<Proxy balancer://x>\nBalancerMember http://a\n</PROXY>\n</ifmodule>')
    expect(problems).toEqual([])
    expect(words(directives[0]?.block?.[0])).toEqual(['Proxy', 'balancer://x'])
    expect(words(directives[0]?.block?.[0]?.block?.[0])).toEqual(['BalancerMember', 'http://a'])
  })

  it('ignores what follows the last > of a section line, as httpd does', () => {
    const {directives} = read('<VirtualHost *:80> ProxyRequests on\n</VirtualHost>')
    expect(words(directives[0])).toEqual(['VirtualHost', '*:80'])
    expect(directives[0]?.block).toEqual([])
  })

  test.each([
    ['<VirtualHost *:80', 'no closing >'],
    ['<VirtualHost *:80>\n', 'was not closed'],
    ['</VirtualHost>', 'not open'],
    ['<A>\n<B>\n</A>\n</B>', 'expected </B> but saw </A>'],
    ['Listen 80\0\nUser x', 'NUL'],
  ])('%j is a problem', (text, message) => {
    expect(read(text).problems[0]?.message).toContain(message)
  })
})

test('any text is read, and every span lies within it', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '</',
    'A',
    '"',
    "'",
    '\\',
    '\n',
    '\r\n',
    ' ',
    '#',
    '${x}',
    '\\\n',
    'é',
    '\0',
    '<VirtualHost *:80>',
    '</VirtualHost>',
  )
  fc.assert(
    fc.property(fc.array(piece, {maxLength: 40}), pieces => {
      const text = pieces.join('')
      for (const {directive} of walk(parse(bundleOf(text)))) {
        for (const {span} of [directive, ...directive.args]) {
          expect(span.start).toBeGreaterThanOrEqual(0)
          expect(span.end).toBeGreaterThanOrEqual(span.start)
          expect(span.end).toBeLessThanOrEqual(text.length)
        }
        for (const {raw, span} of directive.args) expect(raw).toBe(text.slice(span.start, span.end))
      }
    }),
  )
})

const binary = ['apache2', 'httpd']
  .flatMap(name => ['', ...apache.binaryFolders.map(folder => `${folder}/`)].map(folder => folder + name))
  .find(path => spawnSync(path, ['-v']).status === 0)

describe.skipIf(binary === undefined)('against httpd itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gms-proxy-apache-'))
  afterAll(() => rmSync(folder, {recursive: true, force: true}))

  test('words of any soup of quotes, backslashes, continuations and sections are split alike', async () => {
    const ask = (args: readonly string[]) => {
      const {stdout, stderr} = spawnSync(binary ?? '', args, {encoding: 'utf8'})
      return Promise.resolve(stdout + stderr)
    }
    const {readdir} = await import('node:fs/promises')
    const installation = await apache.installation(binary ?? '', '2.4.0', ask, path => readdir(path).catch(() => []))
    const load = ['mpm_event', 'authz_core']
      .filter(name => installation.loadable.includes(`mod_${name}.so`))
      .map(name => `LoadModule ${name}_module "${installation.modulesFolder}/mod_${name}.so"`)
    // wildcards and dots would be printed or judged in another way
    const piece = fc.constantFrom(
      'a',
      'b',
      'Q',
      '"',
      "'",
      '\\',
      '\\"',
      "\\'",
      '\\\\',
      ' ',
      '  ',
      '\t',
      '\\\n',
      '\\\r\n',
      '#',
      '<',
      '>',
      '>x',
      '\nServerAlias ',
      '\n"ServerAlias" ',
      '\n# ',
      '\n<IfModule core.c> ',
      '\n</IfModule>\n',
    )
    const soup = fc.array(piece, {minLength: 1, maxLength: 30}).map(pieces => `ServerAlias first ${pieces.join('')}`)
    let judged = 0
    fc.assert(
      fc.property(soup, text => {
        const whole = [
          `ServerRoot "${folder}"`,
          `ErrorLog "${folder}/error.log"`,
          'ServerName main',
          ...load,
          'Listen 127.0.0.1:1',
          '<VirtualHost *:1>',
          'ServerName one',
          text,
          '</VirtualHost>',
          '<VirtualHost *:1>',
          'ServerName two',
          '</VirtualHost>',
          '',
        ].join('\n')
        const file = join(folder, 'soup.conf')
        writeFileSync(file, whole)
        const {stdout, status} = spawnSync(binary ?? '', ['-d', folder, '-f', file, '-t', '-D', 'DUMP_VHOSTS'], {encoding: 'utf8'})
        const seen = [...stdout.matchAll(/^ +alias (.*)$/gm)].map(([, alias]) => alias)
        const config = parse(bundleOf(whole))
        const ours = walk(config)
          .filter(({directive}) => isNamed(directive, 'ServerAlias'))
          .flatMap(({directive}) => directive.args.map(({value}) => value.toLowerCase()))
        // what httpd refuses (a section left open, say) is no question of words
        if (status !== 0 || !stdout.includes('namevhost two')) return
        judged += 1
        expect(ours.filter(value => value !== '')).toEqual(seen.map(value => value?.toLowerCase()).filter(value => value !== ''))
      }),
      {numRuns: 150},
    )
    expect(judged).toBeGreaterThan(20)
  }, 60_000)
})

it('says of sections within sections within sections that they are too many', () => {
  const deep = (count: number) => parse(bundleOf(`${'<IfModule !x.c>\n'.repeat(count)}${'</IfModule>\n'.repeat(count)}`))
  expect(deep(100).problems).toEqual([])
  expect(deep(20_000).problems.map(({message}) => message)).toEqual(['sections are nested too deeply'])
  expect(() => walk(deep(20_000))).not.toThrow()
})
