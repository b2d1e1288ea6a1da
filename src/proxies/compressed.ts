import type {Edit, Span} from '../model/bundle.ts'

/**
 * Who feels a duration. `traffic`: a request or a WebSocket on which nothing comes for a while; `header` and `body`: a client
 * who is slow with what he sends; `drain`: what goes on after a reload; `other`: whoever connects next (a node that failed, a connection that nobody uses).
 */
export type Felt = 'traffic' | 'header' | 'body' | 'drain' | 'other'

/** One directive, or one word of it, that says how long something may last. */
export interface Duration {
  /** As an operator calls it: `proxy_read_timeout`, `fail_timeout`. */
  directive: string
  felt: readonly Felt[]
  /** What is written anew; an insertion (`start === end`) makes a default explicit. */
  span: Span
  /** In force now, ms, all above 0. */
  values: readonly number[]
  /** The finest step that the proxy obeys, ms. */
  stepMs: number
  /** How much later than it says it may act, whatever its value, ms. Default 0. */
  lagMs?: number
  /** The text for other values, ms, all of them whole steps; rates of bytes are multiplied by `factor`. */
  write(values: readonly number[], factor: number): string
}

/** Every duration of a configuration, defaults among them. */
export interface Durations {
  found: readonly Duration[]
  /** What lasts nobody knows how long: a variable of the environment, lines around a fragment. Then nothing can be compressed. */
  unclear: readonly {directive: string; because: string}[]
}

/** A check that compares durations of the proxy with its own. */
export interface Timed {
  id: string
  /** What it compares its own durations with. */
  feels: readonly Felt[]
  /** Its own, ms of production. */
  moments: readonly number[]
}

/** How a configuration is run in compressed time. */
export interface Compression {
  factor: number
  edits: readonly Edit[]
  /** Checks that have to run in real time, with the reason. */
  realTime: ReadonlyMap<string, string>
}

/**
 * The first factor that keeps every order is taken: at 10 a hold of 30 s is 3 s; at 5, where whole seconds lie far enough apart for most files of
 * Apache, 6 s. Measured on two cores with a load of 14 to 17: at both all verdicts were those of real time.
 */
const FACTORS = [10, 5] as const
/** Two durations that differ are at least so far apart in compressed time: what a busy machine may be late, ms. */
const LEAST_GAP_MS = 150

/** Divides every duration by one factor, so that each order between two of them, and between them and those of the checks, is kept. */
export function compress(durations: Durations, checks: readonly Timed[], factors: readonly number[] = FACTORS): Compression {
  const [unclear] = durations.unclear
  if (unclear)
    return {
      factor: 1,
      edits: [],
      realTime: new Map(checks.map(({id}) => [id, `${unclear.directive} cannot be compressed: ${unclear.because}`])),
    }
  const plans = factors.map(factor => planFor(durations.found, checks, factor))
  return plans.reduce((best, plan) => (plan.realTime.size < best.realTime.size ? plan : best))
}

/** A value in force, and what it is to be. */
interface Scaled {
  directive: string
  felt: readonly Felt[]
  ms: number
  here: number
  lagMs: number
}

function planFor(found: readonly Duration[], checks: readonly Timed[], factor: number): Compression {
  const scaled = found.map(duration =>
    duration.values.map((ms): Scaled => {
      const {directive, felt, lagMs = 0} = duration
      return {directive, felt, ms, lagMs, here: chosen(duration, ms, checks, factor)}
    }),
  )
  const realTime = new Map<string, string>()
  const all = scaled.flat()
  for (const check of checks) {
    const lost = lostBy(
      check,
      all.filter(({felt}) => feelsOneOf(check, felt)),
      factor,
    )
    if (lost !== undefined) realTime.set(check.id, lost)
  }
  return {
    factor,
    edits: found.map((duration, index) => ({
      span: duration.span,
      text: duration.write(
        (scaled[index] ?? []).map(({here}) => here),
        factor,
      ),
      why: `compressed time: ${duration.directive}${duration.span.start === duration.span.end ? ', by default' : ''} ${duration.values.map(seconds).join(' and ')}, ${factor} times as fast`,
    })),
    realTime,
  }
}

function feelsOneOf({feels}: Timed, felt: readonly Felt[]): boolean {
  return felt.some(one => feels.includes(one))
}

/** The order that a check would lose; `undefined` when it loses none. */
function lostBy({moments}: Timed, own: readonly Scaled[], factor: number): string | undefined {
  for (const moment of moments) {
    const lost = own.find(value => !keeps(value, moment, factor))
    if (lost) return `${lost.directive} of ${seconds(lost.ms)} would not keep its distance from ${seconds(moment)} in compressed time`
  }
  return mixedUp(own)
}

/** The nearest value that the proxy obeys and that keeps its distance from the moments of all checks; else the one that fails the fewest. */
function chosen({directive, felt, stepMs, lagMs = 0}: Duration, ms: number, checks: readonly Timed[], factor: number): number {
  const exact = ms / factor
  const moments = checks.flatMap(check => (feelsOneOf(check, felt) ? check.moments : []))
  const near = moments
    .filter(moment => moment !== ms && Math.abs(moment - ms) / factor < LEAST_GAP_MS + lagMs)
    .map(moment => moment / factor + Math.sign(ms - moment) * (LEAST_GAP_MS + (ms < moment ? lagMs : 0)))
  const candidates = [exact, ...near].flatMap(value => [Math.floor(value / stepMs) * stepMs, Math.ceil(value / stepMs) * stepMs])
  const losses = (here: number) => moments.filter(moment => !keeps({directive, felt, ms, here, lagMs}, moment, factor)).length
  const possible = [...new Set(candidates.map(value => Math.max(stepMs, value)))]
  return possible.sort((a, b) => losses(a) - losses(b) || Math.abs(a - exact) - Math.abs(b - exact))[0] ?? stepMs
}

function keeps({ms, here, lagMs}: Scaled, moment: number, factor: number): boolean {
  const there = moment / factor
  if (ms === moment) return Math.abs(here - there) < 1
  const gap = ms < moment ? there - here - lagMs : here - there
  return gap >= LEAST_GAP_MS - 1 || gap >= Math.abs(ms - moment)
}

/** Two durations whose order is lost; `undefined` when none is. */
function mixedUp(all: readonly Scaled[]): string | undefined {
  const sorted = [...all].sort((a, b) => a.ms - b.ms)
  for (const [index, next] of sorted.entries()) {
    const before = sorted[index - 1]
    if (!before) continue
    const kept = before.ms === next.ms ? before.here === next.here : before.here < next.here
    if (!kept)
      return `${before.directive} of ${seconds(before.ms)} and ${next.directive} of ${seconds(next.ms)} would change their order in compressed time`
  }
  return undefined
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}
