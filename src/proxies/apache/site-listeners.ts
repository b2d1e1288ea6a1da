import type {Listener, ListenerTls, Setting} from '../site.ts'
import type {Line, Modules} from './site-lines.ts'
import {takesProxied} from './site-routes.ts'
import type {Door, Server} from './site-servers.ts'
import {all, find, namesOf} from './site-servers.ts'
import type {Settings} from './site-settings.ts'
import {flag} from './site-settings.ts'
import {defaultOf, headerTimeout} from './site-timeouts.ts'

const PROTOCOLS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const

/** Protocol versions that `SSLProtocol` leaves: words are added, taken away, or stand for the whole list, from left to right. */
export function tlsVersions(words: readonly string[]): readonly string[] {
  let versions = new Set<string>()
  words.forEach((word, index) => {
    const sign = /^[+-]/.exec(word)?.[0]
    const name = word.replace(/^[+-]/, '').toLowerCase()
    const named = name === 'all' ? [...PROTOCOLS] : PROTOCOLS.filter(protocol => protocol.toLowerCase() === name)
    if (sign === undefined && index === 0) versions = new Set(named)
    else
      for (const protocol of named)
        if (sign === '-') versions.delete(protocol)
        else versions.add(protocol)
  })
  return PROTOCOLS.filter(protocol => versions.has(protocol))
}

/** One virtual host as seen from one address. `chat` and the order come later. */
export function listenerOf(door: Door, server: Server, settings: Settings, modules: Modules, version: string): Listener {
  // what is decided before the host is known belongs to the first virtual host of the address
  const first = door.servers[0] ?? server
  const {value: line = 8190, text} = defaultOf('LimitRequestLine', version)
  const tls = tlsOf(server, settings, modules)
  const protocols = find(server, 'Protocols')
  const speaksHttp2 = (values: readonly string[]) =>
    modules.has('http2') !== false && values.some(value => value.toLowerCase() === (tls ? 'h2' : 'h2c'))
  const options = find(first, 'HttpProtocolOptions')
  return {
    address: door.address,
    ...(door.port === undefined ? {} : {port: door.port}),
    span: server.section ? settings.homeOf(server) : door.span,
    serverNames: namesOf(server),
    isDefault: first === server,
    chat: false,
    ...(tls ? {tls} : {}),
    proxyProtocol: settings.ofServer(first, 'RemoteIPProxyProtocol', flag, {value: false, text: 'RemoteIPProxyProtocol Off'}, 0),
    http2: protocols
      ? settings.written(server, protocols, speaksHttp2(protocols.values))
      : settings.missing(server, 'Protocols', false, 'Protocols http/1.1'),
    headerTimeout: headerTimeout(first, settings, modules, version),
    requestLine: settings.ofServer(
      first,
      'LimitRequestLine',
      ([value]) => (Number(value) >= 0 ? Number(value) : undefined),
      {value: line, text},
      0,
    ),
    layer4: settings.missing(server, 'httpd', false, 'httpd reads HTTP'),
    lenient: options?.values.some(value => /^unsafe$/i.test(value)) === true ? [settings.written(first, options, true)] : [],
    forwardProxy: forwardProxyOf(server, settings),
  }
}

function tlsOf(server: Server, settings: Settings, modules: Modules): ListenerTls | undefined {
  if (!/^(?:on|optional)$/i.test(find(server, 'SSLEngine')?.values[0] ?? 'off') || modules.has('ssl') === false) return undefined
  const own = (name: string): Setting<string> | undefined => {
    const line = find(server, name)
    return line && settings.written(server, line, line.values[0] ?? '', 0)
  }
  const certificate = own('SSLCertificateFile')
  const key = own('SSLCertificateKeyFile')
  const ciphers = find(server, 'SSLCipherSuite')
  const value =
    ciphers && (ciphers.values.length > 1 ? (/^ssl$/i.test(ciphers.values[0] ?? '') ? ciphers.values[1] : undefined) : ciphers.values[0])
  return {
    ...(certificate ? {certificate} : {}),
    ...(key ? {key} : {}),
    versions: settings.ofServer<readonly string[]>(server, 'SSLProtocol', tlsVersions, {
      value: [...PROTOCOLS],
      text: 'SSLProtocol all -SSLv3',
    }),
    ...(ciphers && value !== undefined ? {ciphers: settings.written(server, ciphers, value, ciphers.values.length - 1)} : {}),
  }
}

/** `ProxyRequests On` that no `<Proxy "*">` closes, wholly or to all but some addresses. */
function forwardProxyOf(server: Server, settings: Settings): Setting<boolean> {
  const setting = settings.ofServer(server, 'ProxyRequests', flag, {value: false, text: 'ProxyRequests Off'}, 0)
  if (!setting.value) return setting
  const closes = ({name, values, within}: Line) =>
    within.some(
      section => (section.name === 'proxy' || section.name === 'proxymatch') && takesProxied(section, 'http://stranger.example/'),
    ) &&
    ((name === 'require' && !/^granted$/i.test(values[1] ?? '')) || (name === 'deny' && /^all$/i.test(values[1] ?? '')))
  const closed = [...(server.outer?.lines ?? []), ...server.lines].some(closes)
  // a rule that refuses what is no path of this server refuses absolute addresses
  const refused = all(server, 'RewriteRule').some(({values}) => values[0] === '!^/' && /[[,](?:R=4|F|G)/i.test(values[2] ?? ''))
  return closed || refused ? {...setting, value: false} : setting
}
