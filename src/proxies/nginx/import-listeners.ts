import {DEFAULT_CERTIFICATE} from '../default-certificate.ts'
import type {Draft} from '../import-draft.ts'
import {durationText} from '../import-draft.ts'
import {MOZILLA_GUIDELINES} from '../mozilla-guidelines.ts'
import type {TlsProfileName} from '../mozilla-guidelines.ts'
import type {Span} from '../../model/bundle.ts'
import {FRONT_PAGE} from '../import-foreign.ts'
import type {Directive} from '../syntax.ts'
import {redirectOf} from './servers.ts'
import {inside, lineOf} from './import-source.ts'
import type {Source} from './import-source.ts'
import {namesOf} from './site-match.ts'
import type {Scope} from './site-scope.ts'

/** One `listen`, read. */
interface Door {
  server: Scope
  address: string
  port: number
  span: Span
  tls: boolean
  names: readonly string[]
  /** Words of its own line; of a file that others wrote, those of its socket. */
  proxyProtocol: boolean
  http2: boolean
  /** Port that a plain listener redirects other paths to. */
  redirect: number | undefined
}

/** `listener` and `tls` of the parameters. */
export function importListeners(source: Source, draft: Draft): void {
  const doors = [...source.servers, ...redirectors(source, draft)].flatMap(server => doorsOf(server, source, draft))
  const plain = doors.filter(({tls}) => !tls)
  const encrypted = doors.filter(({tls}) => tls)
  draft.set('listener', [])
  plain.forEach((door, index) => {
    const path = `listener.${index}`
    draft.set(path, {}, door.span)
    placed(path, door, 80, draft)
    if (door.names.length > 0) draft.set(`${path}.serverNames`, [...door.names], door.span)
  })
  const chosen = choose(plain, encrypted)
  encrypted.forEach((door, index) => {
    const path = `tls.${index}`
    const {redirect, names} = chosen.get(door.server) ?? {redirect: false, names: door.names}
    draft.set(path, {}, door.span)
    placed(path, door, 443, draft)
    if (names.length > 0) draft.set(`${path}.serverNames`, [...names], door.span)
    certified(path, door.server, source, draft)
    if (redirect) draft.set(`${path}.redirect`, true, door.span)
    if (!door.http2) draft.set(`${path}.http2`, false, door.span)
  })
}

function placed(path: string, {address, port, proxyProtocol, span}: Door, standard: number, draft: Draft): void {
  if (address !== '*') draft.set(`${path}.address`, address, span)
  if (port !== standard) draft.set(`${path}.port`, port, span)
  if (proxyProtocol) draft.set(`${path}.proxyProtocol`, true, span)
}

/** Plain servers that send everything to https beside a chat that is served there: the other half of the same site. */
function redirectors({ours, others, servers, site, listenerOf}: Source, draft: Draft): readonly Scope[] {
  if (ours || !servers.some(isEncrypted)) return []
  const names = new Set(servers.flatMap(server => namesOf(server).map(name => name.toLowerCase())))
  return others.filter(server => {
    const listener = listenerOf(server)
    const own = namesOf(server).filter(name => name !== '_' && name !== '')
    if (!listener || isEncrypted(server) || !(own.length === 0 || own.some(name => names.has(name.toLowerCase())))) return false
    const {end} = site.trace(listener, FRONT_PAGE)
    if (end.kind !== 'redirect' || !/^https:/i.test(end.to)) return false
    draft.leave(
      end.span,
      'the paths of the chat were redirected too; rendered, this port serves them in plain text, since chat clients follow no redirect',
    )
    return true
  })
}

function isEncrypted(server: Scope): boolean {
  return server.all('listen').some(line => line.args.some(({value}) => value === 'ssl')) || lineOf(server, 'ssl')?.word === 'on'
}

function doorsOf(server: Scope, source: Source, draft: Draft): readonly Door[] {
  const names = namesOf(server).filter(name => {
    if (name === '' || name === '_') return false
    const plain = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)
    const line = server.all('server_name').find(({args}) => args.some(({value}) => value === name))
    if (!plain) draft.leave(line?.span ?? server.home, `the name ${name} is a pattern: name the hosts in serverNames`)
    return plain
  })
  const lines: readonly (Directive | undefined)[] = server.has('listen') ? server.all('listen') : [undefined]
  return lines.flatMap((line): readonly Door[] => {
    const span = line?.span ?? server.home
    const written = line?.args[0]?.value ?? '80'
    const words = line?.args.slice(1).map(({value}) => value) ?? []
    const place = placeOf(written)
    if (!place) {
      draft.leave(span, `listen ${written}: parameters listen on an address and one port`)
      return []
    }
    if (words.includes('quic')) {
      draft.leave(span, 'HTTP/3: the chat is served over HTTP/1.1 and HTTP/2')
      return []
    }
    const listener = source.site.listeners.find(own => own.span.file === span.file && own.span.start === span.start)
    const tls = words.includes('ssl') || lineOf(server, 'ssl')?.word === 'on'
    const directive = lineOf(server, 'http2')?.word === 'on'
    return [
      {
        server,
        ...place,
        span,
        tls: tls || (!source.ours && listener?.tls !== undefined),
        names,
        proxyProtocol: words.includes('proxy_protocol') || (!source.ours && listener?.proxyProtocol.value === true),
        // The default of the parameters: a file of others that says nothing loses nothing by it.
        http2: words.includes('http2') || directive || (!source.ours && lineOf(server, 'http2')?.word !== 'off'),
        redirect: redirectPort(server, source, draft),
      },
    ]
  })
}

/** `80`, `*:80`, `[::]:80`, `chat.local` (port 80); `undefined` for a socket of the machine and for a range of ports. */
function placeOf(written: string): {address: string; port: number} | undefined {
  if (/^\d+$/.test(written)) return {address: '*', port: Number(written)}
  const [, address, port = '80'] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(written) ?? []
  if (address === undefined || address === 'unix') return undefined
  return {address: address === '0.0.0.0' ? '*' : address, port: Number(port)}
}

function redirectPort(server: Scope, {site, listenerOf, ours}: Source, draft: Draft): number | undefined {
  const listener = listenerOf(server)
  if (ours) {
    const line = server
      .all('location')
      .find(({args}) => args[0]?.value === '/')
      ?.block?.find(({name}) => name === 'return')
    const [, port = '443'] = /^https:\/\/\$\w+(?::(\d+))?\$request_uri$/.exec(line?.args[1]?.value ?? '') ?? [undefined, '']
    return port === '' ? undefined : Number(port)
  }
  if (!listener || isEncrypted(server)) return undefined
  const {end} = site.trace(listener, FRONT_PAGE)
  if (end.kind !== 'redirect') return undefined
  const [, port = '443'] = /^https:\/\/[^/:]*(?::(\d+))?/i.exec(end.to) ?? [undefined, '']
  if (port === '') draft.leave(end.span, `the redirect of other paths to ${end.to}: parameters lead to https of the same host`)
  return port === '' ? undefined : Number(port)
}

interface Choice {
  redirect: boolean
  names: readonly string[]
}

/** More combinations than that are not tried. */
const MOST_COMBINATIONS = 4096

/**
 * Which encrypted servers ask for the redirects that the plain ones have, and which of them take their names from the first listener: the
 * first combination from which the same redirects and the same servers are made.
 */
function choose(plain: readonly Door[], encrypted: readonly Door[]): ReadonlyMap<Scope, Choice> {
  const servers = [...new Set(encrypted.map(({server}) => server))]
  const first = plain[0]?.names ?? []
  const of = (server: Scope) => encrypted.find(own => own.server === server)
  const fills = servers.map(server => JSON.stringify(of(server)?.names) === JSON.stringify(first) && first.length > 0)
  const combination = (bits: number): Map<Scope, Choice> =>
    new Map(
      servers.map((server, index) => {
        const emptied = fills[index] === true && Math.floor(bits / 2 ** (servers.length + index)) % 2 === 1
        return [server, {redirect: Math.floor(bits / 2 ** index) % 2 === 1, names: emptied ? [] : (of(server)?.names ?? [])}]
      }),
    )
  const fits = (choices: Map<Scope, Choice>) => {
    const tls = encrypted.map(({server, port}) => ({
      port,
      redirect: choices.get(server)?.redirect ?? false,
      serverNames: [...(choices.get(server)?.names ?? [])],
    }))
    const same = plain.every(({names, redirect}) => {
      const to = redirectOf(tls, [...names])
      const [, port = '443'] = /^https:\/\/\$\w+(?::(\d+))?/.exec(to) ?? [undefined, '']
      return (port === '' ? undefined : Number(port)) === redirect
    })
    const distinct = new Set(servers.map(server => JSON.stringify([choices.get(server), of(server) && signature(server, of(server))])))
    return same && distinct.size === servers.length
  }
  const combinations = Math.min(MOST_COMBINATIONS, 2 ** (2 * servers.length))
  for (let bits = 0; bits < combinations; bits++) {
    const found = combination(bits)
    if (fits(found)) return found
  }
  const ports = new Set(plain.map(({redirect}) => redirect))
  return new Map(
    servers.map(server => [
      server,
      {redirect: encrypted.some(door => door.server === server && ports.has(door.port)), names: of(server)?.names ?? []},
    ]),
  )
}

/** What makes one server of two different ones, beside names and redirect. */
function signature(server: Scope, door: Door | undefined): unknown {
  const lines = inside(server).flatMap(scope => scope.lines.filter(({name}) => /^ssl_|^add_header$/.test(name)))
  return [door?.http2, door?.proxyProtocol, lines.map(({name, args}) => [name, ...args.map(({raw}) => raw)])]
}

function certified(path: string, server: Scope, source: Source, draft: Draft): void {
  const file = (name: string, key: string, unless: readonly string[]) => {
    const found = lineOf(server, name)
    if (!found || unless.includes(found.word)) return found?.word
    draft.set(`${path}.${key}`, absolute(found.word), found.line.span)
    return found.word
  }
  const [certificate] = server.holder('ssl_certificate')?.all('ssl_certificate') ?? []
  for (const line of server.holder('ssl_certificate')?.all('ssl_certificate') ?? [])
    if (line !== certificate) draft.leave(line.span, 'a second certificate: parameters take one for each listener')
  const chain = file('ssl_certificate', 'certificate', [DEFAULT_CERTIFICATE])
  if (chain !== DEFAULT_CERTIFICATE && chain !== undefined) file('ssl_certificate_key', 'key', [chain])
  profile(path, server, source, draft)
  const stapling = lineOf(server, 'ssl_stapling')
  if (stapling?.word === 'on') draft.set(`${path}.ocspStapling`, true, stapling.line.span)
  const verify = lineOf(server, 'ssl_verify_client')
  if (verify && verify.word !== 'off') {
    file('ssl_client_certificate', 'clientCertificates.authority', [])
    if (verify.word === 'on') return strict(path, server, draft)
    if (lineOf(server, 'ssl_client_certificate')) draft.set(`${path}.clientCertificates.required`, false, verify.line.span)
    if (verify.word === 'optional_no_ca')
      draft.leave(verify.line.span, 'optional_no_ca: the certificates of clients are checked, if they send one')
  }
  strict(path, server, draft)
}

function strict(path: string, server: Scope, draft: Draft): void {
  const line = inside(server)
    .flatMap(scope => scope.holder('add_header')?.all('add_header') ?? [])
    .find(({args}) => args[0]?.value.toLowerCase() === 'strict-transport-security')
  const value = line?.args[1]?.value ?? ''
  const [, seconds] = /max-age="?(\d+)/i.exec(value) ?? []
  if (!line || seconds === undefined) return
  draft.set(`${path}.hsts`, durationText(Number(seconds) * 1000), line.span)
  if (value.includes(';')) draft.leave(line.span, `of Strict-Transport-Security only max-age is kept: ${value}`)
}

/** A name in a folder is read from where nginx keeps its files. */
export function absolute(path: string): string {
  return path.startsWith('/') ? path : `/etc/nginx/${path}`
}

function profile(path: string, server: Scope, {ours}: Source, draft: Draft): void {
  const found = lineOf(server, 'ssl_protocols')
  if (!found) return
  const names = Object.keys(MOZILLA_GUIDELINES.profiles) as readonly TlsProfileName[]
  const exact = names.find(name => MOZILLA_GUIDELINES.profiles[name].protocols.join(' ') === found.words.join(' '))
  const old = found.words.filter(word => /^(?:SSLv[23]|TLSv1|TLSv1\.1)$/.test(word))
  if (exact === 'modern' || (exact === 'old' && (ours || lineOf(server, 'ssl_ciphers')?.word.includes('@SECLEVEL=0') === true)))
    draft.set(`${path}.profile`, exact, found.line.span)
  else if (old.length > 0)
    draft.leave(found.line.span, `${old.join(', ')} are replaced by the profile intermediate (TLS 1.2 and 1.3); profile old offers them`)
}
