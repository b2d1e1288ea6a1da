import type {Listener, ListenerTls, Setting} from '../site.ts'
import type {Argument} from '../syntax.ts'
import {atLeast} from '../version.ts'
import {firstSpan, isQuic} from './addresses.ts'
import type {ParsedConfig} from '../syntax.ts'
import {defaultOf, sizeOf} from './defaults.ts'
import type {Line, Section, Sections} from './sections.ts'
import {all, inForce, last, linesOf} from './sections.ts'
import type {Settings} from './settings.ts'
import {absent, goesAnywhere, nodeLines, valueSetting} from './site-nodes.ts'
import type {Word} from './site-nodes.ts'
import {timeoutOf} from './site-timeouts.ts'

/** A listener with the section and line behind it. */
export interface Entrance {
  listener: Listener
  frontend: Section
  /** `name` of the bind line. */
  name?: string
}

/** Words of a `bind` line that a value follows. */
const VALUES: ReadonlySet<string> = new Set(
  'accept-netscaler-cip alpn backlog ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file ciphers ciphersuites client-sigalgs crl-file crt crt-ignore-err crt-list curves default-crt ecdhe expose-fd gid group guid-prefix id interface level maxconn mode mss name namespace nice npn ocsp-update process proto quic-cc-algo quic-socket severity-output shards sigalgs ssl-max-ver ssl-min-ver tcp-md5sig tcp-ut tfo thread tls-ticket-keys tls-tickets uid user verify idle-ping label'.split(
    ' ',
  ),
)

function wordsOfBind(line: Line): readonly Word[] {
  const found: Word[] = []
  for (let at = 2; at < line.words.length; at++) {
    const word = line.words[at] ?? ''
    const count = VALUES.has(word) ? 1 : 0
    found.push({word, line, at, values: line.words.slice(at + 1, at + 1 + count)})
    at += count
  }
  return found
}

/** Every address of every `bind` line, and one for a fragment that has none. `serverNames` and `chat` are filled in by whoever can follow requests. */
export function entrancesOf(config: ParsedConfig, sections: Sections, version: string, settings: Settings): readonly Entrance[] {
  const fronts = sections.proxies.filter(({kind}) => kind !== 'backend')
  const found = fronts.flatMap(frontend =>
    frontend.own.flatMap(line => {
      const [argument] = line.args
      if (line.words[0] !== 'bind' || !argument || isQuic(line.directive)) return []
      return argument.value
        .split(',')
        .filter(Boolean)
        .map(address => entranceOf(frontend, line, argument, address, sections, version, settings))
    }),
  )
  if (found.length > 0) return found
  // a fragment: what it says of an upstream holds for a listener that another file has
  const owner = fronts[0] ?? sections.proxies[0]
  return owner ? [entranceOf(owner, undefined, undefined, '*:80', sections, version, settings, config)] : []
}

function entranceOf(
  frontend: Section,
  line: Line | undefined,
  argument: Argument | undefined,
  address: string,
  sections: Sections,
  version: string,
  settings: Settings,
  config?: ParsedConfig,
): Entrance {
  const words = line ? wordsOfBind(line) : []
  const word = (name: string) => words.findLast(({word: own}) => own === name)
  const port = /:(\d+)$/.exec(address)?.[1]
  const span = argument?.span ?? (config ? firstSpan(config) : frontend.header)
  const setting = <T>(value: T, name: string, written: Word | undefined, text: string): Setting<T> =>
    written
      ? valueSetting(value, written, settings)
      : line
        ? absent(value, name, text, line, settings)
        : settings.fixed(value, name, text, span)
  const accepts = word('accept-proxy')
  const ssl = word('ssl')
  const name = word('name')?.values[0]
  return {
    frontend,
    ...(name === undefined ? {} : {name}),
    listener: {
      address,
      ...(port === undefined ? {} : {port: Number(port)}),
      span,
      serverNames: [],
      isDefault: true,
      chat: false,
      ...(ssl && line ? {tls: tlsOf(words, line, sections, version, settings)} : {}),
      proxyProtocol: expectsProxy(frontend, settings) ?? setting(accepts !== undefined, 'accept-proxy', accepts, 'no accept-proxy'),
      http2: http2Of(words, ssl !== undefined, version, setting),
      headerTimeout: timeoutOf('http-request', frontend, settings),
      requestLine: requestLineOf(sections, settings, frontend),
      layer4: layer4Of(frontend, settings),
      lenient: lenientOf(frontend, sections, settings),
      forwardProxy: forwardsAnywhere(frontend, sections, settings),
    },
  }
}

/** `tcp-request connection expect-proxy layer4` without a condition: with one, it is for those who are trusted. */
function expectsProxy(frontend: Section, settings: Settings): Setting<boolean> | undefined {
  const line = linesOf(frontend).find(({words}) => words[0] === 'tcp-request' && words[1] === 'connection' && words[2] === 'expect-proxy')
  if (!line || line.words.includes('if') || line.words.includes('unless')) return undefined
  const edit = {
    span: {...line.directive.nameSpan, end: line.directive.nameSpan.start},
    text: '# ',
    why: 'clients come without a PROXY header',
  }
  return {...settings.written(true, 'tcp-request connection expect-proxy', line, 3, frontend), put: () => [edit]}
}

const TLS_VERSIONS = ['SSLv3', 'TLSv1.0', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

function tlsOf(words: readonly Word[], line: Line, sections: Sections, version: string, settings: Settings): ListenerTls {
  const bindOptions = sections.global.filter(({words: own}) => own[0] === 'ssl-default-bind-options')
  const options = bindOptions.flatMap(({words: own}) => own.slice(1))
  const own = words.map(({word}) => word)
  const globalValue = (name: string) => (options.includes(name) ? options[options.lastIndexOf(name) + 1] : undefined)
  const minimum = words.findLast(({word}) => word === 'ssl-min-ver')
  const maximum = words.findLast(({word}) => word === 'ssl-max-ver')
  // TLS 1.2 and newer since 2.2 (manual, "ssl-min-ver")
  const low = minimum?.values[0] ?? globalValue('ssl-min-ver') ?? (atLeast(version, '2.2.0') ? 'TLSv1.2' : 'TLSv1.0')
  const high = maximum?.values[0] ?? globalValue('ssl-max-ver') ?? 'TLSv1.3'
  const all = [...options, ...own]
  const forced = all.findLast(word => word.startsWith('force-'))
  const off = new Set(
    all.flatMap(
      word =>
        ({'no-sslv3': ['SSLv3'], 'no-tlsv10': ['TLSv1.0'], 'no-tlsv11': ['TLSv1.1'], 'no-tlsv12': ['TLSv1.2'], 'no-tlsv13': ['TLSv1.3']})[
          word
        ] ?? [],
    ),
  )
  const versions =
    forced === undefined
      ? TLS_VERSIONS.slice(TLS_VERSIONS.indexOf(low), TLS_VERSIONS.indexOf(high) + 1).filter(entry => !off.has(entry))
      : TLS_VERSIONS.filter(entry => entry.toLowerCase().replace('.', '') === forced.slice('force-'.length))
  const fromOptions = minimum === undefined && globalValue('ssl-min-ver') !== undefined ? bindOptions.at(-1) : undefined
  const certificate = words.find(({word}) => word === 'crt')
  const ciphers = words.findLast(({word}) => word === 'ciphers')
  const globalCiphers = last(sections.global, 'ssl-default-bind-ciphers')
  const at = fromOptions ? fromOptions.words.lastIndexOf('ssl-min-ver') + 1 : 0
  return {
    ...(certificate?.values[0] === undefined ? {} : {certificate: valueSetting(certificate.values[0], certificate, settings)}),
    versions: minimum
      ? valueSetting<readonly string[]>(versions, minimum, settings)
      : fromOptions
        ? settings.written<readonly string[]>(versions, 'ssl-min-ver', fromOptions, at, fromOptions.section, at)
        : absent<readonly string[]>(versions, 'ssl-min-ver', `ssl-min-ver ${low}`, line, settings),
    ...(ciphers?.values[0] !== undefined
      ? {ciphers: valueSetting(ciphers.values[0], ciphers, settings)}
      : globalCiphers
        ? {ciphers: settings.written(globalCiphers.words[1] ?? '', 'ssl-default-bind-ciphers', globalCiphers, 1)}
        : {}),
  }
}

function http2Of(
  words: readonly Word[],
  tls: boolean,
  version: string,
  setting: <T>(value: T, name: string, written: Word | undefined, text: string) => Setting<T>,
): Setting<boolean> {
  const proto = words.findLast(({word}) => word === 'proto')
  if (proto) return setting(proto.values[0] === 'h2', 'proto', proto, '')
  const alpn = words.findLast(({word}) => word === 'alpn')
  if (alpn) return setting(tls && (alpn.values[0] ?? '').split(',').includes('h2'), 'alpn', alpn, '')
  const off = words.findLast(({word}) => word === 'no-alpn')
  if (off) return setting(false, 'no-alpn', off, '')
  // offered without being asked for since 2.8 (manual, "alpn")
  const offered = tls && atLeast(version, '2.8.0')
  return setting(offered, 'alpn', undefined, offered ? 'alpn h2,http/1.1' : 'no alpn')
}

function requestLineOf(sections: Sections, settings: Settings, frontend: Section): Setting<number> {
  const size = last(sections.global, 'tune.bufsize')
  const reserve = last(sections.global, 'tune.maxrewrite')
  const value = (line: Line | undefined, name: string) => (line ? sizeOf(line.words[1] ?? '') : Number(defaultOf(name).without))
  const longest = value(size, 'tune.bufsize') - value(reserve, 'tune.maxrewrite')
  const owner = sections.all.find(({kind}) => kind === 'global')
  return size
    ? settings.written(longest, 'tune.bufsize', size, 1)
    : owner
      ? settings.missing(longest, 'tune.bufsize', defaultOf('tune.bufsize').text, owner)
      : settings.fixed(longest, 'tune.bufsize', defaultOf('tune.bufsize').text, frontend.header)
}

/** `mode tcp`, or none at all: that is the default. */
export function layer4Of(section: Section, settings: Settings): Setting<boolean> {
  const line = inForce(section, 'mode')
  return line
    ? settings.written(line.words[1] !== 'http', 'mode', line, 1, section)
    : settings.missing(section.kind !== '', 'mode', 'mode tcp', section)
}

const LENIENT = [
  'accept-invalid-http-request',
  // its name since 3.0
  'accept-unsafe-violations-in-http-request',
] as const

function lenientOf(frontend: Section, sections: Sections, settings: Settings): readonly Setting<boolean>[] {
  return [
    ...LENIENT.flatMap(name => {
      const line = inForce(frontend, 'option', name)
      return line ? [removable(true, `option ${name}`, line, settings)] : []
    }),
    ...(last(sections.global, 'h1-accept-payload-with-any-method') ? [] : []),
  ]
}

/** A line that `put('')` or `put('off')` takes back. */
function removable<T>(value: T, directive: string, line: Line, settings: Settings): Setting<T> {
  const written = settings.written(value, directive, line, 1)
  return {...written, put: () => [{span: line.directive.span, text: `no ${directive}`, why: `no ${directive}`}]}
}

function forwardsAnywhere(frontend: Section, sections: Sections, settings: Settings): Setting<boolean> {
  const reached = [frontend, ...sections.proxies.filter(({name, kind}) => kind !== 'frontend' && leadsTo(frontend, name))]
  for (const section of reached) {
    const server = nodeLines(section).find(goesAnywhere)
    const target = [...linesOf(frontend), ...linesOf(section)].find(({words}) => words[0] === 'http-request' && words[1] === 'set-dst')
    if (server && target) return settings.written(true, 'http-request set-dst', target, 2)
    const proxy = inForce(section, 'option', 'http_proxy')
    if (proxy) return removable(true, 'option http_proxy', proxy, settings)
  }
  return settings.fixed(false, 'http-request set-dst', 'no http-request set-dst', frontend.header)
}

/** A frontend that names a section as the place where requests go. */
export function leadsTo(frontend: Section, name: string): boolean {
  return ['default_backend', 'use_backend'].some(word => all(frontend, word, name).length > 0)
}
