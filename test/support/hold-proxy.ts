import {silentLogger} from '../../src/log.ts'
import {nginx} from '../../src/proxies/nginx/index.ts'
import {resolveRuntime} from '../../src/runtime/resolve.ts'
import {proxyOf, SMALL_CONFIG, startNginx} from './nginx-run.ts'

/*
 * A run of its own that starts nginx, prints where, and then does what its first argument says: `hold` waits to be killed,
 * `exit` leaves without cleaning up. The second argument is the image, when it is to be Docker.
 */
const [end = 'hold', image, keep] = process.argv.slice(2)
const signal = new AbortController().signal
const runtime = await resolveRuntime(nginx, image ? {prefer: 'docker', image} : {prefer: 'binary'}, signal)
const proxy = proxyOf(
  await startNginx(SMALL_CONFIG, {runtime, nodes: ['127.0.0.1:9'], keep: keep === 'keep', logger: silentLogger, signal}),
)
process.stdout.write(`${JSON.stringify({folder: proxy.folder, url: proxy.url.href})}\n`)
if (end === 'exit') process.exit(7)
setInterval(() => undefined, 60_000)
