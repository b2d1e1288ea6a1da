import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join, posix, relative, sep} from 'node:path'
import {fileURLToPath} from 'node:url'
import {expect, it} from 'vitest'
import {goldenFiles} from './support/golden.ts'

const golden = join(dirname(fileURLToPath(import.meta.url)), '../fixtures/golden')

it('renders what fixtures/golden holds (npm run golden, then read the diff)', async () => {
  const rendered = await goldenFiles()
  const onDisk = readdirSync(golden, {recursive: true, withFileTypes: true})
    .filter(entry => entry.isFile())
    .map(entry => relative(golden, join(entry.parentPath, entry.name)).split(sep).join(posix.sep))
  expect(onDisk.sort()).toEqual(rendered.map(({path}) => path).sort())
  for (const {path, text} of rendered) expect(readFileSync(join(golden, path), 'utf8'), path).toBe(text)
})
