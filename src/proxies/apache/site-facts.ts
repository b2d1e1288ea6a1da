import type {Edit} from '../../model/bundle.ts'
import {COMETD_PATH} from '../../wire/bayeux.ts'
import {FILES_PATH} from '../../wire/chat.ts'
import type {Setting} from '../site.ts'
import type {Access} from './site-access.ts'
import type {Line} from './site-lines.ts'
import type {Passage} from './site-passage.ts'
import {SET_ENV} from './site-passage.ts'
import {isBelowOrAbove} from './site-patterns.ts'
import {all, choosing, find} from './site-servers.ts'
import {defaultOf} from './site-timeouts.ts'
import type {Balancer, Worker} from './site-workers.ts'
import {targetOf} from './site-workers.ts'

const OF_CHAT = [COMETD_PATH, FILES_PATH]

/** The path of GMS that a request is for: what is mended for it holds for its neighbours too. */
function chatPath({exchange}: Passage): string {
  return OF_CHAT.find(prefix => isBelowOrAbove(exchange.uri, prefix)) ?? exchange.uri
}

/** `SetEnvIf … force-proxy-request-1.0`, or `h2://` nodes. */
export function httpVersion(passage: Passage, worker: Worker, balancer: Balancer | undefined): Setting<string> {
  const {settings} = passage.around
  const {server, section, exchange} = passage
  const isOld = (word: string) => /^force-proxy-request-1\.0(?:=|$)/i.test(word)
  const old = [...all(server, ...SET_ENV), ...section.lines].findLast(
    ({name, values}) => /^(?:setenv|browsermatch)/.test(name) && values.some(isOld),
  )
  if (old && exchange.env.has('force-proxy-request-1.0')) {
    const written = settings.written(server, old, '1.0')
    const words = old.directive.args.filter(({value}) => isOld(value))
    const others =
      old.name !== 'setenv' && old.values.filter(value => !isOld(value)).length > (/^browsermatch|expr$/.test(old.name) ? 1 : 2)
    const why = 'HTTP/1.0 cannot switch protocols'
    const put = (): Edit[] =>
      others
        ? words.map(({span}) => ({span, text: '', why}))
        : [{span: {...old.directive.span, end: old.directive.span.start}, text: '# ', why}]
    return {...written, put: argument => (argument === '1.1' ? put() : [])}
  }
  const members = (balancer?.members ?? [worker]).filter(({target}) => /^h2c?$/.test(target.scheme))
  const [first] = members
  if (!first) return settings.missing(server, 'SetEnv', '1.1', 'HTTP/1.1')
  const edits = () =>
    members.flatMap(({line, url}): Edit[] => {
      const argument = line.directive.args.find(({value}) => value === url)
      const at = argument?.raw.search(/h2c?:/i) ?? -1
      if (!argument || at === -1) return []
      const start = argument.span.start + at
      const scheme = /^h2c/i.test(url) ? 'http' : 'https'
      const length = /^h2c/i.test(url) ? 3 : 2
      return [
        {
          span: {...argument.span, start, end: start + length, column: argument.span.column + at},
          text: scheme,
          why: 'HTTP/1.1 to the nodes',
        },
      ]
    })
  return {...settings.written(server, first.line, '2'), put: argument => (argument === '1.1' ? edits() : [])}
}

export function credentials(passage: Passage, {credentials, line}: Access): Setting<boolean> {
  const {settings} = passage.around
  const {server} = passage
  if (!credentials || !line) return settings.missing(server, 'Require', false, 'nobody is asked for a password')
  const path = chatPath(passage)
  return {
    ...settings.written(server, line, true),
    put: argument =>
      /^off$/i.test(argument) ? settings.insert(server, `<Location "${path}">`, '    Require all granted', '</Location>') : [],
  }
}

/** Only mod_security limits what is proxied: `LimitRequestBody` has no effect there (measured on 2.4.71). */
export function bodyLimit(passage: Passage, sectionLine: (name: string) => Line | undefined): Setting<number | undefined> {
  const {settings, version} = passage.around
  const {server} = passage
  const on = (name: string) => /^on$/i.test(sectionLine(name)?.values[0] ?? 'off')
  if (!on('SecRuleEngine') || !on('SecRequestBodyAccess'))
    return settings.missing<number | undefined>(server, 'SecRequestBodyLimit', undefined, 'httpd has no limit for what it proxies')
  const line = sectionLine('SecRequestBodyLimit')
  const {value, text} = defaultOf('SecRequestBodyLimit', version)
  const action = sectionLine('SecRequestBodyLimitAction')
  if (/^processpartial$/i.test(action?.values[0] ?? '') && action) return settings.written<number | undefined>(server, action, undefined)
  const own = Number(line?.values[0])
  return line && own > 0
    ? settings.written<number | undefined>(server, line, own, 0)
    : settings.missing<number | undefined>(server, 'SecRequestBodyLimit', value, text)
}

/** A section that asks for another TLS than its virtual host makes httpd read the body first (SSLRenegBufferSize). */
export function bodyBuffer(passage: Passage): Setting<number | undefined> {
  const {settings, version} = passage.around
  const {server, section, listener} = passage
  const asks = section.lines.find(({name}) => name === 'sslverifyclient' || name === 'sslciphersuite')
  const {value, text} = defaultOf('SSLRenegBufferSize', version)
  if (!listener.tls || !asks || asks.values[0] === find(server, asks.name)?.values[0])
    return settings.missing<number | undefined>(server, 'SSLRenegBufferSize', undefined, 'bodies are passed on as they come')
  const line = section.lines.findLast(({name}) => name === 'sslrenegbuffersize')
  const own = Number(line?.values[0])
  if (line && own >= 0) return settings.written<number | undefined>(server, line, own, 0)
  const around = asks.within.at(-1)
  return {
    ...settings.missing<number | undefined>(server, 'SSLRenegBufferSize', value, text),
    home: asks.directive.span,
    put: argument => (around ? settings.into(around.directive, `SSLRenegBufferSize ${argument}`) : []),
  }
}

/** A filter that holds answers back, or compresses them. */
export function filtered(passage: Passage, filter: RegExp, directive: string): Setting<boolean> {
  const {settings, modules} = passage.around
  const {server, exchange, section} = passage
  const lines = [
    ...all(server, 'SetOutputFilter', 'AddOutputFilterByType', 'AddOutputFilter'),
    ...section.lines.filter(({name}) => /^(?:set|add)outputfilter/.test(name)),
  ]
  const found = lines.findLast(({name, values}) => {
    const [filters = '', ...types] = values
    if (!filters.split(';').some(own => filter.test(own))) return false
    return (
      name === 'setoutputfilter' ||
      (name === 'addoutputfilterbytype' && types.some(type => /^application\/(?:json|\*)$|^\*\/\*$|^\*$/i.test(type)))
    )
  })
  const works = found && (!/DEFLATE/i.test(found.values[0] ?? '') || modules.has('deflate') !== false)
  const compresses = filter.test('DEFLATE')
  if (works && !(compresses && exchange.env.has('no-gzip'))) return settings.written(server, found, true)
  return settings.missing(server, directive, false, `no ${directive}`)
}

export function cached(passage: Passage): Setting<boolean> {
  const {settings, modules} = passage.around
  const {server, exchange, section} = passage
  const prefixed = (line: Line) => {
    const [, prefix] = line.values
    return prefix === undefined || prefix === '/' || exchange.uri.startsWith(prefix.replace(/^https?:\/\/[^/]*/i, ''))
  }
  const off = [...all(server, 'CacheDisable'), ...section.lines.filter(({name}) => name === 'cachedisable')].some(
    line => choosing(line).length > 0 || exchange.uri.startsWith(line.values[0] ?? '/'),
  )
  const on = [...all(server, 'CacheEnable').filter(prefixed), ...section.lines.filter(({name}) => name === 'cacheenable')].at(-1)
  if (on && !off && modules.has('cache') !== false && /^(?:GET|HEAD)$/.test(exchange.request.method))
    return {
      ...settings.written(server, on, true),
      put: argument => (/^off$/i.test(argument) ? settings.insert(server, `CacheDisable "${chatPath(passage)}"`) : []),
    }
  return settings.missing(server, 'CacheEnable', false, 'no CacheEnable')
}

export function errorsReplaced(passage: Passage, sectionLine: (name: string) => Line | undefined): Setting<boolean> {
  const {settings} = passage.around
  const line = sectionLine('ProxyErrorOverride')
  return line && /^on$/i.test(line.values[0] ?? '')
    ? settings.written(passage.server, line, true)
    : settings.missing(passage.server, 'ProxyErrorOverride', false, 'ProxyErrorOverride Off')
}

/** `ProxyPassReverse` for the node or its balancer. */
export function redirectsTranslated(passage: Passage, worker: Worker | undefined, url: string | undefined): Setting<boolean> {
  const {settings} = passage.around
  const {server, section} = passage
  const lines = [...all(server, 'ProxyPassReverse'), ...section.lines.filter(({name}) => name === 'proxypassreverse')]
  const line = lines.find(({values}) => {
    const target = targetOf(values.findLast(value => /:\/\//.test(value)) ?? '')
    if (!target) return false
    return (
      (worker !== undefined && target.host === worker.target.host && target.port === worker.target.port) ||
      (url !== undefined && target.host === targetOf(url)?.host)
    )
  })
  return line ? settings.written(server, line, true) : settings.missing(server, 'ProxyPassReverse', false, 'no ProxyPassReverse')
}
