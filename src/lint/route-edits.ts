import type {Edit, Span} from '../model/bundle.ts'
import type {Site, Way} from '../proxies/site.ts'
import type {Directive, ParsedConfig} from '../proxies/syntax.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'
import {sparing} from './conditions.ts'
import {conditionsOf} from './rewrite-rules.ts'
import {allOf, blocksAround, directiveAt, insertedBefore, insertedBelow, withoutLine} from './source.ts'

/** Requests of a chat, for a condition of HAProxy. */
export const SPARED = `{ path_beg ${COMETD_PATH} ${FILES_PATH} }`

/** The path that a route has to name, for a request to what is below it. */
function routeOf(path: string): string {
  return [COMETD_PATH, FILES_PATH].find(own => path === own || path.startsWith(`${own}/`)) ?? path
}

/** A way of its own for the path of `lost`, like the one that `arriving` takes. Empty where no route is there to be copied. */
export function routed({proxy, config}: Site, lost: Way, arriving: Way): readonly Edit[] {
  const path = routeOf(lost.request.path)
  const why = `${path} reaches GMS`
  if (proxy === 'haproxy') return namedBeside(config, routeOf(arriving.request.path), path, why)
  if (proxy === 'nginx') return locationFor(config, {path, lost: lost.end.span, arriving: arriving.end.span}, why)
  const taken = allOf(config, /^ProxyPass$/i).find(({args: [own, target]}) => own?.value === path && target?.value === '!')
  if (taken) return withoutLine(config, taken, why)
  const line = arriving.end.kind === 'upstream' ? directiveAt(config, arriving.end.target.span ?? arriving.end.span) : undefined
  const [from] = line?.args ?? []
  if (!line || !from || !/^ProxyPass$/i.test(line.name)) return []
  const text = textOf(config, line.span).replaceAll(from.value, path)
  return insertedBelow(config, line.span, [text], why)
}

/** Lists of paths and conditions that name the one path name the other too. */
function namedBeside(config: ParsedConfig, known: string, path: string, why: string): readonly Edit[] {
  return allOf(config, /^(?:acl|use_backend|http-request)$/).flatMap(({args}) => {
    const at = args.findIndex(({value}) => value === known)
    const fetch = args.slice(0, at).findLast(({value}) => !value.startsWith('-'))
    const own = args[at]
    if (!own || !/^path(?:_beg|_dir)?$/.test(fetch?.value ?? '') || args.some(({value}) => value === path)) return []
    return [{span: {...own.span, start: own.span.end}, text: ` ${path}`, why}]
  })
}

/** A `location` for the path: the one that is there wins over expressions from now on, or that of another path is copied. */
function locationFor(
  config: ParsedConfig,
  {path, lost, arriving}: {path: string; lost: Span; arriving: Span},
  why: string,
): readonly Edit[] {
  const server = blocksAround(config, arriving).find(({name}) => name === 'server')
  const taken = blocksAround(config, lost).findLast(({name}) => name === 'location')
  const isExpression = /^~\*?$/.test(taken?.args[0]?.value ?? '')
  const there = server?.block?.find(({name, args}) => name === 'location' && args.length === 1 && args[0]?.value === path)
  if (there) return isExpression ? first(there, why) : []
  const model = blocksAround(config, arriving).findLast(({name}) => name === 'location')
  const [opens] = model?.args ?? []
  const closes = model?.args.at(-1)
  if (!model || !opens || !closes) return []
  const text = textOf(config, model.span)
  const head = text.slice(0, opens.span.start - model.span.start)
  const body = text.slice(closes.span.end - model.span.start)
  const indent = ' '.repeat(model.span.column - 1)
  const lines = `${head}${isExpression ? '^~ ' : ''}${path}${body}`
    .split(/\r?\n/)
    .map(line => (line.startsWith(indent) ? line.slice(indent.length) : line))
  return insertedBelow(config, model.span, ['', ...lines], why)
}

/** A location that no regular expression takes anything from. */
export function first({args: [path]}: Directive, why: string): readonly Edit[] {
  return path ? [{span: {...path.span, end: path.span.start}, text: '^~ ', why}] : []
}

/** The line that takes a request away leaves this path to others; empty where it cannot be told how. */
export function spared({proxy, config}: Site, line: Directive, path: string): readonly Edit[] {
  const own = routeOf(path)
  const why = `${own} is left to GMS`
  if (proxy === 'haproxy') return sparing(line, `{ path_beg ${own} }`, why)
  if (line.name.toLowerCase() !== 'rewriterule') return []
  const conditions = conditionsOf(config, line)
  if (conditions.some(({args}) => /\bOR\b|ornext/i.test(args[2]?.value ?? ''))) return []
  const above = conditions.at(-1) ?? line
  const condition = `RewriteCond %{REQUEST_URI} !^${own}`
  return above === line ? insertedBefore(config, line.span, [condition], why) : insertedBelow(config, above.span, [condition], why)
}

function textOf({bundle}: ParsedConfig, {file, start, end}: Span): string {
  return bundle.files.find(({path}) => path === file)?.text.slice(start, end) ?? ''
}
