import type {Span} from '../../model/bundle.ts'
import type {Argument, Directive} from '../syntax.ts'
import type {Affinity, Health, Node, Setting, Upstream} from '../site.ts'
import {neededTables} from './mending-tables.ts'
import {parameter} from './site-limits.ts'
import {expanded, headOf, Scope} from './site-scope.ts'
import {dropped, homeFor, inForce, inserted, insertedFirst, replaced, setting, textOf} from './site-setting.ts'
import {uriOf} from './site-trace.ts'
import {durationOf} from './site-units.ts'
import {textIn, TRUSTED} from './site-values.ts'
import type {Moment, Value, Variables} from './site-values.ts'
import {namesIn} from './variables.ts'
import {has} from './versions.ts'

/** A route that leads to nodes: its line, the block whose settings are in force, and what the line says for a request. */
export interface Pass {
  line: Directive
  scope: Scope
  target: Value
  moment: Moment
}

interface Setup {
  http: Scope
  variables: Variables
  version: string
}

/** Directives that choose a node. */
const METHODS = ['sticky', 'ip_hash', 'hash', 'random', 'least_conn', 'least_time'] as const

/** Where a route leads: the authority as it is evaluated, and whether TLS is spoken. `undefined`: it cannot be told. */
export function authorityOf(target: Value): {name: string; tls: boolean} | undefined {
  const text = textIn(target)
  if (text === undefined) return undefined
  const [, scheme, rest] = /^([A-Za-z]+):\/\/(.*)$/s.exec(text) ?? []
  const whole = rest ?? text
  if (scheme !== undefined && !/^https?$/i.test(scheme)) return undefined
  const uri = uriOf(text)
  const name = whole.startsWith('unix:') ? whole : uri === undefined ? whole : whole.slice(0, whole.search(/[/?]/))
  return name === '' ? undefined : {name, tls: scheme?.toLowerCase() === 'https'}
}

const blocks = new WeakMap<Scope, ReadonlyMap<string, Scope>>()

/** The block `upstream` of a name; names are compared without regard to case, and the first of a name counts. */
export function upstreamBlock(http: Scope, name: string): Scope | undefined {
  const known = blocks.get(http) ?? upstreamBlocks(http)
  blocks.set(http, known)
  return known.get(name.toLowerCase())
}

function upstreamBlocks(http: Scope): ReadonlyMap<string, Scope> {
  const level = http.level === 'stream' ? 'stream-upstream' : 'upstream'
  const found = new Map<string, Scope>()
  for (const line of http.all('upstream')) {
    const name = line.args[0]?.value.toLowerCase()
    if (line.block && name !== undefined && !found.has(name))
      found.set(name, new Scope(http.config, level, expanded(http.config, line.block), http, line))
  }
  return found
}

/** By what the nodes of a block are known, whatever leads to them; `undefined` for a route that names a node itself. */
export function blockKey(target: Value, http: Scope): string | undefined {
  const authority = authorityOf(target)
  return authority && upstreamBlock(http, authority.name) ? `${authority.name.toLowerCase()} ${String(authority.tls)}` : undefined
}

/** The upstream of a route; `undefined` when its target cannot be told. */
export function upstreamOf(pass: Pass, setup: Setup): Upstream | undefined {
  const authority = authorityOf(pass.target)
  if (!authority) return undefined
  const block = upstreamBlock(setup.http, authority.name)
  return block ? groupOf(block, pass, authority.tls, setup) : single(authority, pass, setup)
}

function groupOf(block: Scope, pass: Pass, tls: boolean, setup: Setup): Upstream {
  const name = block.block?.args[0]?.value ?? ''
  const servers = block.all('server')
  const resolving = servers.filter(({args}) => args.some(({value}) => value === 'resolve'))
  const nodes = servers.map(line => nodeOf(line, name, pass, tls, servers.length, setup))
  const [first] = servers
  const keepAlive = inForce(block, 'keepalive', setup.version, ([count]) => count !== undefined && count !== '0')
  const kept = keepAlive.value && keepsConnections(pass, setup)
  return {
    name,
    span: block.home,
    nodes,
    resolution: setting<'start' | 'followed' | 'request'>({
      value: resolving.length > 0 && resolving.length === servers.length ? 'followed' : 'start',
      directive: 'server',
      text: first ? textOf(first) : `upstream ${name}`,
      span: first?.span,
      home: block.home,
      put: () => [],
    }),
    hasNameServers: block.holder('resolver') !== undefined || pass.scope.holder('resolver') !== undefined,
    affinity: affinityOf(block, pass, setup),
    health: healthOf(block, pass, nodes),
    keepAlive: {...keepAlive, value: kept},
    keepAliveTimeout: inForce(block, 'keepalive_timeout', setup.version, ([time = '']) => durationOf(time)),
    movesSessions: movesSessions(pass, nodes.length, setup),
  }
}

function single({name, tls}: {name: string; tls: boolean}, pass: Pass, setup: Setup): Upstream {
  const [argument] = pass.line.args
  const span = argument?.span ?? pass.line.span
  const home = headOf(pass.line)
  const written = argument?.value ?? ''
  // An address with variables is looked up for every request, unless nothing of its name varies.
  const varies = authorityPart(written).includes('$')
  const nothing = <T>(value: T, directive: string, text: string): Setting<T> => setting({value, directive, text, home})
  return {
    name,
    span,
    nodes: [
      {
        ...addressOf(name, tls),
        span,
        ...(tls ? {tls: tlsOf(pass, authorityPart(written), setup)} : {}),
        ...plainNode(home, pass, setup),
        maxConnections: nothing<number | undefined>(undefined, 'max_conns', 'no max_conns'),
        backup: false,
        down: false,
        // A node alone is always tried.
        outFor: nothing(0, 'fail_timeout', 'one node is always tried'),
        failures: nothing(0, 'max_fails', 'one node is always tried'),
      },
    ],
    resolution: setting<'start' | 'followed' | 'request'>({
      value: varies ? 'request' : 'start',
      directive: 'proxy_pass',
      text: textOf(pass.line),
      span: pass.line.span,
      home,
    }),
    hasNameServers: pass.scope.holder('resolver') !== undefined,
    affinity: {kind: 'none', setting: nothing('none', 'proxy_pass', textOf(pass.line)), unstable: false},
    health: {kind: 'passive', setting: nothing('passive', 'max_fails', 'max_fails=1')},
    keepAlive: nothing(has(setup.version, 'keepaliveByDefault') && keepsConnections(pass, setup), 'keepalive', 'no upstream'),
    keepAliveTimeout: nothing<number | undefined>(60_000, 'keepalive_timeout', 'keepalive_timeout 60s'),
    movesSessions: nothing(false, 'proxy_next_upstream', 'one node'),
  }
}

function authorityPart(written: string): string {
  return written.replace(/^(?:[a-z]+|\$\{?\w+\}?):\/\//i, '').replace(/\/.*$|\$\{?(?:request_uri|uri|document_uri|is_args)\b.*$/s, '')
}

function plainNode(home: Span, {scope}: Pass, {version}: Setup): Pick<Node, 'sendsProxyProtocol' | 'http2'> {
  const line = scope.level === 'stream-server' ? scope.holder('proxy_protocol')?.first('proxy_protocol') : undefined
  const httpVersion = inForce(scope, 'proxy_http_version', version, ([word = '']) => word)
  return {
    sendsProxyProtocol: setting({
      value: line?.args[0]?.value === 'on',
      directive: 'proxy_protocol',
      text: line ? textOf(line) : 'proxy_protocol off',
      span: line?.span,
      home,
      put: argument => (line ? replaced(line, argument) : []),
    }),
    http2: {...httpVersion, value: httpVersion.value === '2'},
  }
}

function tlsOf({scope, moment, line}: Pass, name: string, {variables, version}: Setup): NonNullable<Node['tls']> {
  const verified = inForce(scope, 'proxy_ssl_verify', version, ([word]) => word === 'on')
  const asks = inForce(scope, 'proxy_ssl_server_name', version, ([word]) => word === 'on')
  const serverName = inForce(scope, 'proxy_ssl_name', version, ([word = '']) =>
    (textIn(variables.evaluate(word, {...moment, node: name})) ?? word).replace(/:\d+$/, ''),
  )
  return {
    verified,
    ...(asks.value || verified.value ? {serverName} : {}),
    enabled: setting({value: true, directive: 'proxy_pass', text: textOf(line), span: line.span, home: headOf(line)}),
  }
}

function nodeOf(line: Directive, group: string, pass: Pass, tls: boolean, count: number, setup: Setup): Node {
  const [argument] = line.args
  const put = (name: string, text: string) => parameterEdits(line, name, text)
  const of = <T>(name: string, value: T, fallback: string): Setting<T> => {
    const written = line.args.find(({value: word}) => word.startsWith(`${name}=`))
    return setting({
      value,
      directive: name,
      text: written?.value ?? fallback,
      span: written?.span,
      home: headOf(line),
      put: text => put(name, text),
    })
  }
  const word = (name: string) => line.args.some(({value}) => value === name)
  const route = parameter(line, 'route')
  const connections = Number(parameter(line, 'max_conns') ?? 0)
  const time = parameter(line, 'fail_timeout')
  const failures = Number(parameter(line, 'max_fails') ?? 1)
  return {
    ...addressOf(argument?.value ?? '', tls),
    span: argument?.span ?? line.span,
    ...(tls ? {tls: tlsOf(pass, group, setup)} : {}),
    ...(route === undefined ? {} : {key: of('route', route, '')}),
    ...plainNode(headOf(line), pass, setup),
    maxConnections: of<number | undefined>('max_conns', connections > 0 ? connections : undefined, 'max_conns=0'),
    backup: word('backup'),
    down: word('down') || word('drain'),
    // A node alone is always tried, and so are all when failures are not counted.
    outFor: of('fail_timeout', count < 2 || failures === 0 ? 0 : (durationOf(time ?? '10s') ?? 10_000), 'fail_timeout=10s'),
    failures: of('max_fails', count < 2 ? 0 : failures, 'max_fails=1'),
  }
}

function parameterEdits(line: Directive, name: string, text: string): ReturnType<Setting<string>['put']> {
  const written = line.args.find(({value}) => value.startsWith(`${name}=`))
  const last = line.args.at(-1)
  if (written) return [{span: written.span, text: `${name}=${text}`, why: `${name}=${text}`}]
  if (!last) return []
  return [{span: {...last.span, start: last.span.end}, text: ` ${name}=${text}`, why: `${name}=${text}`}]
}

function addressOf(address: string, tls: boolean): Pick<Node, 'address' | 'host' | 'port'> {
  if (address.startsWith('unix:')) return {address, host: address}
  const [, host = address, port] = /^(\[[^\]]*\]|<[^>]*>|[^:]*)(?::(\d+))?$/.exec(address) ?? []
  return {address, host, port: port === undefined ? (tls ? 443 : 80) : Number(port)}
}

/** HTTP/1.1 (or 2) and no `Connection: close`. */
function keepsConnections({scope, moment}: Pass, {variables, version}: Setup): boolean {
  const line = scope
    .holder('proxy_set_header')
    ?.all('proxy_set_header')
    .find(({args}) => args[0]?.value.toLowerCase() === 'connection')
  const byDefault = has(version, 'keepaliveByDefault')
  const connection = line ? textIn(variables.evaluate(line.args[1]?.value ?? '', moment)) : byDefault ? '' : 'close'
  const httpVersion = inForce(scope, 'proxy_http_version', version, ([word]) => word)
  return httpVersion.value !== '1.0' && connection?.toLowerCase() !== 'close'
}

function movesSessions({scope}: Pass, nodes: number, {version}: Setup): Setting<boolean> {
  return inForce(scope, 'proxy_next_upstream', version, words => nodes > 1 && words.includes('error') && !words.includes('off'))
}

function healthOf(block: Scope, {scope}: Pass, nodes: readonly Node[]): Health {
  const check = scope.first('health_check') ?? scope.up('location')?.first('health_check') ?? block.first('check')
  const home = block.home
  if (check) {
    const http = check.name === 'health_check' || parameter(check, 'type') === 'http'
    const path = parameter(check, 'uri') ?? (http && check.name === 'health_check' ? '/' : undefined)
    return {
      kind: http ? 'http' : 'tcp',
      setting: setting({value: textOf(check), directive: check.name, text: textOf(check), span: check.span, home}),
      ...(http ? {method: 'GET'} : {}),
      ...(path === undefined ? {} : {path}),
    }
  }
  const [first] = nodes
  const passive = block.all('server').some(line => parameter(line, 'max_fails') !== '0')
  return {
    kind: passive ? 'passive' : 'none',
    setting: setting({
      value: passive ? 'passive' : 'none',
      directive: 'max_fails',
      text: first?.failures.text ?? 'max_fails=1',
      span: first?.failures.span,
      home,
      put: argument => nodes.flatMap(({failures}) => failures.put(argument)),
    }),
  }
}

function affinityOf(block: Scope, pass: Pass, setup: Setup): Affinity {
  const name = METHODS.find(method => block.has(method))
  const line = name === undefined ? undefined : block.first(name)
  const base = {
    setting: setting({
      value: line ? textOf(line) : 'none',
      directive: line ? [line.name, ...(line.name === 'sticky' ? line.args.slice(0, 1) : []).map(({value}) => value)].join(' ') : 'hash',
      text: line ? textOf(line) : 'no hash, ip_hash or sticky',
      span: line?.span,
      home: block.home,
      put: argument => {
        if (argument === '') return line ? dropped(block, line, 'no affinity') : []
        if (line)
          return [{span: line.span, text: `${argument};`, why: argument}, ...neededTables(block, argument), ...cookieEdits(pass, argument)]
        return [...insertedFirst(block, `${argument};`), ...neededTables(block, argument), ...cookieEdits(pass, argument)]
      },
    }),
    unstable: false,
  }
  if (!line || name === undefined) return {...base, kind: 'none'}
  if (name === 'ip_hash') return {...base, kind: 'address', of: believed(pass.scope) ? 'forwarded' : 'peer'}
  if (name === 'random' || name === 'least_conn' || name === 'least_time') return {...base, kind: 'none'}
  if (name === 'hash') return {...base, ...keyed(line.args[0], pass, setup)}
  const [how] = line.args
  const cookie = how?.value === 'cookie' ? line.args[1]?.value : (parameter(line, 'name') ?? 'route')
  if (how === undefined || how.value === 'cookie' || how.value.includes('='))
    return {...base, kind: 'inserted-cookie', ...(cookie === undefined ? {} : {cookie})}
  const keys = how.value === 'route' ? line.args.slice(1) : line.args.filter(({value}) => value.startsWith('lookup='))
  const found = keyed(keys[0] && {...keys[0], value: keys[0].value.replace(/^lookup=/, '')}, pass, setup)
  // What a node has set is learnt before it is looked up.
  return {...base, ...found, ...(found.kind === 'application-cookie' ? {unstable: false} : {})}
}

/** The load balancer in front is believed (`set_real_ip_from`, or PROXY protocol). */
function believed(scope: Scope): boolean {
  return scope.holder('set_real_ip_from') !== undefined
}

/** Every address is believed: `$remote_addr` is what any client writes. */
export function believesAll(scope: Scope): boolean {
  const header = scope.holder('real_ip_header')?.first('real_ip_header')?.args[0]?.value ?? 'X-Real-IP'
  const trusted = scope.holder('set_real_ip_from')?.all('set_real_ip_from') ?? []
  return header !== 'proxy_protocol' && trusted.some(({args}) => TRUSTED.test(args[0]?.value ?? ''))
}

/** Names that the key is made from in the end: tables are followed to what they read and give. */
function roots(text: string, variables: Variables, seen: Set<string>): void {
  for (const name of namesIn(text)) {
    if (seen.has(name)) continue
    seen.add(name)
    const table = variables.table(name)
    if (!table) continue
    for (const {value} of table.line.args.slice(0, -1)) roots(value, variables, seen)
    for (const {args} of table.rows) roots(args[0]?.value ?? '', variables, seen)
  }
}

const UNSTABLE =
  /^(?:request_id|msec|time_local|time_iso8601|connection|connection_requests|remote_port|request_uri|uri|document_uri|request|args|query_string|request_method|request_length|pid|content_length|content_type)$/
/** What is the same for many browsers, or for all. */
const SHARED =
  /^(?:host|http_host|hostname|server_(?:name|addr|port|protocol)|scheme|https|http_(?:user_agent|origin|accept|accept_encoding|accept_language)|nginx_version|proxy_(?:host|port))$/

function keyed(
  argument: Argument | undefined,
  pass: Pass,
  {variables}: Setup,
): Pick<Affinity, 'kind' | 'cookie' | 'of' | 'unstable' | 'shared'> {
  const seen = new Set<string>()
  roots(argument?.value ?? '', variables, seen)
  const names = [...seen].filter(name => !variables.table(name))
  const cookie = cookieIn(argument?.value ?? '', [...seen], variables)
  const changing = names.filter(name => UNSTABLE.test(name))
  if (cookie !== undefined) {
    const inserted = insertsCookie(pass, cookie, variables)
    if (inserted) return {kind: 'inserted-cookie', cookie, unstable: changing.some(name => name !== 'request_id')}
    return {kind: 'application-cookie', cookie, unstable: changing.some(name => name !== 'request_id')}
  }
  if (changing.length > 0) return {kind: 'other', unstable: true}
  if (names.includes('http_x_forwarded_for') || names.includes('http_x_real_ip') || names.includes('proxy_protocol_addr'))
    return {kind: 'address', of: 'forwarded', unstable: false}
  if (names.some(name => /^(?:binary_)?remote_addr$|^realip_remote_addr$/.test(name)))
    return {kind: 'address', of: believed(pass.scope) ? 'forwarded' : 'peer', unstable: false}
  if (names.every(name => SHARED.test(name))) return {kind: 'other', unstable: false, shared: true}
  return {kind: names.some(name => /^(?:arg_|http_)/.test(name)) ? 'session-text' : 'other', unstable: false}
}

/** Name of the cookie that a key reads: `$cookie_name`, or an expression on the whole header. */
function cookieIn(text: string, seen: readonly string[], variables: Variables): string | undefined {
  const direct = [...namesIn(text), ...seen].find(name => /^(?:upstream_)?cookie_/.test(name))
  if (direct !== undefined) return direct.replace(/^(?:upstream_)?cookie_/, '')
  for (const name of seen) {
    const table = variables.table(name)
    if (!/^"?\$\{?http_cookie\}?"?$/.test(table?.line.args[0]?.raw ?? '')) continue
    for (const row of table?.rows ?? []) {
      const [, cookie] = /([A-Za-z0-9_-]+)=/.exec(row.name.replace(/\(\?P?<\w+>|\(\?[!=:]|\(\?<[!=]/g, '(')) ?? []
      if (cookie !== undefined) return cookie
    }
  }
  return undefined
}

/** `add_header Set-Cookie` of the route names the cookie, in its text or in a table that makes it. */
function insertsCookie({scope}: Pass, cookie: string, variables: Variables): boolean {
  const lines =
    scope
      .holder('add_header')
      ?.all('add_header')
      .filter(({args}) => args[0]?.value.toLowerCase() === 'set-cookie') ?? []
  const starts = `${cookie.toLowerCase()}=`
  return lines.some(({args}) => {
    const text = args[1]?.value ?? ''
    const seen = new Set<string>()
    roots(text, variables, seen)
    const texts = [text, ...[...seen].flatMap(name => variables.table(name)?.rows.map(({args: [value]}) => value?.value ?? '') ?? [])]
    return texts.some(value => value.toLowerCase().replaceAll('-', '_').startsWith(starts.replaceAll('-', '_')))
  })
}

/** A key that is kept in a cookie of the proxy needs the line that sets the cookie where the route is. */
function cookieEdits({scope}: Pass, argument: string): ReturnType<Setting<string>['put']> {
  if (!argument.includes('$gms_affinity_key')) return []
  const home = homeFor(scope, ['location', 'server'])
  const holder = scope.holder('add_header')
  const copied = holder && holder !== home ? holder.all('add_header').map(line => `${textOf(line)};`) : []
  return [
    ...inserted(home, ...copied, 'add_header Set-Cookie $gms_affinity_cookie always;'),
    ...neededTables(scope, '$gms_affinity_cookie'),
  ]
}
