/** Regular expressions of PCRE that are printed between quotes. Inputs passed the grammar: letters, digits and `. _ ~ / : -` only. */
const escape = (text: string) => text.replaceAll('.', '\\.')

/** The paths and what lies below them. */
export function pathPattern(paths: readonly string[]): string {
  const prefixes = paths.map(withoutSlash)
  return prefixes.includes('') ? '^/' : `^(${prefixes.map(escape).join('|')})(/|$)`
}

export function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '')
}

/** Exactly these origins; the first group is the origin. */
export function originPattern(origins: readonly string[]): string {
  return origins.length === 0 ? '' : `^(${origins.map(escape).join('|')})$`
}

/**
 * Paths as a servlet container reads them: doubled and encoded slashes, path parameters (`;a=b`) between the segments. httpd compares
 * after decoding once; case does not matter.
 */
export function looseTrees(paths: readonly string[]): string {
  const slash = '(;[^/]*)?(/|%2f)+'
  const tree = (path: string) =>
    path
      .split('/')
      .filter(segment => segment !== '')
      .map(escape)
      .join(slash)
  return `(?i)^(/|%2f)+(${paths.map(tree).join('|')})(/|;|%2f|$)`
}

/** True when one of `paths` leads to `tree` or below it. */
export function covers(paths: readonly string[], tree: string): boolean {
  const below = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}/`)
  return paths
    .map(path => withoutSlash(path).toLowerCase())
    .some(path => below(tree.toLowerCase(), path) || below(path, tree.toLowerCase()))
}

/** The hexadecimal numbers `from` up to, not including, `to` of 0…255, as two digits at the beginning of a text. */
export function hexRange(from: number, to: number): string {
  const numbers = Array.from({length: to - from}, (_, index) => from + index)
  const parts: string[] = []
  for (const first of new Set(numbers.map(number => number >> 4))) {
    const seconds = numbers.filter(number => number >> 4 === first).map(number => (number & 15).toString(16))
    parts.push(`${first.toString(16)}[${seconds.join('')}]`)
  }
  return `^(${parts.join('|')})`
}
