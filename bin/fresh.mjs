// Fails when a generated file is not what its generator writes: the registries of checks and rules, the headers of their pages, the golden configurations.
import {spawnSync} from 'node:child_process'
import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const GENERATED = ['src/verify/checks', 'src/lint/rules', 'src/diagnose/live/causes', 'fixtures/golden']
const GENERATORS = ['catalogue', 'golden']

const contents = () =>
  new Map(
    GENERATED.flatMap(folder => readdirSync(join(root, folder), {recursive: true, withFileTypes: true}))
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
      .map(file => [relative(root, file), readFileSync(file, 'utf8')]),
  )

const before = contents()
for (const script of GENERATORS) {
  const {status} = spawnSync('npm', ['run', '--silent', script], {cwd: root, stdio: 'inherit', shell: process.platform === 'win32'})
  if (status !== 0) process.exit(status ?? 1)
}
const after = contents()
const stale = [...new Set([...before.keys(), ...after.keys()])].filter(file => before.get(file) !== after.get(file)).sort()
for (const file of stale) console.error(`not fresh: ${file} (it is now: review and commit it)`)
process.exitCode = stale.length > 0 ? 1 : 0
