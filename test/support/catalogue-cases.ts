import {existsSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {readBundle} from '../../src/bundle/disk.ts'
import type {FileSubject} from '../../src/diagnose/fix.ts'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import type {Promises} from '../../src/model/report.ts'
import {loadForeignParameters} from '../../src/parameters/load.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {prepare} from '../../src/verify/subject.ts'
import {CATALOGUE} from './catalogue.ts'
import type {CatalogueEntry} from './catalogue.ts'
import {MEASURED} from './rule-files.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** One entry of the catalogue as a configuration of one proxy. */
export interface CatalogueCase {
  /** `nginx-map-missing nginx` */
  name: string
  entry: Extract<CatalogueEntry, {files: unknown}>
  proxy: ProxyName
  /** From the root of the project. */
  path: string
  /** The rule that has to be named first. */
  cause: string
}

/** Every file of the catalogue, in its order. */
export function catalogueCases(): readonly CatalogueCase[] {
  return CATALOGUE.flatMap(entry =>
    'files' in entry
      ? PROXY_NAMES.flatMap(proxy => {
          const file = entry.files[proxy]
          if (file === undefined) return []
          const path = file.startsWith('fixtures/') ? file : `src/lint/rules/${file}`
          return [{name: `${entry.id} ${proxy}`, entry, proxy, path, cause: entry.behind ?? entry.cause}]
        })
      : [],
  )
}

/** The configuration, and what it is held to: `promises.yaml` or `<entry>.yaml` beside it, else what any foreign file is. */
export async function readCase({entry, proxy, path}: CatalogueCase): Promise<{subject: FileSubject; promises: Promises; version: string}> {
  const {bundle} = await readBundle(join(root, path), {proxy, proxies: Object.values(PROXIES)})
  const beside = [`${entry.id}.yaml`, 'promises.yaml'].map(name => join(root, dirname(path), name)).find(file => existsSync(file))
  const stated = beside ? await loadForeignParameters({file: beside, overrides: [], stdin: () => Promise.resolve('')}) : undefined
  const subject: FileSubject = {kind: 'file', name: basename(path), proxy: PROXIES[proxy], bundle, ...(stated ? {stated} : {})}
  const version = entry.version ?? MEASURED[proxy]
  return {subject, promises: prepare(subject, {version}).promises, version}
}
