import type {Captures, Exchange} from './site-exchange.ts'
import {expand} from './site-exchange.ts'
import type {Held} from './site-expression.ts'
import {compare, every, judge, some} from './site-expression.ts'
import type {Line} from './site-lines.ts'
import {pcre} from './site-patterns.ts'
import type {Server} from './site-servers.ts'
import {find} from './site-servers.ts'

/** What mod_rewrite takes for the address of another server (is_absolute_uri, mod_rewrite.c). */
const ABSOLUTE = /^(?:ajp|balancer|fcgi|ftp|gopher|h2c?|https?|ldaps?|nntp|scgi|uwsgi|unix|wss?):\/{0,2}|^(?:mailto|news):/i
/** Long names of flags. */
const SHORT: Readonly<Record<string, string>> = {
  proxy: 'P',
  last: 'L',
  redirect: 'R',
  forbidden: 'F',
  gone: 'G',
  nocase: 'NC',
  chain: 'C',
  skip: 'S',
  env: 'E',
  passthrough: 'PT',
  end: 'END',
  next: 'N',
  ornext: 'OR',
  novary: 'NV',
}
const REDIRECTS: Readonly<Record<string, number>> = {permanent: 301, temp: 302, seeother: 303}

interface Condition {
  line: Line
  test: string
  pattern: string
  flags: ReadonlyMap<string, string>
}

/** A `RewriteRule` with its conditions. */
export interface RewriteRule {
  line: Line
  conditions: readonly Condition[]
  pattern: string
  target: string
  flags: ReadonlyMap<string, string>
}

/** What a list of rules made of a request. `lines` are those that acted. */
export type Rewritten = {lines: readonly Line[]} & (
  | {kind: 'none'}
  /** Another path, for whoever comes next (`PT`), or for the files of this server. */
  | {kind: 'path'; uri: string; through: boolean; line: Line}
  | {kind: 'proxy'; url: string; line: Line}
  | {kind: 'redirect'; status: number; to: string; line: Line}
  | {kind: 'answer'; status: number; line: Line}
  | {kind: 'unknown'; because: string; line: Line}
)

function flagsOf(text: string | undefined): ReadonlyMap<string, string> {
  const inner = (text ?? '').replace(/^\[|\]$/g, '')
  return new Map(
    inner
      .split(',')
      .map(part => part.trim())
      .filter(part => part !== '')
      .map(part => {
        const [name = '', ...value] = part.split('=')
        return [SHORT[name.toLowerCase()] ?? name.toUpperCase(), value.join('=')] as const
      }),
  )
}

/** Rules of a list of lines, with the conditions in front of each. */
export function rulesOf(lines: readonly Line[]): readonly RewriteRule[] {
  const rules: RewriteRule[] = []
  let conditions: Condition[] = []
  for (const line of lines) {
    const [first = '', second = '', third] = line.values
    if (line.name === 'rewritecond') conditions.push({line, test: first, pattern: second, flags: flagsOf(third)})
    else if (line.name === 'rewriterule') {
      rules.push({line, conditions, pattern: first, target: second, flags: flagsOf(third)})
      conditions = []
    }
  }
  return rules
}

/** Rules of a server in the order they are tried, none while its engine is off; those around a virtual host only when they are inherited. */
export function serverRules(server: Server): readonly RewriteRule[] {
  if (!/^on$/i.test(find(server, 'RewriteEngine')?.values[0] ?? 'off')) return []
  const own = rulesOf(server.own)
  if (!server.outer) return own
  const outer = rulesOf(server.outer.own)
  const options = (lines: readonly Line[]) => lines.filter(({name}) => name === 'rewriteoptions').flatMap(({values}) => values)
  const said = options(server.own).map(value => value.toLowerCase())
  const handed = options(server.outer.own).map(value => value.toLowerCase())
  if (said.includes('inheritbefore') || (handed.includes('inheritdownbefore') && !said.includes('ignoreinherit'))) return [...outer, ...own]
  if (said.includes('inherit') || (handed.includes('inheritdown') && !said.includes('ignoreinherit'))) return [...own, ...outer]
  return own
}

/** Applies rules to `subject` (a path, or what a section's rules see instead). Sets the environment of the exchange. */
export function rewrite(rules: readonly RewriteRule[], subject: string, exchange: Exchange): Rewritten {
  const lines: Line[] = []
  let uri = subject
  let changed: Line | undefined
  let through = false
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index]
    if (!rule) break
    const {line, flags, target} = rule
    const {held, captures} = applies(rule, uri, exchange)
    if (held === false || (held === undefined && refuses(flags))) {
      while (rules[index]?.flags.has('C')) index++
      continue
    }
    const settings = [...flags].filter(([name]) => name === 'E').map(([, value]) => value)
    for (const setting of settings) {
      const [name = '', ...value] = setting.split(':')
      if (name.startsWith('!')) exchange.env.delete(name.slice(1))
      else exchange.env.set(name, held ? expand(value.join(':'), exchange, captures) : undefined)
    }
    const acts = target !== '-' || ['F', 'G', 'R', 'S', 'L', 'END', 'H', 'T'].some(name => flags.has(name))
    if (!acts) continue
    if (held === undefined || line.unknown || line.doubt !== undefined)
      return {kind: 'unknown', because: `whether ${line.directive.name} ${rule.pattern} applies cannot be told`, line, lines}
    lines.push(line)
    const status = statusOf(flags)
    if (flags.has('F') || flags.has('G')) return {kind: 'answer', status: flags.has('F') ? 403 : 410, line, lines}
    if (status !== undefined && (status < 300 || status > 399)) return {kind: 'answer', status, line, lines}
    if (target !== '-') {
      const expanded = expand(target, exchange, captures)
      if (expanded === undefined) return {kind: 'unknown', because: `what ${target} becomes cannot be told`, line, lines}
      const [path, query] = splitQuery(expanded)
      uri = path
      if (query !== undefined) exchange.query = flags.has('QSA') && exchange.query !== '' ? `${query}&${exchange.query}` : query
      changed = line
      if (flags.has('P')) return {kind: 'proxy', url: uri, line, lines}
      if (status !== undefined) return {kind: 'redirect', status, to: uri, line, lines}
      // a request for the proxy that was written out
      if (/^proxy:/i.test(uri)) return {kind: 'proxy', url: uri.slice('proxy:'.length), line, lines}
    }
    if (flags.has('PT')) through = true
    if (flags.has('H') && /proxy/i.test(flags.get('H') ?? ''))
      return {kind: 'unknown', because: 'a handler that is set by a rewrite is not followed', line, lines}
    if (flags.has('S')) index += Number(flags.get('S')) || 0
    if (flags.has('N')) return {kind: 'unknown', because: 'rules that begin anew are not followed', line, lines}
    if (flags.has('L') || flags.has('END') || flags.has('PT')) break
  }
  if (!changed) return {kind: 'none', lines}
  if (ABSOLUTE.test(uri)) return {kind: 'redirect', status: 302, to: uri, line: changed, lines}
  return {kind: 'path', uri, through, line: changed, lines}
}

/** A query that is written in the target; a bare `?` takes it away. */
function splitQuery(text: string): [string, string | undefined] {
  const at = text.indexOf('?')
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function statusOf(flags: ReadonlyMap<string, string>): number | undefined {
  const wanted = flags.get('R')
  if (wanted === undefined) return undefined
  return wanted === '' ? 302 : (REDIRECTS[wanted.toLowerCase()] ?? (Number(wanted) || 302))
}

/** Only turns somebody away: whom, when it cannot be told, is no customer. */
function refuses(flags: ReadonlyMap<string, string>): boolean {
  const status = statusOf(flags)
  return flags.has('F') || flags.has('G') || (status !== undefined && status >= 400)
}

function applies(rule: RewriteRule, uri: string, exchange: Exchange): {held: Held; captures: Captures} {
  const negated = rule.pattern.startsWith('!')
  const regex = pcre(negated ? rule.pattern.slice(1) : rule.pattern, rule.flags.has('NC'))
  const match = regex?.exec(uri)
  const captures = {rule: negated ? [] : [...(match ?? [])], condition: [] as readonly (string | undefined)[]}
  const matched: Held = regex === undefined ? undefined : Boolean(match) !== negated
  if (matched === false) return {held: false, captures}
  const groups: Held[][] = []
  let open = false
  for (const condition of rule.conditions) {
    const {held, groups: found} = holds(condition, exchange, captures)
    if (held === true && found) captures.condition = found
    if (open) groups.at(-1)?.push(held)
    else groups.push([held])
    open = condition.flags.has('OR')
  }
  return {held: every([matched, ...groups.map(group => some(group))]), captures}
}

function holds(
  {test, pattern, flags, line}: Condition,
  exchange: Exchange,
  captures: Captures,
): {held: Held; groups?: readonly (string | undefined)[]} {
  const negated = pattern.startsWith('!')
  const wanted = negated ? pattern.slice(1) : pattern
  const turned = (held: Held) => (held === undefined ? undefined : held !== negated)
  if (/^expr$/i.test(test)) return {held: turned(judge(wanted, exchange))}
  // no file of the web root is called like the chat
  if (/^-[dfslxhL]$/.test(wanted)) return {held: turned(false)}
  if (/^-[FU]$/.test(wanted) || line.unknown) return {held: undefined}
  const text = expand(test, exchange, captures)
  if (text === undefined) return {held: undefined}
  const numeric = /^(-(?:eq|ne|lt|le|gt|ge))\s*(-?\d+)$/.exec(wanted)
  if (numeric) return {held: turned(compare(numeric[1] ?? '', text, numeric[2] ?? ''))}
  const lexical = /^(<=|>=|<|>|=)(.*)$/.exec(wanted)
  if (lexical) {
    const [, sign = '', other = ''] = lexical
    const bare = other === '""' ? '' : other
    const fold = (value: string) => (flags.has('NC') ? value.toLowerCase() : value)
    return {held: turned(compare(sign, fold(text), fold(bare)))}
  }
  const regex = pcre(wanted, flags.has('NC'))
  if (!regex) return {held: undefined}
  const match = regex.exec(text)
  return {held: turned(Boolean(match)), ...(match && !negated ? {groups: [...match]} : {})}
}
