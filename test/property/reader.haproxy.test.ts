import {spawnSync} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'
import {expect, it} from 'vitest'
import {PROXIES} from '../../src/proxies/index.ts'
import type {Directive, ParsedConfig} from '../../src/proxies/syntax.ts'
import {projectRoot} from '../support/cli.ts'
import {installed, PATIENCE_MS, READ_RUNS} from '../support/accepted.ts'

// What HAProxy takes is read, without loss; what it refuses for its syntax is a problem with a place.

const binary = await installed(PROXIES.haproxy)
const version = PROXIES.haproxy.parseVersion(spawnSync(binary ?? 'haproxy', ['-v'], {encoding: 'utf8'}).stdout ?? '') ?? '2.6.12'
const golden = join(projectRoot, 'fixtures/golden/haproxy')
const rendered = readdirSync(golden).flatMap(name => {
  try {
    // the names of nodes mean nothing here, and there are no certificates
    const text = readFileSync(join(golden, name, 'haproxy.cfg'), 'utf8').replace(/[\w.-]+\.local\b/g, '127.0.0.1')
    return /\b(?:crt|ca-file)\b/.test(text) ? [] : [text]
  } catch {
    return []
  }
})
const lines = [...new Set(rendered.flatMap(text => text.split('\n')))]

const piece = fc.constantFrom(
  ...[
    '"',
    "'",
    '\\',
    '#',
    ' ',
    '\t',
    '\n',
    '\r\n',
    '\\x41',
    '\\x4',
    '\\"',
    '\\#',
    '\\ ',
    '$A',
    '"$A"',
    '"${A-b c}"',
    '"${A"',
    '"$"',
    '$',
    '\0',
  ],
  ...[
    '.if 1',
    '.else',
    '.elif version_atleast(2.0)',
    '.endif',
    'global',
    'defaults',
    'mode http',
    'maxconn 10',
    '# it"s',
    'é',
    '\f',
    'a b',
    '{ path /x }',
  ],
)
/** Words of the dialect and of nobody, one behind the other. */
const soup = fc.array(fc.oneof(piece, fc.constantFrom(...lines.map(line => `${line}\n`))), {maxLength: 25}).map(pieces => pieces.join(''))
/** A rendered file with something put in, taken out or doubled. */
const mutated = fc
  .tuple(fc.constantFrom(...rendered), fc.array(fc.tuple(fc.nat(), fc.nat({max: 12}), piece), {minLength: 1, maxLength: 3}))
  .map(([text, changes]) =>
    changes.reduce((all, [at, length, added]) => all.slice(0, at % all.length) + added + all.slice((at % all.length) + length), text),
  )
/** A rendered file in another hand. */
const restyled = fc
  .tuple(
    fc.constantFrom(...rendered),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('#', ' # it"s', '\t', '\r', '\n.if 1\n.endif', '\n\n', ' # é')), {maxLength: 8}),
  )
  .map(([text, changes]) => {
    const whole = text.split('\n')
    for (const [at, added] of changes) {
      const place = at % (whole.length - 1)
      whole[place] = `${whole[place] ?? ''}${added}`
    }
    return whole.join('\n')
  })
const hostile = fc.oneof(soup, mutated, restyled)

const read = (text: string) => PROXIES.haproxy.parse({proxy: 'haproxy', entry: 'a.cfg', origin: 'read', files: [{path: 'a.cfg', text}]})
const flat = (directives: readonly Directive[]): readonly Directive[] =>
  directives.flatMap(directive => [directive, ...flat(directive.block ?? [])])

it(
  'every character is a word, a comment or space, once and in order',
  () => {
    fc.assert(
      fc.property(hostile, text => {
        const [file] = read(text).files
        const spans = [
          ...flat(file?.directives ?? []).flatMap(({nameSpan, args}) => [nameSpan, ...args.map(({span}) => span)]),
          ...(file?.comments ?? []).map(({span}) => span),
        ].sort((a, b) => a.start - b.start)
        const wrong: string[] = []
        let at = 0
        let lines = 1
        for (const {start, end, line, column} of spans) {
          const gap = text.slice(at, start)
          lines += gap.split('\n').length - 1
          const place = {line: lines, column: start - text.lastIndexOf('\n', start - 1)}
          if (start < at || gap.trim() !== '' || line !== place.line || column !== place.column) wrong.push(text.slice(start, end))
          at = end
        }
        expect([...wrong, text.slice(at).trim()]).toEqual([''])
      }),
      {numRuns: READ_RUNS * 5},
    )
  },
  PATIENCE_MS,
)

it(
  'what it means can always be asked',
  () => {
    fc.assert(
      fc.property(hostile, text => {
        const site = PROXIES.haproxy.site?.(read(text), '2.6.12')
        for (const listener of site?.listeners ?? [])
          site?.trace(listener, {title: 'a poll', method: 'POST', path: '/genesys/cometd/connect', headers: {}}).sent('x-forwarded-for')
      }),
      {numRuns: READ_RUNS * 2},
    )
  },
  PATIENCE_MS,
)

/** Words of which the model says that this release does not know them. */
const wordsUnknown = (config: ParsedConfig) =>
  (PROXIES.haproxy.site?.(config, version).oddities ?? []).filter(({kind}) => kind.startsWith('word-'))

/** Messages of HAProxy about how a text is written, not about what it says. */
const SYNTAX =
  /parsing \[a\.cfg:(\d+)\]\s*: (?:unmatched quote|truncated or invalid hexadecimal|too many words|Stray NUL|unmatched brace|forbidden first char|lone '\.|non-terminated '\.if'|'\.(?:else|elif)' after|Missing LF)/

it.skipIf(binary === undefined)(
  'HAProxy and the reader agree on what can be read',
  async ({annotate}) => {
    const folder = mkdtempSync(join(tmpdir(), 'gms-proxy-reader-'))
    let taken = 0
    let refused = 0
    try {
      fc.assert(
        fc.property(hostile, text => {
          writeFileSync(join(folder, 'a.cfg'), text)
          const {status, stderr} = spawnSync(binary ?? '', ['-c', '-f', 'a.cfg'], {cwd: folder, encoding: 'latin1'})
          const config = read(text)
          const said = SYNTAX.exec(stderr)
          // 2: nothing is wrong, but there is nothing to listen on
          if (status === 0 || status === 2) {
            taken++
            expect(config.problems).toEqual([])
            expect(wordsUnknown(config)).toEqual([])
          }
          // before the first section a variable has no default: lines of a fragment stand in one
          const [message, place] = said ?? []
          const inSection = config.files[0]?.directives.some(({block, span}) => block && span.line < Number(place)) ?? false
          if (said && (inSection || !message?.includes('unmatched brace'))) {
            refused++
            const oddities = PROXIES.haproxy.site?.(config, '2.6.12').oddities ?? []
            expect(
              [...config.problems, ...oddities].map(({span}) => span.line),
              stderr,
            ).not.toEqual([])
          }
        }),
        {numRuns: READ_RUNS},
      )
    } finally {
      rmSync(folder, {recursive: true})
    }
    expect(taken).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
    await annotate(
      `${taken} of ${READ_RUNS} taken by HAProxy and read without a problem; ${refused} refused for their syntax, each with a place`,
    )
  },
  PATIENCE_MS,
)
