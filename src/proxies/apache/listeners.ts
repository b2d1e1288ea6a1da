import type {Span} from '../../model/bundle.ts'
import {chatFirst} from '../chat-first.ts'
import type {ListenerAddress} from '../proxy.ts'
import type {Directive, ParsedConfig} from '../syntax.ts'
import {activity} from './conditions.ts'
import {mentions} from './nodes.ts'
import type {Placed} from './parse.ts'
import {NAMES_CHAT_PATH} from '../of-chat.ts'
import {isNamed, walk} from './parse.ts'
import {Variables} from './variables.ts'

/** An address that clients connect to. */
export interface Listener extends ListenerAddress {
  /** `*` when it is not bound to one address. */
  host: string
  port: string
  /** The `Listen` directive; absent when a fragment leaves it to the file that it is appended to. */
  listen?: Directive
}

/** `80`, `*:80`, `[::1]:80`, `10.0.0.1:80` → host and port. */
export function splitAddress(address: string): {host: string; port: string} | undefined {
  const match = /^(?:(.*):)?(\d{1,5}|\*)$/.exec(address)
  if (!match) return undefined
  const host = match[1] ?? '*'
  return {host: ['', '_default_', '0.0.0.0', '[::]'].includes(host.toLowerCase()) ? '*' : host, port: match[2] ?? ''}
}

/** True when a `VirtualHost` of that address serves the listener. */
export function serves(virtualHost: string, listener: Listener): boolean {
  const address = splitAddress(virtualHost) ?? {host: virtualHost === '_default_' ? '*' : virtualHost, port: '*'}
  return (
    (address.port === '*' || address.port === listener.port) &&
    (address.host === '*' || listener.host === '*' || address.host === listener.host)
  )
}

/** Everything below a section. */
function inside(section: Directive, placed: readonly Placed[]): readonly Directive[] {
  return placed.filter(({within}) => within.includes(section)).map(({directive}) => directive)
}

/** Distinct listeners that take effect, the one that serves chat first. Never empty. */
export function listeners(config: ParsedConfig): readonly Listener[] {
  const isActive = activity(config)
  const variables = new Variables(config)
  const placed = walk(config).filter(({within}) => isActive(within))
  const hosts = placed.filter(({directive}) => isNamed(directive, 'VirtualHost')).map(({directive}) => directive)
  const found: Listener[] = []
  const add = (address: string, span: Span, listen?: Directive) => {
    const split = splitAddress(address)
    if (!split || found.some(({host, port}) => host === split.host && port === split.port)) return
    found.push({address, ...split, tls: false, span, ...(listen ? {listen} : {})})
  }
  for (const {directive} of placed) {
    const [address] = directive.args
    if (isNamed(directive, 'Listen') && address) add(variables.resolve(address.value).text, directive.span, directive)
  }
  // a part of a configuration, such as a site of Debian, leaves ports to the file around it, and may open others itself
  const isPart = !placed.some(({directive}) => isNamed(directive, 'ServerRoot'))
  const opened = found.map(({port}) => port)
  if (found.length === 0 || isPart)
    for (const host of hosts)
      for (const {value, span} of host.args) {
        const address = variables.resolve(value).text.replace(/:\*$/, ':80')
        if (!opened.includes(splitAddress(address)?.port ?? '')) add(address, span)
      }
  if (found.length === 0) add('80', {file: config.bundle.entry, start: 0, end: 0, line: 1, column: 1})

  const described = found.map(listener => {
    const own = hosts.filter(host => host.args.some(({value}) => serves(variables.resolve(value).text, listener)))
    const namesChat = (host: Directive) => inside(host, placed).some(({args}) => args.some(({value}) => NAMES_CHAT_PATH.test(value)))
    const proxying = own.filter(host => proxies(host, placed, config))
    const chat = proxying.find(namesChat) ?? proxying[0] ?? own[0]
    const directives = chat
      ? inside(chat, placed)
      : placed.filter(({within}) => !within.some(section => isNamed(section, 'VirtualHost'))).map(({directive}) => directive)
    const global = placed.filter(({within}) => !within.some(section => isNamed(section, 'VirtualHost'))).map(({directive}) => directive)
    /** The last one decides, and a virtual host before the server around it. */
    const said = (name: string, value: RegExp) => {
      const own =
        directives.filter(directive => isNamed(directive, name)).at(-1) ?? global.filter(directive => isNamed(directive, name)).at(-1)
      return value.test(own?.args[0]?.value ?? '')
    }
    const tls = said('SSLEngine', /^on$/i)
    // It holds for the address, and the last virtual host there decides.
    const announced =
      own.flatMap(host => inside(host, placed)).findLast(directive => isNamed(directive, 'RemoteIPProxyProtocol')) ??
      global.findLast(directive => isNamed(directive, 'RemoteIPProxyProtocol'))
    const meansTls = !tls && !said('SSLEngine', /^off$/i) && directives.some(directive => isNamed(directive, 'SSLCertificateFile'))
    const named = directives.find(directive => isNamed(directive, 'ServerName'))?.args[0]?.value
    const serverName =
      named === undefined
        ? undefined
        : variables
            .resolve(named)
            .text.replace(/^https?:\/\//i, '')
            .replace(/:\d+$/, '')
    return {
      listener: {
        ...listener,
        tls,
        ...(meansTls ? {meansTls} : {}),
        ...(tls && said('SSLVerifyClient', /^require$/i) ? {demandsCertificate: true} : {}),
        ...(/^on$/i.test(announced?.args[0]?.value ?? '') ? {proxyProtocol: true} : {}),
        ...(serverName === undefined ? {} : {serverName}),
      },
      tls,
      serves: (chat ? proxies(chat, placed, config) : hosts.length === 0) ? 1 : 0,
    }
  })
  return chatFirst(described).map(({listener}) => listener)
}

/** True when the section sends anything to a node. */
function proxies(section: Directive, placed: readonly Placed[], config: ParsedConfig): boolean {
  const {start, end, file} = section.span
  return (
    mentions(config).some(({span}) => span.file === file && span.start >= start && span.end <= end) ||
    inside(section, placed).some(directive => isNamed(directive, 'ProxyPass', 'ProxyPassMatch'))
  )
}
