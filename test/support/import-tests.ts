import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import fc from 'fast-check'
import {expect, it} from 'vitest'
import {readBundle} from '../../src/bundle/disk.ts'
import {PLAIN, render} from '../../src/bundle/render.ts'
import {UsageError} from '../../src/errors.ts'
import type {ConfigBundle} from '../../src/model/bundle.ts'
import type {Parameters} from '../../src/parameters/schema.ts'
import type {Imported, Layout, Proxy, RenderTarget} from '../../src/proxies/proxy.ts'
import {LAYOUTS} from '../../src/proxies/proxy.ts'
import {arbitraryParameters} from './arbitrary-parameters.ts'
import {honoured, hows, load, PATIENCE_MS, READ_RUNS} from './accepted.ts'
import {MEASURED, ruleFolders, rulesFolder} from './rule-files.ts'
import {versionsOf} from './golden.ts'

/** A field that the dialect's text does not hold: what it becomes on both sides before they are compared. */
export interface Lost {
  /** Why it cannot be read back. */
  because: string
  /** Makes the parameters alike where only this was lost. */
  forget(parameters: Parameters): void
}

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const golden = join(root, 'fixtures/golden')

/** What an import of rendered files gives back, and that one of foreign files never throws; the same for each proxy. */
export function importTests(proxy: Proxy, lost: readonly Lost[]): void {
  it(`gives the same file for every golden of ${proxy.title}`, async () => {
    const files = goldensOf(proxy)
    expect(files.length).toBeGreaterThan(20)
    for (const {path, text, target} of files) {
      const {parameters, left} = imported(proxy, bundleOf(proxy, target, text), target.version)
      expect(left, path).toEqual([])
      expect(render(proxy, await load(parameters), target.version, target).files[0]?.text, path).toBe(text)
    }
  })

  it(
    `gives ${READ_RUNS} random deployments back from what ${proxy.title} was rendered with`,
    async () => {
      await fc.assert(
        fc.asyncProperty(arbitraryParameters, hows, fc.constantFrom(...versionsOf(proxy)), async (input, how, version) => {
          const target: RenderTarget = {...how, header: [], version}
          const {parameters: meant} = await honoured(proxy, input, target)
          const bundle = render(proxy, meant, version, target)
          const {parameters, left} = imported(proxy, bundle, version)
          expect(left).toEqual([])
          const back = await load(parameters)
          expect(render(proxy, back, version, target).files).toEqual(bundle.files)
          const forgotten = (own: Parameters) => {
            const copy = structuredClone(own)
            for (const {forget} of lost) forget(copy)
            return copy
          }
          expect(forgotten(back)).toEqual(forgotten(meant))
        }),
        {numRuns: READ_RUNS},
      )
    },
    PATIENCE_MS,
  )

  it(
    `reads what others wrote for ${proxy.title}: it loads, or what is missing is named`,
    async () => {
      const paths = await foreignFiles(proxy)
      expect(paths.length).toBeGreaterThan(50)
      let loaded = 0
      for (const path of paths) {
        const {bundle} = await readBundle(path, {proxies: [proxy], proxy: proxy.name})
        const {parameters, left} = imported(proxy, bundle, MEASURED[proxy.name])
        for (const {span, because} of left) {
          expect(
            bundle.files.some(({path: own}) => own === span.file),
            `${path}: ${because}`,
          ).toBe(true)
          expect(because, path).not.toMatch(/undefined|\[object|\.$/)
        }
        try {
          await load(parameters)
          loaded++
        } catch (error) {
          if (!(error instanceof UsageError)) throw error
          expect(error.message, path).toMatch(/upstream/)
        }
      }
      expect(loaded / paths.length).toBeGreaterThan(0.8)
    },
    PATIENCE_MS,
  )
}

function imported(proxy: Proxy, bundle: ConfigBundle, version: string): Imported {
  if (!proxy.importFrom) throw new Error(`${proxy.title} imports nothing`)
  return proxy.importFrom(proxy.parse(bundle), version)
}

function bundleOf(proxy: Proxy, {fragment}: RenderTarget, text: string): ConfigBundle {
  const path = fragment ? proxy.fragmentFile : proxy.configFile
  return {proxy: proxy.name, entry: path, origin: 'read', files: [{path, text}]}
}

/** Goldens by their folders: `tls@1.25.0`, `tls+debian+fragment`. */
function goldensOf(proxy: Proxy): readonly {path: string; text: string; target: RenderTarget}[] {
  return readdirSync(join(golden, proxy.name)).flatMap(folder => {
    const [name = '', ...words] = folder.split('+')
    const version = name.split('@')[1] ?? proxy.versions.newest
    const fragment = words.includes('fragment')
    const layout = LAYOUTS.find((own): own is Layout => words.includes(own)) ?? PLAIN.layout
    const path = join(golden, proxy.name, folder, fragment ? proxy.fragmentFile : proxy.configFile)
    try {
      return [{path, text: readFileSync(path, 'utf8'), target: {version, layout, fragment, header: []}}]
    } catch {
      // declined: only `declared.txt` is kept
      return []
    }
  })
}

/** The files of the rules, and what was published or written by hand. */
async function foreignFiles(proxy: Proxy): Promise<readonly string[]> {
  const rules = (await ruleFolders()).flatMap(({files}) =>
    files.filter(file => file.proxy === proxy.name).map(({name}) => join(rulesFolder, name)),
  )
  const foreign = readdirSync(join(root, 'fixtures/foreign', proxy.name), {withFileTypes: true}).map(entry =>
    join(root, 'fixtures/foreign', proxy.name, entry.name),
  )
  return [...rules, ...foreign]
}
