/** -1, 0 or 1: `X.Y.Z` before, equal to or after another; missing numbers count as 0. */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  const [left, right] = [a, b].map(version => version.split('.').map(Number))
  for (let index = 0; index < 3; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0)
    if (difference !== 0) return difference < 0 ? -1 : 1
  }
  return 0
}

/** True when `version` is `least` or newer. */
export function atLeast(version: string, least: string): boolean {
  return compareVersions(version, least) >= 0
}
