import {readFile} from 'node:fs/promises'
import {platform} from 'node:process'
import {membersOf} from './owner.ts'

/**
 * Memory of all processes of a group, bytes: what is theirs alone, and their share of what several of them have (Pss, proc(5)). Memory of the
 * kernel (sockets, stacks of threads in it) is not counted. `undefined` where the system does not tell.
 */
export async function memoryOfGroup(pgid: number): Promise<number | undefined> {
  if (platform !== 'linux') return undefined
  const each = await Promise.all(membersOf(pgid).map(memoryOf))
  const known = each.filter(bytes => bytes !== undefined)
  return known.length > 0 && known.length === each.length ? known.reduce((sum, bytes) => sum + bytes, 0) : undefined
}

async function memoryOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '')
  const kib = /^Pss:\s+(\d+) kB$/m.exec(text)?.[1]
  return kib === undefined ? undefined : Number(kib) * 1024
}
