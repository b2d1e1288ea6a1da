import {readFileSync, readdirSync, readlinkSync} from 'node:fs'
import {platform} from 'node:process'
import {membersOf} from './owner.ts'

/** State `LISTEN` in `/proc/net/tcp` (proc(5), kernel include/net/tcp_states.h). */
const LISTEN = '0A'

/**
 * True when whoever listens on a port of this machine belongs to a process group. Between choosing a port and binding it somebody else
 * may have taken it, and would then answer in the proxy's place. Where the system does not tell, the answer is true.
 */
export function groupListensOn(pgid: number, port: number): boolean {
  if (platform !== 'linux') return true
  const listening = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(table => listenersOn(table, port))
  if (listening.length === 0) return false
  const own = new Set(membersOf(pgid).flatMap(socketsOf))
  return own.size === 0 || listening.every(inode => own.has(inode))
}

/** Inodes of the sockets that listen on a port. */
function listenersOn(table: string, port: number): readonly string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return read(table)
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .flatMap(([, local = '', , state, , , , , , inode]) =>
      state === LISTEN && local.endsWith(suffix) && inode !== undefined ? [inode] : [],
    )
}

/** Inodes of the sockets that a process has open; none when we may not look. */
function socketsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
      const link = readlinkSync(`/proc/${pid}/fd/${fd}`)
      return /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []
    })
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
