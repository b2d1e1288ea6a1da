import type {ConfigBundle, Span} from '../../model/bundle.ts'
import type {Directive, ParsedConfig} from '../syntax.ts'

/** A directive with the blocks around it, outermost first; blocks of the including file count for an included one. */
export interface Placed {
  directive: Directive
  around: readonly Directive[]
  file: string
}

/** Blocks whose lines are data (keys and values), not directives; only `include` has its usual meaning there. */
export const DATA_BLOCKS: ReadonlySet<string> = new Set(['map', 'geo', 'types', 'split_clients', 'charset_map'])
/** Where stock installations keep their configuration: a foreign file that was written for one of them may be read from elsewhere. */
export const CONFIGURATION_FOLDERS = [
  '/etc/nginx',
  '/usr/local/nginx/conf',
  '/usr/local/etc/nginx',
  '/opt/homebrew/etc/nginx',
  '/opt/nginx/conf',
]

/** What the entry file is: a whole configuration, or the part of one that stands in `http {}` or in `server {}`. */
export type Kind = 'complete' | 'http' | 'server'

/** A map key such as `error_log` is not a directive: its name must be compared with nothing. */
export function isData({around}: Placed): boolean {
  const parent = around.at(-1)
  return parent !== undefined && DATA_BLOCKS.has(parent.name)
}

/**
 * Every directive of the bundle, in order of appearance as nginx meets them: includes are followed within the bundle, files nobody includes
 * come last. A file that is included in places of different kinds is met in each of them: what is data in a `map` may be a directive elsewhere.
 */
export function walk(config: ParsedConfig): readonly Placed[] {
  const known = walked.get(config)
  if (known) return known
  const found = walkOnce(config)
  walked.set(config, found)
  return found
}

const walked = new WeakMap<ParsedConfig, readonly Placed[]>()

function walkOnce(config: ParsedConfig): readonly Placed[] {
  const seen = new Set<string>()
  const met = new Set<string>()
  const open: string[] = []
  const found: Placed[] = []
  const files = new Map(config.files.map(file => [file.path, file.directives]))
  const visit = (directives: readonly Directive[], around: readonly Directive[], file: string): void => {
    for (const directive of directives) {
      found.push({directive, around, file})
      if (directive.name === 'include') for (const path of includedFrom(config.bundle, directive.args[0]?.value ?? '')) enter(path, around)
      if (directive.block) visit(directive.block, [...around, directive], file)
    }
  }
  const enter = (path: string, around: readonly Directive[]): void => {
    const key = `${path}\n${kindOfPlace(around)}`
    if (seen.has(key) || open.includes(path)) return
    seen.add(key)
    met.add(path)
    open.push(path)
    visit(files.get(path) ?? [], around, path)
    open.pop()
  }
  enter(config.bundle.entry, [])
  for (const path of files.keys()) if (!met.has(path)) enter(path, [])
  return found
}

/** Blocks that decide what a directive in them means. */
const TELLING = new Set(['http', 'server', 'upstream', 'stream', 'mail', 'events'])

function kindOfPlace(around: readonly Directive[]): string {
  const [outermost = 'main', innermost = 'main'] = [around[0]?.name, around.at(-1)?.name]
  const data = around.some(({name}) => DATA_BLOCKS.has(name))
  return [outermost, data ? 'data' : innermost]
    .map(name => (TELLING.has(name) || name === 'main' || name === 'data' ? name : 'other'))
    .join(' ')
}

/** Paths of the bundle that an `include` means, in the order nginx takes them. */
export function includedFrom(bundle: ConfigBundle, pattern: string): readonly string[] {
  const relative = withinBundle(bundle, pattern)
  if (relative === undefined) return []
  const matcher = globMatcher(relative)
  return bundle.files
    .map(({path}) => path)
    .filter(path => path !== bundle.entry && matcher.test(path))
    .sort()
}

/** The pattern of an `include` relative to the bundle's root; `undefined` when it points elsewhere. */
export function withinBundle(bundle: ConfigBundle, pattern: string): string | undefined {
  const folder = bundle.entry.includes('/') ? bundle.entry.slice(0, bundle.entry.lastIndexOf('/') + 1) : ''
  if (!pattern.startsWith('/')) return normalised(folder + pattern)
  const absolute = `/${normalised(pattern.slice(1)) ?? '..'}`
  const root = bundle.root?.replace(/\/+$/, '')
  if (root !== undefined && absolute.startsWith(`${root}/`)) return absolute.slice(root.length + 1)
  const stock = CONFIGURATION_FOLDERS.find(candidate => absolute.startsWith(`${candidate}/`))
  return stock === undefined ? undefined : folder + absolute.slice(stock.length + 1)
}

/** `a/./b/../c` → `a/c`; `undefined` when the path climbs out of its root. */
export function normalised(path: string): string | undefined {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined
    } else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** True when glob(3) would expand it: nothing matching is then no error. */
export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern)
}

function globMatcher(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*/g, '[^/]*')
    .replace(/\?/g, '[^/]')
  try {
    return new RegExp(`^${source}$`)
  } catch {
    return new RegExp(`^${pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
  }
}

/** Judged by the first directives of the entry file. */
export function kindOf(config: ParsedConfig): Kind {
  const names = new Set(config.files.find(file => file.path === config.bundle.entry)?.directives.map(({name}) => name))
  if (['http', 'events', 'stream', 'mail', 'worker_processes', 'daemon', 'pid', 'load_module'].some(name => names.has(name)))
    return 'complete'
  if (['server', 'upstream', 'map', 'log_format', 'limit_req_zone', 'limit_conn_zone', 'proxy_cache_path'].some(name => names.has(name)))
    return 'http'
  return names.has('location') || names.has('listen') || names.has('server_name') || names.has('proxy_pass') ? 'server' : 'complete'
}

/** An empty span at the start of the entry file. */
export function startOf(config: ParsedConfig): Span {
  return {file: config.bundle.entry, start: 0, end: 0, line: 1, column: 1}
}
