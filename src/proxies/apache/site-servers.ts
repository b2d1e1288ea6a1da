import type {Span} from '../../model/bundle.ts'
import type {ParsedConfig} from '../syntax.ts'
import {splitAddress} from './listeners.ts'
import type {Line, Section} from './site-lines.ts'
import {isHostMatch} from './site-patterns.ts'

/** Sections whose content belongs to the server around them, not to some requests of it. */
const OPEN = ['virtualhost', 'if', 'elseif', 'else', 'limit', 'limitexcept', 'requireall', 'requireany', 'requirenone'] as const
/** Sections that choose requests by their path or by what they become. */
const CHOOSING = [
  'location',
  'locationmatch',
  'directory',
  'directorymatch',
  'files',
  'filesmatch',
  'proxy',
  'proxymatch',
  'if',
  'elseif',
  'else',
]

/** The main server, or a virtual host. */
export interface Server {
  /** Absent: the main server. */
  section?: Section
  /** All its lines, those of the sections within it too. */
  lines: readonly Line[]
  /** Those that stand in no section that chooses requests. */
  own: readonly Line[]
  /** The main server around a virtual host. */
  outer?: Server
  /** The only virtual host there is: what is written outside of it is for it alone. */
  alone: boolean
}

/** An address that clients connect to, with the servers that share it. */
export interface Door {
  /** As written: `*:443`. */
  address: string
  port?: number
  span: Span
  /** The first is the default; the main server when no virtual host is meant for the address. */
  servers: readonly Server[]
}

/** True when a line stands in a section that chooses requests. */
export function choosing(line: Line): readonly Section[] {
  return line.within.filter(({name}) => CHOOSING.includes(name))
}

/** The main server first, then the virtual hosts in order. */
export function serversOf(lines: readonly Line[]): readonly Server[] {
  const hosts = lines.filter(({name, directive}) => name === 'virtualhost' && directive.block)
  const inside = new Map<Section['directive'] | undefined, Line[]>()
  for (const line of lines) {
    const host = line.within.find(({name}) => name === 'virtualhost')?.directive
    const known = inside.get(host)
    if (known) known.push(line)
    else inside.set(host, [line])
  }
  const isOwn = (line: Line) => line.within.every(({name}) => OPEN.some(open => open === name && !CHOOSING.includes(name)))
  const outside = (inside.get(undefined) ?? []).filter(({name}) => name !== 'virtualhost')
  const main: Server = {lines: outside, own: outside.filter(isOwn), alone: hosts.length === 0}
  return [
    main,
    ...hosts.map(({directive, name, values}): Server => {
      const within = inside.get(directive) ?? []
      return {section: {name, values, directive}, lines: within, own: within.filter(isOwn), outer: main, alone: hosts.length === 1}
    }),
  ]
}

const named = new WeakMap<Server, ReadonlyMap<string, readonly Line[]>>()

/** Lines of a server in no section that chooses requests, by their name. */
function byName(server: Server): ReadonlyMap<string, readonly Line[]> {
  const known = named.get(server)
  if (known) return known
  const made = new Map<string, Line[]>()
  for (const line of server.own) {
    const same = made.get(line.name)
    if (same) same.push(line)
    else made.set(line.name, [line])
  }
  named.set(server, made)
  return made
}

/** The line that is in force for a server: the last one of the virtual host, else the last one around it. */
export function find(server: Server, ...names: readonly string[]): Line | undefined {
  const last = (from: Server) => linesOf(from, names).at(-1)
  return last(server) ?? (server.outer && last(server.outer))
}

/** Every line of those names: around the virtual host first, then in it. */
export function all(server: Server, ...names: readonly string[]): readonly Line[] {
  return [...(server.outer ? linesOf(server.outer, names) : []), ...linesOf(server, names)]
}

function linesOf(server: Server, names: readonly string[]): readonly Line[] {
  const found = names.flatMap(name => byName(server).get(name.toLowerCase()) ?? [])
  return names.length === 1 ? found : found.sort((a, b) => a.order - b.order)
}

/** `ServerName` and `ServerAlias`, without scheme and port. */
export function namesOf(server: Server): readonly string[] {
  const bare = (name: string) => name.replace(/^https?:\/\//i, '').replace(/:\d+$/, '')
  return server.own.filter(({name}) => name === 'servername' || name === 'serveralias').flatMap(({values}) => values.map(bare))
}

/** Which server of an address names lead to: the first that is called so, by its whole name or by a mask. */
interface Names {
  plain: ReadonlyMap<string, number>
  masks: readonly {mask: string; index: number}[]
}

const names = new WeakMap<Door, Names>()

function namesAt(door: Door): Names {
  const known = names.get(door)
  if (known) return known
  const plain = new Map<string, number>()
  const masks: {mask: string; index: number}[] = []
  door.servers.forEach((server, index) => {
    const written = namesOf(server)
    // a virtual host without a ServerName has that of the server around it
    const own = server.own.some(line => line.name === 'servername') ? written : [...(server.outer ? namesOf(server.outer) : []), ...written]
    for (const name of own)
      if (/[*?]/.test(name)) masks.push({mask: name, index})
      else if (!plain.has(name.toLowerCase())) plain.set(name.toLowerCase(), index)
  })
  const made = {plain, masks}
  names.set(door, made)
  return made
}

/** The server that answers to `host` (with or without port) among those of one address: the first that names it, else the first. */
export function serverFor(door: Door, host: string | undefined): Server {
  const [first] = door.servers
  if (!first) throw new RangeError('an address without servers')
  if (host === undefined) return first
  const name = host.replace(/:\d+$/, '')
  const {plain, masks} = namesAt(door)
  const whole = plain.get(name.toLowerCase()) ?? Infinity
  const masked = masks.find(({mask, index}) => index < whole && isHostMatch(mask, name))?.index ?? Infinity
  return door.servers[Math.min(whole, masked)] ?? first
}

interface Socket {
  host: string
  port: string
  address: string
  span: Span
}

/** Addresses that are opened: `Listen`, or for a part of a configuration those its virtual hosts are meant for. */
function socketsOf(main: Server, hosts: readonly Server[], config: ParsedConfig): readonly Socket[] {
  const found: Socket[] = []
  const add = (address: string, span: Span) => {
    const split = splitAddress(address)
    if (split && !found.some(({host, port}) => host === split.host && port === split.port)) found.push({...split, address, span})
  }
  const everywhere = [main, ...hosts].flatMap(({lines}) => lines)
  for (const {name, values, directive} of main.own) if (name === 'listen') add(values[0] ?? '', directive.span)
  const isPart = !everywhere.some(({name}) => name === 'serverroot')
  const opened = found.map(({port}) => port)
  if (found.length === 0 || isPart)
    for (const {section} of hosts)
      for (const argument of section?.values ?? []) {
        const address = argument.replace(/:\*$/, ':80')
        if (section && !opened.includes(splitAddress(address)?.port ?? ''))
          add(address, section.directive.args[0]?.span ?? section.directive.span)
      }
  if (found.length === 0) add('80', {file: config.bundle.entry, start: 0, end: 0, line: 1, column: 1})
  return found
}

/** Every address with its servers, as httpd sorts virtual hosts to connections: by address first, names come later (vhost.c). */
export function doorsOf(servers: readonly Server[], config: ParsedConfig): readonly Door[] {
  const [main, ...hosts] = servers
  if (!main) return []
  const addressesOf = ({section}: Server) =>
    (section?.values ?? []).map(value => {
      const split = splitAddress(value) ?? {host: value === '_default_' ? '*' : value, port: '*'}
      return {...split, host: split.host.toLowerCase()}
    })
  const doors: Door[] = []
  for (const socket of socketsOf(main, hosts, config)) {
    const meant = hosts.flatMap(server =>
      addressesOf(server)
        .filter(({host, port}) => (port === '*' || port === socket.port) && (host === '*' || socket.host === '*' || host === socket.host))
        .map(({host}) => ({server, host})),
    )
    const special = [...new Set(meant.map(({host}) => host))].filter(host => host !== '*')
    const at = (wanted: string) => [...new Set(meant.filter(({host}) => host === wanted).map(({server}) => server))]
    const port = Number(socket.port)
    const base = {span: socket.span, ...(Number.isInteger(port) ? {port} : {})}
    if (socket.host !== '*') {
      const own = at(socket.host)
      const rest = own.length > 0 ? own : at('*')
      doors.push({...base, address: socket.address, servers: rest.length > 0 ? rest : [main]})
      continue
    }
    for (const host of special) doors.push({...base, address: `${host}:${socket.port}`, servers: at(host)})
    const wild = at('*')
    if (wild.length > 0 || special.length === 0) doors.push({...base, address: socket.address, servers: wild.length > 0 ? wild : [main]})
  }
  return doors
}
