import {spawnSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {readdir} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'
import {afterAll, describe, expect, it} from 'vitest'
import {applyEdits} from '../../src/model/bundle.ts'
import type {ConfigBundle} from '../../src/model/bundle.ts'
import {apache} from '../../src/proxies/apache/index.ts'
import {parse} from '../../src/proxies/apache/parse.ts'
import {site} from '../../src/proxies/apache/site.ts'
import type {Directive, ParsedConfig} from '../../src/proxies/syntax.ts'
import {installed, PATIENCE_MS, READ_RUNS} from '../support/accepted.ts'

// What httpd accepts is read without a problem and without loss; what it refuses for its syntax has a problem with a place.

const binary = await installed(apache)
const box = mkdtempSync(join(tmpdir(), 'gms-proxy-reader-'))
afterAll(() => rmSync(box, {recursive: true, force: true}))
const ask = (args: readonly string[]) => {
  const {stdout, stderr} = spawnSync(binary ?? 'httpd', args, {encoding: 'utf8'})
  return Promise.resolve(stdout + stderr)
}
const installation = await apache.installation(binary ?? 'httpd', '2.4.0', ask, folder => readdir(folder).catch(() => []))

/** Messages about sections, not about what stands in them (server/config.c, server/core.c). */
const SYNTAX = /was not closed|Expected <\/.*> but saw|without matching|missing closing '>'/
const GOLDENS = ['minimal', 'two-nodes', 'trusted-hops', 'source-address'].map(name =>
  readFileSync(join(import.meta.dirname, `../../fixtures/golden/apache/${name}/httpd.conf`), 'utf8'),
)
const PIECES = [
  'a',
  'b"',
  '"x y"',
  "'q'",
  '"',
  "'",
  '\\',
  '\\"',
  '\\\n',
  '\\\r\n',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '#',
  '\n# c',
  '\n# c \\\n',
  '>',
  'é',
  '\u{1F600}',
  '${v}',
  '\nServerAlias ',
  '\nserveralias\t',
  '\n<IfModule core.c>\n',
  '\n<IfModule core.c> behind\n',
  '\n</IfModule>\n',
  '\n</ifmodule>\n',
  '\n<Location /x>\n',
  '\n<Location "/x y">\n',
  '\n</Location>\n',
  '\n<Location /x\n',
]

const bundleOf = (text: string): ConfigBundle => ({
  proxy: 'apache',
  entry: 'httpd.conf',
  origin: 'read',
  files: [{path: 'httpd.conf', text}],
})

/** Module lines, as this machine has them; one that it does not have is compiled in. */
function withModules(text: string): string {
  return text.replace(/^LoadModule (\S+)\s+\S*?(mod_\w+\.so)[ \t]*$/gm, (_, symbol: string, file: string) =>
    installation.loadable.includes(file) ? `LoadModule ${symbol} ${installation.modulesFolder ?? ''}/${file}` : '# compiled in',
  )
}
const HEAD = withModules(
  ['mpm_event', 'authz_core'].map(name => `LoadModule ${name}_module mod_${name}.so\n`).join('') +
    `ServerRoot "${box}"\nErrorLog "${box}/error.log"\nServerName main\nListen 127.0.0.1:1\n`,
)

function verdict(text: string): {accepted: boolean; output: string} {
  const file = join(box, 'httpd.conf')
  writeFileSync(file, text)
  const {status, stderr} = spawnSync(binary ?? 'httpd', ['-d', box, '-f', file, '-t'], {encoding: 'utf8'})
  return {accepted: status === 0, output: stderr}
}

/** Every character outside directives, comments and ignored text is white or belongs to the brackets of a section. */
function assertLossless(text: string, {files}: ParsedConfig): void {
  const [file] = files
  for (const {span, text: comment} of file?.comments ?? [])
    expect(text.slice(span.start, span.end).replace(/\\\r?\n/g, '')).toContain(comment)
  const outside: [number, number][] = []
  const visit = (lines: readonly Directive[], from: number, to: number): void => {
    let last = from
    for (const {span, args, block} of lines) {
      expect([span.start >= last, span.end <= to]).toEqual([true, true])
      outside.push([last, span.start])
      last = span.end
      for (const {raw, span: own} of args) expect(text.slice(own.start, own.end)).toBe(raw)
      // what stands behind the closing bracket of the opening line is ignored
      if (block) visit(block, Math.min(span.end, text.indexOf('\n', args.at(-1)?.span.end ?? span.start) + 1), span.end)
    }
    if (to === text.length) outside.push([last, to])
  }
  visit(file?.directives ?? [], 0, text.length)
  const said = (at: number) => (file?.comments ?? []).some(({span}) => span.start <= at && at < span.end)
  const lost = outside.flatMap(([from, to]) =>
    text
      .slice(from, to)
      .split('')
      .filter((letter, index) => !said(from + index) && !/[\s\\]/.test(letter)),
  )
  expect(lost.filter(letter => letter !== '>')).toEqual([])
}

/** Edits by span leave the rest byte for byte. */
function assertEditable(text: string, config: ParsedConfig): void {
  const words = config.files.flatMap(({directives}) => directives.flatMap(({args}) => args))
  const edits = words.map(({span}, index) => ({span, text: `w${index}`, why: ''}))
  let expected = ''
  let last = 0
  words.forEach(({span}, index) => {
    expected += `${text.slice(last, span.start)}w${index}`
    last = span.end
  })
  expect(applyEdits(bundleOf(text), edits).files[0]?.text).toBe(expected + text.slice(last))
}

/** Directives that do not exist are refused after they were read: soup is only judged where anything may stand. */
function judge(text: string): 'accepted' | 'syntax' | 'meaning' {
  const {accepted, output} = verdict(text)
  const config = parse(bundleOf(text))
  if (accepted) {
    expect(config.problems).toEqual([])
    assertLossless(text, config)
    assertEditable(text, config)
    site(config, '2.4.71')
    return 'accepted'
  }
  if (!SYNTAX.test(output)) return 'meaning'
  expect(config.problems.length).toBeGreaterThan(0)
  expect(config.problems[0]?.span.start).toBeLessThanOrEqual(text.length)
  return 'syntax'
}

describe.skipIf(binary === undefined)('the reader and httpd', () => {
  const count = {accepted: 0, syntax: 0, meaning: 0}

  it(
    'agree about soup',
    () => {
      fc.assert(
        fc.property(fc.array(fc.constantFrom(...PIECES), {minLength: 1, maxLength: 9}), soup => {
          count[judge(`${HEAD}<VirtualHost *:1>\nServerName one\nServerAlias x ${soup.join('')}\n</VirtualHost>\n`)]++
        }),
        {numRuns: READ_RUNS},
      )
      expect(count.accepted).toBeGreaterThan(0)
      expect(count.syntax).toBeGreaterThan(0)
    },
    PATIENCE_MS,
  )

  it(
    'agree about changed configurations',
    async ({annotate}) => {
      const changed = {accepted: 0, syntax: 0, meaning: 0}
      const prepared = GOLDENS.map(text =>
        withModules(text)
          .replace(/^ServerRoot.*$/m, `ServerRoot "${box}"`)
          .replace(/^(?:User|Group)\s.*$/gm, '')
          .replaceAll('/proc/self/fd/2', join(box, 'error.log'))
          .replaceAll('/proc/self/fd/1', join(box, 'access.log'))
          .replace(/^Listen\s.*$/gm, 'Listen 127.0.0.1:1'),
      )
      for (const text of prepared) expect(judge(text)).toBe('accepted')
      fc.assert(
        fc.property(
          fc.constantFrom(...prepared),
          fc.array(
            fc.tuple(
              fc.double({min: 0, max: 1, noNaN: true}),
              fc.integer({min: 0, max: 3}),
              fc.constantFrom(' ', '\n', '\n# x\n', '\r\n', ...PIECES),
            ),
            {minLength: 1, maxLength: 3},
          ),
          fc.boolean(),
          (golden, cuts, crlf) => {
            let text = golden
            for (const [where, length, piece] of cuts) {
              const at = Math.floor(where * text.length)
              text = text.slice(0, at) + piece + text.slice(at + length)
            }
            changed[judge(crlf ? text.replaceAll(/\r?\n/g, '\r\n') : text)]++
          },
        ),
        {numRuns: READ_RUNS},
      )
      expect(changed.syntax).toBeGreaterThan(0)
      await annotate(`soup ${JSON.stringify(count)}, changed ${JSON.stringify(changed)}`)
    },
    PATIENCE_MS,
  )

  it('what is rendered is read without loss', () => {
    for (const text of GOLDENS) {
      const config = parse(bundleOf(text))
      assertLossless(text, config)
      assertEditable(text, config)
    }
  })

  it('anything can be read, and means something or is unknown', () => {
    const words = [
      ...PIECES,
      '<VirtualHost *:80>',
      '</VirtualHost>',
      'ProxyPass / http://a:1/',
      'ProxyPass /x balancer://b/',
      '<Proxy balancer://b>',
      '</Proxy>',
      'BalancerMember http://a:1 route=x',
      'ProxySet stickysession=S',
      'RewriteEngine on',
      'RewriteCond %{HTTP:Upgrade} (',
      'RewriteCond expr "%{X} =~ /(/ || (',
      'RewriteRule ^ http://a%{REQUEST_URI} [P,L]',
      'RequestHeader edit X ( y',
      'SetEnvIf X ^( y',
      'Require expr "',
      'Include *.conf',
      'Listen 80',
      'Listen',
      'Define',
      'ServerName',
      'ProxyTimeout',
      'Header',
      '<If "%{X}">',
      '</If>',
      'SSLEngine on',
    ]
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom(...words)).map(parts => parts.join('\n')),
          fc.array(fc.constantFrom(...words)).map(parts => parts.join(' ')),
        ),
        text => {
          const model = site(parse(bundleOf(text)), '2.4.71')
          for (const listener of model.listeners)
            for (const headers of [{}, {upgrade: 'websocket', connection: 'Upgrade', x: 'y'}])
              model.trace(listener, {title: '', method: 'GET', path: '/genesys/cometd', headers}).sent('x-forwarded-for')
        },
      ),
      {numRuns: READ_RUNS * 5},
    )
  })
})
