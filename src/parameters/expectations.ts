import type {Promises} from '../model/report.ts'
import {DEFAULT_HOLD_MS, COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'
import type {ForeignParameters, Parameters} from './schema.ts'

/** What a foreign file, or a URL, is held to when no parameters say more (CLI contract, section 4). */
const FOREIGN = {
  chats: 200,
  maxFileSize: 10 * 1_048_576,
  holdMs: DEFAULT_HOLD_MS,
  upgradeIdleMs: 3_600_000,
  paths: [COMETD_PATH, FILES_PATH] as readonly string[],
}

/** The promises of a deployment that is described by parameters. `given` are the dotted paths a person wrote, for `source`. */
export function expectationsFrom(parameters: Parameters, given: ReadonlySet<string>): Promises {
  const from = (path: string) => (given.has(path) ? 'parameters' : 'default')
  const serverName = publicName(parameters)
  return {
    chats: parameters.limits.chats,
    maxFileSize: parameters.upload.maxFileSize,
    nodes: parameters.upstream.nodes.length,
    holdMs: parameters.polling.hold,
    upgradeIdleMs: parameters.upgrade.idleTimeout,
    paths: parameters.access.paths,
    affinity: parameters.affinity.mode === 'none' || parameters.upstream.nodes.length === 1 ? 'none' : 'required',
    tls: parameters.tls !== undefined,
    upstreamTls: parameters.upstream.tls !== undefined,
    origins: parameters.access.origins,
    ...accessOf(parameters, () => true),
    ...proxyProtocolOf(parameters, () => true),
    ...(parameters.upstream.tls?.verify === false ? {upstreamUnverified: true} : {}),
    ...(parameters.tls?.some(({profile}) => profile === 'old') ? {oldTls: true} : {}),
    ...(parameters.upstream.resolvers === undefined ? {} : {dnsTtlMs: parameters.upstream.dnsTtl}),
    ...(parameters.health.mode === 'http' ? {asksStatus: true} : {}),
    ...(parameters.health.mode === 'none' ? {nodesUnchecked: true} : {}),
    ...(parameters.upstream.drainTimeout === undefined ? {} : {drainMs: parameters.upstream.drainTimeout}),
    ...(serverName === undefined ? {} : {serverName}),
    source: {
      chats: from('limits.chats'),
      maxFileSize: from('upload.maxFileSize'),
      nodes: 'parameters',
      holdMs: from('polling.hold'),
      upgradeIdleMs: from('upgrade.idleTimeout'),
      paths: from('access.paths'),
      affinity: from('affinity.mode'),
      tls: from('tls'),
      upstreamTls: from('upstream.tls'),
      origins: from('access.origins'),
      ...(serverName === undefined ? {} : {serverName: 'parameters'}),
    },
  }
}

/**
 * The promises of a configuration somebody else wrote: what `parameters` state, else the nodes and host name that the file itself
 * names, else defaults. `file` is absent for a URL.
 */
export function expectationsOfForeign(
  file: {name: string; nodes: number; tls?: boolean; serverName?: string},
  stated?: {parameters: ForeignParameters; given: ReadonlySet<string>},
): Promises {
  const has = (path: string) => stated?.given.has(path) ?? false
  const pick = <T>(path: string, value: (parameters: ForeignParameters) => T, otherwise: T): T =>
    stated && has(path) ? value(stated.parameters) : otherwise
  const nodes = stated?.parameters.upstream?.nodes.length ?? file.nodes
  const serverName = (stated && publicName(stated.parameters)) ?? file.serverName
  const affinity = nodes > 1 && pick('affinity.mode', p => p.affinity.mode, 'cookie') !== 'none' ? 'required' : 'none'
  const from = (path: string, otherwise = 'default') => (has(path) ? 'parameters' : otherwise)
  return {
    chats: pick('limits.chats', p => p.limits.chats, FOREIGN.chats),
    maxFileSize: pick('upload.maxFileSize', p => p.upload.maxFileSize, FOREIGN.maxFileSize),
    nodes,
    holdMs: pick('polling.hold', p => p.polling.hold, FOREIGN.holdMs),
    upgradeIdleMs: pick('upgrade.idleTimeout', p => p.upgrade.idleTimeout, FOREIGN.upgradeIdleMs),
    paths: pick('access.paths', p => p.access.paths, FOREIGN.paths),
    affinity,
    tls: pick('tls', p => p.tls !== undefined, file.tls ?? false),
    upstreamTls: pick('upstream.tls', p => p.upstream?.tls !== undefined, false),
    origins: pick('access.origins', p => p.access.origins, []),
    ...(stated ? accessOf(stated.parameters, has) : {}),
    ...(stated ? proxyProtocolOf(stated.parameters, has) : {}),
    ...(stated?.parameters.upstream?.tls?.verify === false ? {upstreamUnverified: true} : {}),
    ...(stated?.parameters.tls?.some(({profile}) => profile === 'old') ? {oldTls: true} : {}),
    ...(stated?.parameters.upstream?.resolvers === undefined ? {} : {dnsTtlMs: stated.parameters.upstream.dnsTtl}),
    ...(stated?.parameters.health.mode === 'http' ? {asksStatus: true} : {}),
    ...(stated?.parameters.health.mode === 'none' ? {nodesUnchecked: true} : {}),
    ...(stated?.parameters.upstream?.drainTimeout === undefined ? {} : {drainMs: stated.parameters.upstream.drainTimeout}),
    ...(serverName === undefined ? {} : {serverName}),
    source: {
      chats: from('limits.chats'),
      maxFileSize: from('upload.maxFileSize'),
      nodes: from('upstream.nodes', file.name),
      holdMs: from('polling.hold'),
      upgradeIdleMs: from('upgrade.idleTimeout'),
      paths: from('access.paths'),
      affinity: from('affinity.mode', file.name),
      tls: from('tls', file.name),
      upstreamTls: from('upstream.tls', file.name),
      origins: from('access.origins'),
      ...(serverName === undefined ? {} : {serverName: stated && publicName(stated.parameters) ? 'parameters' : file.name}),
    },
  }
}

/** Promises that are kept to only where somebody made them: `stated` says of which dotted paths that is so. */
function accessOf(
  {access, affinity, limits, logging, upload, upstream}: ForeignParameters,
  stated: (path: string) => boolean,
): Partial<Promises> {
  const {connectionsPerClient, requestsPerSecond} = limits
  const {httpOnly, partitioned, sameSite} = affinity
  const ofCookie = ['affinity', 'affinity.httpOnly', 'affinity.partitioned', 'affinity.sameSite'].some(stated)
  return {
    ...(stated('access.paths') ? {onlyPaths: true} : {}),
    ...(access.allow.length > 0 ? {allow: access.allow} : {}),
    ...(access.adminAllow.length > 0 ? {adminAllow: access.adminAllow} : {}),
    ...(access.origins.length > 0 ? {cors: access.cors} : {}),
    ...(stated('access.headerTimeout') ? {headerTimeoutMs: access.headerTimeout} : {}),
    ...(stated('upload.stallTimeout') ? {stallMs: upload.stallTimeout} : {}),
    ...(affinity.mode === 'cookie' && ofCookie ? {cookie: {httpOnly, partitioned, ...(sameSite === undefined ? {} : {sameSite})}} : {}),
    ...(affinity.mode === 'application-cookie' && upstream?.nodes.every(({route}) => route === undefined)
      ? {unroutedCookie: affinity.cookie}
      : {}),
    ...(connectionsPerClient === undefined ? {} : {connectionsPerClient}),
    ...(requestsPerSecond === undefined ? {} : {requestsPerSecond}),
    ...(logging.metricsPort === undefined ? {} : {metricsPort: logging.metricsPort}),
  }
}

/** Ports of which somebody said whether a load balancer stands in front, and said one thing; a single listener needs no index. */
function proxyProtocolOf({listener, tls}: Pick<Parameters, 'listener' | 'tls'>, stated: (path: string) => boolean): Partial<Promises> {
  const said = (name: string, all: readonly {port: number; proxyProtocol: boolean}[]) =>
    all.filter((_, index) => stated(`${name}.${index}.proxyProtocol`) || stated(`${name}.proxyProtocol`))
  const all = [...said('listener', listener), ...said('tls', tls ?? [])]
  const agreed = all.filter(({port, proxyProtocol}) => all.every(other => other.port !== port || other.proxyProtocol === proxyProtocol))
  if (agreed.length === 0) return {}
  return {proxyProtocol: Object.fromEntries(agreed.map(({port, proxyProtocol}) => [port, proxyProtocol]))}
}

/** The host name that clients use: of the plain listener, else of the encrypted one. */
function publicName({listener, tls}: Pick<Parameters, 'listener' | 'tls'>): string | undefined {
  return [...listener, ...(tls ?? [])].flatMap(({serverNames}) => serverNames)[0]
}
