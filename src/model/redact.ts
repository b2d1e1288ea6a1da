const REDACTED = '‹redacted›'

/** Names whose values are secrets wherever they appear: header lines, JSON, form fields, query strings, configuration directives. */
const PATTERNS: readonly RegExp[] = [
  /((?:^|[\s"'])(?:proxy-)?authorization"?\s*[:=]?\s*"?)(?:(?:basic|bearer|digest)\s+)?[^\s"',;]+/gim,
  /((?:"|\b|%22)(?:secureKey|password|encoded)(?:"|%22)?\s*(?::|=|%3A)\s*(?:"|%22)?)[^"&,\s}%]+/gi,
  /(\bstats\s+auth\s+)\S+/gi,
]
/** A cookie header keeps its names and attributes, so that affinity stays readable. */
const COOKIE_HEADER = /^(\s*(?:set-)?cookie\s*:\s*)(.*)$/gim

/** Replaces values of credentials, secure keys and cookies by `‹redacted›`. Applied to everything that goes into a report or a log. */
export function redact(text: string): string {
  let safe = text.replace(COOKIE_HEADER, (_, head: string, value: string) => head + value.replace(/^([^=;]+)=[^;]*|(;\s*)((?!path|domain|expires|max-age|samesite)[^=;]+)=[^;]*/gi, (__, first?: string, sep?: string, name?: string) => `${sep ?? ''}${first ?? name ?? ''}=${REDACTED}`))
  for (const pattern of PATTERNS) safe = safe.replace(pattern, `$1${REDACTED}`)
  return safe
}
