import {BlockList, isIP} from 'node:net'
import type {CapturedRequest} from '../../../simulator/recorder.ts'
import {withWitnesses} from '../../check.ts'
import {nothingArrived} from '../../evidence.ts'
import {forwardedFor} from '../../forwarded.ts'
import {judgeWays, seesOurAddress, waysIn} from '../../ways-in.ts'

const PRIVATE = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')
PRIVATE.addAddress('::1', 'ipv6')

export const check = withWitnesses({
  meta: {
    id: 'forwarding-client-address',
    title: 'GMS learns the address of the client',
    concern: 'forwarding',
    severity: 'error',
    requirement:
      'The address of the client reaches GMS in X-Forwarded-For: of who connected to the proxy, or whom a load balancer named in a PROXY protocol header.',
    remediation: {
      nginx:
        'proxy_set_header X-Forwarded-For $remote_addr;\nbehind listen … proxy_protocol also: set_real_ip_from NETWORK; real_ip_header proxy_protocol;',
      apache: 'Leave ProxyAddHeaders On, or RequestHeader set X-Forwarded-For expr=%{REMOTE_ADDR}',
      haproxy:
        'option forwardfor, or http-request set-header X-Forwarded-For %[src]\n(behind a PROXY protocol header src is the client from tcp-request session on, not yet in tcp-request connection)',
    },
    directives: {
      nginx: ['proxy_set_header x-forwarded-for', 'proxy_pass'],
      apache: ['ProxyAddHeaders', 'RequestHeader', 'ProxyPass'],
      haproxy: ['option forwardfor', 'http-request set-header x-forwarded-for', 'backend'],
    },
    references: [
      'RFC 7239, 5.2 Forwarded For',
      'MDN: X-Forwarded-For',
      'HAProxy: doc/proxy-protocol.txt, 2.1 Human-readable header format',
    ],
  },
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run(stage) {
    const {upstream, target} = stage
    const ways = await waysIn(stage)
    if (ways.every(({arrived}) => !arrived))
      return nothingArrived(
        ways.map(({transcript}) => transcript),
        upstream.recorder,
      )
    // Through the network of a container the proxy sees a gateway of that network: a private address, and never the proxy's own, by
    // which GMS knows it anyway.
    const ours = (entry: string, {remoteAddress}: CapturedRequest, from?: string) =>
      seesOurAddress(stage)
        ? entry === from ||
          (from === undefined && (target.announcedBy === undefined ? isLoopback(entry) : entry === (target.from ?? '127.0.0.1')))
        : isPrivate(entry) && entry !== withoutPrefix(remoteAddress)
    const findings = judgeWays(ways, stage, {
      flawOf: (arrived, {from}) => {
        const named = forwardedFor(arrived)
        if (named.length > 0 && named.every(entry => ours(withoutPrefix(entry), arrived, from))) return undefined
        if (named.length === 0) return 'no X-Forwarded-For'
        const ofBalancer = named.some(entry => entry === target.announcedBy)
        return `X-Forwarded-For: ${named.join(', ')}${ofBalancer ? ', the load balancer that announced the client' : ''}`
      },
      message: 'Expected X-Forwarded-For to name the client',
      expected: 'X-Forwarded-For with the address of the client',
      show: ['x-forwarded-for'],
    })
    if (findings.length > 0) return {status: 'failed', findings}
    const named = ways.flatMap(({arrived}) => (arrived ? forwardedFor(arrived) : []))
    return {status: 'passed', detail: `X-Forwarded-For: ${[...new Set(named)].join(', ')}`}
  },
})

/** An IPv4 address that came over an IPv6 socket (RFC 4291, 2.5.5.2) as people write it. */
function withoutPrefix(address: string): string {
  return address.replace(/^::ffff:/i, '')
}

function isLoopback(text: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(text) || /^\[?::1\]?$/.test(text)
}

/** What a gateway of a container's network has: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 (2.5.6). */
function isPrivate(text: string): boolean {
  const address = text.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(address)
  return family !== 0 && PRIVATE.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
