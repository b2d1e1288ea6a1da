import type {Parameters} from '../../parameters/schema.ts'
import {networksOf} from './networks.ts'

/**
 * Load balancers whose headers are believed. None where every listener reads PROXY protocol: such a balancer passes headers of the client on
 * as they are, so they are a stranger's.
 */
export function hopsOf({listener, tls = [], forwarding}: Parameters): readonly string[] {
  return [...listener, ...tls].every(({proxyProtocol}) => proxyProtocol) ? [] : networksOf(forwarding.trustedProxies)
}

/** The variable that says how the client came: what a trusted hop says wins over the connection to nginx. */
export function schemeOf(hops: readonly string[]): string {
  return hops.length > 0 ? '$gms_scheme' : '$scheme'
}
