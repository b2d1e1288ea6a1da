import type {Parameters} from '../../src/parameters/schema.ts'
import {pollPatience} from '../../src/proxies/margins.ts'
import {nodeNames} from '../../src/proxies/node-names.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {normalNetwork} from '../../src/proxies/apache/networks.ts'
import {threadsFor} from '../../src/proxies/apache/threads.ts'
import {tlsNames} from '../../src/proxies/apache/view-listeners.ts'
import type {Lost} from '../support/import-tests.ts'
import {importTests} from '../support/import-tests.ts'

const wholeSeconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000)) * 1000

const LOST: readonly Lost[] = [
  {
    because: 'httpd counts whole seconds',
    forget: ({upstream, access, upload, upgrade, health, tls = []}) => {
      upstream.dnsTtl = wholeSeconds(upstream.dnsTtl)
      if (upstream.drainTimeout !== undefined) upstream.drainTimeout = wholeSeconds(upstream.drainTimeout)
      upstream.keepAlive ??= 15_000
      if (upstream.keepAlive > 0) upstream.keepAlive = Math.max(1, Math.floor(upstream.keepAlive / 1000)) * 1000
      access.headerTimeout = wholeSeconds(access.headerTimeout)
      upload.stallTimeout = wholeSeconds(upload.stallTimeout)
      upgrade.idleTimeout = wholeSeconds(upgrade.idleTimeout)
      health.interval = wholeSeconds(health.interval)
      for (const own of tls) if (own.hsts !== undefined) own.hsts = Math.floor(own.hsts / 1000) * 1000
    },
  },
  {
    because: 'one time serves polls and uploads, the longer one',
    forget: ({upload, polling}) => {
      upload.answerWithin = Math.max(wholeSeconds(upload.answerWithin), wholeSeconds(pollPatience(polling.hold)))
    },
  },
  {
    because: 'how often a dead node is asked is of no use to a mode that asks nobody',
    forget: ({health}) => {
      if (health.mode === 'tcp' || health.mode === 'http') return
      Object.assign(health, {rise: 2, fall: 3})
      if (health.mode === 'none') health.interval = 3000
    },
  },
  {
    because: 'the attributes belong to the cookie that the proxy sets, its name to the modes that read one',
    forget: ({affinity}) => {
      if (affinity.mode !== 'cookie') Object.assign(affinity, {httpOnly: true, sameSite: undefined, partitioned: false})
      if (affinity.mode === 'none') affinity.cookie = 'GMS_NODE'
    },
  },
  {
    because: 'a route is the name of its node, or its first label; nodes have none where nothing is routed by it',
    forget: ({upstream, affinity}) => {
      const names = nodeNames(upstream.nodes)
      upstream.nodes.forEach((node, index) => {
        node.name = affinity.mode === 'none' || affinity.mode === 'application-cookie' ? undefined : names[index]
      })
    },
  },
  {
    because: 'bits below the prefix of a network, and slashes at the end of a path, mean nothing',
    forget: ({access, forwarding}) => {
      access.allow = access.allow.map(normalNetwork)
      access.adminAllow = access.adminAllow.map(normalNetwork)
      forwarding.trustedProxies = forwarding.trustedProxies.map(normalNetwork)
      access.paths = access.paths.map(path => path.replace(/\/+$/, '') || '/')
    },
  },
  {
    because: 'who may reach the administration is written where the paths cover it',
    forget: ({access}) => {
      const below = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}/`)
      const trees = ['/genesys/admin', '/genesys/1/admin']
      const covered = access.paths
        .map(path => path.toLowerCase().replace(/\/+$/, ''))
        .some(path => trees.some(tree => below(tree, path) || below(path, tree)))
      if (!covered) access.adminAllow = []
    },
  },
  {
    because: 'a fragment holds no number of descriptors, only that of its processes',
    forget: ({limits}) => {
      limits.openFiles = threadsFor(limits.chats, limits.openFiles).filesPerChild
    },
  },
  {
    because: 'nodes are asked for the one public name',
    forget: ({upstream: {tls}}) => {
      if (tls?.serverName !== undefined) tls.serverName = tls.serverName.toLowerCase()
    },
  },
  {
    because: 'name servers are followed for upstream.dnsTtl only where there are some',
    forget: ({upstream}) => {
      if (!upstream.resolvers) upstream.dnsTtl = 10_000
    },
  },
  {
    because: 'which encrypted listener asked for a redirect, which took its names from a plain one, and in what order they stood',
    forget: listeners,
  },
]

/** Also: the file around a fragment says on which address its port listens, and `*` and `[::]` of one port are one number. */
function listeners(parameters: Parameters): void {
  const {listener, tls = []} = parameters
  const redirected = tls.some(({redirect}) => redirect)
  const names = tls.map(own => tlsNames(own, parameters))
  tls.forEach((own, index) => {
    own.serverNames = [...(names[index] ?? [])]
    own.redirect = redirected
  })
  const everywhere = (own: {address: string; port: number}) => {
    const both = ['*', '[::]'].every(address => [...listener, ...tls].some(other => other.port === own.port && other.address === address))
    return own.port === 80 || own.port === 443 || both ? {...own, address: '*'} : own
  }
  const sorted = <T extends {address: string; port: number}>(all: readonly T[]): T[] => {
    const texts = new Set(all.map(own => JSON.stringify(everywhere(own))))
    return [...texts].sort().map(text => JSON.parse(text) as T)
  }
  const both = {listener: sorted(listener), tls: sorted(tls)}
  parameters.listener = both.listener
  if (parameters.tls) parameters.tls = both.tls
}

importTests(PROXIES.apache, LOST)
