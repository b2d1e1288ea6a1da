import {chatNodes} from '../of-chat.ts'
import type {ListenerAddress, NodeAddress} from '../proxy.ts'
import type {ParsedConfig} from '../syntax.ts'
import {listeners, nodes} from './addresses.ts'
import {site} from './site.ts'

/** Where chats go hangs on no default of a version. */
const ANY_VERSION = '3.4.0'

/** Every mention of a node that requests of a chat reach; of all servers where that cannot be told. */
export function gmsNodes(config: ParsedConfig): readonly NodeAddress[] {
  const all = nodes(config)
  const reached = new Set(chatNodes(site(config, ANY_VERSION))?.map(({address}) => address))
  const own = all.filter(({address}) => reached.has(address))
  return own.length > 0 ? own : all
}

/** The listeners of the column; of several names, the one under which the chat is found. */
export function gmsListeners(config: ParsedConfig): readonly ListenerAddress[] {
  const all = listeners(config)
  if (all.every(({serverName}) => serverName === undefined)) return all
  const known = new Map(site(config, ANY_VERSION).listeners.map(({address, serverNames: [name]}) => [address, name]))
  return all.map(listener => {
    const name = known.get(listener.address)
    return listener.serverName === undefined || name === undefined ? listener : {...listener, serverName: name}
  })
}
