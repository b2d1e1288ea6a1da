import type {Parameters} from '../../src/parameters/schema.ts'
import {pollPatience} from '../../src/proxies/margins.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {networksOf} from '../../src/proxies/nginx/networks.ts'
import {importTests} from '../support/import-tests.ts'
import type {Lost} from '../support/import-tests.ts'

const wholeSeconds = (ms: number) => Math.floor(ms / 1000) * 1000
const sorted = <T>(list: readonly T[]): T[] => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

const LOST: readonly Lost[] = [
  {
    because: 'they say who is meant, not what is written',
    forget: own => {
      delete own.$schema
      delete own.proxy
      delete own.version
    },
  },
  {
    because:
      'listeners of the same kind are one server: the order of others between them is not kept, and names of TLS may be those of the listener',
    forget: own => {
      const names = own.listener[0]?.serverNames ?? []
      for (const tls of own.tls ?? []) if (tls.serverNames.length === 0) tls.serverNames = [...names]
      own.listener = sorted(own.listener)
      if (own.tls) own.tls = sorted(own.tls)
    },
  },
  {
    because: 'plain servers lead to one encrypted listener each: that another asks for it as well is not written',
    forget: own => {
      for (const tls of own.tls ?? []) tls.redirect = false
    },
  },
  {
    because: 'Strict-Transport-Security counts in seconds; a key in the file of its certificate is the same with and without its name',
    forget: own => {
      for (const tls of own.tls ?? []) {
        if (tls.hsts !== undefined) tls.hsts = wholeSeconds(tls.hsts)
        tls.key ??= tls.certificate
      }
      own.tls = own.tls && sorted(own.tls)
      const nodes = own.upstream.tls
      if (nodes) nodes.key ??= nodes.certificate
      if (nodes && own.upstream.nodes.length === 1) nodes.serverName ??= own.upstream.nodes[0]?.host
    },
  },
  {
    because: 'nginx has no names for nodes',
    forget: own => {
      for (const node of own.upstream.nodes) delete node.name
    },
  },
  {
    because: 'how long an answer is used is counted in seconds, and matters with name servers only',
    forget: own => {
      own.upstream.dnsTtl = own.upstream.resolvers ? Math.ceil(own.upstream.dnsTtl / 1000) * 1000 : 0
    },
  },
  {because: 'half of what Jetty keeps is what is written for none', forget: own => void (own.upstream.keepAlive ??= 15_000)},
  {
    because: 'one node needs no affinity; only an inserted cookie has attributes, and only a cookie a name',
    forget: own => {
      const {affinity, upstream} = own
      if (upstream.nodes.length === 1) for (const node of upstream.nodes) delete node.route
      if (upstream.nodes.length === 1) affinity.mode = 'cookie'
      if (upstream.nodes.length === 1 || affinity.mode === 'source-address' || affinity.mode === 'none') affinity.cookie = 'GMS_NODE'
      if (upstream.nodes.length > 1 && affinity.mode === 'cookie') return
      Object.assign(affinity, {httpOnly: true, sameSite: undefined, partitioned: false})
    },
  },
  {
    because: 'nginx asks no node: only how long a failed one rests is written, rounded up to seconds',
    forget: own => {
      const {health} = own
      own.health = {mode: health.mode, rise: 2, fall: health.mode === 'none' ? 3 : health.fall, interval: 0}
    },
  },
  {
    because: 'an answer to an upload that may take no longer than one to a poll has no line of its own',
    forget: own => {
      own.upload.answerWithin = Math.max(own.upload.answerWithin, pollPatience(own.polling.hold))
    },
  },
  {because: 'what the system allows is not written', forget: own => void (own.limits.openFiles = 0)},
  {
    because: 'networks are written without the bits that mean nothing, and each once',
    forget: ({access, forwarding}) => {
      access.allow = [...networksOf(access.allow)]
      access.adminAllow = [...networksOf(access.adminAllow)]
      forwarding.trustedProxies = [...networksOf(forwarding.trustedProxies)]
    },
  },
  {
    because:
      'administration stands above other paths, and a slash at the end says nothing; the administration below a path is closed either way',
    forget: ({access}: Parameters) => {
      const paths = access.paths.map(path => path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1'))
      const below = (path: string) => paths.some(other => other !== path && path.startsWith(`${other.replace(/\/$/, '')}/`))
      access.paths = sorted([...new Set(paths.filter(path => !(['/genesys/admin', '/genesys/1/admin'].includes(path) && below(path))))])
    },
  },
]

importTests(PROXIES.nginx, LOST)
