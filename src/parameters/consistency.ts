import {MAX_NETWORK_DELAY_MS} from '../wire/bayeux.ts'
import type {ForeignParameters} from './schema.ts'
import {formatDuration} from './units.ts'

/** Two parameters that are each right and cannot both be meant. `path` is the one to change. */
export interface Contradiction {
  path: string
  message: string
}

/**
 * What no proxy could make work, or what would silently have no effect: each rule names the parameter to change. Parameters of a foreign
 * subject state promises only, and are held to the same.
 */
export function contradictions(parameters: ForeignParameters): readonly Contradiction[] {
  return [...ofListeners(parameters), ...ofNodes(parameters), ...ofSessions(parameters), ...ofAccess(parameters)]
}

function ofListeners({listener, tls = [], forwarding, logging}: ForeignParameters): readonly Contradiction[] {
  const found: Contradiction[] = []
  const all = [
    ...listener.map((own, index) => ({...own, path: `listener.${index}`})),
    ...tls.map((own, index) => ({...own, path: `tls.${index}`})),
  ]
  if (all.some(({port}) => port === logging.metricsPort))
    found.push({path: 'logging.metricsPort', message: `${logging.metricsPort} is the port of a listener`})
  if (all.length === 0) found.push({path: 'listener', message: 'nobody could connect: name a listener, or tls'})
  const plain = new Set(listener.map(place))
  for (const {address, port, path} of all)
    if (path.startsWith('tls') && plain.has(place({address, port})))
      found.push({path: `${path}.port`, message: `${address}:${port} is a plain listener already`})
  for (const [kind, own] of [
    ['listener', listener],
    ['tls', tls],
  ] as const)
    own.forEach(({address, port, serverNames}, index) => {
      const earlier = own.slice(0, index).filter(other => place(other) === place({address, port}))
      const taken = earlier.flatMap(other => other.serverNames.map(name => name.toLowerCase()))
      if (earlier.some(other => other.serverNames.length === 0) || (earlier.length > 0 && serverNames.length === 0))
        found.push({path: `${kind}.${index}.port`, message: `${address}:${port} is listed twice: give each its own serverNames`})
      else if (earlier.some(other => other.address !== address))
        found.push({
          path: `${kind}.${index}.address`,
          message: `${address} is ${earlier[0]?.address ?? ''}, written in another way: write the same`,
        })
      else
        for (const name of serverNames)
          if (taken.includes(name.toLowerCase()))
            found.push({path: `${kind}.${index}.serverNames`, message: `${name} on ${address}:${port} is listed twice`})
    })
  all.forEach(({address, port, proxyProtocol, path}) => {
    if (proxyProtocol && forwarding.trustedProxies.length === 0)
      found.push({path: `${path}.proxyProtocol`, message: 'needs forwarding.trustedProxies: else every client could say who it is'})
    if (all.some(other => place(other) === place({address, port}) && other.proxyProtocol !== proxyProtocol))
      found.push({path: `${path}.proxyProtocol`, message: `${address}:${port} cannot be read with and without a PROXY protocol header`})
  })
  tls.forEach((own, index) => {
    if (own.key !== undefined && own.certificate === undefined) found.push({path: `tls.${index}.key`, message: 'needs tls.certificate'})
    if (own.redirect && listener.length === 0)
      found.push({path: `tls.${index}.redirect`, message: 'has no effect: there is no plain listener to redirect from'})
  })
  return found
}

/** What two listeners cannot both have: `*`, and every spelling of an IPv6 address, is one address. */
function place({address, port}: {address: string; port: number}): string {
  const one = address === '*' ? '0.0.0.0' : address.startsWith('[') ? new URL(`http://${address}`).hostname : address.toLowerCase()
  return `${one}:${port}`
}

function ofNodes({upstream}: ForeignParameters): readonly Contradiction[] {
  if (!upstream) return []
  const found: Contradiction[] = []
  const {nodes, tls} = upstream
  const once = (path: string, values: readonly (string | undefined)[], what: string) =>
    values.forEach((value, index) => {
      if (value !== undefined && values.indexOf(value) < index)
        found.push({path: path.replace('*', String(index)), message: `${value} is ${what} twice`})
    })
  once(
    'upstream.nodes.*',
    nodes.map(({host, port}) => `${host.toLowerCase()}:${port}`),
    'listed',
  )
  once(
    'upstream.nodes.*.name',
    nodes.map(({name}) => name?.toLowerCase()),
    'the name of a node',
  )
  once(
    'upstream.nodes.*.route',
    nodes.map(({route}) => route),
    'the route of a node',
  )
  if (nodes.every(({backup, drain}) => backup || drain))
    found.push({path: 'upstream.nodes', message: 'no node would get a new chat: each is a backup or drained'})
  if (tls?.key !== undefined && tls.certificate === undefined)
    found.push({path: 'upstream.tls.key', message: 'needs upstream.tls.certificate'})
  if (tls && !tls.verify && tls.authority !== undefined)
    found.push({path: 'upstream.tls.authority', message: 'has no effect while upstream.tls.verify is false'})
  return found
}

function ofSessions({upstream, affinity, tls, upgrade, polling, health}: ForeignParameters): readonly Contradiction[] {
  const found: Contradiction[] = []
  const heartbeat = polling.hold + MAX_NETWORK_DELAY_MS
  if (upgrade.idleTimeout < heartbeat)
    found.push({
      path: 'upgrade.idleTimeout',
      message: `too short: on a quiet WebSocket GMS sends something every polling.hold, so at least ${formatDuration(heartbeat)} (hold + ${formatDuration(MAX_NETWORK_DELAY_MS)} network delay)`,
    })
  if (affinity.sameSite === 'none' && !tls)
    found.push({path: 'affinity.sameSite', message: 'browsers drop a cookie with SameSite=None that is not Secure: it needs tls'})
  if (affinity.partitioned && affinity.sameSite !== 'none')
    found.push({path: 'affinity.partitioned', message: 'needs affinity.sameSite: none, and tls'})
  const routes = upstream?.nodes.filter(({route}) => route !== undefined).length ?? 0
  if (upstream && routes > 0 && affinity.mode !== 'application-cookie')
    found.push({path: 'upstream.nodes', message: 'routes have no effect: they belong to affinity.mode: application-cookie'})
  if (upstream && routes > 0 && routes < upstream.nodes.length)
    found.push({path: 'upstream.nodes', message: 'a node without route could never be chosen again: give one to each'})
  for (const key of ['path', 'expect', 'auth'] as const)
    if (health[key] !== undefined && health.mode !== 'http')
      found.push({path: `health.${key}`, message: `has no effect: it belongs to health.mode: http`})
  return found
}

function ofAccess({access, forwarding}: ForeignParameters): readonly Contradiction[] {
  const found: Contradiction[] = []
  if (access.cors === 'proxy' && access.origins.length === 0)
    found.push({path: 'access.cors', message: 'proxy needs access.origins: the origins that are answered'})
  const served = access.paths.map(path => path.replace(/\/+$/, ''))
  served.forEach((path, index) => {
    if (/\/\/|\/\.{1,2}(?:\/|$)/.test(path))
      found.push({path: `access.paths.${index}`, message: `${path} is never asked for: empty parts, . and .. are resolved before`})
    else if (served.indexOf(path) < index) found.push({path: `access.paths.${index}`, message: `${path || '/'} is listed twice`})
  })
  forwarding.trustedProxies.forEach((network, index) => {
    if (network.endsWith('/0'))
      found.push({path: `forwarding.trustedProxies.${index}`, message: `${network} is everybody: every client could say who it is`})
  })
  return found
}
