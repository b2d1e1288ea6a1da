import {constants, copyFile, readFile, rm, access, writeFile} from 'node:fs/promises'
import {basename, join} from 'node:path'
import {readBundle} from '../bundle/disk.ts'
import {UsageError} from '../errors.ts'
import type {ConfigBundle} from '../model/bundle.ts'
import {PROXIES} from '../proxies/index.ts'

/** A file that was written, and the copy of what was there before; absolute paths. */
export interface Written {
  file: string
  backup: string
}

/**
 * Writes the files that differ, each after a copy of it was made beside it (`FILE.bak`, `FILE.bak.1`…; never over another file). Where the
 * configuration would read the copy itself (`include sites-enabled/*`), the copy lies in the folder of the configuration instead.
 * @throws UsageError when a file is no longer what was read, or cannot be written: then none is.
 */
export async function writeBack(before: ConfigBundle, after: ConfigBundle, subject: string): Promise<readonly Written[]> {
  const {root} = before
  if (root === undefined) throw new Error('a configuration that was not read from disk cannot be written back')
  const changed = after.files.flatMap(({path, text}, index) => {
    const old = before.files[index]?.text ?? ''
    return old === text ? [] : [{path, file: join(root, path), old, text}]
  })
  for (const {file, old} of changed) {
    const now = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new UsageError(`${file} is gone meanwhile`, {cause, suggestions: ['run fix again']})
    })
    if (now !== old) throw new UsageError(`${file} was changed meanwhile: nothing was written`, {suggestions: ['run fix again']})
    await access(file, constants.W_OK).catch((cause: unknown) => {
      throw new UsageError(`${file} may not be written`, {cause, suggestions: ['apply the patch yourself, or check its permissions']})
    })
  }
  const written: Written[] = []
  try {
    for (const {path, file} of changed) written.push({file, backup: await backUp(root, path, {subject, proxy: before.proxy})})
  } catch (error) {
    for (const {backup} of written) await rm(backup, {force: true})
    throw error
  }
  for (const {file, text} of changed) await writeFile(file, text)
  return written
}

async function backUp(root: string, path: string, {subject, proxy}: {subject: string; proxy: ConfigBundle['proxy']}): Promise<string> {
  const source = join(root, path)
  for (const place of new Set([path, basename(path)])) {
    const backup = await copyBeside(source, join(root, place))
    const {bundle} = await readBundle(subject, {proxy, proxies: Object.values(PROXIES)})
    if (!bundle.files.some(file => join(root, file.path) === backup)) return backup
    await rm(backup)
  }
  throw new UsageError(`a copy of ${source} beside it would be read as configuration: nothing was written`, {
    suggestions: ['apply the patch yourself'],
  })
}

/** The first name that is free. */
async function copyBeside(source: string, beside: string): Promise<string> {
  for (let number = 0; ; number += 1) {
    const backup = `${beside}.bak${number === 0 ? '' : `.${number}`}`
    try {
      await copyFile(source, backup, constants.COPYFILE_EXCL)
      return backup
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new UsageError(`${backup} cannot be written: nothing was changed`, {
        cause,
        suggestions: ['check the permissions of the folder'],
      })
    }
  }
}
