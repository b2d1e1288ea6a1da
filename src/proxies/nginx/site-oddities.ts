import type {Edit, Span} from '../../model/bundle.ts'
import type {Argument, Directive} from '../syntax.ts'
import type {Oddity, Site} from '../site.ts'
import {slipOf} from '../slips.ts'
import {DEFAULTS} from './defaults.ts'
import {KNOWN_DIRECTIVES} from './known-directives.ts'
import {isKnownVariable} from './known-variables.ts'
import {neededTables} from './mending-tables.ts'
import {headOf} from './site-scope.ts'
import type {Scope} from './site-scope.ts'
import {dropped} from './site-setting.ts'
import {uriOf} from './site-trace.ts'
import {durationOf, sizeOf} from './site-units.ts'
import type {Variables} from './site-values.ts'
import {includedFrom, isData, isGlob, kindOf, walk, withinBundle} from './tree.ts'
import type {Placed} from './tree.ts'
import {namesIn} from './variables.ts'
import {dependsOnVersion, OF_PLUS, wrongVersion} from './word-versions.ts'

/** Included by packages; they hold nothing that a chat meets. */
const STOCK =
  /(?:^|\/)(?:mime\.types|(?:fastcgi|scgi|uwsgi|proxy)_params|fastcgi\.conf|modules-enabled\/\*\.conf|modules\/[^/]*\.conf|koi-utf|koi-win|win-utf)$/
/** Stand in `http {}` only. */
const OF_HTTP = new Set(['map', 'upstream', 'log_format', 'limit_req_zone', 'limit_conn_zone', 'proxy_cache_path', 'geo', 'split_clients'])
/** Directives of which one line is enough, and a second refused. */
const ONCE = new Set([
  ...DEFAULTS.filter(
    ({kind, directive}) =>
      kind !== 'words' && !['server', 'proxy_cache_valid', 'proxy_cache_path', 'resolver', 'sticky'].includes(directive),
  ).map(({directive}) => directive),
  'proxy_pass',
  'proxy_http_version',
  'proxy_cache',
  'root',
  'alias',
])
/** What is written and does not mean what it seems to, or what nginx itself refuses. */
export function odditiesOf(http: Scope, variables: Variables, version: string): readonly Oddity[] {
  const {config} = http
  const places = walk(config).filter(place => !isData(place))
  const complete = kindOf(config) === 'complete' && missingIncludes(places, http).length === 0
  // Modules of others bring words of their own.
  const foreign = places.some(
    ({directive: {name, args}}) => name === 'load_module' && !/ngx_(?:http|stream|mail)/.test(args[0]?.value ?? ''),
  )
  const plus = foreign || places.some(({directive: {name}}) => OF_PLUS.has(name))
  return [
    ...marks(http),
    ...places.flatMap(place => [
      ...words(place, foreign),
      ...ofOtherVersions(place, version, plus),
      ...refusedPass(place),
      ...misplaced(place),
      ...values(place),
      ...keysTwice(place, http),
    ]),
    ...twice(places, http),
    ...(complete ? unknownVariables(places, http, variables) : []),
  ]
}

/** What is included and not here, and code. */
export function unknownOf(http: Scope): Site['unknown'] {
  const places = walk(http.config).filter(place => place.directive.name === 'include' || !isData(place))
  return [
    ...missingIncludes(places, http).map(({directive}) => ({
      span: directive.span,
      because: `${directive.args[0]?.value ?? ''} is not beside the configuration`,
    })),
    ...places.flatMap(({directive: {name, span}}) =>
      /_by_lua|^js_(?:content|set|header_filter|body_filter)$|^perl(?:_set)?$/.test(name) ? [{span, because: `${name} runs code`}] : [],
    ),
  ]
}

function missingIncludes(places: readonly Placed[], {config}: Scope): readonly Placed[] {
  return places.filter(
    ({
      directive: {
        name,
        args: [path],
      },
    }) => {
      if (name !== 'include' || !path || STOCK.test(path.value)) return false
      // A folder of the bundle that holds nothing is no gap, one elsewhere may hold anything.
      return (
        includedFrom(config.bundle, path.value).length === 0 &&
        !(
          isGlob(path.value) &&
          withinBundle(config.bundle, path.value) !== undefined &&
          config.bundle.root !== undefined &&
          !path.value.startsWith('/')
        )
      )
    },
  )
}

function marks({config}: Scope): readonly Oddity[] {
  return config.bundle.files.flatMap(({path, text}): readonly Oddity[] => {
    if (!text.startsWith('\uFEFF') || !config.files.some(file => file.path === path && file.directives.length > 0)) return []
    const span: Span = {file: path, start: 0, end: 1, line: 1, column: 1}
    return [
      {
        kind: 'refused',
        span,
        name: 'byte order mark',
        because: 'nginx takes the byte order mark at the start of the file for a part of the first word, and refuses it',
        mend: [{span, text: '', why: 'no byte order mark'}],
      },
    ]
  })
}

/** Words that look like one that exists; others may belong to a module. */
function words({directive}: Placed, foreign: boolean): readonly Oddity[] {
  const {name, nameSpan, args} = directive
  const forgotten = missingEnd(directive)
  if (forgotten) return [forgotten]
  if (KNOWN_DIRECTIVES.has(name) || /_by_lua|^lua_/.test(name)) return []
  const joined = args
    .map((_, count) => [name, ...args.slice(0, count + 1).map(({value}) => value)].join('_'))
    .find(word => KNOWN_DIRECTIVES.has(word))
  if (joined !== undefined) {
    const parts = joined.split('_').length - name.split('_').length
    const last = args[parts - 1]
    const span = {...nameSpan, end: last?.span.end ?? nameSpan.end}
    return [
      odd('word-unknown', span, name, `nginx has no directive ${name}: ${joined} is meant, with underscores`, [
        {span, text: joined, why: joined},
      ]),
    ]
  }
  if (foreign) return []
  const meant = meantBy(name)
  if (meant === undefined) return []
  return [
    odd('word-unknown', nameSpan, name, `nginx has no directive ${name}: ${meant} is meant`, [{span: nameSpan, text: meant, why: meant}]),
  ]
}

const meanings = new Map<string, string | undefined>()

/** The word of nginx that a misspelt one is closest to. */
function meantBy(name: string): string | undefined {
  if (!meanings.has(name)) meanings.set(name, slipOf(name, KNOWN_DIRECTIVES))
  return meanings.get(name)
}

function odd(kind: Oddity['kind'], span: Span, name: string, because: string, mend: readonly Edit[] = []): Oddity {
  return {kind, span, name, because, mend}
}

/** A line that goes on over the next one, which begins with a word of nginx: its semicolon is missing. */
function missingEnd({name, args, block}: Directive): Oddity | undefined {
  if (block || !KNOWN_DIRECTIVES.has(name) || ['log_format', 'types', 'server_name', 'valid_referers', 'env'].includes(name))
    return undefined
  const index = args.findIndex(
    ({value, quote, span}, at) =>
      quote === undefined && value.includes('_') && KNOWN_DIRECTIVES.has(value) && span.line > (args[at - 1]?.span.line ?? span.line),
  )
  const before = args[index - 1]
  const next = args[index]
  if (!before || !next) return undefined
  const at = {...before.span, start: before.span.end}
  return odd('refused', {...before.span}, name, `the line has no semicolon: nginx reads ${next.value} as a word of ${name}`, [
    {span: at, text: ';', why: 'a line ends with a semicolon'},
  ])
}

/** "proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block. */
function refusedPass({directive, around}: Placed): readonly Oddity[] {
  const [target] = directive.args
  if (directive.name !== 'proxy_pass' || !target || around[0]?.name === 'stream') return []
  const refuse = (because: string, mend: readonly Edit[] = []) => [odd('refused', directive.span, 'proxy_pass', because, mend)]
  if (!/^(?:https?:\/\/|\$|unix:)/i.test(target.value)) return refuse('nginx wants http:// or https:// in front of the address')
  const uri = uriOf(target.value)
  const inner = around.at(-1)
  const [first] = inner?.args ?? []
  const where =
    inner?.name === 'if'
      ? 'in if'
      : inner?.name === 'limit_except'
        ? 'in limit_except'
        : inner?.name === 'location' && first?.value.startsWith('~')
          ? 'in a location given by an expression'
          : inner?.name === 'location' && first?.value.startsWith('@')
            ? 'in a named location'
            : undefined
  if (uri === undefined || where === undefined || target.value.includes('$')) return []
  return refuse(`nginx takes no path (${uri}) in proxy_pass ${where}`, cut(target, uri))
}

function cut(argument: Argument, tail: string): readonly Edit[] {
  const at = argument.raw.lastIndexOf(tail)
  if (at < 0) return []
  const start = argument.span.start + at
  return [
    {
      span: {...argument.span, start, end: start + tail.length, column: argument.span.column + at},
      text: '',
      why: `proxy_pass without ${tail}`,
    },
  ]
}

function misplaced({directive, around}: Placed): readonly Oddity[] {
  const inner = around.findLast(({name}) => ['server', 'location', 'if', 'upstream'].includes(name))
  if (!OF_HTTP.has(directive.name) || !inner) return []
  return [odd('refused', headOf(directive), directive.name, `nginx takes ${directive.name} in http {} only, not in ${inner.name} {}`)]
}

/** Durations and sizes that are none. */
function values({directive, around}: Placed): readonly Oddity[] {
  const rows = DEFAULTS.filter(
    row => row.directive === directive.name && row.at === undefined && (row.kind === 'duration' || row.kind === 'size'),
  )
  const [row] = rows
  const [argument] = directive.args
  if (!row || !argument || directive.name === 'large_client_header_buffers' || directive.block || around.length === 0) return []
  if (argument.value.includes('$')) return []
  const read = row.kind === 'duration' ? durationOf(argument.value) : sizeOf(argument.value)
  if (read !== undefined) return []
  const what = row.kind === 'duration' ? 'a duration (30s, 5m, 1h)' : 'a size (512k, 11m)'
  return [odd('refused', argument.span, directive.name, `nginx wants ${what} here, ${argument.raw} is none`)]
}

/** Directives and parameters that this release does not know yet, or no longer. */
function ofOtherVersions({directive, around}: Placed, version: string, plus: boolean): readonly Oddity[] {
  const {name, args} = directive
  if (!dependsOnVersion(name)) return []
  const of = {name, words: args.map(({value}) => value), within: around.at(-1)?.name}
  return wrongVersion(of, version, plus).map(({kind, since, because, argument}) => {
    const at = argument === undefined ? undefined : args[argument]
    const what = at ? `${name} ${at.value}` : name
    if (kind === 'removed') return odd('word-removed', at?.span ?? directive.span, what, `${since}: ${because ?? 'it was removed'}`)
    return odd('word-unknown', at?.span ?? directive.nameSpan, what, `it came with nginx ${since}: ${version} does not know it`)
  })
}

/** Lines of which nginx takes one in a block: "directive is duplicate". Locations of the same name are refused too. */
function twice(places: readonly Placed[], http: Scope): readonly Oddity[] {
  const seen = new Map<Directive | undefined, Set<string>>()
  return places.flatMap(({directive, around}) => {
    const parent = around.at(-1)
    const {name, args} = directive
    const location = name === 'location' && directive.block !== undefined
    const key = location ? `location ${args.map(({value}) => value).join(' ')}` : name
    if (!location && !ONCE.has(name)) return []
    if (parent && (parent.name === 'if' || parent.name === 'upstream') && name === 'server') return []
    const known = seen.get(parent) ?? new Set()
    seen.set(parent, known)
    if (!known.has(key)) {
      known.add(key)
      return []
    }
    if (location && args[0]?.value.startsWith('~')) return []
    return [
      odd(
        'refused',
        headOf(directive),
        name,
        location ? `nginx takes one ${key}` : `nginx takes one ${name} in a block`,
        location ? [] : dropped(http, directive, `one ${name}`),
      ),
    ]
  })
}

/** Keys of a `map` that nginx takes for the same: "conflicting parameter", without regard to case. Expressions are asked in order. */
function keysTwice({directive: {name, block = []}}: Placed, http: Scope): readonly Oddity[] {
  if (name !== 'map') return []
  const seen = new Set<string>()
  return block.flatMap(entry => {
    const key = entry.name.toLowerCase()
    if (/^~|^(?:include|hostnames|volatile)$/.test(key)) return []
    if (!seen.has(key)) {
      seen.add(key)
      return []
    }
    const because =
      key === 'default'
        ? 'nginx takes one default in a map'
        : 'nginx compares the keys of a map without regard to case, and takes each once'
    return [odd('refused', headOf(entry), entry.name, because, dropped(http, entry, 'each key once'))]
  })
}

const WITHOUT_VARIABLES = new Set([
  'rewrite',
  'location',
  'if',
  'server_name',
  'log_format',
  'set',
  'map',
  'geo',
  'split_clients',
  'js_set',
  'perl_set',
  'auth_request_set',
  'add_header_inherit',
])
/** Modules that make variables of any name. */
const MAKERS =
  /_by_lua|^(?:js_|perl|set_|keyval|auth_jwt|geoip2|opentracing|otel_|vhost_traffic|modsecurity|pagespeed|lua_|encrypted_session|upload_|session_|userid|secure_link|ssi|slice|nchan|redis|srcache)/

function unknownVariables(places: readonly Placed[], http: Scope, variables: Variables): readonly Oddity[] {
  if (places.some(({directive: {name}}) => MAKERS.test(name))) return []
  const groups = new Set<string>()
  for (const {directive} of walk(http.config))
    for (const text of [directive.name, ...directive.args.map(({value}) => value)])
      for (const [, group = ''] of text.matchAll(/\(\?P?[<'](\w+)[>']/g)) groups.add(group.toLowerCase())
  const isMade = (name: string) => variables.isMade(name) || groups.has(name.toLowerCase()) || /^\d$/.test(name) || isKnownVariable(name)
  return places.flatMap(({directive, around}) => {
    if (around[0]?.name === 'stream' || around[0]?.name === 'mail' || WITHOUT_VARIABLES.has(directive.name)) return []
    return directive.args.flatMap(argument =>
      [...new Set(namesIn(argument.value))]
        .filter(name => !isMade(name))
        .map(name =>
          odd(
            'variable-unknown',
            argument.span,
            `$${name}`,
            `nothing sets $${name}: nginx refuses a variable that it does not know`,
            neededTables(http, `$${name}`),
          ),
        ),
    )
  })
}
