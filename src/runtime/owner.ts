import {execFileSync} from 'node:child_process'
import {readFileSync, readdirSync, readlinkSync, rmSync} from 'node:fs'
import {hostname} from 'node:os'
import {kill, pid as ownPid, platform} from 'node:process'

/** Who made a folder or a container: enough to tell a live owner from a dead one after its pid was given to another process. */
export interface Owner {
  pid: number
  /** Boot and start time of the process: together with the pid it never repeats. */
  started: string
  /** Host and pid namespace in which the pid means something; owners of other scopes are left alone. */
  scope: string
}

/** A process that was started by an owner, the leader of its own process group. */
export type Child = Pick<Owner, 'pid' | 'started'>

/** The running process as an owner. */
export function currentOwner(): Owner {
  return {pid: ownPid, started: startTime(ownPid) ?? '', scope: scope()}
}

/** True when the owner surely ended. An owner of another host or pid namespace counts as alive. */
export function isDead(owner: Owner): boolean {
  return owner.scope === scope() && startTime(owner.pid) !== owner.started
}

/** Reads an owner from untrusted JSON text; `undefined` when it is none. */
export function parseOwner(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isOwner(value) ? {pid: value.pid, started: value.started, scope: value.scope} : undefined
  } catch {
    return undefined
  }
}

/** True for a pid and a start time as `currentOwner` writes them. */
export function isChild(value: unknown): value is Child {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    Number.isInteger(value.pid) &&
    Number(value.pid) > 1 &&
    'started' in value &&
    typeof value.started === 'string'
  )
}

function isOwner(value: unknown): value is Owner {
  return isChild(value) && 'scope' in value && typeof value.scope === 'string'
}

/** Boot id and start time of a process; `undefined` when there is no such process or it is a zombie. */
export function startTime(pid: number): string | undefined {
  if (platform === 'linux') {
    const stat = readStat(pid)
    return stat && stat.state !== 'Z' ? `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${stat.startTicks}` : undefined
  }
  try {
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
        encoding: 'utf8',
        env: {LC_ALL: 'C', TZ: 'UTC', PATH: '/bin:/usr/bin'},
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim() || undefined
    )
  } catch {
    return undefined
  }
}

/** Processes of a group that still run. Zombies do not count: nothing of ours can reap those whose parent died. */
export function groupIsAlive(pgid: number): boolean {
  if (platform !== 'linux') return signalGroup(pgid, 0)
  return processes().some(process => process.group === pgid && process.state !== 'Z')
}

/** Sends a signal to every process of a group; false when there is none. */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return kill(-pgid, signal)
  } catch {
    return false
  }
}

/** Kills every process of a group, and removes the named shared memory that they can no longer remove themselves. */
export function killGroup(pgid: number): void {
  const named = platform === 'linux' ? membersOf(pgid).flatMap(sharedMemoryOf) : []
  signalGroup(pgid, 'SIGKILL')
  for (const path of new Set(named)) rmSync(path, {force: true})
}

/** Segments of Apache's portable runtime (`shm_open`) that a process has mapped; httpd removes them only when it may end in peace. */
function sharedMemoryOf(pid: number): readonly string[] {
  try {
    return [...readFileSync(`/proc/${pid}/maps`, 'latin1').matchAll(/ (\/dev\/shm\/ShM\.[0-9a-fH]+)$/gm)].map(([, path = '']) => path)
  } catch {
    return []
  }
}

/**
 * Kills what a dead owner's proxy left running: the group when its leader is still the one that was recorded, else only the
 * members that stand in `folder`, because the group's number may belong to somebody else by now.
 */
export function killOrphans(child: Child, folder: string): void {
  if (startTime(child.pid) === child.started) {
    killGroup(child.pid)
    return
  }
  if (platform !== 'linux') return
  for (const {pid, group} of processes()) {
    if (group !== child.pid || !standsIn(pid, folder)) continue
    const named = sharedMemoryOf(pid)
    try {
      kill(pid, 'SIGKILL')
    } catch {
      // It ended between the look and the signal.
    }
    for (const path of named) rmSync(path, {force: true})
  }
}

function standsIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
  } catch {
    return false
  }
}

interface Stat {
  pid: number
  state: string
  group: number
  startTicks: string
}

/** Pids of a process group. Linux only. */
export function membersOf(pgid: number): readonly number[] {
  return processes().flatMap(({pid, group}) => (group === pgid ? [pid] : []))
}

function processes(): readonly Stat[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => readStat(Number(name)) ?? [])
}

/** proc(5): the second field, the command, may hold blanks and parentheses; fields 3, 5 and 22 are state, process group and start time. */
function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return {pid, state: fields[0] ?? '', group: Number(fields[2]), startTicks: fields[19] ?? ''}
  } catch {
    return undefined
  }
}

function scope(): string {
  return platform === 'linux' ? `${hostname()}/${readlinkSync('/proc/self/ns/pid')}` : hostname()
}
