import {DEFAULT_CERTIFICATE} from '../default-certificate.ts'
import type {Parameters} from '../../parameters/schema.ts'
import {MOZILLA_GUIDELINES} from '../mozilla-guidelines.ts'
import type {RenderTarget} from '../proxy.ts'
import {APACHE_LAYOUTS} from './layouts.ts'
import {complement, normalNetwork} from './networks.ts'

type Plain = Parameters['listener'][number]
type Encrypted = NonNullable<Parameters['tls']>[number]

const IPV4_ANY = ['*', '0.0.0.0']

/** Names that clients use on a listener that speaks TLS: its own, else those of the plain ones. */
export function tlsNames({serverNames}: Encrypted, {listener}: Pick<Parameters, 'listener'>): readonly string[] {
  return serverNames.length > 0 ? serverNames : [...new Set(listener.flatMap(own => own.serverNames))]
}

/** `Listen` lines; of one port `*` and `[::]` together are what httpd means by the port alone. */
export function listens(parameters: Parameters, {fragment, layout}: RenderTarget): readonly string[] {
  const all = [...parameters.listener, ...(parameters.tls ?? [])]
  const stock = fragment ? APACHE_LAYOUTS[layout].stockPorts : []
  const ports = [...new Set(all.map(({port}) => port))].filter(port => !stock.includes(port))
  return ports.flatMap(port => {
    const addresses = [
      ...new Set(all.filter(own => own.port === port).map(({address}) => (IPV4_ANY.includes(address) ? '0.0.0.0' : address))),
    ]
    const [v4, v6] = [addresses.includes('0.0.0.0'), addresses.includes('[::]')]
    if (v4 && v6) return [String(port)]
    // a socket for all addresses takes the port of each of them
    if (v4) return [`0.0.0.0:${port}`, ...addresses.filter(address => address.startsWith('[')).map(address => `${address}:${port}`)]
    if (v6) return [`[::]:${port}`]
    return addresses.map(address => `${address}:${port}`)
  })
}

/** Listeners that differ in nothing but their address are one `VirtualHost`. */
function grouped<T extends {address: string; port: number}>(listeners: readonly T[]): readonly {own: T; all: readonly T[]}[] {
  const groups = new Map<string, T[]>()
  for (const listener of listeners) {
    const key = JSON.stringify({...listener, address: '', port: 0})
    groups.set(key, [...(groups.get(key) ?? []), listener])
  }
  return [...groups.values()].flatMap(all => (all[0] ? [{own: all[0], all}] : []))
}

/** Every `VirtualHost` in the order of the parameters: what is peculiar to it. */
export function virtualHosts(parameters: Pick<Parameters, 'listener' | 'tls' | 'forwarding'>) {
  const {listener, tls = [], forwarding} = parameters
  const everything = [...listener, ...tls]
  const addressOf = ({address, port}: {address: string; port: number}) => {
    const others = new Set(everything.filter(own => own.port === port).map(own => own.address))
    return others.size === 1 || ['*', '0.0.0.0', '[::]'].includes(address) ? `*:${port}` : `${address}:${port}`
  }
  const named = (all: readonly {address: string; port: number}[], names: readonly string[], proxyProtocol: boolean) => ({
    addresses: [...new Set(all.map(addressOf))].join(' '),
    serverName: names[0] ?? '',
    serverAlias: names.slice(1).join(' '),
    proxyProtocol,
    balancers: forwarding.trustedProxies.map(normalNetwork).join(', '),
    proxyProtocolExceptions: proxyProtocol ? complement(forwarding.trustedProxies) : [],
  })
  return [
    ...grouped(listener).map(({own, all}) => ({
      ...named(all, own.serverNames, own.proxyProtocol),
      ssl: false,
      scheme: 'http',
      ...redirectOf(own, parameters),
      ...NO_TLS,
    })),
    ...grouped(tls).map(({own, all}) => ({
      ...named(all, tlsNames(own, parameters), own.proxyProtocol),
      ssl: true,
      scheme: 'https',
      ...NO_REDIRECT,
      ...tlsView(own),
    })),
  ]
}

const NO_REDIRECT = {redirectHosts: '', redirectSame: '', redirectTo: ''}

/**
 * Where a plain listener sends what is not the chat: the same name over TLS. The first host answers for names that nobody wrote as well: a
 * client must not choose where it is sent.
 */
function redirectOf({serverNames}: Plain, parameters: Pick<Parameters, 'listener' | 'tls'>): typeof NO_REDIRECT {
  const redirecting = (parameters.tls ?? []).filter(({redirect}) => redirect)
  const [target] = [...redirecting.filter(own => tlsNames(own, parameters).some(name => serverNames.includes(name))), ...redirecting]
  if (!target) return NO_REDIRECT
  const to = (host: string) => `https://${host}${target.port === 443 ? '' : `:${target.port}`}%{REQUEST_URI}`
  const [first, ...others] = serverNames
  return {
    redirectHosts: others.length === 0 ? '' : `^(${serverNames.map(name => name.replaceAll('.', String.raw`\.`)).join('|')})$`,
    redirectSame: others.length === 0 ? '' : to('%{SERVER_NAME}'),
    redirectTo: to(first ?? '%{SERVER_NAME}'),
  }
}

const NO_TLS = {
  profile: '',
  guidelines: '',
  sslCertificateFile: '',
  sslCertificateKeyFile: '',
  sslProtocol: '',
  sslCipherSuite: '',
  sslHonorCipherOrder: '',
  curves: '',
  sslUseStapling: '',
  sslCACertificateFile: '',
  sslVerifyClient: '',
  strictTransportSecurity: '',
  http2: false,
  protocols: '',
}

function tlsView(own: Encrypted): typeof NO_TLS {
  const guidelines = MOZILLA_GUIDELINES.profiles[own.profile]
  return {
    profile: own.profile,
    guidelines: MOZILLA_GUIDELINES.version,
    sslCertificateFile: own.certificate ?? DEFAULT_CERTIFICATE,
    sslCertificateKeyFile: own.key ?? '',
    sslProtocol: `-all ${guidelines.protocols.map(protocol => `+${protocol}`).join(' ')}`,
    sslCipherSuite: guidelines.ciphers.join(':'),
    sslHonorCipherOrder: guidelines.serverPreferredOrder ? 'On' : 'Off',
    curves: guidelines.groups.join(':'),
    sslUseStapling: own.ocspStapling ? 'On' : 'Off',
    sslCACertificateFile: own.clientCertificates?.authority ?? '',
    sslVerifyClient: own.clientCertificates?.required === false ? 'optional' : 'require',
    strictTransportSecurity: own.hsts === undefined ? '' : `max-age=${Math.floor(own.hsts / 1000)}`,
    http2: own.http2,
    protocols: own.http2 ? 'h2 http/1.1' : 'http/1.1',
  }
}
