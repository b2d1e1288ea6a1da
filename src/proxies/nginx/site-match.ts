import type {Directive} from '../syntax.ts'
import {within} from './site-scope.ts'
import type {Scope} from './site-scope.ts'
import {maskMatches, regexOf} from './site-values.ts'

/** A `location`, with the locations in it. */
export interface Location {
  scope: Scope
  kind: 'exact' | 'prefix' | 'regex' | 'named'
  /** What paths are compared with; the expression as written. */
  name: string
  /** `^~`: no expression is asked after it. */
  final: boolean
  /** Absent for an expression that this engine does not know. */
  regex?: RegExp
}

/** Outcome of a search among locations. `slash`: nginx itself redirects to the path with a slash behind it. `settled`: no expression further out is asked. */
export type Found =
  | {kind: 'location'; location: Location; match?: RegExpExecArray; settled?: boolean}
  | {kind: 'slash'; location: Location}
  | {kind: 'none'}
  | {kind: 'unknown'; location: Location}

const HANDLERS = ['proxy_pass', 'fastcgi_pass', 'uwsgi_pass', 'scgi_pass', 'memcached_pass', 'grpc_pass']
const known = new WeakMap<Scope, readonly Location[]>()

/** The locations that stand in a server or location. */
export function locationsIn(scope: Scope): readonly Location[] {
  const cached = known.get(scope)
  if (cached) return cached
  const found = scope.all('location').flatMap(line => (line.block ? [locationOf(scope, line)] : []))
  known.set(scope, found)
  return found
}

function locationOf(parent: Scope, line: Directive): Location {
  const scope = within(parent, line, 'location')
  const [first = '', second] = line.args.map(({value}) => value)
  const [, sign, joined] = /^(=|\^~|~\*|~)(.+)$/.exec(first) ?? []
  const modifier = second === undefined ? (sign ?? '') : first
  const name = second ?? joined ?? first
  if (modifier === '~' || modifier === '~*') {
    const regex = regexOf(name, modifier === '~*')
    return {scope, kind: 'regex', name, final: false, ...(regex ? {regex} : {})}
  }
  if (modifier === '' && name.startsWith('@')) return {scope, kind: 'named', name, final: false}
  return {scope, kind: modifier === '=' ? 'exact' : 'prefix', name, final: modifier === '^~'}
}

/**
 * The location of a normalised path, as ngx_http_core_find_location finds it: the exact one, else the longest prefix; the locations in it; then,
 * unless `^~` or a hit within forbids, the first expression that matches, and the locations in that.
 */
export function locate(scope: Scope, path: string): Found {
  const all = locationsIn(scope)
  const exact = all.find(({kind, name}) => kind === 'exact' && name === path)
  if (exact) return {kind: 'location', location: exact, settled: true}
  const slashed = all.find(
    ({kind, name, scope: own}) => kind !== 'regex' && kind !== 'named' && name === `${path}/` && HANDLERS.some(handler => own.has(handler)),
  )
  const prefix = all.filter(({kind, name}) => kind === 'prefix' && path.startsWith(name)).sort((a, b) => b.name.length - a.name.length)[0]
  // A prefix that is the whole path ends the search of names before the one with a slash is met.
  if (slashed && prefix?.name !== path) return {kind: 'slash', location: slashed}
  let found: Found = prefix ? {kind: 'location', location: prefix} : {kind: 'none'}
  if (prefix) {
    const inner = locate(prefix.scope, path)
    if (inner.kind === 'slash' || inner.kind === 'unknown') return inner
    if (inner.kind === 'location') {
      if (inner.settled === true) return inner
      found = inner
    }
  }
  if (prefix?.final === true) return found
  for (const location of all.filter(({kind}) => kind === 'regex')) {
    if (!location.regex) return {kind: 'unknown', location}
    const match = location.regex.exec(path)
    if (!match) continue
    const inner = locate(location.scope, path)
    if (inner.kind === 'none') return {kind: 'location', location, match, settled: true}
    return inner.kind === 'location' ? {...inner, settled: true} : inner
  }
  return found
}

export function namedLocation(server: Scope, name: string): Location | undefined {
  return locationsIn(server).find(location => location.kind === 'named' && location.name === name)
}

/** Names of a server as written; empty: it has none. */
export function namesOf(server: Scope): readonly string[] {
  return server.all('server_name').flatMap(({args}) => args.map(({value}) => value))
}

/**
 * The server that answers to a host (in lower case, without port) among those of one address, in the order that nginx documents: the name,
 * the longest mask that begins with a star, the longest that ends with one, the first expression; else the default. `undefined`: an expression
 * stands in the way that this engine does not know.
 */
export function serverFor<T extends {server: Scope; isDefault: boolean}>(
  candidates: readonly T[],
  host: string,
): {chosen: T; match?: RegExpExecArray} | undefined {
  const named = candidates.flatMap(candidate =>
    namesOf(candidate.server).map(name => ({candidate, name: name.toLowerCase(), written: name})),
  )
  const exact = named.find(({name}) => name === host || (name.startsWith('.') && name.slice(1) === host))
  if (exact) return {chosen: exact.candidate}
  const masks = named.filter(({name}) => !name.startsWith('~') && maskMatches(name, host)).sort((a, b) => b.name.length - a.name.length)
  const mask = masks.find(({name}) => !name.endsWith('.*')) ?? masks[0]
  if (mask) return {chosen: mask.candidate}
  for (const {written, candidate} of named.filter(({name}) => name.startsWith('~'))) {
    const regex = regexOf(written.slice(1), true)
    if (!regex) return undefined
    const match = regex.exec(host)
    if (match) return {chosen: candidate, match}
  }
  const fallback = candidates.find(({isDefault}) => isDefault) ?? candidates[0]
  return fallback && {chosen: fallback}
}

/** A path as locations see it: decoded, dots resolved, slashes merged. */
export function normalisedPath(path: string, mergeSlashes: boolean): string {
  const decoded = path.replace(/(?:%[0-9A-Fa-f]{2})+/g, run => {
    try {
      return decodeURIComponent(run)
    } catch {
      return run
    }
  })
  const parts: string[] = []
  const pieces = decoded.split('/').slice(1)
  pieces.forEach((piece, index) => {
    const last = index === pieces.length - 1
    if (piece === '..') parts.pop()
    if (piece === '.' || piece === '..' || (piece === '' && mergeSlashes && !last)) {
      if (last) parts.push('')
      return
    }
    parts.push(piece)
  })
  return `/${parts.join('/')}`
}
