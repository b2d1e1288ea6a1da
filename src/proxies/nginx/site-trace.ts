import type {Span} from '../../model/bundle.ts'
import type {Directive} from '../syntax.ts'
import type {End, Request} from '../site.ts'
import {locate, namedLocation, normalisedPath} from './site-match.ts'
import type {Location} from './site-match.ts'
import {expanded, headOf, within} from './site-scope.ts'
import type {Scope} from './site-scope.ts'
import {regexOf, textIn, withGroups} from './site-values.ts'
import type {Moment, Value, Variables} from './site-values.ts'

/** What one request met: the block whose settings are in force at the end, and the lines that led there. */
export interface Course {
  end: CourseEnd
  scope: Scope
  /** Locations in which the length of the body was compared with a limit. */
  measured: readonly Scope[]
  route: readonly Span[]
  moment: Moment
  method: Request['method']
}

/** `End` before upstreams are known: where `proxy_pass` leads stands in `pass`. */
export type CourseEnd = Exclude<End, {kind: 'upstream'}> | {kind: 'pass'; line: Directive; path?: string; scope: Scope; target: Value}

/** Kept from `ngx_http_core_find_config_phase`: a request may change its path ten times. */
const MOST_CYCLES = 10
/** Conditions of one request that cannot be told. */
const MOST_FORKS = 5

const REWRITES = new Set(['rewrite', 'return', 'set', 'if', 'break'])
/** Directives of other modules that answer, or send the request elsewhere, by code. */
const CODE =
  /^(?:(?:content|access|rewrite|server_rewrite)_by_lua(?:_block|_file|_no_postpone)?|js_content|perl|echo|proxy_wasm|njs_content)$/
const CONTENT = /^(?:fastcgi_pass|uwsgi_pass|scgi_pass|memcached_pass|grpc_pass|stub_status|empty_gif|flv|mp4|autoindex|random_index)$/

interface Walk {
  server: Scope
  moment: Moment
  method: Request['method']
  measured: Scope[]
  route: Span[]
  /** The path is still what the client wrote. */
  unparsed: boolean
  /** The part of the path that the location names can be replaced. */
  replaceable: boolean
  errorPageTaken: boolean
  internal: boolean
  cycles: number
  decide(span: Span): boolean
}

type Step = {kind: 'next'; scope: Scope} | {kind: 'moved'} | {kind: 'end'; end: CourseEnd; scope: Scope}

/**
 * Where a request ends that a server takes. Conditions that cannot be told are tried both ways: a way that only refuses is that of others
 * (addresses that are kept out); if the rest agree, that is the answer, else it is unknown.
 */
export function courseOf(server: Scope, moment: Moment, variables: Variables): Course {
  const courses: Course[] = []
  let because: Span | undefined
  const explore = (choices: readonly boolean[]): void => {
    let asked = 0
    const course = new Tracer(variables).run(server, moment, span => {
      because ??= span
      const choice = choices[asked++]
      return choice ?? false
    })
    courses.push(course)
    for (let index = choices.length; index < Math.min(asked, MOST_FORKS); index++)
      explore([...choices, ...Array.from({length: index - choices.length}, () => false), true])
  }
  explore([])
  const [first] = courses
  if (!first) throw new Error('a request has at least one course')
  const refused = ({end}: Course) => end.kind === 'answer' && (end.status ?? 0) >= 400
  const open = courses.some(course => !refused(course)) ? courses.filter(course => !refused(course)) : [first]
  const [chosen = first] = open
  if (open.every(({end}) => sameEnd(end, chosen.end))) return chosen
  return {...chosen, end: {kind: 'unknown', because: 'a condition that only a running proxy can decide', span: because ?? server.home}}
}

function sameEnd(a: CourseEnd, b: CourseEnd): boolean {
  const spanOf = (end: CourseEnd) => (end.kind === 'pass' ? end.line.span : end.span)
  return a.kind === b.kind && spanOf(a).file === spanOf(b).file && spanOf(a).start === spanOf(b).start
}

const codes = new WeakMap<Scope, Directive | 'none'>()

/** The first line of a block that runs code. */
function codeIn(scope: Scope): Directive | undefined {
  const known = codes.get(scope) ?? scope.lines.find(({name}) => CODE.test(name)) ?? 'none'
  codes.set(scope, known)
  return known === 'none' ? undefined : known
}

class Tracer {
  constructor(private readonly variables: Variables) {}

  run(server: Scope, moment: Moment, decide: (span: Span) => boolean): Course {
    const mergeSlashes = server.holder('merge_slashes')?.first('merge_slashes')?.args[0]?.value !== 'off'
    const walk: Walk = {
      server,
      moment: {...moment, uri: normalisedPath(moment.request.path, mergeSlashes)},
      method: moment.request.method,
      measured: [],
      route: [server.home],
      unparsed: true,
      replaceable: true,
      errorPageTaken: false,
      internal: false,
      cycles: 0,
      decide,
    }
    const {end, scope} = this.serve(walk)
    return {end, scope, measured: walk.measured, route: walk.route, moment: walk.moment, method: walk.method}
  }

  private serve(walk: Walk): {end: CourseEnd; scope: Scope} {
    const step = this.rewrite(walk.server, walk)
    if (step.kind === 'end') return step
    if (step.kind === 'moved') walk.unparsed = false
    return this.find(walk)
  }

  /** From the search for a location on. */
  private find(walk: Walk): {end: CourseEnd; scope: Scope} {
    const found = locate(walk.server, walk.moment.uri)
    if (found.kind === 'none') {
      walk.measured.push(walk.server)
      return this.content(walk.server, undefined, walk)
    }
    const {location} = found
    const {scope} = location
    walk.route.push(scope.home)
    if (found.kind === 'unknown') return {end: {kind: 'unknown', because: `the expression ${location.name}`, span: scope.home}, scope}
    if (found.kind === 'slash') {
      const args = walk.moment.args === '' ? '' : `?${walk.moment.args}`
      return {end: {kind: 'redirect', status: 301, to: `${walk.moment.uri}/${args}`, span: scope.home}, scope}
    }
    if (found.match) walk.moment = withGroups(walk.moment, found.match)
    walk.measured.push(scope)
    if (scope.has('internal') && !walk.internal)
      return this.status(404, 'no-route', scope.first('internal')?.span ?? scope.home, scope, walk)
    return this.enter(location, walk)
  }

  /** A location from its rewrite phase on. */
  private enter(location: Location, walk: Walk): {end: CourseEnd; scope: Scope} {
    const step = this.rewrite(location.scope, walk)
    if (step.kind === 'end') return step
    if (step.kind === 'moved') {
      walk.unparsed = false
      if (++walk.cycles > MOST_CYCLES)
        return {end: {kind: 'answer', status: 500, of: 'rewrite', span: location.scope.home}, scope: location.scope}
      return this.find(walk)
    }
    return this.content(step.scope, location, walk)
  }

  /** The lines of the rewrite module in one block, in order. */
  private rewrite(block: Scope, walk: Walk): Step {
    let scope = block
    let moved = false
    const run = (lines: readonly Directive[], at: Scope): Step | 'stop' | undefined => {
      for (const line of lines) {
        const code = CODE.test(line.name) && line.name.includes('rewrite')
        if (code) return {kind: 'end', end: {kind: 'unknown', because: `the code of ${line.name}`, span: line.span}, scope: at}
        if (!REWRITES.has(line.name)) continue
        const words = line.args.map(({value}) => value)
        const [first = '', second = '', flag = ''] = words
        if (line.name === 'set') {
          const variables = new Map(walk.moment.variables)
          variables.set(first.replace(/^\$/, '').toLowerCase(), this.variables.evaluate(second, walk.moment))
          walk.moment = {...walk.moment, variables}
        } else if (line.name === 'break') {
          walk.replaceable = false
          moved = false
          return 'stop'
        } else if (line.name === 'return') {
          walk.route.push(line.span)
          return {kind: 'end', ...this.returned(line, words, at, walk)}
        } else if (line.name === 'if') {
          const holds = this.condition(words, walk)
          if (!(holds ?? walk.decide(headOf(line)))) continue
          const inner = within(at, line, 'if')
          walk.route.push(inner.home)
          if (block.level === 'location') scope = inner
          const step = run(expanded(at.config, line.block ?? []), block.level === 'location' ? inner : at)
          if (step !== undefined) return step
        } else {
          const regex = regexOf(first, false)
          if (!regex) return {kind: 'end', end: {kind: 'unknown', because: `the expression ${first}`, span: line.span}, scope: at}
          const match = regex.exec(walk.moment.uri)
          if (!match) continue
          walk.route.push(line.span)
          walk.moment = withGroups(walk.moment, match)
          const value = this.variables.evaluate(second.replace(/\?$/, ''), walk.moment)
          const text = textIn(value)
          const status = flag === 'permanent' ? 301 : 302
          if (/^(?:https?:\/\/|\$scheme)/.test(second) || flag === 'redirect' || flag === 'permanent')
            return {kind: 'end', end: {kind: 'redirect', status, to: text ?? second, span: line.span}, scope: at}
          if (text === undefined) return {kind: 'end', end: {kind: 'unknown', because: `the path ${second}`, span: line.span}, scope: at}
          const [path = '', own] = text.split('?')
          const args = second.endsWith('?')
            ? (own ?? '')
            : [own, walk.moment.args].filter(part => part !== undefined && part !== '').join('&')
          walk.moment = {...walk.moment, uri: path, args}
          walk.unparsed = false
          if (flag === 'break') {
            walk.replaceable = false
            moved = false
            return 'stop'
          }
          moved = true
          if (flag === 'last') return 'stop'
        }
      }
      return undefined
    }
    const step = run(block.lines, block)
    if (step !== undefined && step !== 'stop') return step
    return moved ? {kind: 'moved'} : {kind: 'next', scope}
  }

  /** `undefined`: it cannot be told. */
  private condition(words: readonly string[], {moment}: Walk): boolean | undefined {
    const [start = '', ...rest] = words
    const inner = (start === '(' ? rest : [start.replace(/^\(/, ''), ...rest]).map((word, index, all) =>
      index === all.length - 1 ? word.replace(/\)$/, '') : word,
    )
    const [left = '', operator, right = ''] = inner.at(-1) === '' && inner.length !== 3 ? inner.slice(0, -1) : inner
    if (/^!?-[fdex]$/.test(left)) return left.startsWith('!')
    const value = this.variables.evaluate(left, moment)
    const text = textIn(value)
    if (text === undefined || !value.sure) return undefined
    if (operator === undefined) return text !== '' && text !== '0'
    if (operator === '=' || operator === '!=') {
      const other = this.variables.evaluate(right, moment)
      const otherText = textIn(other)
      return otherText === undefined || !other.sure ? undefined : (text === otherText) === (operator === '=')
    }
    const regex = regexOf(right, operator.endsWith('*'))
    return regex && regex.test(text) !== operator.startsWith('!')
  }

  private returned(line: Directive, words: readonly string[], scope: Scope, walk: Walk): {end: CourseEnd; scope: Scope} {
    const [first = '', second] = words
    const status = Number(first)
    const target = /^\d{3}$/.test(first) ? second : first
    if ([301, 302, 303, 307, 308].includes(status) || !/^\d{3}$/.test(first)) {
      const to = target === undefined ? '' : (textIn(this.variables.evaluate(target, walk.moment)) ?? target)
      return {end: {kind: 'redirect', status: /^\d{3}$/.test(first) ? status : 302, to, span: line.span}, scope}
    }
    if (second !== undefined) return {end: {kind: 'answer', status, of: 'return', span: line.span}, scope}
    return this.status(status, 'return', line.span, scope, walk)
  }

  /** A status that nginx itself gives: `error_page` may lead further. */
  private status(status: number, of: string, span: Span, scope: Scope, walk: Walk): {end: CourseEnd; scope: Scope} {
    const plain: CourseEnd = {kind: 'answer', status, of, span}
    const recursive = scope.holder('recursive_error_pages')?.first('recursive_error_pages')?.args[0]?.value === 'on'
    if (status < 300 || status === 444 || (walk.errorPageTaken && !recursive)) return {end: plain, scope}
    const page = scope
      .holder('error_page')
      ?.all('error_page')
      .find(({args}) => args.slice(0, -1).some(({value}) => value === String(status)))
    const target = page?.args.at(-1)?.value
    if (!page || target === undefined || ++walk.cycles > MOST_CYCLES) return {end: plain, scope}
    walk.route.push(page.span)
    walk.errorPageTaken = true
    walk.internal = true
    if (/^https?:\/\//.test(target)) return {end: {kind: 'redirect', status: 302, to: target, span: page.span}, scope}
    if (target.startsWith('@')) {
      const location = namedLocation(walk.server, target)
      if (!location) return {end: plain, scope}
      walk.route.push(location.scope.home)
      return this.enter(location, walk)
    }
    const text = textIn(this.variables.evaluate(target, walk.moment))
    if (text === undefined) return {end: {kind: 'unknown', because: `the page ${target}`, span: page.span}, scope}
    if (walk.method !== 'HEAD') walk.method = 'GET'
    const result = this.moveTo(text, walk)
    return result.end.kind === 'answer' ? {end: plain, scope: result.scope} : result
  }

  private moveTo(target: string, walk: Walk): {end: CourseEnd; scope: Scope} {
    const [path = '', args = ''] = target.split('?')
    walk.moment = {...walk.moment, uri: path, args}
    walk.unparsed = false
    walk.internal = true
    return this.serve(walk)
  }

  /** Access, then `try_files`, then who answers. */
  private content(scope: Scope, location: Location | undefined, walk: Walk): {end: CourseEnd; scope: Scope} {
    const code = scope
      .chain()
      .map(codeIn)
      .find(line => line !== undefined && !line.name.startsWith('content'))
    if (code && /access/.test(code.name)) return {end: {kind: 'unknown', because: `the code of ${code.name}`, span: code.span}, scope}
    const limit = this.methodLimit(scope, walk.method)
    const denied = limit ? refusal(limit) : refusal(scope)
    if (denied) return this.status(403, limit ? 'method' : 'deny', denied.span, scope, walk)
    // Not inherited, by `if` neither.
    const files = scope.first('try_files')
    if (files) return this.tryFiles(files, scope, walk)
    return this.answered(scope, location, walk)
  }

  private methodLimit(scope: Scope, method: string): Scope | undefined {
    const line = scope.first('limit_except')
    if (!line || line.args.some(({value}) => value === method || (value === 'GET' && method === 'HEAD'))) return undefined
    return within(scope, line, 'limit_except')
  }

  /** No file of this machine has the path of a chat. */
  private tryFiles(line: Directive, scope: Scope, walk: Walk): {end: CourseEnd; scope: Scope} {
    walk.route.push(line.span)
    const last = line.args.at(-1)?.value ?? ''
    if (last.startsWith('=')) return this.status(Number(last.slice(1)), 'files', line.span, scope, walk)
    if (++walk.cycles > MOST_CYCLES) return {end: {kind: 'answer', status: 500, of: 'files', span: line.span}, scope}
    if (last.startsWith('@')) {
      const location = namedLocation(walk.server, last)
      if (!location) return {end: {kind: 'answer', status: 500, of: 'files', span: line.span}, scope}
      walk.route.push(location.scope.home)
      return this.enter(location, walk)
    }
    const text = textIn(this.variables.evaluate(last, walk.moment))
    if (text === undefined) return {end: {kind: 'unknown', because: `the file ${last}`, span: line.span}, scope}
    const [path = ''] = text.split('?')
    if (locate(walk.server, path).kind === 'none' || samePlace(walk, path, scope))
      return {end: {kind: 'answer', of: 'files', span: line.span, ...(isRead(walk.method) ? {} : {status: 405})}, scope}
    return this.moveTo(text.includes('?') || walk.moment.args === '' ? text : `${text}?${walk.moment.args}`, walk)
  }

  private answered(scope: Scope, location: Location | undefined, walk: Walk): {end: CourseEnd; scope: Scope} {
    const blocks = scope.level === 'if' ? [scope, ...(scope.parent ? [scope.parent] : [])] : [scope]
    for (const block of blocks) {
      const code = block.lines.find(({name}) => CODE.test(name))
      if (code) return {end: {kind: 'unknown', because: `the code of ${code.name}`, span: code.span}, scope}
      const line = block.first('proxy_pass')
      if (line) {
        walk.route.push(line.span)
        return {end: this.passed(line, scope, location, walk), scope}
      }
      const other = block.lines.find(({name}) => CONTENT.test(name))
      if (other) return {end: {kind: 'answer', of: other.name, span: other.span}, scope}
    }
    if (!isRead(walk.method)) return this.status(405, 'files', scope.home, scope, walk)
    return {end: {kind: 'answer', of: 'files', span: scope.home}, scope}
  }

  private passed(line: Directive, scope: Scope, location: Location | undefined, walk: Walk): CourseEnd {
    const written = line.args[0]?.value ?? ''
    const {moment} = walk
    const target = this.variables.evaluate(written, moment)
    const query = moment.args === '' ? '' : `?${moment.args}`
    const whole = textIn(target)
    const uri = uriOf(whole ?? written)
    const whatClientWrote = walk.unparsed ? moment.request.path : escaped(moment.uri)
    const done = (path: string | undefined): CourseEnd => ({
      kind: 'pass',
      line,
      scope,
      target,
      ...(path === undefined ? {} : {path: path.replace(/\?.*$/, '')}),
    })
    if (uri === undefined) return done(whatClientWrote)
    if (written.includes('$')) return done(whole === undefined ? undefined : uri)
    if (!walk.replaceable || location === undefined || location.kind === 'regex' || location.kind === 'named')
      return done(`${escaped(moment.uri)}${query}`)
    return done(uri + escaped(moment.uri.slice(location.name.length)))
  }
}

/** As ngx_escape_uri writes a path (from 1.21.1 on). */
function escaped(path: string): string {
  return path.replace(/[^!$&-;=@-[\]_a-z~]/gu, encodeURIComponent)
}

/** What stands behind the address: `/`, `/genesys`; `undefined`: nothing. */
export function uriOf(target: string): string | undefined {
  const rest = target.replace(/^[^:/$]+:\/\//, '').replace(/^\$\w+:\/\//, '')
  if (rest.startsWith('unix:')) {
    const [, , uri] = rest.split(':')
    return uri === undefined || uri === '' ? undefined : uri
  }
  const at = rest.search(/[/?]/)
  if (at < 0) return undefined
  return rest.charAt(at) === '?' ? `/${rest.slice(at)}` : rest.slice(at)
}

/** The line that keeps everybody out. Where some addresses may enter, a chat comes from one of them. */
function refusal(scope: Scope): Directive | undefined {
  const lines = scope.holder('allow', 'deny')?.lines.filter(({name}) => name === 'allow' || name === 'deny') ?? []
  const [first] = lines.filter(({name, args}) => name === 'allow' || args[0]?.value === 'all')
  if (first?.name !== 'deny') return undefined
  const any = scope.holder('satisfy')?.first('satisfy')?.args[0]?.value === 'any'
  return any && scope.holder('auth_basic', 'auth_request') ? undefined : first
}

function samePlace(walk: Walk, path: string, scope: Scope): boolean {
  const found = locate(walk.server, path)
  return found.kind === 'location' && found.location.scope.block === scope.block
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}
