import type {Edit, Span} from '../../../model/bundle.ts'
import type {Listener, Site} from '../../../proxies/site.ts'
import type {Directive} from '../../../proxies/syntax.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {HANDSHAKE} from '../../requests.ts'
import {fateOf} from '../../routes.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import {allOf, blocksAround, directiveAt, withoutArgument, withoutLine} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'listener-host-not-matched',
    title: 'Requests for the public host name are answered by another site',
    concern: 'listener',
    severity: 'error',
    requirement: 'The virtual host that takes requests for the public host name is the one with the routes to GMS.',
    remediation: {
      nginx: 'Put the public host name into server_name of the server {} with the GMS locations, and into no other one of that port',
      apache:
        'Give the <VirtualHost> with the GMS routes the public host name as ServerName or ServerAlias, and no <VirtualHost> before it the same',
      haproxy:
        'Let the condition of use_backend (or of the deny) take the public host name, with and without port: req.hdr(host),field(1,:) -i NAME',
    },
    references: [
      'nginx: how nginx processes a request; a conflicting server name is ignored with a warning',
      'Apache httpd: name-based virtual hosts, the first that matches wins',
      'RFC 9110, 7.2: Host carries the port when it is not the default one',
    ],
    breaks: ['listener-reaches-gms'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises: {serverName}}) => {
    const chat = site.listeners.filter(listener => listener.chat)
    return [
      ...site.listeners.flatMap(listener => shadowed(site, listener)),
      ...(serverName === undefined ? [] : strangers(site, chat, serverName)),
    ].filter((draft, index, all) => all.findIndex(({span}) => span.start === draft.span.start && span.file === draft.span.file) === index)
  },
}

/** The promised name leads elsewhere, at a port where another name leads to GMS. */
function strangers(site: Site, chat: readonly Listener[], name: string): readonly RuleDraft[] {
  const named = {...HANDSHAKE, host: name}
  return chat.flatMap(listener => {
    const way = site.trace(listener, named)
    const arrives = ({end}: typeof way) => end.kind === 'upstream' || end.kind === 'unknown'
    if (arrives(way) || site.trace(listener, HANDSHAKE).end.kind !== 'upstream') return []
    if (chat.some(other => other !== listener && other.port === listener.port && arrives(site.trace(other, named)))) return []
    return [
      {
        edits: welcomed(site, listener, name),
        span: way.end.span,
        message: `Expected requests for ${name} to reach GMS`,
        expected: `${name} is answered by the site with the GMS routes`,
        actual: `${fateOf(way)}; ${listener.serverNames.length === 0 ? 'another host name' : listener.serverNames.join(', ')} reaches GMS`,
      },
    ]
  })
}

/** A site with routes, and another one of the same address that stands before it, has the same name, and answers. */
function shadowed(site: Site, listener: Listener): readonly RuleDraft[] {
  const {listeners, proxy, config} = site
  if (proxy === 'haproxy' || !hasRoute(config, listener.span)) return []
  return listeners
    .filter(({address, span}) => address === listener.address && span.file === listener.span.file && span.start < listener.span.start)
    .flatMap(other =>
      other.serverNames
        .filter(name => listener.serverNames.some(own => own.toLowerCase() === name.toLowerCase()))
        .map(name => ({name, other, way: site.trace(other, {...HANDSHAKE, host: name})})),
    )
    .filter(({other: {span}, way: {end}}) => end.kind === 'answer' || end.kind === 'redirect' || !hasRoute(config, span))
    .slice(0, 1)
    .map(({name, other}) => ({
      span: listener.span,
      message: `Expected "${name}" to be the name of one site of ${listener.address}`,
      expected: 'the site with the GMS routes has the name alone',
      actual: 'another site of this address and name stands before it, and answers',
      edits: nameless(site, other, name),
    }))
}

/** The block that `span` lies in passes requests on. */
function hasRoute({files}: Site['config'], span: Span): boolean {
  const around = (directives: readonly Directive[]): Directive | undefined => {
    const block = directives.find(({span: {file, start, end}}) => file === span.file && start <= span.start && span.end <= end)
    return block && /^(?:server|<?VirtualHost)$/i.test(block.name) ? block : block?.block && around(block.block)
  }
  const passes = ({name, block = []}: Directive): boolean => /^proxy_?pass(?:match)?$/i.test(name) || block.some(passes)
  return files.some(({directives}) => around(directives)?.block?.some(passes))
}

/** The other site loses the name, as long as it has another one. */
function nameless({config}: Site, {span, serverNames}: Listener, name: string): readonly Edit[] {
  const block = directiveAt(config, span)?.block ?? blocksAround(config, span).at(-1)?.block ?? []
  const why = `${name} is the name of the site with the GMS routes`
  if (serverNames.every(own => own.toLowerCase() === name.toLowerCase())) return []
  return block
    .filter(({name: directive}) => /^(?:server_name|ServerAlias)$/i.test(directive))
    .flatMap(line => {
      const at = line.args.findIndex(({value}) => value.toLowerCase() === name.toLowerCase())
      if (at === -1) return []
      return line.args.length === 1 ? withoutLine(config, line, why) : withoutArgument(line, at, why)
    })
}

/** HAProxy: the condition on the host name takes one name more. */
function welcomed({proxy, config}: Site, {span}: Listener, name: string): readonly Edit[] {
  if (proxy !== 'haproxy') return []
  const section = blocksAround(config, span)[0] ?? directiveAt(config, span)
  return allOf(config, /^(?:acl|use_backend|http-request)$/)
    .filter(line => section?.block?.includes(line) === true)
    .flatMap(({args}) => {
      const fetch = args.findIndex(({value}) => /^(?:req\.)?hdr(?:_dom|_beg)?\(host\)/i.test(value))
      const last = args
        .slice(fetch + 1)
        .findLastIndex(
          ({value}, index, rest) => !value.startsWith('-') && !rest.slice(0, index + 1).some(word => /^[}]$|^\|\|$|^or$/.test(word.value)),
        )
      const at = args[fetch + 1 + last]
      if (fetch === -1 || last === -1 || !at) return []
      return [{span: {...at.span, start: at.span.end}, text: ` ${name}`, why: `${name} reaches GMS`}]
    })
    .slice(0, 1)
}
