import type {End, Listener, Request, Setting, Way} from '../site.ts'
import {addedAnswers, hiddenAnswers, sentHeader} from './site-headers.ts'
import {connectionsPerClient, requestsPerSecond} from './site-limits.ts'
import {logsOf} from './site-logs.ts'
import type {Scope} from './site-scope.ts'
import {dropped, homeFor, inForce, setting} from './site-setting.ts'
import type {Course} from './site-trace.ts'
import {durationOf, sizeOf} from './site-units.ts'
import {textIn} from './site-values.ts'
import type {Variables} from './site-values.ts'
import {authorityOf} from './site-upstreams.ts'

/** Everything that is in force for a request at the end of its course. */
export function wayOf(request: Request, listener: Listener, end: End, course: Course, variables: Variables, version: string): Way {
  const {scope} = course
  const node = course.end.kind === 'pass' ? authorityOf(course.end.target)?.name : undefined
  const moment = {...course.moment, ...(node === undefined ? {} : {node})}
  const inner = homeFor(scope, ['location', 'server', 'http'])
  const time = (name: string) => inForce<number | undefined>(scope, name, version, ([word = '']) => durationOf(word))
  const never = <T>(value: T, directive: string): Setting<T> => setting({value, directive, text: `no ${directive}`, home: inner.home})
  const drop = (at: Scope, line: Parameters<typeof dropped>[1]) => dropped(at, line, `no ${line.name} ${line.args[0]?.raw ?? ''}`)
  const httpVersion = inForce(scope, 'proxy_http_version', version, ([word = '']) => word)
  const answerTimeout = time('proxy_read_timeout')
  return {
    request,
    listener,
    end,
    route: course.route,
    sent: name => sentHeader(name, scope, moment, variables, version),
    httpVersion,
    tunnels: {...httpVersion, value: httpVersion.value === '1.1'},
    answerTimeout,
    idleTimeout: answerTimeout,
    bodyTimeout: time('client_body_timeout'),
    wholeBodyTimeout: never<number | undefined>(undefined, 'limit of the time of a whole body'),
    connectTimeout: time('proxy_connect_timeout'),
    bodyLimit: bodyLimit(course, version),
    bodyBuffer: never<number | undefined>(undefined, 'limit of a buffered body'),
    buffered: buffered(scope, version),
    compressed: compressed(scope, version),
    throttled: throttled(scope, version),
    cached: cached(scope, course.method, version, text => textIn(variables.evaluate(text, moment))),
    credentials: inForce(scope, 'auth_basic', version, ([word]) => word !== 'off'),
    errorsReplaced: inForce(scope, 'proxy_intercept_errors', version, ([word]) => word === 'on' && replacesErrors(scope)),
    redirectsTranslated: inForce(scope, 'proxy_redirect', version, ([word]) => word !== 'off'),
    retriesPost: inForce(
      scope,
      'proxy_next_upstream',
      version,
      words =>
        words.includes('non_idempotent') &&
        !words.includes('off') &&
        inForce(scope, 'proxy_next_upstream_tries', version, ([count]) => count).value !== '1',
    ),
    hiddenAnswers: hiddenAnswers(scope, drop),
    addedAnswers: addedAnswers(scope, moment, variables, version, drop),
    connectionsPerClient: connectionsPerClient(scope, moment, variables),
    requestsPerSecond: requestsPerSecond(scope, moment, variables),
    logs: logsOf(scope, condition => !['', '0'].includes(textIn(variables.evaluate(condition, moment)) ?? '')),
  }
}

/** The length that a client announces is compared in each location that a search leads to, not in one that `@name` or `if` leads to. */
function bodyLimit({measured, scope}: Course, version: string): Setting<number | undefined> {
  const limits = [...measured, scope].map(at =>
    inForce<number | undefined>(at, 'client_max_body_size', version, ([word = '']) => (word === '0' ? undefined : sizeOf(word))),
  )
  const [first, ...others] = limits
  if (!first) throw new Error('a request has at least one limit')
  return others.reduce((least, limit) => ((limit.value ?? Infinity) < (least.value ?? Infinity) ? limit : least), first)
}

/**
 * A buffer is passed on when a chunk ends (measured), so that buffering alone collects nothing. It does where answers are compressed besides, and
 * over HTTP/1.0, which has no chunks.
 */
function buffered(scope: Scope, version: string): Setting<boolean> {
  const chunks = inForce(scope, 'proxy_http_version', version, ([word]) => word !== '1.0').value
  return inForce(scope, 'proxy_buffering', version, ([word]) => word === 'on' && (!chunks || compressed(scope, version).value))
}

/** The slower of what clients get and what is read from a node; 0 is no limit. */
function throttled(scope: Scope, version: string): Setting<number | undefined> {
  const rate = (name: string) => inForce(scope, name, version, ([word = '0']) => sizeOf(word) || undefined)
  const [toClient, fromNode] = [rate('limit_rate'), rate('proxy_limit_rate')]
  return (fromNode.value ?? Infinity) < (toClient.value ?? Infinity) ? fromNode : toClient
}

function compressed(scope: Scope, version: string): Setting<boolean> {
  const types = inForce(scope, 'gzip_types', version, words => words.some(word => word === '*' || word === 'application/json'))
  return inForce(scope, 'gzip', version, ([word]) => word === 'on' && types.value)
}

function replacesErrors(scope: Scope): boolean {
  const pages = scope.holder('error_page')?.all('error_page') ?? []
  return pages.some(({args}) => args.slice(0, -1).some(({value}) => Number(value) >= 400))
}

function isOn(scope: Scope, name: string, version: string): boolean {
  return inForce(scope, name, version, ([word]) => word === 'on').value
}

function cached(
  scope: Scope,
  method: Request['method'],
  version: string,
  evaluate: (text: string) => string | undefined,
): Setting<boolean> {
  const methods = inForce(scope, 'proxy_cache_methods', version, words => words)
  const usable = method === 'GET' || method === 'HEAD' || methods.value.includes(method)
  const excepted = (['proxy_no_cache', 'proxy_cache_bypass'] as const).some(name =>
    (scope.holder(name)?.first(name)?.args ?? []).some(({value}) => !['', '0'].includes(evaluate(value) ?? '')),
  )
  const kept = scope.holder('proxy_cache_valid') !== undefined || scope.holder('proxy_ignore_headers') !== undefined
  return inForce(
    scope,
    'proxy_cache',
    version,
    ([word]) => word !== 'off' && usable && kept && !excepted && isOn(scope, 'proxy_buffering', version),
  )
}
