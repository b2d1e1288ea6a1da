import type {Span} from '../../model/bundle.ts'
import type {Argument, Directive, NodeAddress, ParsedConfig} from '../proxy.ts'
import type {Statement} from './parse.ts'
import {statements} from './parse.ts'

/** One address of a `bind` line; `bind :80,:81` has two. */
export interface Bind {
  statement: Statement
  argument: Argument
  addresses: readonly string[]
  tls: boolean
}

const NOT_TRAFFIC = new Set(['peers', 'ring', 'log-forward', 'program', 'mailers', 'resolvers'])

/** Every `bind` of a frontend or listen section (or of a fragment), in order of appearance. */
export function binds(config: ParsedConfig): readonly Bind[] {
  return statements(config).flatMap(statement => {
    const [argument, ...rest] = statement.directive.args
    if (statement.directive.name !== 'bind' || NOT_TRAFFIC.has(statement.section) || !argument) return []
    return [{statement, argument, addresses: argument.value.split(',').filter(Boolean), tls: rest.some(word => word.value === 'ssl')}]
  })
}

/** Distinct listeners, the one that chat most likely uses first: plain before TLS, one that leads to servers before a statistics page or a redirect. */
export function listeners(config: ParsedConfig): readonly {address: string; tls: boolean; span: Span; serverName?: string}[] {
  const found = new Map<string, {address: string; tls: boolean; span: Span; serverName?: string; rank: number}>()
  for (const bind of binds(config)) {
    const serverName = serverNameOf(bind.statement.owner)
    const rank = (bind.tls ? 1 : 0) + (leadsToServers(bind.statement.owner) ? 0 : 2)
    for (const address of bind.addresses) {
      const before = found.get(address)
      if (!before || rank < before.rank)
        found.set(address, {address, tls: bind.tls, span: bind.argument.span, rank, ...(serverName === undefined ? {} : {serverName})})
    }
  }
  if (found.size === 0) return [{address: '*:80', tls: false, span: firstSpan(config)}]
  return [...found.values()].sort((a, b) => a.rank - b.rank).map(({rank: _, ...listener}) => listener)
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
  return statements(config).flatMap(statement => {
    const argument = nodeArgument(statement)
    return argument ? [{address: argument.value, span: argument.span}] : []
  })
}
