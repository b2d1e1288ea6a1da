// `npm run bench` runs every bench, `npm run bench -- simulator` one.
import {spawnSync} from 'node:child_process'
import {readdirSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const known = readdirSync(folder)
  .filter(file => file.endsWith('.bench.mjs'))
  .map(file => file.replace('.bench.mjs', ''))
const asked = process.argv.slice(2)
const unknown = asked.filter(name => !known.includes(name))
if (unknown.length > 0) {
  console.error(`No bench ${unknown.join(', ')}; there are ${known.join(', ')}`)
  process.exit(2)
}
for (const name of asked.length > 0 ? asked : known) {
  console.log(`# ${name}`)
  const {status} = spawnSync(process.execPath, [join(folder, `${name}.bench.mjs`)], {stdio: 'inherit'})
  if (status !== 0) process.exit(status ?? 1)
}
