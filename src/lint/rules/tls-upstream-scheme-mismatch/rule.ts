import type {Edit, Span} from '../../../model/bundle.ts'
import {distinctEdits} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import type {Directive} from '../../../proxies/syntax.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {CHAT, chatNodes} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {waysToGms} from '../../settings.ts'
import {directiveAt, replacedIn, siblingsAt, withoutArgument} from '../../source.ts'

/** Ports by convention; GMS listens on 8080 in plain text until somebody changes it. */
const PLAIN_PORTS: readonly (number | undefined)[] = [80, 8080]
const TLS_PORTS: readonly (number | undefined)[] = [443, 8443]

export const rule: Rule = {
  meta: {
    id: 'tls-upstream-scheme-mismatch',
    title: 'The proxy speaks TLS to a plain node, or plain text to a TLS node',
    concern: 'tls',
    severity: 'error',
    requirement: 'The proxy speaks to a node what the port of the node speaks: TLS to 8443, plain text to 8080.',
    remediation: {
      nginx: 'proxy_pass http:// to a plain port, proxy_pass https:// to a TLS port',
      apache: 'http:// in ProxyPass and BalancerMember for a plain port, https:// (and SSLProxyEngine on) for a TLS port',
      haproxy: 'Remove ssl from the server line of a plain port; add ssl verify required ca-file FILE to that of a TLS port',
    },
    references: [
      'GMS deployment guide: the default port 8080 is plain text',
      'Measured: nginx 502 "wrong version number", HAProxy 503 after its retries (SC--)',
    ],
    breaks: [],
    mayBreak: [...ALL_CHAT, 'tls-upstream-verified'],
    provenBy: {
      by: 'evidence',
      because: 'a simulated node speaks what the configuration speaks to it; what a real one speaks only it can say',
    },
  },
  inspect: ({site, promises}) =>
    chatNodes(site).flatMap(({address, port, tls, span}) => {
      const mismatch = mismatchOf({port, encrypted: tls !== undefined}, promises.upstreamTls)
      return mismatch === undefined
        ? []
        : [
            {
              span,
              message: `Expected ${mismatch.expected} to ${address}`,
              expected: mismatch.because,
              actual: mismatch.actual,
              edits: spoken(site, span, tls === undefined),
            },
          ]
    }),
}

function mismatchOf(
  {port, encrypted}: {port: number | undefined; encrypted: boolean},
  promised: boolean,
): {expected: string; because: string; actual: string} | undefined {
  if (encrypted && !promised && PLAIN_PORTS.includes(port))
    return {expected: 'plain text', because: `what port ${port} speaks`, actual: 'TLS'}
  if (!encrypted && promised) return {expected: 'TLS', because: 'what the nodes speak (upstream.tls)', actual: 'plain text'}
  if (!encrypted && TLS_PORTS.includes(port)) return {expected: 'TLS', because: `what port ${port} speaks`, actual: 'plain text'}
  return undefined
}

/** The scheme of the routes that lead to the node, or the words of TLS on its line; TLS of HAProxy needs an authority, which only the operator knows. */
function spoken(site: Site, span: Span, tls: boolean): readonly Edit[] {
  const {proxy, config} = site
  const why = tls ? 'TLS, which the port speaks' : 'plain text, which the port speaks'
  const line = directiveAt(config, span)
  if (proxy === 'haproxy') {
    if (tls || !line) return []
    return [line, ...siblingsAt(config, line.span).filter(({name}) => name === 'default-server')].flatMap(each => withoutTls(each, why))
  }
  const scheme = (place: Span) => replacedIn(config, place, tls ? /\bhttp(?=:\/\/)/gi : /\bhttps(?=:\/\/)/gi, tls ? 'https' : 'http', why)
  if (proxy === 'apache') return scheme(span)
  const routes = waysToGms(site, ...CHAT).filter(({end}) =>
    end.upstream.nodes.some(node => node.span.file === span.file && node.span.start === span.start),
  )
  return distinctEdits(routes.flatMap(({end}) => scheme(end.span)))
}

function withoutTls(line: Directive, why: string): readonly Edit[] {
  return line.args.flatMap(({value}, index) => {
    if (['ssl', 'check-ssl', 'no-ssl'].includes(value)) return withoutArgument(line, index, why)
    const ofTls = ['verify', 'ca-file', 'verifyhost', 'sni', 'crl-file']
    return ofTls.includes(value) || ofTls.includes(line.args[index - 1]?.value ?? '') ? withoutArgument(line, index, why) : []
  })
}
