import {BlockList, isIP, isIPv4, isIPv6} from 'node:net'
import {z} from 'zod'
import {parseDuration, parseSize} from './units.ts'

/*
 * What every field may be, as a positive grammar: nothing that passes here can end a directive of any of the three dialects
 * (no white space, quotes, braces, `;`, `#`, `$`, `%`, backslash or control character anywhere). Snippets are the one exception: they are
 * directives, and the column that prints them reads them first.
 */
export const duration = (what: string, {min, max, example = '30s'}: {min: number; max: number; example?: string}) =>
  z
    .string()
    .meta({description: what, examples: [example], pattern: '^(\\d{1,9}(ms|s|m|h|d|y))+$'})
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms === undefined)
        context.addIssue({code: 'custom', message: `"${text}" is not a duration: write a number and a unit, such as 30s, 5m or 1h`})
      else if (ms < min || ms > max)
        context.addIssue({code: 'custom', message: `${text} is out of range: ${min / 1000}s to ${max / 1000}s`})
      return ms ?? z.NEVER
    })

export const size = (what: string) =>
  z
    .union([z.string().meta({pattern: '^\\d{1,15}\\s?([KkMmGg][Ii]?[Bb]|[Bb])?$'}), z.int()])
    .meta({description: what, examples: ['10MiB']})
    .transform((value, context) => {
      const bytes = parseSize(String(value))
      if (bytes === undefined)
        context.addIssue({code: 'custom', message: `"${value}" is not a size: write a number and a unit, such as 10MiB or 500KB`})
      else if (bytes < 1024 || bytes > 10 * 1_073_741_824)
        context.addIssue({code: 'custom', message: `${value} is out of range: 1KiB to 10GiB`})
      return bytes ?? z.NEVER
    })

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*$/
const IPV6 = /^\[[0-9A-Fa-f:.]{2,45}\]$/
const NO_HOST = 'expected a host name or an address of four numbers'
const TOKEN = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
const FILE_PATH = /^\/[A-Za-z0-9._/@+-]{1,255}$/

export const hostName = z.string().regex(HOST_NAME, 'expected a host name or IPv4 address (letters, digits, dots, hyphens)')
const ipv6 = z
  .string()
  .regex(IPV6)
  .refine(text => isIPv6(text.slice(1, -1)), 'expected an IPv6 address in brackets')
export const port = z.int().min(1).max(65_535)
export const filePath = z
  .string()
  .regex(FILE_PATH, 'expected an absolute path of letters, digits and . _ / @ + -')
  .refine(text => !text.endsWith('/'), 'expected a file, not a folder')
export const urlPath = z.string().regex(/^\/[A-Za-z0-9._~/-]{0,200}$/, 'expected a path that begins with / (letters, digits and . _ ~ / -)')
/** A name that a person gives: of a node, a route, a cookie. */
export const token = (what: string) => z.string().regex(TOKEN, `expected ${what} of letters, digits, _ and -, a letter first`)
/** Text without control characters but line breaks and tabs: directives of the dialect it is meant for. */
export const snippet = z
  .string()
  .max(20_000)
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*(?:[\n\t][^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*)*$/u, 'expected lines of text without control characters')

/** An address or a network, IPv4 or IPv6; a prefix longer than the address is refused. */
export const network = z
  .string()
  .regex(/^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]{2,45})(\/[0-9]{1,3})?$/, 'expected an address or a network such as 10.0.0.0/8')
  .refine(isNetwork, 'expected an address or a network such as 10.0.0.0/8')

/** Address and port of a name server, port 53 when none is written. */
export const nameServer = z
  .string()
  .regex(/^[0-9A-Fa-f.:[\]]{2,53}$/, 'expected address:port of a name server')
  .meta({examples: ['127.0.0.11:53']})
  .transform((text, context) => {
    const [, address, portText = '53'] = /^(\[[^\]]+\]|[0-9.]+)(?::(\d{1,5}))?$/.exec(text) ?? []
    const bare = address?.replace(/^\[|\]$/g, '')
    const number = Number(portText)
    if (address === undefined || bare === undefined || isIP(bare) === 0 || number < 1 || number > 65_535) {
      context.addIssue({
        code: 'custom',
        message: `"${text}" is not a name server: write address:port, such as 127.0.0.11:53 or [fd00::1]:53`,
      })
      return z.NEVER
    }
    return `${address}:${number}`
  })

function isNetwork(text: string): boolean {
  const [address = '', prefix] = text.split('/')
  const family = isIP(address)
  if (family === 0) return false
  try {
    new BlockList().addSubnet(address, prefix === undefined ? 32 : Number(prefix), family === 4 ? 'ipv4' : 'ipv6')
    return true
  } catch {
    return false
  }
}

/** nginx takes `unix:…` for a socket of the machine; a name that ends in a number is an address to all of them, or a mistake. */
function isConnectable(host: string): boolean {
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1))
  if (host.toLowerCase() === 'unix') return false
  return !/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i.test(host) || isIPv4(host)
}

/** 0.0.0.0 and its spellings: to HAProxy a node there is whatever address the client connected to. */
function isNowhere(host: string): boolean {
  return /^(?:0\.0\.0\.0|\[[0:.]+\])$/.test(host)
}

/** An address to listen on: a name, IPv4, or IPv6 in brackets. */
export const bindAddress = z.union([z.literal('*'), hostName.refine(isConnectable, NO_HOST), ipv6])
/** A host to connect to. */
export const nodeHost = z
  .union([hostName.refine(isConnectable, NO_HOST), ipv6])
  .refine(host => !isNowhere(host), 'expected a node: this means every address')

/** `gms1:8080` and `[fd00::1]:8080` → host and port; `undefined` when it is neither. */
export function parseNode(address: string): {host: string; port: number} | undefined {
  const match = /^(.+):(\d{1,5})$/.exec(address)
  const [, host, portText] = match ?? []
  if (host === undefined || !(HOST_NAME.test(host) || IPV6.test(host)) || !isConnectable(host)) return undefined
  const portNumber = Number(portText)
  return portNumber >= 1 && portNumber <= 65_535 ? {host, port: portNumber} : undefined
}

/** Why a node that parses is none, or `undefined`. */
export function noNode(host: string): string | undefined {
  return isNowhere(host) ? `${host} is no node: it means every address` : undefined
}

export const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item.transform(value => [value]), z.array(item).min(1).max(20)])
/** The same, or an empty list for none at all. */
export const anyNumber = <T extends z.ZodType>(item: T) => z.union([item.transform(value => [value]), z.array(item).max(20)])
