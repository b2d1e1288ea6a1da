import type {Log} from '../site.ts'
import type {Line, Section, Sections} from './sections.ts'
import {all, inForce, linesOf} from './sections.ts'
import type {Settings} from './settings.ts'

/** Formats by name (manual, chapter 8.2); `%hr %hs` are the captured headers. */
const FORMATS = {
  httplog: '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r',
  httpslog: '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r %[fc_err]',
  tcplog: '%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq',
  // "Connect from 10.0.1.2:33312 to 10.0.3.31:8012 (www/HTTP)"
  plain: 'Connect from %ci:%cp to %fi:%fp (%f)',
} as const

const SECRET = /^(?:cookie|set-cookie|authorization|proxy-authorization)$/i

/** How requests of a frontend are logged: nothing without a `log` line that leads somewhere. */
export function logsOf(frontend: Section, sections: Sections, settings: Settings): readonly Log[] {
  const targets = linesOf(frontend).filter(({words}) => words[0] === 'log')
  const cleared = targets.findLastIndex(({negated}) => negated)
  const used = targets
    .slice(cleared + 1)
    .filter(({words}) => words[1] !== 'global' || sections.global.some(({words: own, negated}) => own[0] === 'log' && !negated))
  const [target] = used
  if (!target || inForce(frontend, 'option', 'dontlog-normal') !== undefined) return []
  const line = formatLine(frontend)
  const pattern = patternOf(line)
  const captures = capturesOf(frontend)
  const shows = (...names: readonly string[]) => names.some(name => new RegExp(`%(?:\\{[^}]*\\})?${name}(?![A-Za-z])`).test(pattern))
  const expressions = [...pattern.matchAll(/%(?:\{[^}]*\})?\[((?:[^\][]|\[[^\]]*\])*)\]/g)].map(([, expression]) => expression ?? '')
  const written = expressions.map(expression => resolved(expression, frontend))
  const clientText =
    shows('r', 'HU', 'HP', 'HPO', 'HQ', 'hr', 'hrl') ||
    written.some(expression => /\b(?:path|url|pathq|query|hdr|fhdr|cook|capture|base)\b/.test(expression))
  const isJson = /^\s*\{/.test(pattern) && !/%\{\+json\}/.test(pattern)
  const escaped =
    /%\{[^}]*\+E/.test(pattern) ||
    (written.length > 0 &&
      written.every(expression => !/\b(?:hdr|fhdr|cook|path|url|query)\b/.test(expression) || /,json\(/.test(expression)) &&
      !shows('r', 'HU', 'HP', 'HQ', 'hr'))
  return [
    {
      span: target.directive.span,
      namesNode: shows('s', 'si', 'sp') || written.some(expression => /\b(?:srv_name|srv_id|bc_dst|be_server)\b/.test(expression)),
      holdsQuery:
        shows('r', 'HU', 'HQ') ||
        written.some(expression => /^(?:url|pathq|query|baseq|capture\.req\.uri|url_param|urlp|req\.line)\b/.test(expression)),
      holdsSecrets:
        (shows('hr', 'hrl', 'hs', 'hsl') && captures.headers.some(name => SECRET.test(name))) ||
        (shows('CC', 'CS') && captures.cookie) ||
        written.some(expression =>
          /\b(?:cook|capture\.(?:req|res)\.hdr)\b/.test(expression)
            ? captures.headers.some(name => SECRET.test(name)) || /\bcook\(/.test(expression)
            : /hdr\((?:cookie|authorization|set-cookie)/i.test(expression),
        ),
      // signs below 32 and above 126 are always written as #XX; quotes are not
      escapes: !(isJson && clientText) || escaped,
      setting: line
        ? settings.written(pattern, line.words[0] === 'log-format' ? 'log-format' : 'option', line, 1, frontend)
        : settings.missing(pattern, 'log-format', 'no option httplog', frontend),
    },
  ]
}

/** The last of `log-format`, `option httplog`, `option tcplog` … decides. */
function formatLine(frontend: Section): Line | undefined {
  return linesOf(frontend).findLast(
    ({words, negated, reset}) =>
      !negated &&
      !reset &&
      (words[0] === 'log-format' || (words[0] === 'option' && ['httplog', 'httpslog', 'tcplog'].includes(words[1] ?? ''))),
  )
}

function patternOf(line: Line | undefined): string {
  if (!line) return FORMATS.plain
  if (line.words[0] !== 'log-format') return FORMATS[(line.words[1] ?? 'httplog') as 'httplog' | 'httpslog' | 'tcplog']
  return (line.words[1] ?? '')
    .replace(/\$\{?HAPROXY_HTTPS?_LOG_FMT\}?/g, FORMATS.httplog)
    .replace(/\$\{?HAPROXY_TCP_LOG_FMT\}?/g, FORMATS.tcplog)
}

/** What a variable of the log was set from. */
function resolved(expression: string, frontend: Section): string {
  const name = /^var\(([^),]+)\)/.exec(expression)?.[1]
  if (name === undefined) return expression
  const set = all(frontend, 'http-request').filter(({words}) => words[1]?.startsWith(`set-var(${name}`))
  return set.map(({words}) => words[2] ?? '').join(' ') || expression
}

function capturesOf(frontend: Section): {headers: readonly string[]; cookie: boolean} {
  const lines = linesOf(frontend)
  return {
    headers: lines.flatMap(({words}) => {
      if (words[0] === 'capture' && words[2] === 'header') return [words[3] ?? '']
      if (words[0] === 'http-request' && words[1] === 'capture')
        return [/hdr\(([^),]+)/.exec(words[2] ?? '')?.[1] ?? (/\bcook\(/.test(words[2] ?? '') ? 'cookie' : '')]
      return []
    }),
    cookie: lines.some(({words}) => words[0] === 'capture' && words[1] === 'cookie'),
  }
}
