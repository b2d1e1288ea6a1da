import {existsSync, readdirSync} from 'node:fs'
import {basename, dirname, join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {readBundle} from '../../src/bundle/disk.ts'
import type {SubjectReport} from '../../src/model/report.ts'
import {loadForeignParameters} from '../../src/parameters/load.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {CHECKS} from '../../src/verify/checks/index.ts'
import {verify} from '../../src/verify/verify.ts'
import {ruleFolders} from './rule-files.ts'
import {suiteOptions} from './runtime.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

type Timing = 'real' | 'compressed'

/** A configuration, and the checks whose verdicts on it are compared. */
export interface TimingCase {
  /** From the root of the project. */
  path: string
  checks: readonly string[]
}

/** Every `broken.*` with its check, and every `fires.*` with the checks that its rule breaks, or may break. */
export async function timingCases(): Promise<readonly TimingCase[]> {
  const broken = CHECKS.flatMap(({meta: {id}}) =>
    readdirSync(join(root, 'src/verify/checks', id))
      .filter(file => file.startsWith('broken.') && !file.endsWith('.yaml'))
      .sort()
      .map(file => ({path: `src/verify/checks/${id}/${file}`, checks: [id]})),
  )
  const fires = (await ruleFolders()).flatMap(({rule: {meta}, files}) =>
    files
      .filter(({kind}) => kind === 'fires')
      .map(({name}) => ({
        path: `src/lint/rules/${name}`,
        checks: [...new Set([...meta.breaks, ...(meta.breaksOneOf ?? []), ...meta.mayBreak])],
      })),
  )
  return [...broken, ...fires].filter(({checks}) => checks.length > 0)
}

/** The report of one file, held to what stands beside it. */
export async function timedReport({path, checks}: TimingCase, timing: Timing, signal: AbortSignal): Promise<SubjectReport> {
  const {bundle, proxy} = await readBundle(join(root, path), {proxies: Object.values(PROXIES)})
  const [, named] = /^broken\.([^.]+)\.[^.]+\./.exec(basename(path)) ?? []
  const promised = [`broken.${named}.yaml`, 'broken.yaml', 'promises.yaml']
    .map(name => join(root, dirname(path), name))
    .find(file => existsSync(file))
  const stated = promised ? await loadForeignParameters({file: promised, overrides: [], stdin: () => Promise.resolve('')}) : undefined
  const report = await verify(
    [{kind: 'file', name: basename(path), proxy, bundle, ...(stated ? {stated} : {})}],
    suiteOptions({
      timing,
      only: checks,
      signal,
      reproduce: `gms-proxy verify ${relative(root, join(root, path))} --timing ${timing}`,
    }),
  )
  const [subject] = report.subjects
  if (!subject) throw new Error(`no subject in the report of ${path}`)
  return subject
}

/** Verdict of each check, in order of their names. */
export function verdictsOf({outcomes}: SubjectReport): Readonly<Record<string, string>> {
  return Object.fromEntries(outcomes.map(({id, status}) => [id, status] as const).sort(([a], [b]) => a.localeCompare(b)))
}
