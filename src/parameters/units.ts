const DURATION_UNITS = {ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, y: 31_536_000_000} as const
const SIZE_UNITS = {'': 1, B: 1, KB: 1000, MB: 1_000_000, GB: 1_000_000_000, KIB: 1024, MIB: 1_048_576, GIB: 1_073_741_824} as const

/** `30s`, `1h`, `1h30m` → ms; `undefined` for anything else (a bare number too: a duration without a unit means different things to different proxies). */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,9}(ms|s|m|h|d|y))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d|y)/g))
    total += Number(amount) * DURATION_UNITS[unit as keyof typeof DURATION_UNITS]
  return total
}

/** `10MiB`, `500KB`, `1048576` → bytes; `undefined` for anything else. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15})\s?([KMG]?i?B?)$/i.exec(text)
  const unit = match?.[2]?.toUpperCase()
  if (!match || unit === undefined || !(unit in SIZE_UNITS)) return undefined
  return Number(match[1]) * SIZE_UNITS[unit as keyof typeof SIZE_UNITS]
}

/** ms → the shortest exact text with one unit: `90s`, `1h`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  for (const unit of ['d', 'h', 'm', 's'] as const)
    if (ms % DURATION_UNITS[unit] === 0 && (unit === 's' || ms / DURATION_UNITS[unit] < 1000)) return `${ms / DURATION_UNITS[unit]}${unit}`
  return `${ms}ms`
}

/** bytes → `10 MiB`, `1.5 MiB`, `512 B`. For people. */
export function formatSize(bytes: number): string {
  const [unit, size] =
    bytes >= 1_073_741_824
      ? (['GiB', 1_073_741_824] as const)
      : bytes >= 1_048_576
        ? (['MiB', 1_048_576] as const)
        : bytes >= 1024
          ? (['KiB', 1024] as const)
          : (['B', 1] as const)
  return `${Number((bytes / size).toFixed(1))} ${unit}`
}
