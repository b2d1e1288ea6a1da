import type {Edit} from '../model/bundle.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {Log, Site} from '../proxies/site.ts'
import type {Directive} from '../proxies/syntax.ts'
import {allOf, blocksAround, directiveAt, insertedBefore, replacedIn} from './source.ts'

/** A format of nginx's own has no line that could be changed. */
const NGINX_LINE =
  '\'$remote_addr [$time_iso8601] "$request_method $uri $server_protocol" $status $body_bytes_sent node=$upstream_addr time=$request_time\''
const HAPROXY_LINE = 'log-format "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %HM %HP %HV"'

/** What stands for what in a format: first what a query travels in, then what a session is recognised by. */
const HARMLESS: Readonly<Record<ProxyName, readonly (readonly [RegExp, string])[]>> = {
  nginx: [
    [/\$(?:request\b|\{request\})/g, '$request_method $uri $server_protocol'],
    [/\$(?:request_uri\b|\{request_uri\})/g, '$uri'],
    [
      /\$\{?(?:args|query_string|arg_\w+|http_cookie|cookie_\w+|http_authorization|(?:sent|upstream)_http_set_cookie|request_body)\b\}?/g,
      '-',
    ],
  ],
  apache: [
    [/%[<>!,\d]*r(?![a-z])/g, '%m %U %H'],
    [/%[<>!,\d]*q(?![a-z])/g, ''],
    [/%[<>!,\d]*\{(?:Cookie|Authorization|Set-Cookie)\}[io]|%[<>!,\d]*\{[^}]*\}C/gi, '-'],
  ],
  haproxy: [
    [/%(?:\{[^}]*\})?r\b/g, '%HM %HP %HV'],
    [/%(?:\{[^}]*\})?HU\b/g, '%HP'],
    [/%(?:\{[^}]*\})?(?:HQ|hrl?|hsl?|CC|CS)\b/g, '-'],
  ],
}

/** The line that says what a log holds; `undefined` for formats of the proxy's own. */
export function formatOf({proxy, config}: Site, {span, setting}: Log): Directive | undefined {
  if (proxy === 'haproxy') return setting.span && directiveAt(config, setting.span)
  const line = directiveAt(config, span)
  if (proxy === 'nginx') return line?.name === 'log_format' ? line : undefined
  const nickname = line?.args[1]?.value
  if (nickname === undefined || nickname.includes('%')) return line
  return allOf(config, /^LogFormat$/i).find(({args}) => args[1]?.value === nickname)
}

/** Edits after which a log holds neither queries nor cookies and credentials. */
export function withoutSecrets(site: Site, log: Log): readonly Edit[] {
  const line = formatOf(site, log)
  if (!line) return site.proxy === 'nginx' ? ownFormat(site, log) : []
  const why = 'no query, cookie or credentials in the log'
  if (site.proxy === 'haproxy' && line.name === 'option') return [{span: line.span, text: HAPROXY_LINE, why}]
  return HARMLESS[site.proxy].flatMap(([pattern, text]) => replacedIn(site.config, line.span, pattern, text, why))
}

/** Edits after which a log names the node; none for formats that are no plain text. */
export function withNode(site: Site, log: Log): readonly Edit[] {
  const line = formatOf(site, log)
  if (!line && site.proxy === 'nginx') return ownFormat(site, log)
  const format = line && (site.proxy === 'nginx' ? line.args.at(-1) : line.args.find(({quote}) => quote !== undefined))
  if (format?.quote === undefined || /[{}]["']?$/.test(format.raw)) return []
  const end = format.span.end - 1
  const text = {nginx: ' node=$upstream_addr', apache: ' node=%{BALANCER_WORKER_NAME}e', haproxy: ' %b/%s'}[site.proxy]
  return [{span: {...format.span, start: end, end}, text, why: 'the log names the node'}]
}

/** A format of the chat's own in the place of `combined`, which nginx takes where nothing else is written. */
function ownFormat({config}: Site, {setting}: Log): readonly Edit[] {
  const home = setting.span ?? setting.home
  const http = blocksAround(config, home).find(({name}) => name === 'http')
  const first = http?.block?.[0] ?? config.files.find(({path}) => path === home.file)?.directives[0]
  const path = /^access_log\s+(\S+?);?(?:\s|$)/.exec(setting.text)?.[1]
  if (!first || path === undefined) return []
  const format = `log_format gms_chat ${NGINX_LINE};`
  // Where nothing is written nginx logs for all paths: so does the line that takes its place.
  if (!setting.span && http)
    return insertedBefore(config, first.span, [format, `access_log ${path} gms_chat;`], 'a format without the query')
  return [...insertedBefore(config, first.span, [format], 'a format without the query'), ...setting.put(`${path} gms_chat`)]
}
