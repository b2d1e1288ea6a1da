import {execFileSync} from 'node:child_process'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {silentLogger} from '../../src/log.ts'
import {nginx} from '../../src/proxies/nginx/index.ts'
import {start} from '../../src/runtime/start.ts'
import type {Runtime, StartOptions, StartResult} from '../../src/runtime/runtime.ts'

/** The smallest thing that proxies: line 5 listens, line 7 names the node. */
export const SMALL_CONFIG = `events {
}
http {
    server {
        listen 80;
        location / {
            proxy_pass http://gms1.network.local:8080;
        }
    }
}
`

/** A node that tells which path reached it. */
export async function startNode(host = '127.0.0.1'): Promise<{port: number} & AsyncDisposable> {
  const server = createServer((request, response) => response.end(`GMS saw ${request.url}`))
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export function bundleOf(text: string): StartOptions['bundle'] {
  return {proxy: 'nginx', entry: 'nginx.conf', files: [{path: 'nginx.conf', text}], origin: 'read'}
}

/** Starts nginx with `text` as its configuration; everything else can be replaced. */
export function startNginx(
  text: string,
  options: Partial<StartOptions> & {runtime: Runtime; nodes: readonly string[]},
): Promise<StartResult> {
  return start({
    proxy: nginx,
    bundle: bundleOf(text),
    allowExec: false,
    keep: false,
    signal: new AbortController().signal,
    logger: silentLogger,
    ...options,
  })
}

/** The running proxy, or a failure that says why it does not run. */
export function proxyOf(result: StartResult) {
  if (!result.started) throw new Error(`it did not start: ${JSON.stringify(result.messages)}`)
  return result.proxy
}

/** Processes whose command line names `folder`. */
export function processesOn(folder: string): readonly {pid: number; command: string}[] {
  return execFileSync('ps', ['-eo', 'pid=,args='], {encoding: 'utf8'})
    .split('\n')
    .filter(line => line.includes(folder))
    .map(line => ({pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+\s+/, '')}))
}

/** Pids of the direct children of a process. */
export function childrenOf(parent: number): readonly number[] {
  return execFileSync('ps', ['-eo', 'pid=,ppid='], {encoding: 'utf8'})
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (ppid === parent && pid !== undefined ? [pid] : []))
}
