import type {ConfigFile} from '../../model/bundle.ts'
import type {ParsedConfig} from '../syntax.ts'
import type {Oddity} from '../site.ts'
import {atLeast} from '../version.ts'
import {DEFAULTS, durationOf} from './defaults.ts'
import type {Line, Section, Sections} from './sections.ts'
import {inForce, last} from './sections.ts'
import type {Settings} from './settings.ts'
import {flag, nodeLines, valued, wordsOfServer} from './site-nodes.ts'
import {unknownWords} from './site-words.ts'

/** What is written and does not mean what it seems to. */
export function odditiesOf({bundle, files}: ParsedConfig, sections: Sections, version: string, settings: Settings): readonly Oddity[] {
  const lines = sections.all.flatMap(({own}) => own)
  return [
    ...bundle.files.filter(({path}) => files.some(file => file.path === path)).flatMap(unended),
    ...unknownWords(sections, version),
    ...lines.flatMap(line => [...removedWord(line, version), ...duration(line, settings), ...bodyInBuffer(line, sections)]),
    ...sections.proxies.flatMap(section => [
      ...frontendAboveGlobal(section, sections, settings),
      ...unverified(section),
      ...lostBackend(section, sections),
    ]),
  ]
}

/** `req.body_len` is what lies in the buffer, `req.body_size` what the client announces (manual, 7.3.6): the first never exceeds a buffer. */
function bodyInBuffer(line: Line, {global}: Sections): readonly Oddity[] {
  const at = line.words.findIndex(word => /^req[._]body_len$/.test(word))
  const limit = Number(/^\d+$/.exec(line.words[at + 1] ?? '')?.[0] ?? line.words[at + 2])
  const buffer = Number(global.find(({words}) => words[0] === 'tune.bufsize')?.words[1] ?? 16_384)
  const word = line.args[at - 1]
  if (at < 1 || !word || !(limit > buffer)) return []
  return [
    {
      kind: 'limit-without-effect',
      span: line.directive.span,
      name: word.value,
      because: `it is what fits into a buffer of ${buffer} bytes, and never above ${limit}`,
      mend: [{span: word.span, text: 'req.body_size', why: 'what the client announces'}],
    },
  ]
}

/** "Missing LF on last line, file might have been truncated" (refused since 2.3; measured on 2.6.12). */
function unended({path, text}: ConfigFile): readonly Oddity[] {
  if (text === '' || text.endsWith('\n')) return []
  const lines = text.split('\n')
  const span = {file: path, start: text.length, end: text.length, line: lines.length, column: (lines.at(-1) ?? '').length + 1}
  return [
    {
      kind: 'refused',
      span,
      name: 'end of file',
      because: 'the last line has to end with a line break',
      mend: [{span, text: '\n', why: 'the last line ends'}],
    },
  ]
}

/** Words that are gone, with the first release without them and what took their place (messages of the binaries; manuals of the branches). */
const REMOVED: readonly {words: RegExp; since: string; instead: string; mend?: (line: Line) => string | undefined}[] = [
  {words: /^reqadd$/, since: '2.1.0', instead: 'http-request add-header', mend: line => header('http-request', line)},
  {words: /^rspadd$/, since: '2.1.0', instead: 'http-response add-header', mend: line => header('http-response', line)},
  {words: /^(?:reqi?del)$/, since: '2.1.0', instead: 'http-request del-header'},
  {words: /^(?:rspi?del)$/, since: '2.1.0', instead: 'http-response del-header'},
  {words: /^(?:reqi?rep)$/, since: '2.1.0', instead: 'http-request replace-path or replace-header'},
  {words: /^(?:rspi?rep)$/, since: '2.1.0', instead: 'http-response replace-header'},
  {words: /^(?:reqi?(?:allow|deny|pass|tarpit)|rspi?deny|reqsetbe|reqisetbe)$/, since: '2.1.0', instead: 'http-request deny'},
  {words: /^block$/, since: '2.1.0', instead: 'http-request deny', mend: line => `http-request deny ${line.words.slice(1).join(' ')}`},
  {words: /^clitimeout$/, since: '2.1.0', instead: 'timeout client', mend: line => `timeout client ${line.words[1] ?? ''}`},
  {words: /^srvtimeout$/, since: '2.1.0', instead: 'timeout server', mend: line => `timeout server ${line.words[1] ?? ''}`},
  {words: /^contimeout$/, since: '2.1.0', instead: 'timeout connect', mend: line => `timeout connect ${line.words[1] ?? ''}`},
  {words: /^redispatch$/, since: '2.1.0', instead: 'option redispatch', mend: () => 'option redispatch'},
  {words: /^appsession$/, since: '1.6.0', instead: 'stick on, or cookie'},
  {words: /^option forceclose$/, since: '2.0.0', instead: 'option httpclose', mend: () => 'option httpclose'},
  {words: /^option http-tunnel$/, since: '2.1.0', instead: 'option http-keep-alive'},
  {words: /^(?:nbproc|bind-process)$/, since: '2.5.0', instead: 'nbthread'},
  {words: /^option http_proxy$/, since: '2.5.0', instead: 'http-request set-dst'},
  {words: /^monitor-net$/, since: '2.3.0', instead: 'http-request return'},
  {words: /^dispatch$/, since: '3.3.0', instead: 'server'},
]

function header(phase: string, line: Line): string | undefined {
  const [, name, value] = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line.words[1] ?? '') ?? []
  const rest = line.words.slice(2)
  return name === undefined ? undefined : [`${phase} add-header ${name} ${quoted(value ?? '')}`, ...rest].join(' ')
}

function quoted(value: string): string {
  return /^[\w./:-]+$/.test(value) ? value : `"${value.replace(/(["\\$])/g, '\\$1')}"`
}

function removedWord(line: Line, version: string): readonly Oddity[] {
  const [first = '', second = ''] = line.words
  const row = REMOVED.find(({words}) => words.test(first) || words.test(`${first} ${second}`))
  if (!row || !atLeast(version, row.since) || line.negated) return []
  const name = row.words.test(first) ? first : `${first} ${second}`
  const text = row.mend?.(line)
  return [
    {
      kind: 'word-removed',
      span: line.directive.span,
      name,
      because: `HAProxy refuses it since ${row.since.replace(/\.0$/, '')}: ${row.instead} took its place`,
      mend: text === undefined ? [] : [{span: line.directive.span, text, why: `${row.instead} instead of ${name}`}],
    },
  ]
}

/** `timeout tarpit 605`: milliseconds, and no word about it. Zero is zero in every unit. */
function duration(line: Line, settings: Settings): readonly Oddity[] {
  if (line.unclear) return []
  const found: Oddity[] = []
  const {kind} = line.section
  for (const row of DEFAULTS) {
    if (row.unit !== 'ms' || (kind !== '' && !row.contexts.some(context => context === kind))) continue
    const words = row.directive.split(' ')
    const at = row.within
      ? row.within.some(within => within.split(' ').every((word, i) => line.words[i] === word))
        ? line.words.indexOf(row.directive, 1) + (row.directive === 'set-timeout' ? 2 : 1)
        : 0
      : words.every((word, i) => line.words[i] === word)
        ? words.length
        : 0
    if (at <= 1 && !(at === 1 && !row.within && words.length === 1)) continue
    const argument = line.args[at - 1]
    const written = line.words[at] ?? ''
    if (!argument) continue
    const name = row.directive === 'set-timeout' ? `http-request set-timeout ${line.words[2] ?? ''}` : row.directive
    if (/^\d+$/.test(written) && Number(written) !== 0 && !found.some(({span}) => span === argument.span))
      found.push({
        kind: 'duration-without-unit',
        span: argument.span,
        name,
        because: `a number without a unit is milliseconds: ${settings.textOf(line)} is ${(Number(written) / 1000).toLocaleString('en-US')} s`,
        // seconds are meant by small numbers; thousands are milliseconds that somebody counted
        mend: [{span: argument.span, text: Number(written) >= 1000 ? `${written}ms` : `${written}s`, why: 'the unit is written'}],
      })
    else if (Number.isNaN(durationOf(written)) && written !== '' && row.within === undefined)
      found.push({kind: 'refused', span: argument.span, name, because: `${written} is no duration`, mend: []})
  }
  return found
}

/** A frontend's `maxconn` above that of `global`: the latter holds (measured on 2.6.12). */
function frontendAboveGlobal(section: Section, sections: Sections, settings: Settings): readonly Oddity[] {
  const global = last(sections.global, 'maxconn')
  const own = section.kind === 'backend' ? undefined : inForce(section, 'maxconn')
  const [limit, wanted] = [Number(global?.words[1]), Number(own?.words[1])]
  if (!global || !own || Number.isNaN(limit) || !(wanted > limit) || own.section !== section) return []
  return [
    {
      kind: 'limit-without-effect',
      span: own.directive.span,
      name: settings.textOf(own),
      because: `maxconn ${limit} of the global section holds before it`,
      mend: settings.written(limit, 'maxconn', global, 1).put(String(wanted)),
    },
  ]
}

/** `ssl` without `verify` and without an authority: "verify is enabled by default but no CA file specified". */
function unverified(section: Section): readonly Oddity[] {
  return nodeLines(section).flatMap((line): readonly Oddity[] => {
    const words = wordsOfServer(line)
    if (!flag(words, 'ssl') || valued(words, 'verify')?.values[0] === 'none' || valued(words, 'ca-file')) return []
    return [
      {
        kind: 'refused',
        span: line.directive.span,
        name: 'ssl',
        because: 'certificates are verified by default, and no ca-file says by which authority',
        mend: [],
      },
    ]
  })
}

function lostBackend(section: Section, sections: Sections): readonly Oddity[] {
  return section.own.flatMap((line): readonly Oddity[] => {
    const [word, name = ''] = line.words
    if ((word !== 'default_backend' && word !== 'use_backend') || name.includes('%') || line.unclear) return []
    if (sections.proxies.some(other => other.name === name && other.kind !== 'frontend')) return []
    return [{kind: 'refused', span: line.directive.span, name, because: `no backend is called ${name}`, mend: []}]
  })
}
