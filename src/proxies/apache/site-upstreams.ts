import type {Affinity, Health, Node, Setting, Upstream} from '../site.ts'
import {atLeast} from '../version.ts'
import type {Line, Modules} from './site-lines.ts'
import {takesProxied} from './site-routes.ts'
import type {Server} from './site-servers.ts'
import {all, find, namesOf} from './site-servers.ts'
import type {Settings} from './site-settings.ts'
import {duration} from './site-settings.ts'
import type {Balancer, Worker} from './site-workers.ts'

/** What upstreams are made from. */
export interface Surroundings {
  server: Server
  settings: Settings
  modules: Modules
  version: string
}

const TLS_SCHEMES = ['https', 'wss', 'h2']

/** `key=value` of a worker, or the default where it would stand. */
export function parameterOf<T>(
  {settings}: Surroundings,
  worker: Worker,
  key: string,
  read: (value: string) => T | undefined,
  fallback: {value: T; text: string},
): Setting<T> {
  const found = worker.parameters.get(key)
  const value = found ? read(found.value) : undefined
  if (worker.shared) return settings.fixed(fallback.value, worker.line.directive.name, fallback.text, worker.line.directive.span)
  if (found && value !== undefined) return settings.parameter(found.line, key, value, fallback.text)
  return settings.parameter(worker.line, key, fallback.value, fallback.text)
}

const onOff = (value: string) => (/^on$/i.test(value) ? true : /^off$/i.test(value) ? false : undefined)

/** A set of nodes from a `balancer://`. */
export function balancedUpstream(balancer: Balancer, around: Surroundings): Upstream {
  return {
    name: balancer.name,
    span: balancer.section
      ? around.settings.homeOf({...around.server, section: asSection(balancer.section)})
      : balancer.line.directive.span,
    nodes: balancer.members.map(member => nodeOf(member, around, balancer)),
    ...connections(balancer.members[0], balancer.members, around),
    hasNameServers: true,
    affinity: affinityOf(balancer, around),
    health: healthOf(balancer.members, around, balancer.line),
    movesSessions: balancerSetting(
      balancer,
      around,
      'nofailover',
      value => (onOff(value) === undefined ? undefined : !onOff(value)),
      true,
      'nofailover=Off',
    ),
  }
}

/** One node that a route names directly. */
export function singleUpstream(worker: Worker, around: Surroundings): Upstream {
  const {settings} = around
  const {span, name} = {span: worker.line.directive.span, name: worker.target.authority}
  return {
    name,
    span,
    nodes: [nodeOf(worker, around)],
    ...connections(worker, [worker], around),
    hasNameServers: true,
    affinity: {
      kind: 'none',
      setting: settings.fixed('none', worker.line.directive.name, settings.textOf(span), span, span),
      unstable: false,
    },
    health: healthOf([worker], around, worker.line),
    movesSessions: settings.fixed(false, worker.line.directive.name, settings.textOf(span), span),
  }
}

function asSection(line: Line) {
  return {name: line.name, values: line.values, directive: line.directive}
}

function balancerSetting<T>(
  balancer: Balancer,
  {settings}: Surroundings,
  key: string,
  read: (value: string) => T | undefined,
  fallback: T,
  text: string,
): Setting<T> {
  const found = balancer.parameters.get(key)
  const value = found ? read(found.value) : undefined
  if (found && value !== undefined) return settings.parameter(found.line, key, value, text)
  const {section} = balancer
  if (!section) return {...settings.parameter(balancer.line, key, fallback, text)}
  const home = {...section.directive.span, end: (section.directive.args.at(-1) ?? {span: section.directive.nameSpan}).span.end}
  return {
    value: fallback,
    directive: `ProxySet ${key}=`,
    text,
    home,
    put: argument => settings.into(section.directive, `ProxySet ${key}=${argument}`),
  }
}

function connections(first: Worker | undefined, members: readonly Worker[], around: Surroundings) {
  const {settings, server} = around
  if (!first) {
    const none = {file: '', start: 0, end: 0, line: 1, column: 1}
    const home = settings.homeOf(server) ?? none
    return {
      resolution: settings.fixed('start' as const, 'BalancerMember', '', home),
      keepAlive: settings.fixed(false, 'disablereuse=', '', home),
      keepAliveTimeout: settings.fixed<number | undefined>(undefined, 'ttl=', '', home),
    }
  }
  const closes = (worker: Worker) =>
    worker.shared ||
    onOff(worker.parameters.get('disablereuse')?.value ?? 'off') === true ||
    onOff(worker.parameters.get('enablereuse')?.value ?? 'on') === false
  const kept = members.find(member => !closes(member))
  const pinned = members.find(member => !closes(member) && member.parameters.get('addressttl') === undefined)
  const untimed = members.find(member => !closes(member) && duration(member.parameters.get('ttl')?.value ?? '') === undefined)
  const never = all(server, 'SetEnv', 'SetEnvIf', 'SetEnvIfNoCase').find(({values}) =>
    values.some(value => /^proxy-nokeepalive(?:=|$)/i.test(value)),
  )
  const keepAlive: Setting<boolean> = never
    ? settings.written(server, never, false)
    : parameterOf(around, kept ?? first, 'disablereuse', value => (onOff(value) === undefined ? undefined : !onOff(value)), {
        value: kept !== undefined,
        text: 'disablereuse=Off',
      })
  const resolution: Setting<'start' | 'followed' | 'request'> = pinned
    ? parameterOf(around, pinned, 'addressttl', () => 'followed' as const, {value: 'start' as const, text: 'the name is asked for once'})
    : first.shared || closes(first)
      ? parameterOf(around, first, 'disablereuse', () => 'followed' as const, {
          value: 'followed' as const,
          text: 'the name is asked for each time',
        })
      : parameterOf(around, first, 'addressttl', () => 'followed' as const, {value: 'followed' as const, text: ''})
  return {
    resolution,
    keepAlive,
    keepAliveTimeout: parameterOf<number | undefined>(around, untimed ?? kept ?? first, 'ttl', value => duration(value), {
      value: undefined,
      text: 'no ttl=',
    }),
  }
}

/** Lines of `<Proxy>` for an address, or of the server. */
function proxyLine(server: Server, url: string, name: string): Line | undefined {
  const inSection = [...(server.outer?.lines ?? []), ...server.lines].findLast(
    line =>
      line.name === name.toLowerCase() &&
      line.within.some(section => (section.name === 'proxy' || section.name === 'proxymatch') && takesProxied(section, url)),
  )
  return inSection ?? find(server, name)
}

function nodeOf(worker: Worker, around: Surroundings, balancer?: Balancer): Node {
  const {settings, server} = around
  const {target, line, parameters} = worker
  const status = parameters.get('status')?.value ?? ''
  const retry = parameterOf(around, worker, 'retry', value => duration(value), {value: 60_000, text: 'retry=60'})
  const ignored = /(?:^|\+)I/i.test(status)
  const route = parameters.get('route')
  const forced = balancer === undefined
  return {
    address: target.authority,
    host: target.host,
    ...(target.port === undefined ? {} : {port: target.port}),
    span: line.directive.span,
    ...(TLS_SCHEMES.includes(target.scheme) ? {tls: tlsOf(worker, around, balancer?.name ?? worker.url)} : {}),
    ...(route ? {key: settings.parameter(route.line, 'route', route.value, '')} : {}),
    sendsProxyProtocol: settings.fixed(false, 'BalancerMember', 'httpd sends no PROXY protocol header', line.directive.span),
    http2: settings.fixed(
      /^h2c?$/.test(target.scheme),
      line.directive.name,
      settings.textOf(line.directive.span),
      line.directive.span,
      line.directive.span,
    ),
    maxConnections: parameterOf<number | undefined>(around, worker, 'max', value => (Number(value) > 0 ? Number(value) : undefined), {
      value: undefined,
      text: 'no max=',
    }),
    backup: /(?:^|\+)[HR]/i.test(status),
    down: /(?:^|\+)[DSN]/i.test(status),
    // a node that stands alone is tried again at once
    outFor: ignored || forced || (balancer.members.length < 2 && forcesRecovery(balancer)) ? {...retry, value: 0} : retry,
    failures: settings.fixed(1, 'retry=', 'one refused connection', server.section ? settings.homeOf(server) : line.directive.span),
  }
}

/** With every member out, all are tried again at once (`forcerecovery`, on unless said otherwise). */
function forcesRecovery({parameters}: Balancer): boolean {
  return onOff(parameters.get('forcerecovery')?.value ?? 'on') !== false
}

function tlsOf(worker: Worker, {settings, server, modules}: Surroundings, url: string): NonNullable<Node['tls']> {
  const at = (name: string) => proxyLine(server, url, name)
  const value = (line: Line | undefined) => line?.values[0]?.toLowerCase()
  const engine = at('SSLProxyEngine')
  const on = value(engine) === 'on' && modules.has('ssl') !== false
  const verify = at('SSLProxyVerify')
  const name = at('SSLProxyCheckPeerName')
  const cn = at('SSLProxyCheckPeerCN')
  const required = value(verify) === 'require'
  const unnamed = value(name) === 'off' ? name : name === undefined && value(cn) === 'off' ? cn : undefined
  const verified: Setting<boolean> = !required
    ? verify
      ? settings.written(server, verify, false, 0)
      : settings.missing(server, 'SSLProxyVerify', false, 'SSLProxyVerify none')
    : unnamed
      ? settings.written(server, unnamed, false, 0)
      : settings.written(server, verify ?? unreachable(), true, 0)
  const preserve = find(server, 'ProxyPreserveHost')
  const asked = value(preserve) === 'on' ? namesOf(server)[0] : worker.target.host
  return {
    verified,
    enabled: engine ? settings.written(server, engine, on, 0) : settings.missing(server, 'SSLProxyEngine', false, 'SSLProxyEngine off'),
    ...(asked === undefined
      ? {}
      : {
          serverName: preserve
            ? {...settings.written(server, preserve, asked), put: () => []}
            : settings.fixed(asked, worker.line.directive.name, settings.textOf(worker.line.directive.span), worker.line.directive.span),
        }),
  }
}

function unreachable(): never {
  throw new RangeError('a line that was found is missing')
}

/** Cookies of the answer that carry the route of the node: `Header add Set-Cookie "NAME=.%{BALANCER_WORKER_ROUTE}e …"`. */
function insertsRoute(cookie: string, server: Server): Line | undefined {
  return [...(server.outer?.lines ?? []), ...server.lines].findLast(
    ({name, values}) =>
      name === 'header' &&
      values.some(value => /^set-cookie2?$/i.test(value)) &&
      values.some(
        value =>
          value.toLowerCase().startsWith(`${cookie.toLowerCase()}=`) &&
          /%\{(?:BALANCER_WORKER_ROUTE|BALANCER_WORKER_NAME|[^}]*)\}/.test(value),
      ),
  )
}

function affinityOf(balancer: Balancer, around: Surroundings): Affinity {
  const {server, settings} = around
  const sticky = balancer.parameters.get('stickysession')
  const setting = balancerSetting(balancer, around, 'stickysession', value => value, 'none', 'no stickysession=')
  if (!sticky || sticky.value === '') return {kind: 'none', setting, unstable: false}
  const cookie = sticky.value.split('|')[0] ?? ''
  const given = [...(server.outer?.lines ?? []), ...server.lines].filter(
    ({name, values}) =>
      name === 'requestheader' &&
      values.some(value => /^cookie$/i.test(value)) &&
      /^(?:set|add|append|merge)$/i.test(values.find(value => !/^early$/i.test(value)) ?? ''),
  )
  const chosen = given.find(({values}) => values.some(value => value.includes(`${cookie}=`)))
  if (chosen) {
    const names = [...chosen.values.join(' ').matchAll(/(?:reqenv:|env:)([\w-]+)|%\{([\w-]+)\}e/g)].map(([, a, b]) => a ?? b ?? '')
    const sources = [...(server.outer?.lines ?? []), ...server.lines]
      .filter(
        ({name, values}) => /^setenvif/.test(name) && values.some(value => names.some(own => value === own || value.startsWith(`${own}=`))),
      )
      .map(({values}) => values.join(' '))
      .concat(chosen.values.join(' '))
      .join(' ')
    const byAddress = /REMOTE_ADDR|Remote_Addr/i.test(sources)
    const unstable = /REMOTE_PORT|UNIQUE_ID|TIME|REQUEST_URI|Request_URI/.test(sources)
    const forwarded = find(server, 'RemoteIPHeader') !== undefined || find(server, 'RemoteIPProxyProtocol') !== undefined
    return {
      kind: byAddress ? 'address' : 'other',
      setting: settings.written(server, chosen, sticky.value),
      cookie,
      ...(byAddress ? {of: forwarded ? ('forwarded' as const) : ('peer' as const)} : {}),
      unstable,
    }
  }
  const inserted = insertsRoute(cookie, server)
  return {
    kind: inserted ? 'inserted-cookie' : 'application-cookie',
    setting: {...setting, value: sticky.value},
    cookie,
    unstable: inserted ? !/BALANCER_WORKER_ROUTE|BALANCER_ROUTE/.test(inserted.values.join(' ')) : false,
  }
}

/** `hcmethod=` of a member or of its template (mod_proxy_hcheck); without one, only failures of requests are seen. */
function healthOf(members: readonly Worker[], around: Surroundings, place: Line): Health {
  const {server, settings, modules, version} = around
  const [first] = members
  const templates = all(server, 'ProxyHCTemplate')
  const checked = members.map(member => {
    const template = templates.findLast(({values}) => values[0] === member.parameters.get('hctemplate')?.value)
    const words = new Map(
      (template?.values.slice(1) ?? []).map(
        word => [word.slice(0, word.indexOf('=')).toLowerCase(), word.slice(word.indexOf('=') + 1)] as const,
      ),
    )
    const said = (key: string) => member.parameters.get(key)?.value ?? words.get(key)
    return {member, said, line: member.parameters.has('hcmethod') ? member.line : (template ?? member.line)}
  })
  const [one] = checked
  const method = one?.said('hcmethod')?.toUpperCase()
  const works = modules.has('proxy_hcheck') !== false && atLeast(version, '2.4.21')
  if (!one || !first || method === undefined || method === 'NONE' || !works) {
    const ignored = members.length > 0 && members.every(({parameters}) => /(?:^|\+)I/i.test(parameters.get('status')?.value ?? ''))
    const home = first?.line.directive.span ?? place.directive.span
    return {
      kind: ignored ? 'none' : 'passive',
      setting: first
        ? parameterOf(around, first, 'hcmethod', value => value, {value: 'None', text: 'no hcmethod='})
        : settings.fixed('None', 'hcmethod=', '', home),
    }
  }
  const setting = settings.fixed(
    method,
    one.line.directive.name,
    settings.textOf(one.line.directive.span),
    one.line.directive.span,
    one.line.directive.span,
  )
  if (method === 'TCP' || method === 'CPING' || method === 'PROVIDER') return {kind: 'tcp', setting}
  const path = one.said('hcuri')
  const expect = one.said('hcexpr')
  return {
    kind: 'http',
    setting,
    method: method.replace(/11$/, ''),
    ...(path === undefined ? {} : {path}),
    ...(expect === undefined ? {} : {expect: expectation(expect, server)}),
  }
}

/** `ProxyHCExpr ok {%{REQUEST_STATUS} =~ /^[23]/}` → the expression without its braces. */
function expectation(name: string, server: Server): string {
  const line = all(server, 'ProxyHCExpr').findLast(({values}) => values[0] === name)
  return (line?.values.slice(1).join(' ') ?? name).replace(/^\{|\}$/g, '')
}
