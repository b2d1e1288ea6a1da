const REDACTED = '‹redacted›'

/** A quote as it is written in text, in JSON inside JSON, or in a URL. */
const QUOTE = String.raw`\\*"|%22|'`
const SECRET_NAME = '(?:secureKey|password|encoded)'

/** Names whose values are secrets wherever they appear: header lines, JSON, form fields, query strings, configuration directives. */
const PATTERNS: readonly RegExp[] = [
  // Authorization: Basic …, "authorization": "Bearer …", Proxy-Authorization "…"
  /((?:^|[\s"'])(?:proxy-)?authorization"?\s*[:=]?\s*"?)(?:(?:basic|bearer|digest)\s+)?[^\s"',;]+/gim,
  // "secureKey":"…", \"secureKey\":\"…\", %22secureKey%22%3A%22…%22: up to the closing quote
  new RegExp(`((?:${QUOTE})${SECRET_NAME}(?:${QUOTE})\\s*(?::|%3A)\\s*(?:${QUOTE}))(?:(?!${QUOTE}).)+`, 'gi'),
  // secureKey=…&, password: …
  new RegExp(`(\\b${SECRET_NAME}\\s*[:=]\\s*)[^\\s&"',;}]+`, 'gi'),
  // name="secureKey" and, after an empty line, the value of a multipart form
  new RegExp(`(name="${SECRET_NAME}"\\s*\\r?\\n\\r?\\n)[^\\r\\n]+`, 'gi'),
  /(\bstats\s+auth\s+)\S+/gi,
]
/** A cookie header keeps its names and attributes, so that affinity stays readable. */
const COOKIE_HEADER = /^(\s*(?:set-)?cookie\s*:\s*)(.*)$/gim
const COOKIE_ATTRIBUTES = ['path', 'domain', 'expires', 'max-age', 'samesite']

function redactCookies(value: string): string {
  return value
    .split(';')
    .map(pair => {
      const equals = pair.indexOf('=')
      const name = pair.slice(0, equals)
      return equals < 0 || COOKIE_ATTRIBUTES.includes(name.trim().toLowerCase()) ? pair : `${name}=${REDACTED}`
    })
    .join(';')
}

/** Replaces values of credentials, secure keys and cookies by `‹redacted›`. Applied to everything that goes into a report or a log. */
export function redact(text: string): string {
  let safe = text.replace(COOKIE_HEADER, (_, head: string, value: string) => head + redactCookies(value))
  for (const pattern of PATTERNS) safe = safe.replace(pattern, `$1${REDACTED}`)
  return safe
}
