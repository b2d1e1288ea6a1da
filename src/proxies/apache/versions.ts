import type {Branch} from '../proxy.ts'
import {atLeast} from '../version.ts'

/** 2.4 is the only branch that is maintained, without an announced end (https://httpd.apache.org/download.cgi; 2.2 ended in 2018). */
export const BRANCHES: readonly Branch[] = [{branch: '2.4'}]

/** What came after 2.4.37, the oldest that is rendered; nothing else of this column asks for a version. From the manual and CHANGES_2.4. */
export const SINCE = {
  /** https://httpd.apache.org/docs/2.4/mod/mod_proxy_wstunnel.html */
  upgrade: {since: '2.4.47', what: 'upgrade=websocket of BalancerMember'},
  /** https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass */
  addressTtl: {since: '2.4.59', what: 'addressttl= of BalancerMember'},
  /** https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html */
  handshakeTimeout: {since: '2.4.39', what: 'handshake= of RequestReadTimeout'},
} as const satisfies Record<string, {since: string; what: string}>

/** True when httpd of that version (`X.Y.Z`) can. */
export function can(feature: keyof typeof SINCE, version: string): boolean {
  return atLeast(version, SINCE[feature].since)
}
