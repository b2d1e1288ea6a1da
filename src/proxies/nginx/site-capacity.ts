import type {Capacity} from '../site.ts'
import {CONNECTIONS_PER_CHAT} from './capacity.ts'
import type {Layout} from './site-scope.ts'
import {inForce, setting} from './site-setting.ts'

/**
 * Share of its connections that a worker gives to chats: with a sixteenth left it closes connections to make room (ngx_drain_connections;
 * measured: 241 chats with 512, 482 with 1024).
 */
const USABLE = 15 / 16
const number = (value: number) => value.toLocaleString('en-US')

/** How many chats fit by `worker_connections`, `worker_processes` and `worker_rlimit_nofile`. */
export function capacityOf({main, events, fragment}: Layout, version: string): Capacity {
  const connections = inForce(events ?? main, 'worker_connections', version, ([word]) => Number(word))
  if (fragment)
    return {
      arithmetic: 'worker_connections stands outside a fragment',
      setting: setting({
        value: connections.value,
        directive: 'worker_connections',
        text: 'worker_connections of the file around',
        home: main.home,
      }),
    }
  const workers = inForce(main, 'worker_processes', version, ([word]) => (word === 'auto' ? undefined : Number(word)))
  const files = inForce(main, 'worker_rlimit_nofile', version, ([word]) => (word === undefined ? undefined : Number(word)))
  const bound = files.value !== undefined && files.value < connections.value ? {...files, value: files.value} : connections
  if (workers.value === undefined || !Number.isInteger(workers.value) || !Number.isInteger(bound.value))
    return {
      arithmetic: `${bound.text} × as many workers as the machine has processors / ${CONNECTIONS_PER_CHAT} connections a chat`,
      setting: bound,
    }
  const chats = Math.floor((bound.value * USABLE) / CONNECTIONS_PER_CHAT) * workers.value
  const many = workers.value === 1 ? '1 worker' : `${number(workers.value)} workers`
  return {
    chats,
    arithmetic: `${number(bound.value)} ${bound === connections ? 'worker connections' : 'open files'} × 15/16 × ${many} / ${CONNECTIONS_PER_CHAT} connections a chat`,
    setting: bound,
  }
}
