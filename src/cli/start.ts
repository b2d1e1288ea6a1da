import {dirname, join} from 'node:path'
import {loadCached} from './code-cache.ts'
import type * as Main from './main.ts'

/* The first file that runs: as small as can be, because everything else comes out of the cache that it opens. */

/** Content hash of the bundle, put in by the build. */
declare const BUNDLE_HASH: string

const argv = process.argv.slice(2)
const [first = ''] = argv
// Each verb uses a part of the bundle of its own: a cache of its own holds that part, compiled, and nothing else.
const verb = /^[a-z]{1,12}$/.test(first) && !argv.includes('--help') ? first : 'help'
const {main} = loadCached(join(__dirname, `gms-proxy-${BUNDLE_HASH}.cjs`), `${BUNDLE_HASH}-${verb}`) as typeof Main
void main(argv, dirname(__dirname))
