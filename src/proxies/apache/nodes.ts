import type {Span} from '../../model/bundle.ts'
import type {NodeAddress} from '../proxy.ts'
import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import {isNamed, walk} from './parse.ts'
import {Variables} from './variables.ts'

const DEFAULT_PORT: Readonly<Record<string, string>> = {http: '80', ws: '80', h2c: '80', https: '443', wss: '443', h2: '443'}
/** A target with a host that is written down; the vendor page's `<your_domain_name>:<your_port>` counts as one. */
const TARGET =
  /\b(https?|wss?|h2c?):\/\/((?:<[^<>\s]*>|\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?::(?:<[^<>\s]*>|\d{1,5}))?)(?=[/"'?;|#\s$%>]|$)/i
/** Schemes that no GMS speaks: such a target is not moved, it is cut off. */
const OTHER_BACKEND = /\b(?:unix|fcgi|scgi|uwsgi|ajp|ftp|fd|gopher):/i

/** One mention of a node: where it stands, and how to write it with another address. */
export interface Mention {
  node: NodeAddress
  /** What is replaced, and by what. */
  span: Span
  write(address: string): string
}

/** Arguments of a directive that may name a node; `follows` is true where a node named elsewhere is only mentioned again. */
function targets(directive: Directive): {args: readonly Argument[]; follows: boolean} {
  const {args} = directive
  if (isNamed(directive, 'ProxyPass', 'ProxyPassMatch', 'BalancerMember')) return {args, follows: false}
  if (isNamed(directive, 'RewriteRule')) return {args: isProxied(directive) ? args.slice(1, 2) : [], follows: false}
  if (isNamed(directive, 'SetHandler')) return {args: args.slice(0, 1).filter(({value}) => /^proxy:/i.test(value)), follows: false}
  if (isNamed(directive, 'ProxyPassReverse', 'ProxySet', 'Proxy')) return {args, follows: true}
  return {args: [], follows: false}
}

/** A rewrite that hands the request to mod_proxy: flag P, or a target that only mod_proxy understands. */
export function isProxied({args}: Directive): boolean {
  const flags = (args[2]?.value ?? '').replace(/^\[|\]$/g, '').split(',')
  return flags.some(flag => /^(?:P|proxy)$/i.test(flag.trim())) || /^(?:proxy:|wss?:|balancer:)/i.test(args[1]?.value ?? '')
}

/** Says of a directive that it sends requests to something that is no GMS node (FastCGI, a socket of this machine). */
export function reachesElsewhere(directive: Directive): boolean {
  const {args, follows} = targets(directive)
  return !follows && args.some(({value}) => OTHER_BACKEND.test(value))
}

/** Every mention of a node, in order of appearance. */
export function mentions(config: ParsedConfig): readonly Mention[] {
  const variables = new Variables(config)
  const found: {mention: Mention; follows: boolean}[] = []
  for (const {directive} of walk(config)) {
    const {args, follows} = targets(directive)
    for (const argument of args) {
      if (OTHER_BACKEND.test(argument.value)) continue
      const mention = mentionIn(argument, variables)
      if (mention) found.push({mention, follows})
    }
  }
  const nodes = new Set(found.filter(({follows}) => !follows).map(({mention}) => mention.node.address))
  return found.filter(({mention}) => nodes.has(mention.node.address)).map(({mention}) => mention)
}

function mentionIn(argument: Argument, variables: Variables): Mention | undefined {
  const direct = argument.raw.includes('${') ? undefined : TARGET.exec(argument.raw)
  const resolved = direct ? argument.raw : variables.resolve(argument.value).text
  const match = direct ?? TARGET.exec(resolved)
  const [whole, scheme = '', authority = ''] = match ?? []
  if (!match || whole === undefined) return undefined
  const host = authority.toLowerCase()
  const address = /:(?:\d+|<[^<>]*>)$/.test(host) ? host : `${host}:${DEFAULT_PORT[scheme.toLowerCase()] ?? '80'}`
  const tls = /^(?:https|wss|h2)$/i.test(scheme) ? {tls: {}} : {}
  if (!direct) {
    return {
      node: {address, span: argument.span, ...tls},
      span: argument.span,
      write: to =>
        `"${`${resolved.slice(0, match.index)}${scheme}://${to}${resolved.slice(match.index + whole.length)}`.replaceAll('"', '\\"')}"`,
    }
  }
  const at = (offset: number, length: number): Span => ({
    ...argument.span,
    start: argument.span.start + offset,
    end: argument.span.start + offset + length,
    column: argument.span.column + offset,
  })
  return {
    node: {address, span: at(match.index + scheme.length + 3, authority.length), ...tls},
    span: at(match.index, whole.length),
    write: to => `${scheme}://${to}`,
  }
}

export function nodes(config: ParsedConfig): readonly NodeAddress[] {
  return mentions(config).map(({node}) => node)
}
