import {dirname, join} from 'node:path'
import {loadCached} from './code-cache.ts'
import type * as Main from './main.ts'

/* The first file that runs: as small as can be, because everything else comes out of the cache that it opens. */

/** Content hash of the bundle, put in by the build. */
declare const BUNDLE_HASH: string

/**
 * Verbs that are over in a moment, so that start-up is what a person waits for. The others run for seconds and are never cached: V8 12
 * crashes, or names the wrong class, when it reads back compiled functions of classes with private methods, as the CometD client and
 * undici have them (seen on Node 20.20: 17 of 25 runs of `verify` ended with SIGSEGV). What these few verbs use has none.
 */
const CACHED = new Set(['render', 'schema', 'explain'])

const argv = process.argv.slice(2)
const [verb = ''] = argv
// Each verb uses a part of the bundle of its own: a cache of its own holds that part, compiled, and nothing else.
const key = CACHED.has(verb) ? `${BUNDLE_HASH}-${verb}` : undefined
const {main} = loadCached(join(__dirname, `gms-proxy-${BUNDLE_HASH}.cjs`), key) as typeof Main
void main(argv, dirname(__dirname))
