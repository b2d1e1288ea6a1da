import {constants} from 'node:fs'
import {access, realpath, stat} from 'node:fs/promises'
import {delimiter, join, resolve} from 'node:path'
import {env} from 'node:process'
import {EnvironmentError, UsageError} from '../errors.ts'
import type {Proxy} from '../proxies/proxy.ts'
import {proxyEnvironment} from './binary-host.ts'
import {runCommand} from './command.ts'
import {PATIENCE} from './patience.ts'

/** A binary of a proxy on this machine. */
export interface FoundBinary {
  path: string
  version: string
  /** "on the PATH", "in /usr/sbin". */
  where: string
}

/** Every binary of the proxy, those on the PATH first; links to one file count once. @throws the signal's reason when it aborts. */
export async function findBinaries(proxy: Proxy, signal?: AbortSignal): Promise<readonly FoundBinary[]> {
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
      const {version} = await askVersion(proxy, path, signal)
      if (version !== undefined) found.push({path, version, where})
    }
  }
  return found
}

/**
 * The binary that was named by the user.
 * @throws UsageError when there is no such file, or it is not this proxy.
 * @throws EnvironmentError when it cannot be started, or hangs.
 */
export async function namedBinary(proxy: Proxy, path: string, signal?: AbortSignal): Promise<FoundBinary> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile())
    throw new UsageError(`--binary ${path}: ${found ? 'is not a file' : 'there is no such file'}`, {
      suggestions: [`name the ${proxy.binaries.join(' or ')} itself; gms-proxy doctor lists those that are here`],
    })
  if (!(await isExecutable(path)))
    throw new EnvironmentError(`--binary ${path}: this user may not execute it`, {suggestions: ['check its permissions: chmod +x']})
  const {version, timedOut} = await askVersion(proxy, resolve(path), signal)
  const asked = [...proxy.versionCommand(path)].join(' ')
  if (timedOut)
    throw new EnvironmentError(`--binary ${path}: ${asked} did not end within ${PATIENCE.answer / 1000} s`, {
      suggestions: ['run it by hand and see what it waits for', 'name another with --binary'],
    })
  if (version === undefined)
    throw new UsageError(`--binary ${path}: is not ${proxy.title}`, {
      suggestions: [`its answer to ${asked} names no version of ${proxy.title}`],
    })
  return {path: await realpath(path), version, where: 'given by --binary'}
}

async function askVersion(
  proxy: Proxy,
  path: string,
  signal: AbortSignal | undefined,
): Promise<{version?: string | undefined; timedOut: boolean}> {
  const {output, timedOut} = await runCommand(proxy.versionCommand(path), {timeoutMs: PATIENCE.answer, signal, env: proxyEnvironment()})
  return {version: proxy.parseVersion(output), timedOut}
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
