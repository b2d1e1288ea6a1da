import type {HeaderSource} from '../site.ts'

/**
 * What a value depends on besides the request itself, so that a rule which refuses because of it is told from one which refuses every chat:
 * the address of the client, what a browser sends of itself, sizes, counters, credentials, the state of nodes.
 */
export type Touch = 'peer' | 'client' | 'body' | 'counter' | 'credentials' | 'state' | 'scheme'

interface Known {
  touches: ReadonlySet<Touch>
}

/** What an expression gives for one request. */
export type Sample = Known &
  (
    | {is: 'none'}
    | {is: 'text'; text: string; from: HeaderSource; exact: boolean}
    | {is: 'address'; text: string; from: HeaderSource; exact: boolean}
    | {is: 'number'; number: number; from: HeaderSource; exact: boolean}
    | {is: 'bool'; bool: boolean}
    | {is: 'unknown'; because: string; from?: HeaderSource}
  )

/** Somebody on the internet: no network of a list (TEST-NET-3, RFC 5737). */
export const PEER = '203.0.113.10'

export const NOTHING: ReadonlySet<Touch> = new Set()

export const none = (...touches: readonly Touch[]): Sample => ({is: 'none', touches: new Set(touches)})
export const text = (value: string, from: HeaderSource = 'text', touches: ReadonlySet<Touch> = NOTHING): Sample => ({
  is: 'text',
  text: value,
  from,
  exact: true,
  touches,
})
export const number = (value: number, ...touches: readonly Touch[]): Sample => ({
  is: 'number',
  number: value,
  from: 'text',
  exact: touches.length === 0,
  touches: new Set(touches),
})
export const bool = (value: boolean, ...touches: readonly Touch[]): Sample => ({is: 'bool', bool: value, touches: new Set(touches)})
export const unknown = (because: string, ...touches: readonly Touch[]): Sample => ({is: 'unknown', because, touches: new Set(touches)})

/** Several pieces one behind the other, as one text. */
export function joined(parts: readonly Sample[]): Sample {
  const touches = new Set(parts.flatMap(part => [...part.touches]))
  const texts = parts.map(textOf)
  const sources = new Set(parts.map(sourceOf).filter(source => source !== 'text' && source !== 'nothing'))
  const from = sources.size === 0 ? 'text' : mixed(sources)
  if (texts.some(part => part === undefined)) return {is: 'unknown', because: 'a part of it is not known', from, touches}
  return {is: 'text', text: texts.join(''), from, exact: parts.every(isExact), touches}
}

function mixed(sources: ReadonlySet<HeaderSource>): HeaderSource {
  const [only] = sources
  if (sources.size === 1 && only !== undefined) return only === 'client' ? 'unknown' : only
  if (!sources.has('peer') && !sources.has('client-and-peer')) return 'unknown'
  if (sources.has('unknown') || sources.has('node')) return 'unknown'
  // `for=ADDRESS;proto=https;host="chat.example.com"`
  return sources.has('client') || sources.has('client-and-peer') ? 'client-and-peer' : 'peer'
}

/** As text; `undefined`: not known. A value that is not there is empty in a text. */
export function textOf(sample: Sample): string | undefined {
  if (sample.is === 'text' || sample.is === 'address') return sample.text
  if (sample.is === 'number') return String(sample.number)
  if (sample.is === 'bool') return sample.bool ? '1' : '0'
  return sample.is === 'none' ? '' : undefined
}

export function sourceOf(sample: Sample): HeaderSource {
  // a client that sends it decides what it says
  if (sample.is === 'none') return sample.touches.has('client') ? 'client' : 'nothing'
  if (sample.is === 'bool') return 'text'
  return sample.from ?? 'unknown'
}

export function isExact(sample: Sample): boolean {
  if (sample.is === 'none' || sample.is === 'bool') return true
  return sample.is !== 'unknown' && sample.exact
}
