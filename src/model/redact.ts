/** Stands for what nobody may read. */
export const REDACTED = '‹redacted›'

/** A quote as it is written in text, in JSON inside JSON, or in a URL. */
const QUOTE = String.raw`\\{0,8}"|%22|'`
const SECRET_NAME = '(?:secureKey|password|encoded)'
/** One value of a configuration: in quotes, or up to white space that no backslash keeps. */
const VALUE = String.raw`(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|(?:[^\s\\;]|\\.)+)`
/** Values that come out of a request: nothing secret stands in the text. */
const COMPUTED = String.raw`(?!["']?(?:\$|%[[{]))`

/** Names whose values are secrets wherever they appear: header lines, JSON, form fields, query strings, configuration directives. */
const PATTERNS: readonly RegExp[] = [
  // set-header Authorization 'Basic …', set-header Authorization Basic\ …
  new RegExp(String.raw`((?:^|\s)["']?(?:proxy-)?authorization["']?[^\S\n]+)${COMPUTED}${VALUE}`, 'gim'),
  // Authorization: Basic …, "authorization": "Bearer …", Proxy-Authorization "…"
  /(^[^\S\n]*(?:proxy-)?authorization[^\S\n]*:[^\S\n]*)[^\s"'].*$/gim,
  new RegExp(
    String.raw`((?:^|[\s"'])(?:proxy-)?authorization(?:${QUOTE})?\s*[:=]?\s*(?:${QUOTE})?)(?:(?:basic|bearer|digest)\\*\s+)?(?![‹:=])[^\s"',;\\]+`,
    'gim',
  ),
  // the scheme with its value, wherever it stands: %[str(Basic …)], Basic%20…, Basic\ …
  /((?:Basic|BASIC|basic|Bearer|BEARER|bearer)(?:\\*[^\S\n]|%20|\+)+(?:(?![‹$%]))["']?)(?=[A-Za-z0-9+/._~-]*[0-9A-Z=])[A-Za-z0-9+/._~-]{4,}=*/g,
  // "secureKey":"…", \"secureKey\":\"…\", %22secureKey%22%3A%22…%22: up to the closing quote
  new RegExp(`((?:${QUOTE})${SECRET_NAME}(?:${QUOTE})\\s*(?::|%3A)\\s*(?:${QUOTE}))(?:(?!${QUOTE}).)+`, 'gi'),
  // secureKey=…&, password: …
  new RegExp(`(\\b${SECRET_NAME}\\s*[:=]\\s*)[^\\s&"',;}]+`, 'gi'),
  // name="secureKey" and, after an empty line, the value of a multipart form
  new RegExp(`(name="${SECRET_NAME}"\\s*\\r?\\n\\r?\\n)[^\\r\\n]+`, 'gi'),
  /(\bstats\s+auth\s+)\S+/gi,
  // user NAME password HASH, user NAME insecure-password WORD (HAProxy's userlist)
  new RegExp(String.raw`(\buser\s+\S+\s+(?:insecure-)?password\s+)${VALUE}`, 'gi'),
  new RegExp(
    String.raw`((?:^|\s)(?:ca-sign-pass|cluster-secret|secure_link_secret|SessionCryptoPassphrase|AuthLDAPBindPassword|AuthBasicFake\s+\S+)[^\S\n]+)${COMPUTED}${VALUE}`,
    'gim',
  ),
  // headers that other products carry their keys in
  new RegExp(
    String.raw`((?:set-header|add-header|set_header|add_header|input_headers|headers|Header\s+(?:set|add|append|merge|setifempty))\s+["']?[\w-]*(?:api-?key|token|secret|passw)[\w-]*["']?:?\s+)${COMPUTED}${VALUE}`,
    'gi',
  ),
  // token=…, api-key=…, in URLs and comments
  /(\b(?:secret|(?:access_|auth_|id_)?token|api[_-]?key|passwd|pwd)=)(?!["']?[$%])[^\s"'&;,]+/gi,
  // http://user:word@host
  /(:\/\/)[^\s/@:"'<>]+:[^\s/@"'<>]+(?=@)/g,
  // user:word@host where no scheme stands before it
  /((?:^|[\s"'(=,])[\w.%+-]+:)[^\s/@:"'<>$%{}[\]()\\^]{3,}(?=@[A-Za-z0-9[])/gm,
  // hashes of passwords
  /(\$(?:apr1|2[abxy]|1|5|6|y)\$)[^\s"':;]{8,}/g,
  /(\b(?:BAYEUX_BROWSER|JSESSIONID)=)[^\s"';,&‹]+/g,
  /(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?=-----END|$(?![\s\S]))/g,
]
/** A cookie header keeps its names and attributes, so that affinity stays readable. */
const COOKIE_HEADER = /^([^\S\n]*(?:set-)?cookie[^\S\n]*:[^\S\n]*)(.*)$/gim
/** The same header in a configuration: proxy_set_header Cookie "…", http-request set-header Cookie …, RequestHeader set Cookie "…". */
const COOKIE_DIRECTIVE = new RegExp(
  String.raw`((?:header|headers|set|add|append|merge)\s+["']?(?:set-)?cookie["']?\s+)${COMPUTED}(${VALUE})`,
  'gi',
)
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

/** A cookie in a configuration is put together from variables, which are no secret, or written out. */
function redactCookieValue(value: string): string {
  const [, open = '', inner = '', close = ''] = /^(["']?)([\s\S]*?)(["']?)$/.exec(value) ?? []
  return /\$|%[[{]/.test(inner) ? value : `${open}${redactCookies(inner)}${close}`
}

const kept = new Set<string>()
/** Shorter ones would be found in everything. */
const SHORTEST = 4

/** Values that a person gave us for this run, however they look: from now on `redact` knows them. */
export function keepSecret(...values: readonly string[]): void {
  for (const value of values) if (value.length >= SHORTEST) kept.add(value)
}

/** Replaces values of credentials, secure keys and cookies by `‹redacted›`. Applied to everything that goes into a report or a log. */
export function redact(text: string): string {
  let safe = text
    .replace(COOKIE_HEADER, (_, head: string, value: string) => head + redactCookies(value))
    .replace(COOKIE_DIRECTIVE, (_, head: string, value: string) => head + redactCookieValue(value))
  for (const secret of kept) safe = safe.replaceAll(secret, REDACTED)
  for (const pattern of PATTERNS) safe = safe.replace(pattern, `$1${REDACTED}`)
  return safe
}
