import {PROXIES} from '../../src/proxies/index.ts'
import {nodeNames} from '../../src/proxies/node-names.ts'
import {ADMIN_PATHS} from '../../src/wire/chat.ts'
import {importTests} from '../support/import-tests.ts'
import type {Lost} from '../support/import-tests.ts'

const GMS_STALL = {stallTimeout: 60_000, answerWithin: 120_000}
const place = ({address, port}: {address: string; port: number}) => `${address}:${port}`

const LOST: readonly Lost[] = [
  {
    because: 'a name is public on every listener that has names: which listener it was listed for, and in which case, is not written',
    forget({listener, tls = []}) {
      const all = [...listener, ...tls]
      const union = [...new Set(all.flatMap(({serverNames}) => serverNames.map(name => name.toLowerCase())))].sort()
      const inherits = listener.length > 0 && listener.every(({serverNames}) => serverNames.length > 0)
      for (const own of listener) own.serverNames = own.serverNames.length > 0 ? union : []
      for (const own of tls) own.serverNames = own.serverNames.length > 0 || inherits ? union : []
    },
  },
  {
    because: 'listeners that differ in nothing but names share a line',
    forget(parameters) {
      const places = parameters.listener.map(place)
      parameters.listener = parameters.listener.filter((own, index) => places.indexOf(place(own)) === index)
    },
  },
  {
    because: 'a redirect leads to the first encrypted listener that asks for it: others, and those that share its port, are not told apart',
    forget({tls = []}) {
      const port = tls.find(({redirect}) => redirect)?.port
      for (const own of tls) own.redirect = own.port === port
    },
  },
  {
    because: 'one global line staples for all',
    forget({tls = []}) {
      const stapled = tls.some(({ocspStapling}) => ocspStapling)
      for (const own of tls) own.ocspStapling = stapled
    },
  },
  {
    because: 'Strict-Transport-Security is in seconds, and where certificates share an address by the host, not by the certificate',
    forget({tls = []}) {
      for (const own of tls) if (own.hsts !== undefined) own.hsts = Math.floor(own.hsts / 1000) * 1000
      for (const shared of new Set(tls.map(place))) {
        const group = tls.filter(own => place(own) === shared)
        if (group.length > 1) for (const own of group) delete own.hsts
      }
    },
  },
  {
    because: 'HAProxy finds a key in the file of the certificate or beside it by itself',
    forget({tls = [], upstream}) {
      for (const own of [...tls, ...(upstream.tls ? [upstream.tls] : [])]) {
        const {certificate, key} = own
        if (certificate === undefined) continue
        if ([certificate, `${certificate}.key`, certificate.replace(/\.crt$/, '.key')].some(found => found === key)) delete own.key
      }
    },
  },
  {
    because: 'entries of one address stand on one line',
    forget({tls = []}) {
      tls.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    },
  },
  {
    because: 'a node has the same line whether its name was given or made, and weight 0 takes the place of the weight of one that drains',
    forget({upstream}) {
      const names = nodeNames(upstream.nodes)
      upstream.nodes.forEach((own, index) => {
        own.name = names[index]
        if (own.drain) own.weight = 1
      })
    },
  },
  {
    because: 'the name that a certificate of a node is for is its host unless another one is given',
    forget({upstream: {tls, nodes}}) {
      if (tls && nodes.every(({host}) => host === tls.serverName)) delete tls.serverName
    },
  },
  {
    because: 'with one node there is no affinity, and each mode writes only what it needs',
    forget(parameters) {
      const {affinity, upstream} = parameters
      const mode = upstream.nodes.length < 2 ? 'none' : affinity.mode
      if (mode !== 'application-cookie') for (const node of upstream.nodes) delete node.route
      const cookie = mode === 'cookie' || mode === 'application-cookie' ? affinity.cookie : 'GMS_NODE'
      parameters.affinity = mode === 'cookie' ? affinity : {mode, cookie, httpOnly: true, partitioned: false}
    },
  },
  {
    because: 'without resolvers nothing says how long an answer of theirs is used',
    forget({upstream}) {
      if (!upstream.resolvers) upstream.dnsTtl = 10_000
    },
  },
  {
    because: 'unused connections are closed in five steps of a second or more',
    forget({upstream}) {
      if (upstream.keepAlive) upstream.keepAlive = Math.max(1000, Math.round(upstream.keepAlive / 5)) * 5
    },
  },
  {
    because: 'nodes that are not checked have no interval',
    forget({health}) {
      if (health.mode === 'none') Object.assign(health, {interval: 3000, rise: 2, fall: 3})
    },
  },
  {
    because:
      'one limit is for silence within headers and files: the shorter is not written; nor is answerWithin where the pause of a file needs longer',
    forget({upload, access}) {
      const late = Math.max(upload.answerWithin, upload.stallTimeout + 5000)
      if (upload.stallTimeout <= access.headerTimeout)
        upload.stallTimeout =
          GMS_STALL.stallTimeout <= access.headerTimeout && GMS_STALL.stallTimeout + 5000 <= late
            ? GMS_STALL.stallTimeout
            : Math.min(access.headerTimeout, late - 5000)
      upload.answerWithin = late === upload.stallTimeout + 5000 ? Math.min(late, GMS_STALL.answerWithin) : late
    },
  },
  {
    because: 'a path is served with what is below it: the / at its end is not written',
    forget({access}) {
      access.paths = access.paths.map(path => path.replace(/\/+$/, '') || '/')
    },
  },
  {
    because: 'who may reach the administration is written where the paths cover it',
    forget({access}) {
      const covers = (path: string, below: string) => path === '/' || below === path || below.startsWith(`${path}/`)
      if (!ADMIN_PATHS.some(admin => access.paths.some(path => covers(path, admin) || covers(admin, path)))) access.adminAllow = []
    },
  },
  {
    because: 'how many descriptors the machine gives is not written: HAProxy raises its own limit',
    forget({limits}) {
      limits.openFiles = 0
    },
  },
]

importTests(PROXIES.haproxy, LOST)
