import type {Line} from './site-lines.ts'
import type {Pass} from './site-routes.ts'
import {passOf} from './site-routes.ts'
import type {Server} from './site-servers.ts'

/** The parts of an address that requests are proxied to. `path` may lack its slash: then httpd takes it for a part of the host. */
export interface Target {
  /** Lower case: `http`, `balancer`, `ws`. */
  scheme: string
  host: string
  port?: number
  /** Host and port as written. */
  authority: string
  path: string
}

const PORTS: Readonly<Record<string, number>> = {http: 80, ws: 80, h2c: 80, https: 443, wss: 443, h2: 443}
const URL_PARTS = /^([a-z][a-z0-9+.-]*):\/\/(\[[^\]]*\]|<[^>]*>|[^:/?#]*)(?::(\d+|<[^>]*>))?([^]*)$/i

/** Reads an address; `undefined` for what is none. */
export function targetOf(url: string): Target | undefined {
  const [, scheme, host, port, path = ''] = URL_PARTS.exec(url) ?? []
  if (scheme === undefined || host === undefined) return undefined
  const lower = scheme.toLowerCase()
  const number = port === undefined ? PORTS[lower] : Number(port)
  return {
    scheme: lower,
    host: host.toLowerCase(),
    ...(number !== undefined && Number.isInteger(number) ? {port: number} : {}),
    authority: port === undefined ? host : `${host}:${port}`,
    path,
  }
}

/** A connection pool of mod_proxy: parameters with the line that says each. */
export interface Worker {
  target: Target
  url: string
  /** `BalancerMember`, `ProxyPass`, or the line of `RewriteRule` for the pool that all unnamed addresses share. */
  line: Line
  /** Values of parameters, lower-case keys, the last one wins; with the line that says it. */
  parameters: ReadonlyMap<string, {value: string; line: Line}>
  /** Nothing names it: no connection is kept, its name is asked for each time (`proxy:reverse`). */
  shared: boolean
}

/** A `balancer://` with its members. */
export interface Balancer {
  name: string
  line: Line
  /** `<Proxy>` that holds its members. */
  section?: Line
  members: readonly Worker[]
  parameters: ReadonlyMap<string, {value: string; line: Line}>
}

/** Pools and balancers that a server sees: those around it, then its own. */
export interface Workers {
  balancers: readonly Balancer[]
  workers: readonly Worker[]
}

type Parameters = Map<string, {value: string; line: Line}>

function parametersIn(line: Line, from: number): [string, {value: string; line: Line}][] {
  return line.values.slice(from).flatMap(word => {
    const at = word.indexOf('=')
    return at <= 0 ? [] : [[word.slice(0, at).toLowerCase(), {value: word.slice(at + 1), line}] as [string, {value: string; line: Line}]]
  })
}

/** `balancer://gms/x` → `balancer://gms`. */
function balancerName(url: string): string {
  return /^balancer:\/\/[^/]*/i.exec(url)?.[0].toLowerCase() ?? url.toLowerCase()
}

function define(lines: readonly Line[]): Workers {
  interface Draft {
    name: string
    line: Line
    section?: Line
    members: Worker[]
    parameters: Parameters
  }
  const balancers = new Map<string, Draft>()
  const workers: {target: Target; url: string; line: Line; parameters: Parameters; shared: boolean}[] = []
  const balancerOf = (url: string, line: Line) => {
    const name = balancerName(url)
    const known = balancers.get(name)
    if (known) return known
    const made: Draft = {name, line, members: [], parameters: new Map()}
    balancers.set(name, made)
    return made
  }
  // a pool is found again by the beginning of its address: the first that was named is used by all that lie below
  const workerOf = (url: string) => workers.find(own => url.toLowerCase().startsWith(own.url.toLowerCase()))
  const addWorker = (url: string, line: Line) => {
    const target = targetOf(url)
    if (!target) return undefined
    const made = {target, url, line, parameters: new Map(), shared: false}
    workers.push(made)
    return made
  }
  const set = (parameters: Parameters | undefined, pairs: readonly [string, {value: string; line: Line}][]) => {
    for (const [key, value] of pairs) parameters?.set(key, value)
  }

  for (const line of lines) {
    const proxy = line.within.findLast(({name}) => name === 'proxy')
    const around = proxy && proxy.values[0] !== '~' && !/[*?]/.test(proxy.values[0] ?? '') ? proxy.values[0] : undefined
    if (line.name === 'proxy' && line.directive.block) {
      const [url = ''] = line.values
      if (/^balancer:/i.test(url)) balancerOf(url, line).section ??= line
    } else if (line.name === 'balancermember') {
      const outside = around === undefined
      const balancer = balancerOf(outside ? (line.values[0] ?? '') : around, line)
      const url = line.values[outside ? 1 : 0] ?? ''
      const target = targetOf(url)
      if (target) balancer.members.push({target, url, line, shared: false, parameters: new Map(parametersIn(line, outside ? 2 : 1))})
    } else if (line.name === 'proxyset') {
      const url = around ?? line.values[0] ?? ''
      const pairs = parametersIn(line, around === undefined ? 1 : 0)
      if (/^balancer:/i.test(url)) set(balancerOf(url, line).parameters, pairs)
      else set((workerOf(url) ?? addWorker(url, line))?.parameters, pairs)
    } else if (line.name === 'proxypass' || line.name === 'proxypassmatch') {
      const pass = passOf(line)
      if (!pass || pass.target === '!') continue
      const pairs = [...pass.parameters].map(([key, value]): [string, {value: string; line: Line}] => [key, {value, line}])
      if (/^balancer:/i.test(pass.target)) set(balancerOf(pass.target, line).parameters, pairs)
      else if (!workerOf(pass.target)) set(addWorker(pass.target, line)?.parameters, pairs)
    }
  }
  return {balancers: [...balancers.values()], workers}
}

const known = new WeakMap<Server, Workers>()

/** What a server defines itself; virtual hosts share what is defined around them. */
function defined(server: Server): Workers {
  const made = known.get(server) ?? define(server.lines)
  known.set(server, made)
  return made
}

/** Everything that a server can proxy to by name. */
export function workersOf(server: Server): Workers {
  const own = defined(server)
  if (!server.outer) return own
  const outer = defined(server.outer)
  // measured on 2.4.71: of two balancers of one name, that around the virtual host is used; its ProxyPass may set parameters of it
  const saying = new Map(own.balancers.map(balancer => [balancer.name, balancer]))
  const inherited = outer.balancers.map(balancer => {
    const said = saying.get(balancer.name)
    saying.delete(balancer.name)
    return said ? {...balancer, parameters: new Map([...balancer.parameters, ...said.parameters])} : balancer
  })
  return {
    balancers: [...inherited, ...saying.values()],
    workers: [...outer.workers, ...own.workers],
  }
}

/** The pool that serves an address: the longest that it begins with, else the one without a name. */
export function workerFor({workers}: Workers, url: string, target: Target, line: Line): Worker {
  const wanted = url.toLowerCase()
  const found = workers.filter(worker => wanted.startsWith(worker.url.toLowerCase())).sort((a, b) => b.url.length - a.url.length)[0]
  return found ?? {target, url, line, parameters: new Map(), shared: true}
}

export function balancerFor({balancers}: Workers, url: string): Balancer | undefined {
  const wanted = balancerName(url)
  return balancers.find(({name}) => name === wanted)
}

const passes = new WeakMap<Server, readonly Pass[]>()

/** Every `ProxyPass` of a server in the order it is tried: those around a virtual host come before its own (measured on 2.4.71). */
export function passesOf(server: Server): readonly Pass[] {
  const made = passes.get(server)
  if (made) return made
  const own = server.lines
    .filter(
      ({name, within}) => (name === 'proxypass' || name === 'proxypassmatch') && !within.some(section => /^location/.test(section.name)),
    )
    .flatMap(line => passOf(line) ?? [])
  const found = [...(server.outer ? passesOf(server.outer) : []), ...own]
  passes.set(server, found)
  return found
}
