import type {Span} from '../../model/bundle.ts'
import {numbersIn} from './acls.ts'
import type {Truth} from './acls.ts'
import type {Exchange} from './exchange.ts'
import {changeHeader, changePath} from './rewrites.ts'
import {applies} from './rule-lines.ts'
import type {Rule} from './rule-lines.ts'
import {evaluate, format} from './expressions.ts'
import {textOf, unknown} from './sample.ts'
import type {Sample, Touch} from './sample.ts'
import type {Line} from './sections.ts'
import {linesOf} from './sections.ts'

/** What rules said on the way, besides what they changed. */
export interface Notes {
  /** Asks for user name and password. */
  credentials?: Line
  /** Refuses bodies above so many bytes. */
  bodyLimits: {limit: number; line: Line}[]
  /** Refuses a client by what has been counted of it: `limit` is the last count that passes. */
  countLimits: {limit: number; line: Line; counters: readonly string[]}[]
  /** `set-timeout server 2m`. */
  timeouts: Map<string, {line: Line; at: number}>
  /** `wait-for-body time 5s`. */
  bodyWait?: {line: Line; at: number}
  cacheUse?: Line
  noRetry?: Line
  /** Counters by number, and what they count by. */
  tracked: Map<string, {key: Sample; table?: string; line: Line}>
  /** Rules that let in only some clients, or those with something to show. */
  restricted: Line[]
}

/** How a set of rules ends, when it ends the request. */
export type Verdict =
  | {kind: 'answer'; status?: number; of: string; span: Span}
  | {kind: 'redirect'; status: number; to: string; span: Span}
  | {kind: 'unknown'; because: string; span: Span}

/** Conditions that a chat from somebody who is welcome meets: an address of the list, a password, a count that is not reached. */
const SOFT: readonly Touch[] = ['peer', 'client', 'credentials', 'counter', 'body', 'state']

/** Follows rules in their order; gives what ends the request, or nothing when it goes on. */
export function follow(rules: readonly Rule[], exchange: Exchange, notes: Notes): Verdict | undefined {
  let welcome = false
  for (const rule of rules) {
    const {line} = rule
    const held = applies(rule, exchange)
    const soft = SOFT.some(touch => held.touches.has(touch))
    if (ENDING.has(rule.action)) {
      remember(rule, exchange, notes)
      if (held.value === false) {
        // the client that is let in by this rule is the one that chats
        if (soft && STOPPING.has(rule.action)) welcome = true
        continue
      }
      if (STOPPING.has(rule.action)) {
        if (held.value === true) return undefined
        welcome ||= soft
        continue
      }
      if (rule.action === 'auth') {
        notes.credentials = line
        continue
      }
      if (soft || welcome) {
        notes.restricted.push(line)
        if (held.touches.has('credentials')) notes.credentials = line
        continue
      }
      if (held.value === undefined)
        return {kind: 'unknown', because: held.because ?? 'its condition is not followed', span: line.directive.span}
      return endOf(rule, exchange)
    }
    if (held.value === false) continue
    act(rule, held, exchange, notes)
  }
  return undefined
}

/** They end what follows of these rules, and let the request through. */
const STOPPING = new Set(['allow', 'accept'])
const ENDING = new Set(['allow', 'accept', 'deny', 'reject', 'tarpit', 'silent-drop', 'return', 'redirect', 'auth', 'use-service'])

function endOf({line, action, arguments: args}: Rule, exchange: Exchange): Verdict {
  const {span} = line.directive
  const after = (word: string) => {
    const at = args.indexOf(word)
    return at === -1 ? undefined : args[at + 1]
  }
  const status = Number(after('deny_status') ?? after('status') ?? Number.NaN)
  if (action === 'redirect') return redirectOf(args, exchange, span)
  if (action === 'return') return {kind: 'answer', status: Number.isNaN(status) ? 200 : status, of: 'return', span}
  if (action === 'use-service') return {kind: 'answer', of: 'files', span}
  if (action === 'reject' || action === 'silent-drop') return {kind: 'answer', of: 'deny', span}
  return {kind: 'answer', status: Number.isNaN(status) ? (action === 'tarpit' ? 500 : 403) : status, of: 'deny', span}
}

/** `redirect scheme https code 301`, `prefix`, `location`: the code is 302 unless it is said. */
export function redirectOf(args: readonly string[], exchange: Exchange, span: Span): Verdict {
  const [kind = '', target = ''] = args
  const at = args.indexOf('code')
  const status = at === -1 ? 302 : Number(args[at + 1])
  const pathq = textOf(evaluate('pathq', exchange)) ?? ''
  const host = textOf(evaluate('req.hdr(host)', exchange)) ?? ''
  const to = textOf(format(target, exchange)) ?? target
  if (kind === 'scheme') return {kind: 'redirect', status, to: `${to}://${host}${pathq}`, span}
  return {kind: 'redirect', status, to: kind === 'prefix' ? to + pathq : to, span}
}

/** Limits that a refusal sets, told by asking at which size or count it begins. */
function remember(rule: Rule, exchange: Exchange, notes: Notes): void {
  if (!rule.condition || STOPPING.has(rule.action)) return
  const {words} = rule.condition
  const refuses = (supposed: Partial<Exchange['supposed']>) =>
    applies(rule, {...exchange, supposed: {...exchange.supposed, ...supposed}}).value === true
  const edges = numbersIn(words, exchange).flatMap(number => [number - 1, number, number + 1])
  const passes = (key: 'body' | 'counted') => {
    if (refuses({[key]: 0}) || !refuses({[key]: Number.MAX_SAFE_INTEGER})) return undefined
    return Math.max(0, ...edges.filter(edge => edge >= 0 && !refuses({[key]: edge})))
  }
  const body = passes('body')
  if (body !== undefined) notes.bodyLimits.push({limit: body, line: rule.line})
  const counted = passes('counted')
  if (counted !== undefined) {
    const named = linesOf(exchange.section).filter(
      ({words: own}) => own[0] === 'acl' && words.some(word => word.replace(/^!+/, '') === own[1]),
    )
    const counters = [...words, ...named.flatMap(({words: own}) => own.slice(2))].filter(word => /^(?:sc\d?_|src_)/.test(word))
    notes.countLimits.push({limit: counted, line: rule.line, counters})
  }
}

/** Everything that goes on. A condition that cannot be told makes what the rule changes unknown. */
function act(rule: Rule, held: Truth, exchange: Exchange, notes: Notes): void {
  const {action, subject, arguments: args, line} = rule
  const sure = held.value === true
  if (changeHeader(rule, held, exchange) || changePath(rule, sure, exchange)) return
  if (action === 'set-var' || action === 'set-var-fmt') {
    const [name = ''] = subject.split(',')
    const value = action === 'set-var' ? evaluate(args[0] ?? '', exchange) : format(args[0] ?? '', exchange)
    const touches = new Set<Touch>([...value.touches, ...held.touches])
    // an expression without a value leaves the variable as it was
    if (!sure) exchange.variables.set(name, {...unknown('it is set under a condition that is not followed'), touches})
    else if (value.is !== 'none') {
      // whoever asks whether TLS is spoken writes down the scheme
      const scheme = held.touches.has('scheme') && value.is === 'text' && /^https?$/i.test(value.text)
      exchange.variables.set(name, {...value, ...(scheme ? {from: 'scheme'} : {}), touches})
    }
  } else if (action === 'unset-var') exchange.variables.delete(subject)
  else if (action === 'set-method') exchange.method = textOf(format(args[0] ?? '', exchange)) ?? exchange.method
  else if (action === 'set-src') {
    const value = evaluate(args[0] ?? '', exchange)
    if (!sure) exchange.peer = unknown('its address is set under a condition that is not followed', 'peer')
    else if (value.is === 'none' && value.touches.has('client'))
      exchange.peer = {
        is: 'unknown',
        because: 'any client may write its address itself',
        from: 'client-and-peer',
        touches: new Set<Touch>(['peer', 'client']),
      }
    else if (value.is !== 'none') exchange.peer = value.is === 'unknown' ? {...value, touches: new Set<Touch>(['peer'])} : value
  } else if (/^track-sc\d*$/.test(action)) {
    const number = subject === '' ? action.slice('track-sc'.length) : subject
    const at = args.indexOf('table')
    const table = at === -1 ? undefined : args[at + 1]
    if (!notes.tracked.has(number))
      notes.tracked.set(number, {key: evaluate(args[0] ?? '', exchange), ...(table === undefined ? {} : {table}), line})
  } else if (action === 'set-timeout' && args[0] !== undefined) notes.timeouts.set(args[0], {line, at: line.words.indexOf(args[0], 2)})
  else if (action === 'wait-for-body' && sure && args.includes('time')) notes.bodyWait = {line, at: line.words.indexOf('time', 2) + 1}
  else if (action === 'cache-use') notes.cacheUse = line
  else if (action === 'disable-l7-retry') notes.noRetry = line
}
