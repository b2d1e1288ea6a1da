import {spawn} from 'node:child_process'
import {chownSync, closeSync, openSync} from 'node:fs'
import {join} from 'node:path'
import type {Account} from './account.ts'
import type {Exit} from './host.ts'

/** A process that stays in the foreground, the leader of a process group of its own. */
export interface Foreground {
  /** `undefined` when it could not be started; `exit()` says why. */
  pid: number | undefined
  exit(): Exit | undefined
  /** Resolves when it has ended; never rejects. */
  ended: Promise<void>
  kill(signal: NodeJS.Signals): void
}

interface ForegroundOptions {
  cwd: string
  env?: Record<string, string>
  identity?: {uid?: number; gid?: number}
  /** Folder of `stdout.log` and `stderr.log`. */
  outer: string
  /** Who must be able to open those files again. */
  account?: Account | undefined
}

/**
 * Starts a process with its output in files: /dev/stderr can then be opened again by workers that log there, and nothing is lost
 * when we end first. (execa connects long-running output by pipes only, hence `spawn`.)
 */
export function startForeground(
  [file = '', ...args]: readonly string[],
  {cwd, env, identity = {}, outer, account}: ForegroundOptions,
): Foreground {
  const descriptors = ['stdout.log', 'stderr.log'].map(name => {
    const path = join(outer, name)
    const descriptor = openSync(path, 'a', 0o600)
    if (account) chownSync(path, account.uid, account.gid)
    return descriptor
  })
  // A group of its own: Ctrl-C in the terminal reaches us alone, and one signal ends the whole tree.
  const child = spawn(file, args, {...identity, cwd, ...(env ? {env} : {}), detached: true, stdio: ['ignore', ...descriptors]})
  for (const descriptor of descriptors) closeSync(descriptor)
  let exit: Exit | undefined
  const ended = new Promise<void>(resolve => {
    child.once('error', error => {
      exit ??= {because: error.message}
      resolve()
    })
    child.once('exit', (code, signal) => {
      exit ??= {...(code === null ? {} : {code}), ...(signal === null ? {} : {signal})}
      resolve()
    })
  })
  return {pid: child.pid, exit: () => exit, ended, kill: signal => void child.kill(signal)}
}
