import {spawnSync} from 'node:child_process'
import type {ProxyName} from '../../src/model/catalogue.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {compareVersions} from '../../src/proxies/version.ts'
import {testImages} from './docker.ts'

/** One version of a proxy that can be run here. */
export interface VersionImage {
  proxy: ProxyName
  /** `X.Y.Z`, as the binary in the image says. */
  version: string
  reference: string
}

/**
 * Every version that the images of test/images hold, once each, oldest first; empty without an engine or images.
 * @throws Error for an image that names no version: a version left out silently would look like one that passed.
 */
export function versionImages(proxy: ProxyName): readonly VersionImage[] {
  const known = new Map<string, VersionImage>()
  for (const reference of testImages(proxy)) {
    const version = versionIn(proxy, reference)
    if (!known.has(version)) known.set(version, {proxy, version, reference})
  }
  return [...known.values()].sort((a, b) => compareVersions(a.version, b.version))
}

function versionIn(name: ProxyName, reference: string): string {
  const proxy = PROXIES[name]
  const [command = name, ...args] = proxy.versionCommand(proxy.image.command)
  // nginx tells on stderr.
  const {stdout, stderr} = spawnSync('docker', ['run', '--rm', '--network', 'none', '--entrypoint', command, reference, ...args], {
    encoding: 'utf8',
  })
  const version = proxy.parseVersion(`${stdout}${stderr}`)
  if (version === undefined) throw new Error(`${reference} names no version of ${proxy.title}: ${stderr}`)
  return version
}
