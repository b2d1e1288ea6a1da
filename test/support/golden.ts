import {readdirSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {render} from '../../src/bundle/render.ts'
import {loadParameters} from '../../src/parameters/load.ts'
import {PROXIES} from '../../src/proxies/index.ts'

const fixtures = join(dirname(fileURLToPath(import.meta.url)), '../../fixtures/parameters')

/** Older versions that run in our tests: a golden of their own only where the text differs from the newest. */
const OLDER = {nginx: ['1.22.1', '1.26.3'], apache: ['2.4.37', '2.4.62'], haproxy: ['2.6.12', '3.0.11']} as const

/** Every golden file: `<proxy>/<parameters>/<file>`, or `<proxy>/<parameters>@<version>/<file>`. */
export async function goldenFiles(): Promise<readonly {path: string; text: string}[]> {
  const golden: {path: string; text: string}[] = []
  for (const fixture of readdirSync(fixtures).sort()) {
    const {parameters} = await loadParameters({file: join(fixtures, fixture), overrides: [], stdin: () => Promise.resolve('')})
    const name = fixture.replace(/\.\w+$/, '')
    for (const proxy of Object.values(PROXIES)) {
      const newest = render(proxy, parameters, proxy.versions.newest)
      for (const file of newest.files) golden.push({path: `${proxy.name}/${name}/${file.path}`, text: file.text})
      for (const version of OLDER[proxy.name])
        for (const file of render(proxy, parameters, version).files)
          if (file.text !== newest.files.find(({path}) => path === file.path)?.text)
            golden.push({path: `${proxy.name}/${name}@${version}/${file.path}`, text: file.text})
    }
  }
  return golden
}
