import {spawnSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'
import {afterAll, describe, expect, it} from 'vitest'
import {nginx} from '../../src/proxies/nginx/index.ts'
import {parse} from '../../src/proxies/nginx/parse.ts'
import {site} from '../../src/proxies/nginx/site.ts'
import type {Directive, ParsedConfig} from '../../src/proxies/syntax.ts'
import {installed, PATIENCE_MS, READ_RUNS} from '../support/accepted.ts'

// What nginx accepts is read without a problem and without loss; what it refuses for its syntax has a problem with a place.

const binary = await installed(nginx)
const version = nginx.parseVersion(spawnSync(binary ?? 'nginx', ['-v'], {encoding: 'utf8'}).stderr ?? '') ?? '1.22.1'
const box = mkdtempSync(join(tmpdir(), 'gms-proxy-reader-'))
afterAll(() => rmSync(box, {recursive: true, force: true}))

const SYNTAX = /unexpected|is not terminated|too long parameter|has no opening/
const GOLDENS = ['minimal', 'two-nodes', 'trusted-hops', 'source-address'].map(name =>
  readFileSync(join(import.meta.dirname, `../../fixtures/golden/nginx/${name}/nginx.conf`), 'utf8'),
)
const PIECES = [
  'a',
  'b"',
  '"x y"',
  "'q'",
  ';',
  ';\n',
  '{',
  '}',
  '#c;{\n',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '${v}',
  '$',
  '\\;',
  '\\"',
  '"',
  "'",
  ')',
  '\\',
  'é',
  '\u{1F600}',
  '"{"',
  '/*',
  '\\ ',
]

const WHERE = fc.double({min: 0, max: 1, noNaN: true})
/** More white space and comments between words; anything anywhere. */
const HARMLESS = fc.record({
  where: WHERE,
  length: fc.constant(0),
  piece: fc.constantFrom(' ', '\n', '\t', '\r\n', ' # x;{\n'),
  between: fc.constant(true),
})
const HARMFUL = fc.record({
  where: WHERE,
  length: fc.integer({min: 0, max: 3}),
  piece: fc.constantFrom(...PIECES),
  between: fc.constant(false),
})

const read = (text: string) => parse({proxy: 'nginx', entry: 'nginx.conf', origin: 'read', files: [{path: 'nginx.conf', text}]})

function verdict(text: string): {accepted: boolean; output: string} {
  const file = join(box, 'nginx.conf')
  writeFileSync(file, text)
  const argv = ['-t', '-p', `${box}/`, '-c', file, '-e', join(box, 'error.log'), '-g', `pid ${join(box, 'pid')};`]
  const {status, stderr} = spawnSync(binary ?? 'nginx', argv, {encoding: 'utf8'})
  return {accepted: status === 0, output: stderr}
}

/** Every character outside directives and comments is white; those of a block lie in its braces. */
function assertLossless(text: string, {files}: ParsedConfig): void {
  const [file] = files
  const covered = Array.from({length: text.length}, () => false)
  const cover = (start: number, end: number) => covered.fill(true, start, end)
  for (const {span, text: comment} of file?.comments ?? []) {
    expect(text.slice(span.start, span.end)).toContain(comment)
    cover(span.start, span.end)
  }
  const visit = (lines: readonly Directive[], from: number, to: number): void => {
    let last = from
    for (const {span, nameSpan, args, block} of lines) {
      expect([span.start >= last, span.end <= to]).toEqual([true, true])
      last = span.end
      for (const word of [nameSpan, ...args.map(argument => argument.span)]) cover(word.start, word.end)
      for (const {raw, span: own} of args) expect(text.slice(own.start, own.end)).toBe(raw)
      cover(span.end - 1, span.end)
      if (!block) continue
      cover(text.indexOf('{', args.at(-1)?.span.end ?? nameSpan.end), text.indexOf('{', args.at(-1)?.span.end ?? nameSpan.end) + 1)
      visit(block, nameSpan.end, span.end - 1)
    }
  }
  visit(file?.directives ?? [], 0, text.length)
  const lost = [...covered.entries()].filter(([at, seen]) => !seen && /\S/.test(text.charAt(at)) && text.charCodeAt(at) !== 0xfeff)
  expect(lost.map(([at]) => text.slice(Math.max(0, at - 10), at + 10))).toEqual([])
}

/** Directives that do not exist are refused after they were read: soup is only judged where anything may stand. */
function judge(text: string): 'accepted' | 'syntax' | 'meaning' {
  const {accepted, output} = verdict(text)
  const config = read(text)
  if (accepted) {
    expect(config.problems).toEqual([])
    assertLossless(text, config)
    expect(site(config, version).oddities.filter(({kind}) => kind.startsWith('word-'))).toEqual([])
    return 'accepted'
  }
  if (!SYNTAX.test(output)) return 'meaning'
  expect(config.problems.length).toBeGreaterThan(0)
  const [first] = config.problems
  expect(first?.span.start).toBeLessThanOrEqual(text.length)
  return 'syntax'
}

describe.skipIf(binary === undefined)('the reader and nginx', () => {
  const count = {accepted: 0, syntax: 0, meaning: 0}

  it(
    'agree about soup',
    () => {
      fc.assert(
        fc.property(fc.array(fc.constantFrom(...PIECES), {minLength: 1, maxLength: 9}), soup => {
          // The lines of `types` may be called anything; `split_clients` and the like may not.
          count[judge(`events {}\nhttp { types { x ${soup.join('')} ;\n } }\n`)]++
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
        text
          .replaceAll('/dev/stderr', join(box, 'error.log'))
          .replaceAll('/dev/stdout', join(box, 'access.log'))
          .replaceAll(/gms(\d)\.network\.local/g, '127.0.0.$1')
          .replace(/^(?:user|pid)\b.*$/gm, '')
          .replace(/^\s*sticky.*$/m, ''),
      )
      fc.assert(
        fc.property(
          fc.constantFrom(...prepared),
          fc.array(fc.oneof(HARMLESS, HARMFUL), {minLength: 1, maxLength: 2}),
          fc.boolean(),
          (golden, cuts, crlf) => {
            let text = golden
            for (const {where, length, piece, between} of cuts) {
              const near = Math.floor(where * text.length)
              const at = between ? Math.max(text.indexOf(' ', near), 0) : near
              text = text.slice(0, at) + piece + text.slice(at + length)
            }
            changed[judge(crlf ? text.replaceAll(/\r?\n/g, '\r\n') : text)]++
          },
        ),
        {numRuns: READ_RUNS},
      )
      expect(Math.min(changed.accepted, changed.syntax)).toBeGreaterThan(0)
      await annotate(`soup ${JSON.stringify(count)}, changed ${JSON.stringify(changed)}`)
    },
    PATIENCE_MS,
  )

  it('what is rendered is accepted and read without loss', () => {
    for (const text of GOLDENS) assertLossless(text, read(text))
  })

  it('anything can be read, and means something or is unknown', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc
            .array(
              fc.constantFrom(
                ...PIECES,
                'http',
                'server',
                'location / ',
                'map $a $b ',
                'if ($a) ',
                'proxy_pass http://$x',
                'upstream u ',
                'rewrite ^ /',
                'return ',
                'include x',
              ),
            )
            .map(parts => parts.join(' ')),
        ),
        text => {
          const config = read(text)
          const model = site(config, '1.30.0')
          for (const listener of model.listeners) model.trace(listener, {title: '', method: 'GET', path: '/genesys/cometd', headers: {}})
        },
      ),
      {numRuns: READ_RUNS * 5},
    )
  })
})
