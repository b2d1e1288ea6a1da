import type {Edit} from '../../model/bundle.ts'
import type {Node, Setting} from '../site.ts'
import type {Argument} from '../syntax.ts'
import {atLeast} from '../version.ts'
import {isWherever} from './addresses.ts'
import {defaultOf, durationOf} from './defaults.ts'
import type {Line, Section} from './sections.ts'
import {inForce, last, linesOf} from './sections.ts'
import type {Settings} from './settings.ts'

/** A word of a `server` line with what follows it; from the line itself or from `default-server`. */
export interface Word {
  word: string
  line: Line
  /** Index of the word in `line.words`. */
  at: number
  values: readonly string[]
}

/** How many words belong to a word of a `server` line; one that is not here stands alone. */
const VALUES: Readonly<Record<string, number>> = Object.fromEntries(
  [
    'addr agent-addr agent-inter agent-port agent-send alpn ca-file check-alpn check-proto check-sni ciphers ciphersuites client-sigalgs cookie crl-file crt curves',
    'downinter error-limit fall fastinter force-proto hash-key id init-addr init-state inter interface log-bufsize log-proto max-reuse maxconn maxqueue minconn namespace',
    'npn observe on-error on-marked-down on-marked-up pool-conn-name pool-low-conn pool-max-conn pool-purge-delay port proto proxy-v2-options redir resolve-net resolve-opts',
    'resolve-prefer resolvers rise set-proxy-v2-tlv-fmt shard sigalgs slowstart sni socks4 source ssl-max-ver ssl-min-ver strict-maxconn tcp-md5sig tcp-ut track usesrc verify verifyhost weight ws idle-ping',
  ]
    .flatMap(words => words.split(' '))
    .map(word => [word, 1]),
)

function wordsOf(line: Line, from: number): readonly Word[] {
  const found: Word[] = []
  for (let at = from; at < line.words.length; at++) {
    const word = line.words[at] ?? ''
    const count = VALUES[word] ?? 0
    found.push({word, line, at, values: line.words.slice(at + 1, at + 1 + count)})
    at += count
  }
  return found
}

/** Lines that add nodes, in order. */
export function nodeLines(section: Section): readonly Line[] {
  return section.own.filter(({words}) => ['server', 'server-template', 'dispatch'].includes(words[0] ?? ''))
}

/** Words that hold for a `server` line: of `default-server` lines before it, those of `defaults` first, then its own, which win. */
export function wordsOfServer(line: Line): readonly Word[] {
  const before: Word[] = []
  for (const other of linesOf(line.section)) {
    if (other === line) break
    if (other.words[0] === 'default-server') before.push(...wordsOf(other, 1))
  }
  return [...before, ...wordsOf(line, line.words[0] === 'server-template' ? 4 : 3)]
}

/** The last of a word and its opposite (`ssl`, `no-ssl`) decides. */
export function flag(words: readonly Word[], word: string): Word | undefined {
  const found = words.findLast(({word: other}) => other === word || other === `no-${word}`)
  return found?.word === word ? found : undefined
}

export function valued(words: readonly Word[], word: string): Word | undefined {
  return words.findLast(({word: other}) => other === word)
}

/** Nodes of one line (`server-template` makes several). `shared` names settings that all nodes have from `default-server`. */
export function nodesOfLine(line: Line, version: string, settings: Settings): readonly Node[] {
  const [kind, , second = ''] = line.words
  const words = wordsOfServer(line)
  const template = kind === 'server-template'
  const argument = template ? line.args[2] : kind === 'dispatch' ? line.args[0] : line.args[1]
  if (!argument) return []
  const node = nodeOf(line, argument, words, version, settings)
  if (!template) return [node]
  const [, low = '1', high] = /^(\d+)(?:-(\d+))?$/.exec(second) ?? []
  const count = high === undefined ? Number(low) : Number(high) - Number(low) + 1
  return Array.from({length: Math.min(Math.max(1, count), 1000)}, () => node)
}

function nodeOf(line: Line, argument: Argument, words: readonly Word[], version: string, settings: Settings): Node {
  const address = argument.value
  const [, host = address, port] = /^(?:ipv[46]@)?(.*?)(?::([+-]?\d+))?$/.exec(address) ?? []
  const setting = <T>(value: T, word: string, found: Word | undefined, text: string): Setting<T> =>
    found ? valueSetting(value, found, settings) : absent(value, word, text, line, settings)
  const ssl = flag(words, 'ssl')
  const cookie = valued(words, 'cookie')
  const check = flag(words, 'check')
  const maxconn = valued(words, 'maxconn')
  const proxyProtocol = flag(words, 'send-proxy') ?? words.findLast(({word}) => /^send-proxy-v2/.test(word))
  const h2 = speaksHttp2(words, ssl !== undefined)
  const rise = Number(valued(words, 'rise')?.values[0] ?? defaultOf('rise').without)
  const pause = valued(words, 'downinter') ?? valued(words, 'inter')
  const inter = durationOf(pause?.values[0] ?? '2s')
  const fall = valued(words, 'fall')
  const disabled = flag(words, 'disabled')
  const weight = valued(words, 'weight')
  return {
    address,
    host: host.replace(/^\[(.*)\]$/, '$1'),
    ...(port !== undefined && /^[1-9]\d*$/.test(port) ? {port: Number(port)} : {}),
    span: line.directive.span,
    ...(ssl ? {tls: tlsOf(line, words, ssl, version, settings)} : {}),
    ...keyOf(line, cookie, settings),
    sendsProxyProtocol: setting(proxyProtocol !== undefined, 'send-proxy', proxyProtocol, 'no send-proxy'),
    http2: http2Of(line, words, h2, version, settings),
    maxConnections: setting<number | undefined>(
      maxconn ? Number(maxconn.values[0]) || undefined : undefined,
      'maxconn',
      maxconn,
      'no maxconn',
    ),
    backup: flag(words, 'backup') !== undefined,
    down: disabled !== undefined || weight?.values[0] === '0',
    outFor: {
      ...setting(
        check ? rise * inter : 0,
        'rise',
        check ? (valued(words, 'rise') ?? check) : undefined,
        check ? 'rise 2' : 'no check: it is always tried',
      ),
      // `rise` checks with so long between them: whichever is more than usual is changed
      put: argument => {
        const often = valued(words, 'rise')
        const long = pause && inter > durationOf(argument) ? valueSetting('', pause, settings).put(argument) : []
        return often && rise > 2 ? [...long, ...valueSetting('', often, settings).put('2')] : long
      },
    },
    failures: setting(Number(fall?.values[0] ?? defaultOf('fall').without), 'fall', fall, 'fall 3'),
  }
}

/** Speaks HTTP/2 to nodes: by `proto h2`, or when a node that speaks TLS says it can (`alpn`). */
export function speaksHttp2(words: readonly Word[], tls: boolean): Word | undefined {
  const proto = valued(words, 'proto')
  if (proto) return proto.values[0] === 'h2' ? proto : undefined
  const alpn = flag(words, 'alpn')
  return tls && alpn?.values[0]?.split(',').includes('h2') ? alpn : undefined
}

/** A setting whose argument is what follows a word. */
export function valueSetting<T>(value: T, {word, line, at, values}: Word, settings: Settings): Setting<T> {
  if (values.length > 0) return settings.written(value, word, line, at + 1, line.section, at + values.length)
  // a word that stands alone: an empty argument takes it away, another word takes its place
  const setting = settings.written(value, word, line, at, line.section, at)
  return {
    ...setting,
    put(argument) {
      if (argument === '' || argument === 'off') return without({word, line, at, values})
      return setting.put(argument)
    },
  }
}

/** Takes a word and its values out of a line, with the space in front. */
export function without({word, line, at, values}: Word): readonly Edit[] {
  const first = line.args[at - 1]
  const last = line.args[at - 1 + values.length]
  const before = line.args[at - 2]?.span.end ?? line.directive.nameSpan.end
  if (!first || !last) return []
  return [
    {
      span: {...first.span, start: before, column: first.span.column - (first.span.start - before), end: last.span.end},
      text: '',
      why: `no ${word}`,
    },
  ]
}

/** A word that a `server` line does not have: it is put at its end, before the comment. */
export function absent<T>(value: T, word: string, text: string, line: Line, settings: Settings): Setting<T> {
  const {span} = line.directive
  const last = line.directive.args.at(-1)?.span ?? line.directive.nameSpan
  return {
    ...settings.fixed(value, word, text, span),
    put: argument => [
      {
        span: {...last, start: last.end, column: last.column + last.end - last.start},
        text: ` ${word} ${argument}`.trimEnd(),
        why: `${word} ${argument}`.trimEnd(),
      },
    ],
  }
}

/** The cookie value that finds a node again: its own, or one that HAProxy makes of its address (`cookie … dynamic`). */
function keyOf(line: Line, cookie: Word | undefined, settings: Settings): Pick<Node, 'key'> {
  if (cookie?.values[0] !== undefined) {
    const written = valueSetting(cookie.values[0], cookie, settings)
    // what `default-server` says holds for others too
    return {key: cookie.line === line ? written : {...written, put: absent('', 'cookie', '', line, settings).put}}
  }
  const dynamic = inForce(line.section, 'cookie')
  if (!dynamic?.words.includes('dynamic')) return {}
  return {
    key: settings.fixed(
      `${line.words[1] ?? ''} ${line.words[2] ?? ''}`,
      'cookie',
      settings.textOf(dynamic),
      line.directive.span,
      dynamic.directive.span,
    ),
  }
}

/** What a node is asked for; one that is asked for a WebSocket over HTTP/1.1 (`ws`, since 2.5) counts as that. */
function http2Of(line: Line, words: readonly Word[], h2: Word | undefined, version: string, settings: Settings): Setting<boolean> {
  if (!h2) return absent(false, 'proto', 'HTTP/1.1', line, settings)
  const setting = valueSetting(!lowersUpgrades(words, h2, version), h2, settings)
  return {...setting, put: argument => plainHttp(h2, setting, argument)}
}

/** Upgrades go over HTTP/1.1 although other requests go over HTTP/2: `ws h1`, or a choice by ALPN that offers both. */
export function lowersUpgrades(words: readonly Word[], h2: Word, version: string): boolean {
  const ws = valued(words, 'ws')?.values[0] ?? 'auto'
  const both = h2.word === 'alpn' && /http\/1\.1/.test(h2.values[0] ?? '')
  return atLeast(version, '2.5.0') && (ws === 'h1' || (ws === 'auto' && both))
}

/** `off`, `1.1`: HTTP/2 is no longer asked for. */
export function plainHttp<T>(h2: Word, setting: Setting<T>, argument: string): readonly Edit[] {
  if (!['off', '', '1.1', 'http/1.1'].includes(argument)) return setting.put(argument)
  return h2.word === 'alpn' ? setting.put('http/1.1') : without(h2)
}

function tlsOf(line: Line, words: readonly Word[], ssl: Word, version: string, settings: Settings): NonNullable<Node['tls']> {
  const verify = valued(words, 'verify')
  const sni = valued(words, 'sni')
  const host = valued(words, 'verifyhost')
  const authority = valued(words, 'ca-file')
  const unverified = last(settings.global, 'ssl-server-verify')?.words[1] === 'none'
  // without an authority nothing can be verified, and HAProxy does not start
  const verified = verify?.values[0] !== 'none' && authority !== undefined && (verify !== undefined || !unverified)
  const fixed = /^str\(['"]?([^'")]+)['"]?\)$/.exec(sni?.values[0] ?? '')?.[1] ?? sni?.values[0]
  const name = host?.values[0] ?? fixed
  const place = host ?? (fixed === undefined ? undefined : sni)
  return {
    verified: verify
      ? valueSetting(verified, verify, settings)
      : absent(verified, 'verify', authority ? 'verify required' : 'verify required, without ca-file', line, settings),
    ...(name !== undefined && place ? {serverName: valueSetting(name, place, settings)} : {}),
    enabled: valueSetting(atLeast(version, '1.5.0'), ssl, settings),
  }
}

/** True when a line leaves the target to the request. */
export function goesAnywhere(line: Line): boolean {
  const target = line.words[0] === 'dispatch' ? line.words[1] : line.words[0] === 'server' ? line.words[2] : undefined
  return target !== undefined && isWherever(target)
}

/** Nodes of a section. */
export function nodesOf(section: Section, version: string, settings: Settings): readonly Node[] {
  return nodeLines(section).flatMap(line => (goesAnywhere(line) ? [] : nodesOfLine(line, version, settings)))
}
