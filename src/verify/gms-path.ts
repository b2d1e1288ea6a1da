/**
 * The path that GMS serves for a request target: without parameters, decoded, dot segments resolved, empty segments as they are (Jetty,
 * canonical path; RFC 9110, 7.1 for the absolute form).
 */
export function pathAtGms(target: string): string {
  const [raw = ''] = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/, 1)
  const decoded = raw.replace(/;[^/]*/g, '').replace(/(?:%[0-9a-f]{2})+/gi, decodedOr)
  const kept: string[] = []
  for (const segment of decoded.split('/').slice(1)) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

function decodedOr(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

/** True for one of `paths` itself and for everything below one of them. */
export function isWithin(path: string, paths: readonly string[]): boolean {
  return paths.some(prefix => path === prefix || path.startsWith(`${prefix.replace(/\/$/, '')}/`))
}
