import {constants} from 'node:fs'
import {access, realpath, stat} from 'node:fs/promises'
import {delimiter, join} from 'node:path'
import {env} from 'node:process'
import {execa} from 'execa'
import {EnvironmentError, UsageError} from '../errors.ts'
import type {Proxy} from '../proxies/proxy.ts'
import {proxyEnvironment} from './binary-host.ts'
import {PATIENCE} from './patience.ts'

/** A binary of a proxy on this machine. */
export interface FoundBinary {
  path: string
  version: string
  /** "on the PATH", "in /usr/sbin". */
  where: string
}

/** Every binary of the proxy, those on the PATH first; links to one file count once. */
export async function findBinaries(proxy: Proxy): Promise<readonly FoundBinary[]> {
  const onPath = (env['PATH'] ?? '').split(delimiter).filter(folder => folder.startsWith('/'))
  const places = [
    ...onPath.map(folder => ({folder, where: 'on the PATH'})),
    ...proxy.binaryFolders.map(folder => ({folder, where: `in ${folder}`})),
  ]
  const found: FoundBinary[] = []
  const seen = new Set<string>()
  for (const {folder, where} of places) {
    for (const name of proxy.binaries) {
      const path = join(folder, name)
      if (!(await isExecutable(path))) continue
      const real = await realpath(path)
      if (seen.has(real)) continue
      seen.add(real)
      const version = await askVersion(proxy, path)
      if (version !== undefined) found.push({path, version, where})
    }
  }
  return found
}

/**
 * The binary that was named by the user.
 * @throws UsageError when there is no such file, or it is not this proxy.
 * @throws EnvironmentError when it cannot be started.
 */
export async function namedBinary(proxy: Proxy, path: string): Promise<FoundBinary> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) throw new UsageError(`--binary ${path}: ${found ? 'is not a file' : 'there is no such file'}`)
  if (!(await isExecutable(path))) throw new EnvironmentError(`--binary ${path}: this user may not execute it`)
  const version = await askVersion(proxy, path)
  if (version === undefined)
    throw new UsageError(`--binary ${path}: is not ${proxy.title}`, {
      suggestions: [`its answer to ${[...proxy.versionCommand(path)].join(' ')} names no version of ${proxy.title}`],
    })
  return {path: await realpath(path), version, where: 'given by --binary'}
}

async function askVersion(proxy: Proxy, path: string): Promise<string | undefined> {
  const [file = path, ...args] = proxy.versionCommand(path)
  const {all} = await execa(file, args, {
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: PATIENCE.answer,
    env: proxyEnvironment(),
    extendEnv: false,
  })
  return proxy.parseVersion(all ?? '')
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
