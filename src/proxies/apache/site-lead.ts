import {atLeast} from '../version.ts'
import type {Line} from './site-lines.ts'
import type {Led, Passage} from './site-passage.ts'
import {isLocal, isUpgrade, NOWHERE} from './site-passage.ts'
import {pcre} from './site-patterns.ts'
import type {Rewritten} from './site-rewrite.ts'
import {rewrite, rulesOf, serverRules} from './site-rewrite.ts'
import type {Merged, Pass} from './site-routes.ts'
import {mapped, mergedLines, passOf} from './site-routes.ts'
import {all, choosing, find} from './site-servers.ts'
import {passesOf} from './site-workers.ts'

const REDIRECTS = ['redirect', 'redirectmatch', 'redirectpermanent', 'redirecttemp'] as const

/** mod_rewrite, then ProxyPass, then redirects and files: the order of the hooks of httpd 2.4. */
export function lead(passage: Passage): Led {
  const {exchange, server, around} = passage
  const {request} = exchange
  if (request.method === 'CONNECT') return answer(undefined, 405, 'method')
  if (/%2f/i.test(request.path) && /^off$/i.test(find(server, 'AllowEncodedSlashes')?.values[0] ?? 'off'))
    return answer(find(server, 'AllowEncodedSlashes'), 404, 'encoded-slash')
  if (around.modules.has('rewrite') !== false) {
    const rewritten = rewrite(serverRules(server), exchange.uri, exchange)
    passage.route.push(...rewritten.lines)
    const led = fromRewrite(passage, rewritten)
    if (led) return led
  }
  const chosen = sections(passage)
  const inSection = chosen.lines.findLast(({name}) => name === 'proxypass' || name === 'proxypassmatch')
  const unsure = chosen.doubtful.find(({name}) => name === 'proxypass' || name === 'proxypassmatch')
  if (unsure) return {line: unsure, nocanon: false, unknown: 'whether the section around it takes the request cannot be told'}
  const passes = [...(inSection ? [passOf(inSection)] : []), ...passesOf(server)]
  for (const pass of passes) {
    const led = pass && through(passage, pass)
    if (led) return led
  }
  const redirect = redirected(passage, all(server, ...REDIRECTS))
  if (redirect) return redirect
  const macro = find(server, 'Use')
  if (macro) return {line: macro, nocanon: false, unknown: 'what the macro becomes is not followed'}
  return served(passage) ?? answer(undefined, 404, 'no-route')
}

function fromRewrite(passage: Passage, rewritten: Rewritten): Led | undefined {
  const {exchange} = passage
  switch (rewritten.kind) {
    case 'none':
      return undefined
    case 'unknown':
      return {line: rewritten.line, nocanon: false, unknown: rewritten.because}
    case 'answer':
      return {line: rewritten.line, nocanon: false, answer: {status: rewritten.status, of: rewritten.status === 405 ? 'method' : 'deny'}}
    case 'redirect':
      return {line: rewritten.line, nocanon: false, redirect: {status: rewritten.status, to: rewritten.to}}
    case 'proxy':
      return {line: rewritten.line, nocanon: false, url: rewritten.url}
    case 'path':
      exchange.uri = rewritten.uri
      return rewritten.through ? undefined : {line: rewritten.line, nocanon: false, answer: {of: 'files'}}
  }
}

function through(passage: Passage, pass: Pass): Led | undefined {
  const {exchange, around} = passage
  const {line} = pass
  if (line.unknown) return {line, nocanon: false, unknown: 'a variable in it cannot be followed'}
  if (exchange.env.has('no-proxy')) return undefined
  const url = mapped(pass, exchange.uri)
  if (url === undefined) return undefined
  if (url === null) return {line, nocanon: false, unknown: `whether ${pass.from} takes the request cannot be told`}
  if (url === '!') {
    passage.route.push(line)
    return redirected(passage, all(passage.server, ...REDIRECTS)) ?? served(passage) ?? answer(line, 404, 'no-route')
  }
  // mod_proxy_wstunnel alone lets go of what is no upgrade, for the next ProxyPass
  const fallsBack =
    !/^off$/i.test(find(passage.server, 'ProxyWebsocketFallbackToProxyHttp')?.values[0] ?? 'on') &&
    around.modules.has('proxy_http') !== false
  const wstunnel = around.modules.has('proxy_wstunnel') !== false
  if (/^wss?:/i.test(url) && wstunnel && !fallsBack && atLeast(around.version, '2.4.47') && !isUpgrade(exchange)) {
    passage.route.push(line)
    return undefined
  }
  passage.route.push(line)
  return {line, url, nocanon: line.values.some(value => /^nocanon$/i.test(value))}
}

/** Files that are served for whatever path: `Alias`, `FallbackResource`. */
function served(passage: Passage): Led | undefined {
  const {uri} = passage.exchange
  const alias = all(passage.server, 'Alias', 'AliasMatch', 'ScriptAlias', 'ScriptAliasMatch').find(({name, values}) => {
    const [from = ''] = values
    return name.endsWith('match')
      ? pcre(from, false)?.test(uri) === true
      : uri === from || uri.startsWith(from.endsWith('/') ? from : `${from}/`)
  })
  if (alias && alias.values[0] !== '/') return {line: alias, nocanon: false, answer: {of: 'files'}}
  const fallback = sections(passage).lines.findLast(({name}) => name === 'fallbackresource') ?? find(passage.server, 'FallbackResource')
  return fallback && !/^disabled$/i.test(fallback.values[0] ?? '') ? {line: fallback, nocanon: false, answer: {of: 'files'}} : undefined
}

function sections(passage: Passage): Merged {
  return mergedLines(passage.server, passage.exchange, undefined)
}

/** `Redirect` and `RedirectMatch`. */
function redirected(passage: Passage, lines: readonly Line[]): Led | undefined {
  for (const line of lines) {
    const words = [...line.values]
    const status = line.name === 'redirectpermanent' ? 301 : line.name === 'redirecttemp' ? 302 : redirectStatus(words)
    const section = choosing(line).find(({name}) => name === 'location')
    const [from = '', to = ''] = section && words.length === 1 ? [section.values.at(-1) ?? '', words[0] ?? ''] : words
    const {uri} = passage.exchange
    if (line.name === 'redirectmatch') {
      const match = pcre(from, false)?.exec(uri)
      if (!match) continue
      if (status < 300 || status > 399) return answer(line, status, 'deny')
      return {line, nocanon: false, redirect: {status, to: to.replace(/\$(\d)/g, (_, digit: string) => match[Number(digit)] ?? '')}}
    }
    if (uri !== from && !uri.startsWith(from.endsWith('/') ? from : `${from}/`)) continue
    if (status < 300 || status > 399) return answer(line, status, 'deny')
    return {line, nocanon: false, redirect: {status, to: to + uri.slice(from.length)}}
  }
  return undefined
}

/** Rewriting, redirecting and handlers of the sections, which come after a ProxyPass was chosen. */
export function inSections(passage: Passage, led: Led): Led {
  const {exchange, around} = passage
  const doubt = passage.section.doubtful.find(({name}) => ['rewriterule', 'redirect', 'redirectmatch', 'sethandler'].includes(name))
  if (doubt && !led.answer) return {...led, unknown: 'whether the section around it takes the request cannot be told', line: doubt}
  const rewriting = passage.section.lines.filter(({name}) => name === 'rewriterule' || name === 'rewritecond' || name === 'rewriteengine')
  const innermost = choosing(rewriting.at(-1) ?? NOWHERE).at(-1)?.directive
  const own = rewriting.filter(line => choosing(line).at(-1)?.directive === innermost)
  const on = /^on$/i.test(own.findLast(({name}) => name === 'rewriteengine')?.values[0] ?? 'off')
  if (on && around.modules.has('rewrite') !== false && !led.unknown && !led.redirect && (!led.answer || isLocal(led.answer.of))) {
    const subject =
      led.url === undefined ? `${find(passage.server, 'DocumentRoot')?.values[0] ?? '/srv/www'}${exchange.uri}` : `proxy:${led.url}`
    const rewritten = rewrite(rulesOf(own), subject, exchange)
    passage.route.push(...rewritten.lines)
    const next = fromRewrite(passage, rewritten)
    if (next) return next
  }
  const redirect = redirected(
    passage,
    passage.section.lines.filter(({name}) => (REDIRECTS as readonly string[]).includes(name)),
  )
  if (redirect) return redirect
  const handler = passage.section.lines.findLast(({name}) => name === 'sethandler')
  if (handler && led.url === undefined && led.answer && isLocal(led.answer.of)) {
    const [value = ''] = handler.values
    if (/^proxy:/i.test(value)) {
      // the file that the path would be is put behind the address, as far as it is there
      return {line: handler, nocanon: false, pathless: true, url: value.replace(/^proxy:/i, '')}
    }
    if (!/^(?:none|default-handler)$/i.test(value)) return answer(handler, 200, 'handler')
  }
  return led
}

function answer(line: Line | undefined, status: number, of: string): Led {
  return {line: line ?? NOWHERE, nocanon: false, answer: {status, of}}
}

/** Takes the status off the words of a `Redirect`. */
function redirectStatus(words: string[]): number {
  const names: Readonly<Record<string, number>> = {permanent: 301, temp: 302, seeother: 303, gone: 410}
  const [first = ''] = words
  const status = names[first.toLowerCase()] ?? (/^\d{3}$/.test(first) ? Number(first) : undefined)
  if (status === undefined) return 302
  words.shift()
  return status
}
