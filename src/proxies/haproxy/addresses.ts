import type {Span} from '../../model/bundle.ts'
import {chatFirst} from '../chat-first.ts'
import type {ListenerAddress, NodeAddress} from '../proxy.ts'
import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import type {Statement} from './parse.ts'
import {statements} from './parse.ts'
import {headerRules} from './proxy-header.ts'
import {serverTls, serverWords} from './upstream-tls.ts'

/** One address of a `bind` line; `bind :80,:81` has two. */
export interface Bind {
  statement: Statement
  argument: Argument
  addresses: readonly string[]
  tls: boolean
  /** A certificate is named, and `ssl` forgotten: HAProxy takes it without a word and speaks plain text (measured on 2.6.12). */
  meansTls: boolean
  demandsCertificate: boolean
}

const NOT_TRAFFIC = new Set(['peers', 'ring', 'log-forward', 'program', 'mailers', 'resolvers'])

/** Every `bind` of a frontend or listen section (or of a fragment), in order of appearance. */
export function binds(config: ParsedConfig): readonly Bind[] {
  return statements(config).flatMap(statement => {
    const [argument, ...rest] = statement.directive.args
    if (statement.directive.name !== 'bind' || NOT_TRAFFIC.has(statement.section) || !argument || isQuic(statement.directive)) return []
    const words = rest.map(({value}) => value)
    const tls = words.includes('ssl')
    return [
      {
        statement,
        argument,
        addresses: argument.value.split(',').filter(Boolean),
        tls,
        meansTls: !tls && words.some(word => word === 'crt' || word === 'crt-list'),
        demandsCertificate: tls && words[words.indexOf('verify') + 1] === 'required',
      },
    ]
  })
}

/** HTTP/3, over UDP. */
export function isQuic({args}: Directive): boolean {
  return args[0]?.value.startsWith('quic') ?? false
}

/** Distinct listeners, the one that chat most likely uses first: one that leads to servers before a statistics page or a redirect. */
export function listeners(config: ParsedConfig): readonly ListenerAddress[] {
  const found = new Map<string, ListenerAddress & {serves: number}>()
  const {expects} = headerRules(config)
  for (const {statement, argument, addresses, tls, meansTls, demandsCertificate} of binds(config)) {
    const serverName = serverNameOf(statement.owner) ?? strictName(statement.directive)
    const serves = leadsToServers(statement.owner) ? 1 : 0
    for (const address of addresses) {
      const before = found.get(address)
      if (before && (before.serves > serves || (before.serves === serves && (before.tls || !tls)))) continue
      found.set(address, {
        address,
        tls,
        ...(meansTls ? {meansTls} : {}),
        ...(demandsCertificate ? {demandsCertificate} : {}),
        ...(expects(statement) ? {proxyProtocol: true} : {}),
        span: argument.span,
        serves,
        ...(serverName === undefined ? {} : {serverName}),
      })
    }
  }
  if (found.size === 0) return [{address: '*:80', tls: false, span: firstSpan(config)}]
  return chatFirst([...found.values()]).map(({serves: _, ...listener}) => listener)
}

/** The very beginning of the entry: where something that is missing would stand. */
export function firstSpan(config: ParsedConfig): Span {
  return {file: config.bundle.entry, start: 0, end: 0, line: 1, column: 1}
}

function leadsToServers(owner: Directive | undefined): boolean {
  const block = owner?.block
  if (!block) return true
  return block.some(
    ({name}) =>
      name === 'default_backend' || name === 'use_backend' || name === 'server' || name === 'server-template' || name === 'dispatch',
  )
}

/** The first host name that an ACL of the frontend compares `Host` with: clients have to send it. */
function serverNameOf(owner: Directive | undefined): string | undefined {
  for (const {name, args} of owner?.block ?? []) {
    if (!['acl', 'use_backend', 'http-request'].includes(name)) continue
    const at = args.findIndex(({value}) => /^(req\.)?f?hdr(_dom)?\(host\)(,.*)?$/i.test(value))
    if (at === -1) continue
    const host = args.slice(at + 1).find(({value}) => /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:\d+)?$/.test(value))
    if (host) return host.value.replace(/:\d+$/, '')
  }
  return undefined
}

/** With `strict-sni` nobody gets in who asks for no name: the file's own name often is that of the host. */
function strictName({args}: Directive): string | undefined {
  const words = args.map(({value}) => value)
  if (!words.includes('strict-sni')) return undefined
  const file = words[words.indexOf('crt') + 1] ?? ''
  return /([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})\.(?:pem|crt)$/i.exec(file)?.[1] ?? 'localhost'
}

/** `0.0.0.0:0`, `*`, `[::]`: no node, the connection goes where the request (`set-dst`) or the client's own target says. */
const WHEREVER = /^(?:ipv[46]@)?(?:0\.0\.0\.0|\*|\[?::\]?)?(?::\d*)?$/

/** True for an address that leaves the target to the connection or to a rule. */
export function isWherever(address: string): boolean {
  return WHEREVER.test(address)
}

/** Where a `server`, `server-template` or `dispatch` line writes its address. */
export function nodeArgument(statement: Statement): Argument | undefined {
  if (NOT_TRAFFIC.has(statement.section)) return undefined
  const {name, args} = statement.directive
  if (name === 'server') return args[1] && isWherever(args[1].value) ? undefined : args[1]
  if (name === 'server-template') return args[2]
  return name === 'dispatch' ? args[0] : undefined
}

/** Every mention of a node address, in order of appearance. */
export function nodes(config: ParsedConfig): readonly NodeAddress[] {
  const all = statements(config)
  return all.flatMap(statement => {
    const argument = nodeArgument(statement)
    const tls = argument && serverTls(statement, all)
    const followed = argument && isFollowed(statement, all)
    return argument ? [{address: argument.value, span: argument.span, ...(tls ? {tls} : {}), ...(followed ? {followed} : {})}] : []
  })
}

/** A `server` line with a name, and with `resolvers`, its own or inherited. */
export function isFollowed(statement: Statement, all: readonly Statement[]): boolean {
  const address = nodeArgument(statement)?.value ?? ''
  const isName = /[a-z]/i.test(address.replace(/:\d+$/, '')) && !/^(?:[a-z0-9]+@|\[|\/)/i.test(address)
  return isName && statement.directive.name !== 'dispatch' && serverWords(statement, all).includes('resolvers')
}

/** Every argument that names a name server. */
export function nameServers(config: ParsedConfig): readonly Span[] {
  return statements(config).flatMap(({section, directive: {name, args, nameSpan}}) => {
    if (section !== 'resolvers') return []
    if (name === 'parse-resolv-conf') return [nameSpan]
    return name === 'nameserver' && args[1] ? [args[1].span] : []
  })
}
