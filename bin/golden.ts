// Writes fixtures/golden/<proxy>/<parameters>/…: every parameters fixture rendered for every proxy, at the newest version the tool knows and at older ones where the text differs.
import {mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {goldenFiles} from '../test/support/golden.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
rmSync(join(root, 'fixtures/golden'), {recursive: true, force: true})
for (const {path, text} of await goldenFiles()) {
  const file = join(root, 'fixtures/golden', path)
  mkdirSync(dirname(file), {recursive: true})
  writeFileSync(file, text)
}
