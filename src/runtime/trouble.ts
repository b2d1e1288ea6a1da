import {tmpdir} from 'node:os'
import {EnvironmentError} from '../errors.ts'

const ELSEWHERE = 'set TMPDIR to a folder that exists and that you may write'
const MORE_FILES = 'raise the limit of open files: ulimit -n 4096'
const LESS_LOAD = 'stop something else that runs here, and run it again'

/** What the system says when it, not we, is in the way (errno(3)), and what a person can do about it. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: ELSEWHERE,
  ENOTDIR: ELSEWHERE,
  EACCES: ELSEWHERE,
  EPERM: ELSEWHERE,
  EROFS: ELSEWHERE,
  ELOOP: ELSEWHERE,
  ENAMETOOLONG: ELSEWHERE,
  EIO: ELSEWHERE,
  ENOSPC: `free some space, or ${ELSEWHERE}`,
  EDQUOT: `free some space, or ${ELSEWHERE}`,
  EMFILE: MORE_FILES,
  ENFILE: LESS_LOAD,
  EAGAIN: LESS_LOAD,
  ENOMEM: LESS_LOAD,
}

/** An error of a system call while a sandbox is made or a process started, as what it is: trouble of this machine. Others stay as they are. */
export function troubleOfThisMachine(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string' || !('syscall' in error)) return error
  const advice = ADVICE[error.code]
  if (advice === undefined) return error
  return new EnvironmentError(`no proxy can be run in ${tmpdir()}: ${error.message}`, {suggestions: [advice], cause: error})
}
