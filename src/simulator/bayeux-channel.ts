/** Characters of a channel name beside letters and digits (CometD's Bayeux.Validator). */
const CHANNEL = /^\/[A-Za-z0-9 !#$()*+\-./@_{~}]+$/

/** A name that CometD takes for a channel. */
export function isChannelName(name: string): boolean {
  return CHANNEL.test(name)
}

/** A `*` that is not the whole last segment: CometD cannot make such a channel. */
export function hasMisplacedWildcard(name: string): boolean {
  const segments = name.split('/').slice(1)
  return segments.some((segment, index) => segment.includes('*') && (index < segments.length - 1 || !/^\*\*?$/.test(segment)))
}

/** The wildcard channels whose subscribers hear of `name`, nearest first. */
export function wildcardsOf(name: string): string[] {
  const segments = name.split('/').slice(1, -1)
  const parents = segments.map((_, index) => `/${segments.slice(0, segments.length - index).join('/')}`)
  return [`${parents[0] ?? ''}/*`, ...parents.map(parent => `${parent}/**`), '/**']
}
