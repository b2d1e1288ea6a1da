import {execa} from 'execa'
import {onExit} from './cleanup.ts'
import type {Exit} from './host.ts'
import {killGroup} from './owner.ts'

interface CommandOptions {
  timeoutMs: number
  signal?: AbortSignal | undefined
  cwd?: string
  /** The whole environment; ours when it is not given. */
  env?: Record<string, string>
  identity?: {uid?: number; gid?: number}
}

/** How a command ended and what it wrote. */
export interface Ended {
  exit: Exit
  timedOut: boolean
  stdout: string
  stderr: string
  /** Both, as they came. */
  output: string
}

/**
 * Runs a command to its end, in a process group of its own: Ctrl-C in a terminal reaches us alone, and one that hangs is ended together
 * with whatever it started. Never throws for a command that fails or cannot be started.
 * @throws the signal's reason when it aborts.
 */
export async function runCommand(
  [file = '', ...args]: readonly string[],
  {timeoutMs, signal, cwd, env, identity = {}}: CommandOptions,
): Promise<Ended> {
  signal?.throwIfAborted()
  const child = execa(file, args, {
    ...identity,
    ...(cwd === undefined ? {} : {cwd}),
    ...(env ? {env, extendEnv: false} : {}),
    reject: false,
    all: true,
    stdin: 'ignore',
    detached: true,
    cleanup: false,
  })
  let timedOut = false
  const kill = () => {
    if (child.pid !== undefined) killGroup(child.pid)
    // One that has left the group may hold the pipes open for ever.
    for (const stream of [child.stdout, child.stderr, child.all]) stream.destroy()
  }
  const forget = onExit(kill)
  const timer = setTimeout(() => {
    timedOut = true
    kill()
  }, timeoutMs)
  signal?.addEventListener('abort', kill, {once: true})
  const result = await child
  clearTimeout(timer)
  signal?.removeEventListener('abort', kill)
  forget()
  signal?.throwIfAborted()
  const notStarted = result.exitCode === undefined && result.signal === undefined
  return {
    exit: {
      ...(result.exitCode === undefined ? {} : {code: result.exitCode}),
      ...(result.signal === undefined ? {} : {signal: result.signal}),
      ...(notStarted ? {because: result.originalMessage ?? result.shortMessage ?? 'unknown reason'} : {}),
    },
    timedOut,
    stdout: result.stdout,
    stderr: result.stderr,
    output: result.all,
  }
}
