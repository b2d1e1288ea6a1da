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
  const serverName = parameters.listener[0]?.serverNames[0]
  return {
    chats: parameters.limits.chats,
    maxFileSize: parameters.upload.maxFileSize,
    nodes: parameters.upstream.nodes.length,
    holdMs: parameters.polling.hold,
    upgradeIdleMs: parameters.upgrade.idleTimeout,
    paths: parameters.access.paths,
    affinity: parameters.affinity.mode === 'none' || parameters.upstream.nodes.length === 1 ? 'none' : 'required',
    ...(serverName === undefined ? {} : {serverName}),
    source: {
      chats: from('limits.chats'),
      maxFileSize: from('upload.maxFileSize'),
      nodes: 'parameters',
      holdMs: from('polling.hold'),
      upgradeIdleMs: from('upgrade.idleTimeout'),
      paths: from('access.paths'),
      affinity: from('affinity.mode'),
      ...(serverName === undefined ? {} : {serverName: 'parameters'}),
    },
  }
}

/**
 * The promises of a configuration somebody else wrote: what `parameters` state, else the nodes and host name that the file itself
 * names, else defaults. `file` is absent for a URL.
 */
export function expectationsOfForeign(
  file: {name: string; nodes: number; serverName?: string},
  stated?: {parameters: ForeignParameters; given: ReadonlySet<string>},
): Promises {
  const has = (path: string) => stated?.given.has(path) ?? false
  const pick = <T>(path: string, value: (parameters: ForeignParameters) => T, otherwise: T): T =>
    stated && has(path) ? value(stated.parameters) : otherwise
  const nodes = stated?.parameters.upstream?.nodes.length ?? file.nodes
  const serverName = stated?.parameters.listener[0]?.serverNames[0] ?? file.serverName
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
    ...(serverName === undefined ? {} : {serverName}),
    source: {
      chats: from('limits.chats'),
      maxFileSize: from('upload.maxFileSize'),
      nodes: from('upstream.nodes', file.name),
      holdMs: from('polling.hold'),
      upgradeIdleMs: from('upgrade.idleTimeout'),
      paths: from('access.paths'),
      affinity: from('affinity.mode', file.name),
      ...(serverName === undefined ? {} : {serverName: stated?.parameters.listener[0]?.serverNames[0] ? 'parameters' : file.name}),
    },
  }
}
