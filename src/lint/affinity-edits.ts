import type {Edit} from '../model/bundle.ts'
import type {Node, Site} from '../proxies/site.ts'
import type {Balanced} from './sessions.ts'
import {choosable} from './sessions.ts'

const COOKIE = 'GMS_NODE'

/** Affinity by a cookie of the proxy where there is none; empty where another method stands that would have to go first. */
export function cookieAffinity({proxy}: Site, {upstream, ways}: Balanced): readonly Edit[] {
  const {setting} = upstream.affinity
  if (proxy === 'nginx')
    return setting.span ? [] : distinct(ways.flatMap(({end}) => end.upstream.affinity.setting.put('hash $gms_affinity_key consistent')))
  const line = setting.put(proxy === 'apache' ? COOKIE : `${COOKIE} insert indirect nocache httponly`)
  return line.length === 0 || setting.directive === 'balance'
    ? []
    : [...line, ...namesOf(upstream.nodes.length > 0 ? choosable(upstream) : [], proxy)]
}

/** A name for each node that has none, by which the cookie finds it. */
export function namesOf(nodes: readonly Node[], proxy: 'apache' | 'haproxy'): readonly Edit[] {
  const taken = new Set(nodes.flatMap(({key}) => key?.value ?? []))
  return nodes.flatMap(({key, host, span}, index) => {
    if (key) return []
    const label = /^[A-Za-z][\w-]*/.exec(host)?.[0] ?? `node${index + 1}`
    const name = taken.has(label) ? `${label}-${index + 1}` : label
    taken.add(name)
    const text = proxy === 'apache' ? ` route=${name}` : ` cookie ${name}`
    return [{span: {...span, start: span.end}, text, why: `the name of ${host} in the cookie`}]
  })
}

function distinct(edits: readonly Edit[]): readonly Edit[] {
  const seen = new Set<string>()
  return edits.filter(({span, text}) => {
    const key = `${span.file}:${span.start}:${span.end}:${text}`
    return !seen.has(key) && seen.add(key)
  })
}
