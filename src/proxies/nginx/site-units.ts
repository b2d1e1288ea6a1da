/** Milliseconds of nginx's units of time (https://nginx.org/en/docs/syntax.html). */
const MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  M: 2_592_000_000,
  y: 31_536_000_000,
}

/** `1h 30m` → ms; a number alone is seconds. `undefined` for what is no duration. */
export function durationOf(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const parts = [...text.matchAll(/\s*(\d+)(ms|[smhdwMy]|$)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (MS[unit] ?? 1000), 0)
}

/** `8k` → bytes. `undefined` for what is no size. */
export function sizeOf(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+)([kKmMgG]?)$/.exec(text) ?? []
  if (number === undefined) return undefined
  return Number(number) * ({k: 1024, m: 1_048_576, g: 1_073_741_824}[unit.toLowerCase()] ?? 1)
}
