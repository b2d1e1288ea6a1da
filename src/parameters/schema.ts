import {isIPv4, isIPv6} from 'node:net'
import {z} from 'zod'
import {PROXY_NAMES} from '../model/catalogue.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'
import {parseDuration, parseSize} from './units.ts'

/*
 * What every field may be, as a positive grammar: nothing that passes here can end a directive of any of the three dialects
 * (no white space, quotes, braces, `;`, `#`, `$`, `%`, backslash or control character anywhere).
 */
const duration = (what: string, {min, max}: {min: number; max: number}) =>
  z
    .string()
    .meta({description: what, examples: ['30s'], pattern: '^(\\d{1,9}(ms|s|m|h|d|y))+$'})
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms === undefined)
        context.addIssue({code: 'custom', message: `"${text}" is not a duration: write a number and a unit, such as 30s, 5m or 1h`})
      else if (ms < min || ms > max)
        context.addIssue({code: 'custom', message: `${text} is out of range: ${min / 1000}s to ${max / 1000}s`})
      return ms ?? z.NEVER
    })

const size = (what: string) =>
  z
    .union([z.string(), z.int()])
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

const hostName = z.string().regex(HOST_NAME, 'expected a host name or IPv4 address (letters, digits, dots, hyphens)')
const ipv6 = z
  .string()
  .regex(IPV6)
  .refine(text => isIPv6(text.slice(1, -1)), 'expected an IPv6 address in brackets')
const port = z.int().min(1).max(65_535)
const filePath = z.string().regex(FILE_PATH, 'expected an absolute path of letters, digits and . _ / @ + -')
const urlPath = z.string().regex(/^\/[A-Za-z0-9._~/-]{1,200}$/, 'expected a path that begins with / (letters, digits and . _ ~ / -)')
const cidr = z
  .string()
  .regex(/^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f:]{2,45})(\/[0-9]{1,3})?$/, 'expected an address or a network such as 10.0.0.0/8')

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

function parseNode(address: string): {host: string; port: number} | undefined {
  const match = /^(.+):(\d{1,5})$/.exec(address)
  const [, host, portText] = match ?? []
  if (host === undefined || !(HOST_NAME.test(host) || IPV6.test(host)) || !isConnectable(host)) return undefined
  const portNumber = Number(portText)
  return portNumber >= 1 && portNumber <= 65_535 ? {host, port: portNumber} : undefined
}

const node = z
  .union([
    z.string().meta({description: 'host:port', examples: ['gms1.network.local:8080']}),
    z.strictObject({host: z.union([hostName.refine(isConnectable, NO_HOST), ipv6]), port}),
  ])
  .transform((value, context) => {
    const parsed = typeof value === 'string' ? parseNode(value) : value
    if (parsed && isNowhere(parsed.host)) context.addIssue({code: 'custom', message: `${parsed.host} is no node: it means every address`})
    if (!parsed && typeof value === 'string')
      context.addIssue({code: 'custom', message: `"${value}" is not a node: write host:port, such as gms1.network.local:8080`})
    return parsed ?? z.NEVER
  })

const listener = z.strictObject({
  address: z
    .union([z.literal('*'), hostName.refine(isConnectable, NO_HOST), ipv6])
    .default('*')
    .describe('Address to listen on; * means all'),
  port: port.default(80).describe('TCP port'),
  serverNames: z.array(hostName).max(50).default([]).describe('Host names that clients use; none means any'),
})

const tls = z.strictObject({
  port: port.default(443).describe('TCP port'),
  certificate: filePath.optional().describe('PEM file with the certificate chain'),
  key: filePath.optional().describe('PEM file with the private key'),
  profile: z.enum(['modern', 'intermediate', 'old']).default('intermediate').describe('Mozilla TLS profile'),
  redirect: z.boolean().default(false).describe('Redirect plain HTTP to HTTPS'),
  hsts: duration('Strict-Transport-Security max-age', {min: 0, max: 63_072_000_000}).optional(),
})

const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item.transform(value => [value]), z.array(item).min(1).max(20)])

/** The parameters file (CLI contract, section 4). Durations become ms, sizes bytes, nodes `{host, port}`, `listener` and `tls` lists. */
export const parametersSchema = z.strictObject({
  $schema: z.string().optional().describe('Where editors find this schema; ignored'),
  proxy: z.enum(PROXY_NAMES).optional().describe('Proxy that is meant when a command names none'),
  version: z
    .union([
      z.string().regex(/^\d+\.\d+(\.\d+)?$/, 'expected X.Y or X.Y.Z, in quotes'),
      z.partialRecord(z.enum(PROXY_NAMES), z.string().regex(/^\d+\.\d+(\.\d+)?$/, 'expected X.Y or X.Y.Z, in quotes')),
    ])
    .optional()
    .describe('Version of the proxy, or one for each proxy'),
  listener: oneOrMore(listener).prefault({}).describe('Where clients connect'),
  tls: oneOrMore(tls).optional().describe('Encrypted listener'),
  upstream: z
    .strictObject({
      nodes: z.array(node).min(1).max(100).describe('GMS nodes'),
      resolvers: z
        .array(z.string().regex(/^[0-9A-Fa-f.:[\]]{2,53}$/, 'expected address:port of a name server'))
        .optional()
        .describe('Name servers to follow node names with'),
    })
    .describe('The GMS nodes behind the proxy'),
  affinity: z
    .strictObject({
      mode: z
        .enum(['cookie', 'application-cookie', 'source-address', 'none'])
        .default('cookie')
        .describe('What keeps a session on one node'),
      cookie: z
        .string()
        .regex(TOKEN, 'expected a cookie name of letters, digits, _ and -')
        .default('GMS_NODE')
        .describe('Name of the affinity cookie'),
    })
    .prefault({})
    .describe('Requests of one session reach one node'),
  upgrade: z
    .strictObject({idleTimeout: duration('How long a silent WebSocket stays open', {min: 1000, max: 7 * 86_400_000}).prefault('1h')})
    .prefault({})
    .describe('WebSocket'),
  polling: z
    .strictObject({
      hold: duration('How long GMS holds a quiet poll before it answers (CometD timeout)', {min: 1000, max: 600_000}).prefault('30s'),
    })
    .prefault({})
    .describe('Long-polling and callback-polling'),
  upload: z
    .strictObject({maxFileSize: size('Largest file that a chat may carry; room for the multipart form is added').prefault('10MiB')})
    .prefault({})
    .describe('Files sent in a chat'),
  health: z
    .strictObject({
      mode: z.enum(['tcp', 'http', 'passive', 'none']).default('tcp').describe('How the proxy decides that a node is usable'),
      path: urlPath.optional().describe('Path of the http health check'),
      expect: z
        .string()
        .regex(/^[A-Za-z0-9 ]{1,64}$/)
        .optional()
        .describe('Text that the body of the answer must hold'),
      interval: duration('Time between two health checks', {min: 500, max: 3_600_000}).prefault('3s'),
      rise: z.int().min(1).max(100).default(2).describe('Good answers after which a node is up'),
      fall: z.int().min(1).max(100).default(3).describe('Bad answers after which a node is down'),
    })
    .prefault({})
    .describe('Health of the nodes'),
  forwarding: z
    .strictObject({
      trustedProxies: z.array(cidr).max(100).default([]).describe('Load balancers in front whose forwarding headers are believed'),
    })
    .prefault({})
    .describe('Telling GMS the real client'),
  access: z
    .strictObject({
      paths: z.array(urlPath).min(1).max(50).default([COMETD_PATH, FILES_PATH]).describe('The only paths that reach GMS'),
      allow: z.array(cidr).max(500).default([]).describe('Networks that may connect; none means everybody'),
      origins: z
        .array(z.string().regex(/^https?:\/\/[A-Za-z0-9.-]{1,253}(:\d{1,5})?$/, 'expected an origin such as https://www.example.com'))
        .max(100)
        .default([])
        .describe('Web origins that may use the chat'),
    })
    .prefault({})
    .describe('Who may reach what'),
  limits: z
    .strictObject({chats: z.int().min(1).max(1_000_000).default(1000).describe('Open chats that the proxy must hold at once')})
    .prefault({})
    .describe('Capacity'),
  logging: z
    .strictObject({format: z.enum(['text', 'json']).default('text').describe('Format of the access log')})
    .prefault({})
    .describe('Access log'),
})

/** The same for a subject that brings its own nodes (a path or a URL): `upstream` may be missing. */
export const foreignParametersSchema = parametersSchema.extend({upstream: parametersSchema.shape.upstream.optional()})

/** What `load` gives: defaults filled in, units resolved. */
export type Parameters = z.output<typeof parametersSchema>
/** What a person writes. */
export type ParametersInput = z.input<typeof parametersSchema>
export type ForeignParameters = z.output<typeof foreignParametersSchema>
