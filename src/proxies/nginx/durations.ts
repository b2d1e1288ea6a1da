import type {Duration, Durations, Felt} from '../compressed.ts'
import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import {atLeast} from '../version.ts'
import {opening} from './change.ts'
import type {Default} from './defaults.ts'
import {DEFAULTS} from './defaults.ts'
import {layoutOf} from './site-scope.ts'
import {durationOf} from './site-units.ts'
import type {Placed} from './tree.ts'
import {isData, kindOf, startOf, walk} from './tree.ts'

/** What browsers and caches keep, and what an attacker waits for: no chat does. */
const NOT_OF_A_CHAT = [
  'expires',
  'proxy_cache_valid',
  'proxy_cache_path',
  'proxy_cache_lock_timeout',
  'proxy_cache_lock_age',
  'ssl_session_timeout',
  'sticky',
  'auth_delay',
]
const FELT: Readonly<Record<string, readonly Felt[]>> = {
  proxy_read_timeout: ['traffic'],
  proxy_send_timeout: ['traffic'],
  send_timeout: ['traffic'],
  proxy_timeout: ['traffic'],
  proxy_next_upstream_timeout: ['traffic'],
  client_header_timeout: ['header'],
  client_body_timeout: ['body'],
  preread_timeout: ['header'],
  proxy_protocol_timeout: ['header'],
  worker_shutdown_timeout: ['drain'],
}
/** A node that failed is left alone for so long (https://nginx.org/en/docs/http/ngx_http_upstream_module.html#fail_timeout), ms. */
const FAIL_TIMEOUT_MS = 10_000
/** First version with a time limit for unused connections to nodes. */
const UPSTREAM_KEEPALIVE_TIMEOUT = '1.15.3'

const rows = (version: string): readonly Default[] =>
  DEFAULTS.filter(
    ({kind, directive, since, until}) =>
      kind === 'duration' &&
      !NOT_OF_A_CHAT.includes(directive) &&
      (since === undefined || atLeast(version, since)) &&
      (until === undefined || !atLeast(version, until)),
  )

/** Every duration of an nginx configuration, those that nobody wrote among them. */
export function durations(config: ParsedConfig, version: string): Durations {
  const known = rows(version)
  const unclear: {directive: string; because: string}[] = []
  const found = new Map<string, Duration>()
  const add = (duration: Duration) =>
    found.set(`${duration.span.file}:${duration.span.start}:${duration.span.end}:${duration.directive}`, duration)
  for (const place of walk(config)) {
    if (isData(place)) continue
    const {directive} = place
    for (const duration of ofUpstream(place, version)) add(duration)
    const row = known.find(candidate => candidate.directive === directive.name)
    if (!row || (directive.name === 'server' && directive.block)) continue
    for (const {argument, name} of wordsOf(directive, row)) {
      const text = name === undefined ? argument.value : argument.value.slice(name.length + 1)
      const ms = durationOf(text)
      if (ms === undefined && text.includes('$')) unclear.push({directive: directive.name, because: 'its value is a variable'})
      if (ms !== undefined && ms > 0)
        add(durationAt(argument.span, name ?? directive.name, ms, row.step ?? 1, name === undefined ? '' : `${name}=`))
    }
  }
  return {found: [...found.values(), ...missing(config, known)], unclear}
}

function wordsOf({args}: Directive, {at}: Default): readonly {argument: Argument; name?: string}[] {
  // the second argument of keepalive_timeout is what clients are told, and nothing else
  const places = at === undefined || at === 'all' ? [0] : at
  return places.flatMap((place): {argument: Argument; name?: string}[] => {
    if (typeof place === 'string')
      return args.flatMap(argument => (argument.value.startsWith(`${place}=`) ? [{argument, name: place}] : []))
    const argument = args.at(place)
    return argument ? [{argument}] : []
  })
}

function durationAt(span: Duration['span'], directive: string, ms: number, stepMs: number, before: string, after = ''): Duration {
  return {
    directive,
    felt: FELT[directive] ?? ['other'],
    span,
    values: [ms],
    stepMs,
    write: ([here = ms]) => `${before}${written(here, stepMs)}${after}`,
  }
}

/** `500ms`, and `1s` where nginx takes whole seconds only. */
function written(ms: number, stepMs: number): string {
  return stepMs === 1000 ? `${ms / 1000}s` : `${ms}ms`
}

/** Defaults of nodes, and of unused connections to them. */
function ofUpstream({directive, around}: Placed, version: string): readonly Duration[] {
  const upstream = around.at(-1)?.name === 'upstream'
  if (upstream && directive.name === 'server' && !directive.args.some(({value}) => value.startsWith('fail_timeout='))) {
    const last = directive.args.at(-1)?.span
    return last ? [durationAt({...last, start: last.end}, 'fail_timeout', FAIL_TIMEOUT_MS, 1000, ' fail_timeout=')] : []
  }
  if (directive.name !== 'upstream' || !directive.block || !atLeast(version, UPSTREAM_KEEPALIVE_TIMEOUT)) return []
  const has = (name: string) => directive.block?.some(line => line.name === name)
  if (!has('keepalive') || has('keepalive_timeout')) return []
  return [durationAt(opening(directive, '', '').span, 'keepalive_timeout', 60_000, 1, 'keepalive_timeout ', '; ')]
}

/** What holds at the level of `http` or `stream` because nobody wrote it there: all blocks inherit from it. */
function missing(config: ParsedConfig, known: readonly Default[]): readonly Duration[] {
  const {http, stream} = layoutOf(config)
  const kind = kindOf(config)
  const scopes = [
    {
      level: 'http' as const,
      scope: http,
      place: http.block ? opening(http.block, '', '').span : kind === 'complete' ? undefined : startOf(config),
    },
    ...(stream?.block ? [{level: 'stream' as const, scope: stream, place: opening(stream.block, '', '').span}] : []),
  ]
  return scopes.flatMap(({level, scope, place}) =>
    known.flatMap(({directive, argument, contexts, step = 1}) => {
      const ms = durationOf(argument) ?? 0
      if (!place || ms <= 0 || !contexts.includes(level) || directive.startsWith('http2_')) return []
      const inFragment =
        kind === 'server' &&
        (config.files.find(({path}) => path === config.bundle.entry)?.directives ?? []).some(line => line.name === directive)
      if (scope.has(directive) || inFragment) return []
      return [durationAt(place, directive, ms, step, `${directive} `, '; ')]
    }),
  )
}
