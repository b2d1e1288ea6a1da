import {silentLogger} from '../../src/log.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import type {RuntimeRequest} from '../../src/runtime/runtime.ts'
import type {VerifyOptions} from '../../src/verify/verify.ts'

/** How the suite runs a proxy: as `GMS_PROXY_RUNTIME` and `GMS_PROXY_IMAGE` (`nginx=REF,apache=REF,haproxy=REF`) say, as for the program itself. */
export function runtimeRequest(proxy: ProxyName): RuntimeRequest {
  const prefer = (process.env['GMS_PROXY_RUNTIME'] ?? 'auto') as RuntimeRequest['prefer']
  const image = (process.env['GMS_PROXY_IMAGE'] ?? '')
    .split(',')
    .find(entry => entry.startsWith(`${proxy}=`))
    ?.slice(proxy.length + 1)
  return {prefer, ...(image === undefined ? {} : {image})}
}

/** How the suite verifies: quietly, intrusive checks too, nothing kept. */
export function suiteOptions(own: Pick<VerifyOptions, 'only' | 'signal' | 'reproduce'> & Partial<VerifyOptions>): VerifyOptions {
  return {
    runtimeFor: column => runtimeRequest(column.name),
    skip: [],
    allowExec: false,
    intrusive: true,
    keep: false,
    logger: silentLogger,
    toolVersion: '0.0.0',
    ...own,
  }
}
