// Do verdicts in compressed time equal those in real time? `npm run bench -- timing`, or some of the files: GMS_PROXY_TIMING_ONLY=polling,upgrade.
// Verdicts in real time are kept in the file that GMS_PROXY_TIMING_CACHE names, and not asked for again.
import {spawnSync} from 'node:child_process'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const {status} = spawnSync(process.execPath, ['--import', 'tsx', join(root, 'test/support/timing-equality.ts')], {
  stdio: 'inherit',
  cwd: root,
})
process.exit(status ?? 1)
