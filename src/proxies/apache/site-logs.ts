import type {Log} from '../site.ts'
import type {Exchange} from './site-exchange.ts'
import {conditionHolds} from './site-headers.ts'
import type {Line} from './site-lines.ts'
import type {Server} from './site-servers.ts'
import {all} from './site-servers.ts'
import type {Settings} from './site-settings.ts'

/** Formats that httpd or its packages bring along. */
const KNOWN: Readonly<Record<string, string>> = {
  common: '%h %l %u %t "%r" %>s %b',
  combined: '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"',
  combinedio: '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O',
  vhost_combined: '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
  referer: '%{Referer}i -> %U',
  agent: '%{User-agent}i',
}
const NODE = /%[<>!,\d]*\{(?:BALANCER_WORKER_NAME|BALANCER_WORKER_ROUTE|BALANCER_SESSION_ROUTE|BALANCER_NAME_AND_ROUTE)\}e/
const QUERY = /%[<>!,\d]*[rq](?![a-z])|%[<>!,\d]*\{(?:QUERY_STRING|THE_REQUEST|REQUEST_LINE)\}e/
const SECRETS = /%[<>!,\d]*\{(?:Cookie|Authorization|Proxy-Authorization)\}i|%[<>!,\d]*\{Set-Cookie\}o|%[<>!,\d]*\{[^}]*\}C/i
const LOGS = ['customlog', 'transferlog', 'forensiclog']

/** Access logs that a request of this server is written to: its own replace those of the server around it. */
export function logsOf(server: Server, exchange: Exchange, settings: Settings): readonly Log[] {
  const formats = new Map<string, string>(Object.entries(KNOWN))
  let unnamed = KNOWN.common ?? ''
  for (const {values} of all(server, 'LogFormat')) {
    const [format = '', name] = values
    if (name === undefined) unnamed = format
    else formats.set(name, format)
  }
  const own = server.own.filter(({name}) => LOGS.includes(name))
  const inForce = own.length > 0 ? own : (server.outer?.own ?? []).filter(({name}) => LOGS.includes(name))
  const everywhere = all(server, 'GlobalLog')
  return [...inForce, ...everywhere].flatMap(line => logOf(line, {formats, unnamed, exchange, settings, server}))
}

function logOf(
  line: Line,
  {
    formats,
    unnamed,
    exchange,
    settings,
    server,
  }: {formats: Map<string, string>; unnamed: string; exchange: Exchange; settings: Settings; server: Server},
): Log[] {
  const [target = '', second, ...rest] = line.values
  if (/^(?:\/dev\/null|off)$/i.test(target)) return []
  const isCondition = (word: string | undefined) => word !== undefined && /^(?:env|expr)=/i.test(word)
  const condition = [second, ...rest].find(isCondition)
  if (condition !== undefined && conditionHolds(condition, exchange) === false) return []
  const written = line.name === 'transferlog' || second === undefined || isCondition(second) ? unnamed : second
  const format = formats.get(written) ?? written
  const forensic = line.name === 'forensiclog'
  return [
    {
      span: line.directive.span,
      namesNode: NODE.test(format),
      holdsQuery: forensic || QUERY.test(format),
      holdsSecrets: forensic || SECRETS.test(format),
      // unprintable bytes and quotes are escaped since 2.0.46
      escapes: true,
      setting: settings.written(server, line, format, written === second ? 1 : undefined),
    },
  ]
}
