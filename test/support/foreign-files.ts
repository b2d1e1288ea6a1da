import {existsSync, readdirSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {readBundle} from '../../src/bundle/disk.ts'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import {loadForeignParameters} from '../../src/parameters/load.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import type {Subject} from '../../src/verify/subject.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../fixtures/foreign')
/** What the vendor publishes lies there as well, and is not right. */
const NOT_RIGHT = /^genesys-sample/

/** A folder of `fixtures/foreign` that holds a configuration which is right, as somebody else might have written it. */
export interface ForeignFolder {
  /** `nginx/debian-sites-enabled` */
  name: string
  proxy: ProxyName
  path: string
}

/** Every right configuration, by proxy and name. */
export function foreignFolders(): readonly ForeignFolder[] {
  return PROXY_NAMES.flatMap(proxy =>
    readdirSync(join(root, proxy))
      .filter(folder => !NOT_RIGHT.test(folder))
      .sort()
      .map(folder => ({name: `${proxy}/${folder}`, proxy, path: join(root, proxy, folder)})),
  )
}

/** The folder as a subject, its dialect recognised from its text; held to `expectations.yaml` in it, else to what any foreign file is. */
export async function readForeign({path}: ForeignFolder): Promise<Extract<Subject, {kind: 'file'}>> {
  const {bundle, proxy} = await readBundle(path, {proxies: Object.values(PROXIES)})
  const promised = join(path, 'expectations.yaml')
  const stated = existsSync(promised)
    ? await loadForeignParameters({file: promised, overrides: [], stdin: () => Promise.resolve('')})
    : undefined
  return {kind: 'file', name: path, proxy, bundle, ...(stated ? {stated} : {})}
}
