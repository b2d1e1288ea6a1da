// What diagnose and fix make of every known misconfiguration, in compressed time: `npm run bench -- catalogue`, or some of them by entry, proxy or
// cause: GMS_PROXY_CATALOGUE_ONLY=haproxy,upload. Results are kept in the file that GMS_PROXY_CATALOGUE_CACHE names, and not asked for again.
// Checks whose waits cannot be compressed, and those that load, run where the cause is one that they feel; GMS_PROXY_CATALOGUE_CHECKS=all runs every
// check, =felt only those that the cause breaks and a chat of each kind. GMS_PROXY_CATALOGUE_AT_ONCE: 2 files side by side, if it says nothing else.
import {spawnSync} from 'node:child_process'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const {status} = spawnSync(process.execPath, ['--import', 'tsx', join(root, 'test/support/catalogue-sweep.ts')], {
  stdio: 'inherit',
  cwd: root,
})
process.exit(status ?? 1)
