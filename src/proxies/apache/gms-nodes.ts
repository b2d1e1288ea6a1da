import {chatNodes} from '../of-chat.ts'
import type {NodeAddress} from '../proxy.ts'
import type {ParsedConfig} from '../syntax.ts'
import {nodes} from './nodes.ts'
import {site} from './site.ts'

/** Where chats go hangs on no default of a version. */
const ANY_VERSION = '2.4.71'

/** Every mention of a node that requests of a chat reach; of all backends where that cannot be told. */
export function gmsNodes(config: ParsedConfig): readonly NodeAddress[] {
  const all = nodes(config)
  const reached = new Set(
    chatNodes(site(config, ANY_VERSION))?.map(({host, port, tls}) => `${host.toLowerCase()}:${port ?? (tls ? 443 : 80)}`),
  )
  const own = all.filter(({address}) => reached.has(address))
  return own.length > 0 ? own : all
}
