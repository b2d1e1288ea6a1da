/** `*`, `?` and `[…]` of one path segment; like a shell, a leading dot has to be written. */
export function segmentMatcher(segment: string): RegExp {
  const source = segment.replace(
    /\[(!|\^)?([^\]]+)\]|[*?]|[\\^$.|+(){}[\]]/g,
    (token, not: string | undefined, set: string | undefined) => {
      if (set !== undefined) return `[${not === undefined ? '' : '^'}${set.replace(/[\\\]^]/g, '\\$&')}]`
      return token === '*' ? '.*' : token === '?' ? '.' : `\\${token}`
    },
  )
  return new RegExp(`^${segment.startsWith('.') ? '' : '(?!\\.)'}${source}$`)
}
