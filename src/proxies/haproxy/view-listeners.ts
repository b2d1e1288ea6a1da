import {DEFAULT_CERTIFICATE} from '../default-certificate.ts'
import type {Parameters} from '../../parameters/schema.ts'
import {MOZILLA_GUIDELINES} from '../mozilla-guidelines.ts'
import {certificateKeys} from './keys.ts'

type Tls = NonNullable<Parameters['tls']>[number]

/** One `bind` line, with all that is served on its address. */
interface Bind {
  name: string
  address: string
  port: number
  /** Host names that are answered; none means any. */
  serverNames: readonly string[]
  proxyProtocol: boolean
  tls: readonly Tls[]
}

/** Address and port of each `bind` line, in the order of the parameters: plain ones, then TLS. Entries for one address share a line. */
export function bindsOf({listener, tls = []}: Parameters): readonly Bind[] {
  const unnamed = listener.some(({serverNames}) => serverNames.length === 0)
  const publicNames = unnamed ? [] : [...new Set(listener.flatMap(({serverNames}) => serverNames))]
  const entries = [
    ...listener.map(own => ({...own, kind: 'plain', tls: []})),
    ...tls.map(own => ({
      address: own.address,
      port: own.port,
      serverNames: own.serverNames.length > 0 ? own.serverNames : publicNames,
      proxyProtocol: own.proxyProtocol,
      kind: 'tls',
      tls: [own],
    })),
  ]
  const places = [...new Set(entries.map(({kind, address, port}) => `${kind} ${address}:${port}`))]
  return places.map((place, index) => {
    const own = entries.filter(({kind, address, port}) => `${kind} ${address}:${port}` === place)
    const {kind = '', address = '*', port = 0} = own[0] ?? {}
    const first = places.findIndex(other => other.startsWith(`${kind} `))
    return {
      name: `${kind}${index - first + 1}`,
      address,
      port,
      serverNames: own.some(({serverNames}) => serverNames.length === 0) ? [] : own.flatMap(({serverNames}) => serverNames),
      proxyProtocol: own.some(({proxyProtocol}) => proxyProtocol),
      tls: own.flatMap(entry => entry.tls),
    }
  })
}

/** Options of the TLS of one address; entries that share it must agree on them (`honour.ts`). */
export function bindOptions({profile, http2, clientCertificates}: Tls): string {
  const {protocols, ciphers, cipherSuites, groups, serverPreferredOrder} = MOZILLA_GUIDELINES.profiles[profile]
  // OpenSSL 3 leaves TLS 1.0 and 1.1 out above its security level 0, whatever ssl-min-ver says.
  const level = profile === 'old' ? '@SECLEVEL=0:' : ''
  return [
    `alpn ${http2 ? 'h2,http/1.1' : 'http/1.1'}`,
    `ssl-min-ver ${protocols[0] === 'TLSv1' ? 'TLSv1.0' : (protocols[0] ?? 'TLSv1.2')}`,
    ...(ciphers.length === 0 ? [] : [`ciphers ${level}${ciphers.join(':')}`]),
    `ciphersuites ${cipherSuites.join(':')}`,
    `curves ${groups.join(':')}`,
    ...(MOZILLA_GUIDELINES.sessionTickets ? [] : ['no-tls-tickets']),
    ...(serverPreferredOrder ? [] : ['prefer-client-ciphers']),
    ...(clientCertificates
      ? [`ca-file ${clientCertificates.authority} verify ${clientCertificates.required ? 'required' : 'optional'}`]
      : []),
  ].join(' ')
}

/** The names that `listener.hbs` and `tls.hbs` print. */
export function listenerView(parameters: Parameters, version: string) {
  const binds = bindsOf(parameters)
  const named = binds.filter(({serverNames}) => serverNames.length > 0)
  // Behind every address is the same GMS: a name that is public on one of them is on all.
  const serverNames = [...new Set(named.flatMap(own => own.serverNames.map(name => name.toLowerCase())))]
  const redirecting = (parameters.tls ?? []).find(({redirect}) => redirect)
  const entries = binds.flatMap(bind => bind.tls.map(entry => ({bind, entry})))
  const hsts = entries.flatMap(({bind, entry}) =>
    entry.hsts === undefined ? [] : [{bind, maxAge: Math.floor(entry.hsts / 1000), names: bind.tls.length > 1 ? entry.serverNames : []}],
  )
  const sameHsts = hsts.length === entries.length && hsts.every(({maxAge}) => maxAge === hsts[0]?.maxAge)
  const {certificateStore, withoutExtension, reference} = certificateKeys(parameters, version)
  const line = ({name, address, port, tls}: Bind) => ({
    name,
    bind: `${address}:${port}`,
    v6only: address === '[::]',
    crt: tls.map(entry => reference(entry.certificate ?? DEFAULT_CERTIFICATE, entry.key)),
    options: tls[0] ? bindOptions(tls[0]) : '',
  })
  return {
    plainBinds: binds.filter(({tls}) => tls.length === 0).map(line),
    tlsBinds: binds.filter(({tls}) => tls.length > 0).map(line),
    tlsProfile: [...new Set(entries.map(({entry}) => entry.profile))].join(', '),
    guidelines: `${MOZILLA_GUIDELINES.version} (${MOZILLA_GUIDELINES.url})`,
    proxyProtocolBinds: binds.filter(({proxyProtocol}) => proxyProtocol).map(({name}) => name),
    serverNames,
    severalNames: serverNames.length > 1,
    strangers:
      named.length < binds.length ? named.map(({name}) => `{ so_name ${name} } !public_name`) : named.length > 0 ? ['!public_name'] : [],
    certificateStore,
    withoutExtension,
    redirect: redirecting !== undefined,
    redirectPort: redirecting === undefined || redirecting.port === 443 ? '' : `:${redirecting.port}`,
    strictTransportSecurity: sameHsts
      ? hsts.slice(0, 1).map(({maxAge}) => ({maxAge, condition: '{ ssl_fc }'}))
      : hsts.map(({bind, maxAge, names: own}) => ({
          maxAge,
          condition: [`{ so_name ${bind.name} }`, ...(own.length === 0 ? [] : [`{ ssl_fc_sni -i ${own.join(' ')} }`])].join(' '),
        })),
  }
}
