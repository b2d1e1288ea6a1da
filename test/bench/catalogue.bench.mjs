// What diagnose and fix make of every known misconfiguration, in compressed time: `npm run bench -- catalogue`, or some of them by entry, proxy or
// cause: GMS_PROXY_CATALOGUE_ONLY=haproxy,upload. Results are kept in the file that GMS_PROXY_CATALOGUE_CACHE names, and not asked for again.
// Checks whose waits cannot be compressed, and those that load, run where the cause is one that they feel; GMS_PROXY_CATALOGUE_ALL=1 runs every check.
import {spawnSync} from 'node:child_process'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const {status} = spawnSync(process.execPath, ['--import', 'tsx', join(root, 'test/support/catalogue-sweep.ts')], {
  stdio: 'inherit',
  cwd: root,
})
process.exit(status ?? 1)
