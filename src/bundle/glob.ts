import {readdir, stat} from 'node:fs/promises'
import {join, posix} from 'node:path'
import {segmentMatcher} from '../model/glob.ts'

/** How deep a folder that is included as a whole is read. */
const MAX_DEPTH = 8

/**
 * Files below `root` that `pattern` names, relative to `root`, sorted as the proxies sort them. The pattern is tried in each folder of
 * `bases` (relative to `root`); the first that gives anything wins. A folder stands for all files in it (Apache's `Include`). Patterns that
 * lead out of the root, and absolute ones, give nothing.
 */
export async function matchingFiles(root: string, pattern: string, bases: readonly string[]): Promise<readonly string[]> {
  if (pattern === '' || pattern.startsWith('/')) return []
  for (const base of bases) {
    const path = posix.normalize(posix.join(base, pattern))
    if (path === '..' || path.startsWith('../')) continue
    const found = await expand(root, '', path.split('/'))
    if (found.length > 0) return found
  }
  return []
}

async function expand(root: string, folder: string, segments: readonly string[]): Promise<readonly string[]> {
  const [segment, ...rest] = segments
  if (segment === undefined || segment === '') return filesOf(root, folder, 0)
  const names = /[*?[]/.test(segment) ? (await list(join(root, folder))).filter(name => segmentMatcher(segment).test(name)) : [segment]
  const found: string[] = []
  for (const name of names.sort()) found.push(...(await expand(root, posix.join(folder, name), rest)))
  return found
}

async function filesOf(root: string, path: string, depth: number): Promise<readonly string[]> {
  const found = await stat(join(root, path)).catch(() => undefined)
  if (found?.isFile()) return [path]
  if (!found?.isDirectory() || depth >= MAX_DEPTH) return []
  const files: string[] = []
  for (const name of (await list(join(root, path))).sort()) files.push(...(await filesOf(root, posix.join(path, name), depth + 1)))
  return files
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
