import type {Span} from '../model/bundle.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {End, Request, Setting, Site, Way} from '../proxies/site.ts'
import {waysOf} from './requests.ts'

const MIB = 1_048_576

/** A request that reaches GMS. */
export type WayToGms = Way & {end: Extract<End, {kind: 'upstream'}>}

/** A setting that several requests share. */
export interface Shared<S> {
  setting: S
  ways: readonly WayToGms[]
}

/** How those of `requests` fare that reach GMS, at every chat listener. */
export function waysToGms(site: Pick<Site, 'listeners' | 'trace'>, ...requests: readonly Request[]): readonly WayToGms[] {
  return waysOf(site, ...requests).filter((way): way is WayToGms => way.end.kind === 'upstream')
}

/** Each setting once, with the requests for which it is in force: one line of a file is one finding. */
export function settingsOf<S extends Setting<unknown>>(
  ways: readonly WayToGms[],
  pick: (way: WayToGms) => S | undefined,
): readonly Shared<S>[] {
  const found = new Map<string, {setting: S; ways: WayToGms[]}>()
  for (const way of ways) {
    const setting = pick(way)
    if (!setting) continue
    const {file, start} = placeOf(setting)
    const key = `${file}:${start}:${setting.directive}:${setting.text}`
    const known = found.get(key)
    if (known) known.ways.push(way)
    else found.set(key, {setting, ways: [way]})
  }
  return [...found.values()]
}

/** Where a finding about a setting points: where it is written, or would have to be. */
export function placeOf({span, home}: Pick<Setting<unknown>, 'span' | 'home'>): Span {
  return span ?? home
}

/** The value in force as an operator would write it, and whether he did. */
export function inForce({span, text}: Pick<Setting<unknown>, 'span' | 'text'>): string {
  return span ? text : `${text} (default)`
}

/** "the held poll, the upload": whom a setting concerns, each once. */
export function titlesOf(ways: readonly Way[]): string {
  return [...new Set(ways.map(({request}) => request.title))].join(', ')
}

/** A duration as the dialect writes it, whole seconds: `45s`, for Apache `45`. */
export function secondsIn(proxy: ProxyName, ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return proxy === 'apache' ? String(seconds) : `${seconds}s`
}

/** A size as the dialect writes it: `11m` for nginx, bytes for the others; rounded up to whole MiB. */
export function sizeIn(proxy: ProxyName, bytes: number): string {
  const mib = Math.ceil(bytes / MIB)
  return proxy === 'nginx' ? `${mib}m` : String(mib * MIB)
}
