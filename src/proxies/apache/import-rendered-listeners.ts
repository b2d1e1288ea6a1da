import type {Parameters} from '../../parameters/schema.ts'
import {DEFAULT_CERTIFICATE} from '../default-certificate.ts'
import type {Draft} from '../import-draft.ts'
import {MOZILLA_GUIDELINES} from '../mozilla-guidelines.ts'
import type {Directive} from '../syntax.ts'
import {inOrder} from './import-order.ts'
import type {Placed} from './import-order.ts'
import type {Rendered} from './import-text.ts'
import {isIn} from './import-text.ts'
import {virtualHosts} from './view-listeners.ts'

type Plain = Parameters['listener'][number]
type Encrypted = NonNullable<Parameters['tls']>[number]

/** One `VirtualHost`, read. */
interface Host {
  section: Directive
  tls: boolean
  names: readonly string[]
  proxyProtocol: boolean
  redirects: readonly string[]
  /** Absent on a plain one. */
  encryption?: Omit<Encrypted, 'address' | 'port' | 'serverNames' | 'proxyProtocol' | 'redirect'>
}

/** More combinations of what the text does not hold are not tried. */
const MOST_COMBINATIONS = 4096

/** `listener` and `tls` of a rendered file. */
export function importRenderedListeners(rendered: Rendered, draft: Draft): void {
  const hosts = rendered.hosts.map(section => read(section, rendered))
  const listens = listensOf(rendered)
  const placed = inOrder(placesOf(hosts, listens), listens, notesOf(rendered))
  const kinds = {plain: hosts.filter(({tls}) => !tls), encrypted: hosts.filter(({tls}) => tls)}
  const chosen = choose(kinds.plain, kinds.encrypted, placed)
  draft.set('listener', [])
  chosen.listener.forEach((own, index) => {
    const span = kinds.plain[own.host]?.section.span
    const path = `listener.${index}`
    draft.set(path, {}, span)
    if (own.address !== '*') draft.set(`${path}.address`, own.address, span)
    if (own.port !== 80) draft.set(`${path}.port`, own.port, span)
    if (own.serverNames.length > 0) draft.set(`${path}.serverNames`, own.serverNames, span)
    if (own.proxyProtocol) draft.set(`${path}.proxyProtocol`, true, span)
  })
  chosen.tls.forEach((own, index) => {
    const span = kinds.encrypted[own.host]?.section.span
    const path = `tls.${index}`
    draft.set(path, {}, span)
    const {host: _, hsts, ...rest} = own
    const usual: Readonly<Record<string, unknown>> = {
      address: '*',
      port: 443,
      profile: 'intermediate',
      redirect: false,
      ocspStapling: false,
      http2: true,
      proxyProtocol: false,
    }
    for (const [key, value] of Object.entries(rest)) {
      const empty = Array.isArray(value) && value.length === 0
      if (usual[key] !== value && !empty) draft.set(`${path}.${key}`, value, span)
    }
    if (hsts !== undefined) draft.set(`${path}.hsts`, `${hsts / 1000}s`, span)
  })
}

function listensOf({lines, metrics}: Rendered): readonly {address: string; port: number}[] {
  const own = metrics?.args[0]?.value
  return lines
    .filter(({name, values, within}) => name === 'listen' && within.length === 0 && values[0] !== own)
    .flatMap(({values}) => {
      const [, address, port = ''] = /^(?:(.+):)?(\d+)$/.exec(values[0] ?? '') ?? []
      if (port === '') return []
      const number = Number(port)
      if (address === undefined)
        return [
          {address: '*', port: number},
          {address: '[::]', port: number},
        ]
      return [{address: address === '0.0.0.0' ? '*' : address, port: number}]
    })
}

/** Numbers of the encrypted listeners whose certificate is not named. */
function notesOf({comments}: Rendered): ReadonlySet<number> {
  return new Set(comments.flatMap(text => /^Note: tls\.(\d+)\.certificate: /.exec(text)?.[1] ?? []).map(Number))
}

function placesOf(hosts: readonly Host[], listens: readonly {address: string; port: number}[]): readonly Placed[] {
  const tokens = hosts.flatMap(host =>
    host.section.args.flatMap(({value}) => {
      const [, address = '*', port = ''] = /^(?:(.*):)?(\d+)$/.exec(value) ?? []
      return port === '' ? [] : [{host, address, port: Number(port)}]
    }),
  )
  return tokens.flatMap(({host, address, port}, at) => {
    const numbered = hosts.filter(({tls}) => tls === host.tls).indexOf(host)
    const noted = host.tls && host.encryption?.certificate === undefined
    const place = (own: string): Placed => ({host: numbered, address: own, port, tls: host.tls, noted})
    if (address !== '*') return [place(address)]
    const heard = [...new Set(listens.filter(own => own.port === port).map(own => own.address))]
    const [v4, v6] = [heard.includes('*'), heard.includes('[::]')]
    const rivals = tokens.filter(other => other.port === port && other.address === '*')
    if (v4 && v6) {
      // one section for both, or one for each of them
      if (rivals.length === 1) return [place('*'), place('[::]')]
      return [place(rivals.at(-1) === tokens[at] ? '[::]' : '*')]
    }
    if (v4 || v6) return [place(v4 ? '*' : '[::]')]
    // the file around a fragment listens: what of one port stands twice is both
    if (heard.length === 0) return [place(rivals.length > 1 && rivals.at(-1) === tokens[at] ? '[::]' : '*')]
    return [place(heard.length === 1 ? (heard[0] ?? '*') : '*')]
  })
}

function read(section: Directive, {lines}: Rendered): Host {
  const own = lines.filter(line => isIn(line, section))
  const word = (name: string) => own.find(line => line.name === name)?.values[0]
  const names = own.filter(({name}) => name === 'servername' || name === 'serveralias').flatMap(({values}) => values)
  const redirects = own.flatMap(({name, values}) =>
    name === 'rewritecond' && values[0] === '%{SERVER_NAME}'
      ? [values[1] ?? '']
      : name === 'rewriterule' && values[2]?.startsWith('[R=308') === true
        ? [values[1] ?? '']
        : [],
  )
  const tls = word('sslengine') === 'On'
  const host = {section, tls, names, proxyProtocol: word('remoteipproxyprotocol') === 'On', redirects}
  if (!tls) return host
  const certificate = word('sslcertificatefile')
  const key = word('sslcertificatekeyfile')
  const authority = word('sslcacertificatefile')
  const strict = own.find(({name, values}) => name === 'header' && values.includes('Strict-Transport-Security'))?.values.at(-1)
  const age = /^max-age=(\d+)$/.exec(strict ?? '')?.[1]
  const protocol = own.find(line => line.name === 'sslprotocol')?.values.join(' ')
  const profiles = ['modern', 'intermediate', 'old'] as const
  const profile = profiles.find(
    name => `-all ${MOZILLA_GUIDELINES.profiles[name].protocols.map(version => `+${version}`).join(' ')}` === protocol,
  )
  return {
    ...host,
    encryption: {
      ...(certificate === undefined || certificate === DEFAULT_CERTIFICATE ? {} : {certificate}),
      ...(key === undefined ? {} : {key}),
      profile: profile ?? 'intermediate',
      ...(age === undefined ? {} : {hsts: Number(age) * 1000}),
      ocspStapling: word('sslusestapling') === 'On',
      ...(authority === undefined ? {} : {clientCertificates: {authority, required: word('sslverifyclient') !== 'optional'}}),
      http2: own.some(({name, values}) => name === 'protocols' && values.includes('h2')),
    },
  }
}

interface Chosen {
  listener: readonly (Plain & {host: number})[]
  tls: readonly (Encrypted & {host: number})[]
}

/**
 * Which encrypted listeners ask for the redirects of the plain ones, and which take their names from them, is not in the text: the first
 * combination from which the same sections are made.
 */
function choose(plain: readonly Host[], encrypted: readonly Host[], placed: readonly Placed[]): Chosen {
  const listener = placed
    .filter(({tls}) => !tls)
    .map(({host, address, port}) => {
      const own = plain[host]
      return {host, address, port, serverNames: [...(own?.names ?? [])], proxyProtocol: own?.proxyProtocol ?? false}
    })
  const combination = (bits: number): Chosen => ({
    listener,
    tls: placed
      .filter(({tls}) => tls)
      .map(({host, address, port}) => {
        const own = encrypted[host]
        const named = Math.floor(bits / 2 ** (encrypted.length + host)) % 2 === 1
        const usual = {profile: 'intermediate' as const, ocspStapling: false, http2: true}
        return {
          host,
          address,
          port,
          serverNames: inherits[host] === true && !named ? [] : [...(own?.names ?? [])],
          ...(own?.encryption ?? usual),
          redirect: Math.floor(bits / 2 ** host) % 2 === 1,
          proxyProtocol: own?.proxyProtocol ?? false,
        }
      }),
  })
  const inherited = [...new Set(listener.flatMap(({serverNames}) => serverNames))].join(' ')
  const inherits = encrypted.map(({names}) => names.join(' ') === inherited)
  const wanted = JSON.stringify([...plain, ...encrypted].map(({names, redirects}) => [names.join(' '), redirects]))
  const fits = (chosen: Chosen) => {
    const without = <T extends {host: number}>(all: readonly T[]) => all.map(({host: _, ...own}) => own)
    const made = virtualHosts({
      listener: without(chosen.listener),
      tls: without(chosen.tls),
      forwarding: {trustedProxies: [], rfc7239: false},
    })
    const shown = made.map(({serverName, serverAlias, redirectHosts, redirectSame, redirectTo}) => [
      `${serverName} ${serverAlias}`.trim(),
      [redirectHosts, redirectSame, redirectTo].filter(text => text !== ''),
    ])
    return JSON.stringify(shown) === wanted
  }
  const possible = Math.min(MOST_COMBINATIONS, 2 ** (2 * encrypted.length))
  for (let bits = 0; bits < possible; bits++) {
    const found = combination(bits)
    if (fits(found)) return found
  }
  const redirects = plain.some(({redirects: own}) => own.length > 0)
  return combination(redirects ? 2 ** encrypted.length - 1 : 0)
}
