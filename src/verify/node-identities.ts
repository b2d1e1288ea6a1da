import type {Promises} from '../model/report.ts'
import type {NodeAddress} from '../proxies/proxy.ts'
import type {Authority} from '../runtime/certificates.ts'
import {makeAuthority} from '../runtime/certificates.ts'
import type {TlsIdentity} from '../simulator/gms-node.ts'

/**
 * What a node shows: `right` is what the proxy should take. What nobody should: a `stranger` has the right names from an authority that the
 * proxy does not trust, a node that is `misnamed` has another name from the right authority.
 */
export type Shown = 'right' | 'stranger' | 'misnamed'

/** Nobody's name (RFC 2606). */
const OTHER_NAME = 'somebody-else.invalid'

export interface Showing {
  /** What the configuration says of its nodes, every mention. */
  mentions: readonly NodeAddress[]
  promises: Promises
  /** Host names of the listeners: a proxy that keeps `Host` may ask its nodes for them. */
  names: readonly string[]
  /** Addresses at which the proxy reaches the nodes in the sandbox. */
  reach: readonly string[]
  /** The one that the sandbox makes the proxy trust. */
  authority: Authority
}

/**
 * Key and certificate of each node in the order of the configuration, `undefined` for one that the proxy speaks plain text to. Where
 * parameters say whether nodes speak TLS they decide; else the simulated nodes do as the configuration expects.
 */
export async function nodeIdentities(
  {mentions, promises, names, reach, authority}: Showing,
  shown: Shown = 'right',
): Promise<readonly (TlsIdentity | undefined)[]> {
  const stated = promises.source['upstreamTls'] === 'parameters' ? promises.upstreamTls : undefined
  const signer = shown === 'stranger' ? await makeAuthority('somebody else', authority.keyType) : authority
  const addresses = [...new Set(mentions.map(({address}) => address))]
  return Promise.all(
    addresses.map(async address => {
      const own = mentions.filter(mention => mention.address === address)
      if (!(stated ?? own.some(({tls}) => tls))) return undefined
      const asked = own.flatMap(({tls}) => (tls?.serverName === undefined ? [] : [tls.serverName]))
      const right = [hostOf(address), ...asked, ...names, ...(promises.serverName === undefined ? [] : [promises.serverName]), ...reach]
      const {certificate, key} = await signer.issue(shown === 'misnamed' ? [OTHER_NAME] : right)
      return {cert: certificate, key}
    }),
  )
}

/** `gms1.network.local:8443` → `gms1.network.local`, `[::1]:8443` → `::1`. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}
