import {readFile} from 'node:fs/promises'
import {execa} from 'execa'

/** Where the limit cannot be asked for: what systems give at least. */
const USUAL = 1024

/** File descriptors that one process of ours, and each process it starts, may have open. */
export async function descriptorLimit(): Promise<number> {
  try {
    const limits = await readFile('/proc/self/limits', 'utf8')
    const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1]
    if (soft !== undefined) return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft)
  } catch {
    // not Linux
  }
  const {stdout, exitCode} = await execa('sh', ['-c', 'ulimit -n'], {reject: false})
  if (exitCode !== 0) return USUAL
  return stdout.trim() === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(stdout) || USUAL
}
