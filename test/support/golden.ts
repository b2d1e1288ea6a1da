import {readdirSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {PLAIN, render} from '../../src/bundle/render.ts'
import {loadParameters} from '../../src/parameters/load.ts'
import type {Parameters} from '../../src/parameters/schema.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import {SINCE as apache} from '../../src/proxies/apache/versions.ts'
import {SINCE as haproxy} from '../../src/proxies/haproxy/versions.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {SINCE as nginx} from '../../src/proxies/nginx/versions.ts'
import type {Layout, Proxy, RenderTarget} from '../../src/proxies/proxy.ts'
import {LAYOUTS} from '../../src/proxies/proxy.ts'
import {atLeast, compareVersions} from '../../src/proxies/version.ts'

const fixtures = join(dirname(fileURLToPath(import.meta.url)), '../../fixtures/parameters')

/** One deployment of fixtures/parameters. */
export interface ParametersFixture {
  /** Name of the file without its ending. */
  name: string
  file: string
  parameters: Parameters
}

/** All of fixtures/parameters, read. */
export async function parametersFixtures(): Promise<readonly ParametersFixture[]> {
  return Promise.all(
    readdirSync(fixtures)
      .sort()
      .map(async entry => {
        const file = join(fixtures, entry)
        const {parameters} = await loadParameters({file, overrides: [], stdin: () => Promise.resolve('')})
        return {name: entry.replace(/\.\w+$/, ''), file, parameters}
      }),
  )
}

/** The versions with which each proxy learned something that is rendered. */
const LEARNED: Readonly<Record<ProxyName, Readonly<Record<string, {since: string}>>>> = {nginx, apache, haproxy}

/** Versions that are rendered, newest first: the newest, the first of each branch, those that learned something, and the oldest. */
export function versionsOf({name, versions: {newest, oldest}, branches}: Proxy): readonly string[] {
  const first = branches.map(({branch}) => (branch.split('.').length > 2 ? branch : `${branch}.0`))
  const learned = Object.values(LEARNED[name]).map(({since}) => since)
  const between = [...first, ...learned].filter(version => !atLeast(version, newest) && atLeast(version, oldest))
  return [...new Set([newest, ...between, oldest])].sort((a, b) => compareVersions(b, a))
}

/** What of the grid is kept as text: `how` besides the whole file for the official image. */
const OTHERWISE: readonly {suffix: string; how: Omit<RenderTarget, 'version'>; only: readonly string[]}[] = [
  ...LAYOUTS.filter((layout): layout is Exclude<Layout, 'docker'> => layout !== 'docker').map(layout => ({
    suffix: `+${layout}`,
    how: {...PLAIN, layout},
    only: ['two-nodes', 'tls'],
  })),
  {suffix: '+fragment', how: {...PLAIN, fragment: true}, only: ['two-nodes', 'tls', 'many-chats', 'snippets']},
  {suffix: '+debian+fragment', how: {...PLAIN, layout: 'debian', fragment: true}, only: ['tls']},
]

/**
 * Every golden file: `<proxy>/<parameters>/<file>`, `<proxy>/<parameters>@<version>/<file>` where an older version differs from the next newer
 * one, `+<layout>` and `+fragment`. `declared.txt` holds what the proxy cannot do (`no`), or does in another way (`but`).
 */
export async function goldenFiles(): Promise<readonly {path: string; text: string}[]> {
  const golden: {path: string; text: string}[] = []
  for (const {name, parameters} of await parametersFixtures())
    for (const proxy of Object.values(PROXIES)) {
      let newer: string | undefined
      for (const version of versionsOf(proxy)) {
        const files = filesOf(proxy, parameters, {...PLAIN, version})
        const text = JSON.stringify(files)
        const folder = version === proxy.versions.newest ? name : `${name}@${version}`
        if (text !== newer) for (const file of files) golden.push({path: `${proxy.name}/${folder}/${file.path}`, text: file.text})
        newer = text
      }
      for (const {suffix, how, only} of OTHERWISE)
        if (only.includes(name))
          for (const file of filesOf(proxy, parameters, {...how, version: proxy.versions.newest}))
            golden.push({path: `${proxy.name}/${name}${suffix}/${file.path}`, text: file.text})
    }
  return golden
}

function filesOf(proxy: Proxy, parameters: Parameters, target: RenderTarget): readonly {path: string; text: string}[] {
  const refused = proxy.unsupported(parameters, target).map(({path, because}) => `no  ${path}: ${because}\n`)
  const weaker = proxy.caveats(parameters, target).map(({path, because}) => `but ${path}: ${because}\n`)
  const declared = [...refused, ...weaker].join('')
  const {version, ...how} = target
  return [
    ...(refused.length > 0 ? [] : render(proxy, parameters, version, how).files),
    ...(declared === '' ? [] : [{path: 'declared.txt', text: declared}]),
  ]
}
