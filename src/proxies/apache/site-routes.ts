import type {Exchange} from './site-exchange.ts'
import type {Held} from './site-expression.ts'
import {judge} from './site-expression.ts'
import type {Line, Section} from './site-lines.ts'
import {pcre, wildcardLocation} from './site-patterns.ts'
import type {Server} from './site-servers.ts'
import {choosing} from './site-servers.ts'

/** A `ProxyPass`, wherever it stands. */
export interface Pass {
  line: Line
  /** Path in front, or the pattern. */
  from: string
  pattern: boolean
  /** `!`: not proxied. */
  target: string
  parameters: ReadonlyMap<string, string>
}

/** Slashes in a row are one (MergeSlashes is on unless said otherwise, core.c). */
function merged(path: string): string {
  return path.replace(/\/{2,}/g, '/')
}

/** True when a section that chooses by path takes the request; `undefined` when that cannot be told. */
export function takes(section: Section, exchange: Exchange): Held {
  const {name, values} = section
  const path = merged(exchange.request.path)
  if (name === 'if' || name === 'elseif') return judge(values.join(' '), exchange)
  if (name === 'location' && values[0] !== '~') {
    const [wanted = ''] = values
    if (/[*?[]/.test(wanted)) {
      const pattern = wildcardLocation(wanted)
      return pattern && segmentsOf(path).some(prefix => pattern.test(prefix))
    }
    return isBelow(path, wanted)
  }
  if (name === 'location' || name === 'locationmatch') return pcre(values.at(-1) ?? '', false)?.test(path)
  return undefined
}

/** `/a`, `/a/b`, … of `/a/b`. */
function segmentsOf(path: string): readonly string[] {
  return path.split('/').map((_, index, all) => all.slice(0, index + 1).join('/') || '/')
}

/** `path` is `prefix`, or lies below it. */
function isBelow(path: string, prefix: string): boolean {
  return path === prefix || (path.startsWith(prefix) && (prefix.endsWith('/') || path[prefix.length] === '/'))
}

/** The whole chain of sections around a line takes the request. An `<Else>` holds when what stands before it does not. */
function reaches(sections: readonly Section[], exchange: Exchange): Held {
  let held: Held = true
  for (const section of sections) {
    const own = section.name === 'else' ? undefined : takes(section, exchange)
    if (own === false) return false
    if (own === undefined) held = undefined
  }
  return held
}

/** What comes from sections that choose requests, in the order httpd merges it: `<Location>` of the server around first, then `<If>`. */
export interface Merged {
  /** In merge order: the last one wins. */
  lines: readonly Line[]
  /** Sections for which it cannot be told whether they take the request. */
  doubtful: readonly Line[]
}

/** Lines in sections that choose requests, by the outermost of these. */
interface Group {
  outermost: Section
  /** For `<Proxy>`: whether it takes what is proxied to this address. */
  takes?: (url: string) => boolean
  lines: {line: Line; paths: readonly Section[]; inIf: boolean}[]
}

const grouped = new WeakMap<Server, readonly Group[]>()

function groupsOf(server: Server): readonly Group[] {
  const known = grouped.get(server)
  if (known) return known
  const groups: Group[] = server.outer ? [...groupsOf(server.outer)] : []
  for (const line of server.lines) {
    const sections = choosing(line)
    const [outermost] = sections
    if (!outermost || /^(?:directory|files)/.test(outermost.name)) continue
    const inProxy = outermost.name === 'proxy' || outermost.name === 'proxymatch'
    const inIf = sections.some(({name}) => /^(?:if|elseif|else)$/.test(name))
    const entry = {line, paths: inProxy ? sections.slice(1) : sections, inIf}
    const last = groups.at(-1)
    if (last?.outermost === outermost) last.lines.push(entry)
    else groups.push({outermost, ...(inProxy ? {takes: proxiedTo(outermost)} : {}), lines: [entry]})
  }
  grouped.set(server, groups)
  return groups
}

/** Lines that are in force for one request beyond those of the server: of its paths, and of what it is proxied to. */
export function mergedLines(server: Server, exchange: Exchange, proxied: string | undefined): Merged {
  const merged: Record<'proxy' | 'location' | 'if', Line[]> = {proxy: [], location: [], if: []}
  const doubtful: Line[] = []
  for (const {takes: ofProxy, lines} of groupsOf(server)) {
    if (ofProxy && (proxied === undefined || !ofProxy(proxied))) continue
    for (const {line, paths, inIf} of lines) {
      const chosen = reaches(paths, exchange)
      if (chosen === undefined) doubtful.push(line)
      if (chosen === true) merged[ofProxy ? 'proxy' : inIf ? 'if' : 'location'].push(line)
    }
  }
  return {lines: [...merged.proxy, ...merged.location, ...merged.if], doubtful}
}

/** `<Proxy>` takes what is proxied to its address, or everything. */
export function takesProxied(section: Section, url: string): boolean {
  return proxiedTo(section)(url)
}

function proxiedTo(section: Section): (url: string) => boolean {
  const wanted = section.values.at(-1) ?? ''
  if (section.name === 'proxymatch' || section.values[0] === '~') {
    const pattern = pcre(wanted, false)
    return url => pattern?.test(url) === true
  }
  if (wanted === '*') return () => true
  if (/[*?]/.test(wanted)) {
    const source = wanted
      .replace(/[\\^$.|+(){}[\]]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
    const mask = new RegExp(`^${source}`, 'i')
    return url => mask.test(url)
  }
  const start = wanted.toLowerCase()
  return url => url.toLowerCase().startsWith(start)
}

/** Reads a `ProxyPass`; `undefined` for one that httpd would refuse. */
export function passOf(line: Line): Pass | undefined {
  const section = line.within.findLast(({name}) => name === 'location' || name === 'locationmatch')
  const isMatch = line.name === 'proxypassmatch'
  const words = line.values.filter(value => !/^(?:nocanon|noquery|interpolate)$/i.test(value))
  const plain = words.filter((value, index) => index === 0 || !/^[a-z]+=/i.test(value) || /^[a-z]+:/i.test(value))
  const parameters = new Map(
    words
      .filter(word => !plain.includes(word))
      .map(word => [word.slice(0, word.indexOf('=')).toLowerCase(), word.slice(word.indexOf('=') + 1)] as const),
  )
  const common = {line, parameters}
  if (section && plain.length === 1) {
    const target = plain[0] ?? ''
    // measured on 2.4.71: a plain ProxyPass without a reference compares the pattern of <LocationMatch> as if it were a path
    const pattern = (section.name === 'locationmatch' || section.values[0] === '~') && (isMatch || /\$\d/.test(target))
    return {...common, from: section.values.at(-1) ?? '', pattern, target}
  }
  const [from, target] = plain
  return from === undefined || target === undefined ? undefined : {...common, from, pattern: isMatch, target}
}

/** What a `ProxyPass` makes of a path, `!` to keep it here; `undefined`: it does not take it, `null`: that cannot be told. */
export function mapped(pass: Pass, uri: string): string | null | undefined {
  if (pass.pattern) {
    const regex = pcre(pass.from, false)
    if (!regex) return null
    const match = regex.exec(uri)
    if (!match) return undefined
    if (pass.target === '!') return '!'
    // without a reference in the target, the path as it came is put behind it
    const written = pass.target.replace(/\\?[$&](\d)?/g, (token, digit: string | undefined) =>
      token.startsWith('\\') ? token : digit === undefined ? (token === '&' ? match[0] : token) : (match[Number(digit)] ?? ''),
    )
    return written === pass.target && !/[$&]/.test(pass.target) ? `${pass.target}${uri}` : written
  }
  const length = prefixLength(uri, pass.from)
  if (length === undefined) return undefined
  return pass.target === '!' ? '!' : pass.target + uri.slice(length)
}

/** How much of `uri` the path of a `ProxyPass` covers (alias_match, mod_proxy.c): whole segments, slashes in a row count once. */
function prefixLength(uri: string, from: string): number | undefined {
  let at = 0
  for (let index = 0; index < from.length;) {
    if (from[index] === '/') {
      if (uri[at] !== '/') return undefined
      while (from[index] === '/') index++
      while (uri[at] === '/') at++
    } else {
      if (from[index] !== uri[at]) return undefined
      index++
      at++
    }
  }
  if (!from.endsWith('/') && at < uri.length && uri[at] !== '/') return undefined
  return at
}
