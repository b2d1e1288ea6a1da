import {writeFile} from 'node:fs/promises'
import {UsageError} from '../errors.ts'

/**
 * Writes one file that a person named. With `exclusive`, an existing one is left as it is.
 * @throws UsageError when it cannot be written, or exists.
 */
export async function writeOwn(file: string, text: string, {exclusive = false} = {}): Promise<void> {
  try {
    await writeFile(file, text, {flag: exclusive ? 'wx' : 'w'})
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const said: Readonly<Record<string, readonly [string, string]>> = {
      EEXIST: ['exists', 'write over it with --force, or name another file'],
      ENOENT: ['cannot be written: its folder does not exist', 'make the folder, or name another file'],
      ENOTDIR: ['cannot be written: its folder is a file', 'name another file'],
      EISDIR: ['is a folder', 'name a file in it'],
      EACCES: ['may not be written', 'check its permissions, or name another file'],
      EROFS: ['lies on a disk that cannot be written', 'name another file'],
      ENOSPC: ['cannot be written: the disk is full', 'make room'],
    }
    const [what, next] = said[code ?? ''] ?? [`cannot be written (${code ?? String(error)})`, 'name another file']
    throw new UsageError(`${file} ${what}`, {suggestions: [next], cause: error})
  }
}
