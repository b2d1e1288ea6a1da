import type {ConfigBundle, ConfigFile} from '../../src/model/bundle.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import type {SandboxPlan} from '../../src/proxies/proxy.ts'

/** Throw-away certificates, as a sandbox has them. */
export const CERTIFICATES = {
  authority: '/box/tls/authority.pem',
  certificate: '/box/tls/chain.pem',
  key: '/box/tls/key.pem',
  bundle: '/box/tls/both.pem',
}
/** What stands in a file of somebody else. */
export const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
export const KEY = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'

/** A sandbox with those certificates, for a proxy of this version. */
export function certificatePlan(version: string): SandboxPlan {
  return {
    folder: '/box',
    runtime: 'binary',
    version,
    listenAddress: '127.0.0.1',
    ports: [20001, 20002],
    nodes: ['127.0.0.1:21001'],
    certificates: CERTIFICATES,
    installation: {version, builtin: [], loadable: []},
    allowExec: false,
  }
}

/** Makes bundles that were read: the entry, and what lies beside it. */
export function bundleBeside(proxy: ProxyName, entry: string) {
  return (text: string, beside: readonly ConfigFile[] = []): ConfigBundle => ({
    proxy,
    entry,
    origin: 'read',
    root: '/srv/conf',
    files: [{path: entry, text}, ...beside],
  })
}
