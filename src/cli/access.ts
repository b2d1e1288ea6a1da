import {X509Certificate} from 'node:crypto'
import {readFile} from 'node:fs/promises'
import {createSecureContext, rootCertificates} from 'node:tls'
import type {SecureContext} from 'node:tls'
import {UsageError} from '../errors.ts'
import {keepSecret} from '../model/redact.ts'
import type {Access} from '../verify/gms.ts'
import {DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'
import {listOf} from './flags.ts'

/** Flags as oclif gives them; a repeatable one from the environment is one text. */
export interface AccessFlags {
  upstream?: readonly string[] | string | undefined
  'chat-service'?: string | undefined
  auth?: string | undefined
  header?: readonly string[] | string | undefined
  ca?: string | undefined
}

/** Field names of RFC 9110, 5.1. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What a proxy or a client decides, and no person may. */
const OWN = ['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'origin', 'cookie']
/** GMS's own paths; whoever copies one means the server. */
const GMS_PATH = /^\/(genesys(\/cometd)?\/?)?$/

const NAME_A_SERVER = 'name a server such as http://gms1.example.com:8080'

/**
 * The real nodes of `--upstream`; none for `simulator`.
 * @throws UsageError for anything but http and https URLs of servers.
 */
export function upstreamUrls(value: AccessFlags['upstream']): readonly URL[] {
  const words = listOf(value).flatMap(word => listOf(word))
  if (words.length === 0 || (words.length === 1 && words[0] === 'simulator')) return []
  if (words.includes('simulator'))
    throw new UsageError('--upstream simulator cannot be mixed with real nodes', {suggestions: [NAME_A_SERVER]})
  return words.map(word => gmsUrl(word, '--upstream'))
}

/**
 * A GMS that `flag` names by its server, or by its own path.
 * @throws UsageError that never repeats a password.
 */
export function gmsUrl(word: string, flag: '--upstream' | '--direct'): URL {
  // Before the @ may stand a password, and URLs are read with fewer slashes too.
  const named = word.replace(/^([a-z][a-z0-9+.-]*:\/\/|).*@/is, '$1')
  const problem = (why: string) => new UsageError(`${flag} ${named}: ${why}`, {suggestions: [NAME_A_SERVER]})
  if (!URL.canParse(word)) throw problem(flag === '--upstream' ? 'that is neither a URL nor simulator' : 'that is no URL')
  const url = new URL(word)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw problem(`${url.protocol} is not spoken here, http: and https: are`)
  if (url.username !== '' || url.password !== '')
    throw problem('credentials do not belong into a URL: use --auth, or --header for a gateway')
  if (!GMS_PATH.test(url.pathname) || url.search !== '' || url.hash !== '')
    throw problem('the paths are those of GMS and cannot be changed: give scheme, host and port only')
  return new URL(url.origin)
}

/**
 * How users get in.
 * @throws UsageError that names what is wrong, never what is secret.
 */
export async function accessOf(flags: AccessFlags): Promise<Access> {
  const chatService = flags['chat-service'] ?? DEFAULT_CHAT_SERVICE
  if (!/^[^\s/]+$/.test(chatService))
    throw new UsageError(`--chat-service ${JSON.stringify(chatService)} is not the name of a chat service`)
  const headers = headersOf(listOf(flags.header, /\r?\n/))
  return {
    chatService,
    ...(flags.auth === undefined ? {} : {auth: authOf(flags.auth)}),
    ...(Object.keys(headers).length === 0 ? {} : {headers}),
    ...(flags.ca === undefined ? {} : {trust: await trustIn(flags.ca)}),
  }
}

/** The encoded form (vendor page, "Authentication"): the same secret, and no plain text on the way. */
function authOf(value: string): {encoded: string} {
  const colon = value.indexOf(':')
  if (colon < 1)
    throw new UsageError('--auth is not USER:PASSWORD', {suggestions: ['put it into GMS_PROXY_AUTH, where no process list shows it']})
  const encoded = Buffer.from(value).toString('base64')
  keepSecret(value, value.slice(colon + 1), encoded)
  return {encoded}
}

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim()
    const value = line.slice(colon + 1).trim()
    const suggestions = ["write it as in a request: --header 'X-Api-Key: …'"]
    if (colon < 1 || !FIELD_NAME.test(name)) throw new UsageError('--header is not NAME: VALUE', {suggestions})
    keepSecret(value, ...value.split(/\s+/))
    if (/[^\t\x20-\x7e]/.test(value))
      throw new UsageError(`--header ${name}: its value holds characters that no header may hold`, {suggestions})
    if (OWN.includes(name.toLowerCase()))
      throw new UsageError(`--header ${name}: that one belongs to the client, or to the proxy under test`)
    headers[name] = value
  }
  return headers
}

async function trustIn(file: string): Promise<SecureContext> {
  const suggestions = ['give a PEM file with the certificate of the authority']
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--ca ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      suggestions,
      cause: error,
    })
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  if (certificates.length === 0) throw new UsageError(`--ca ${file} holds no certificate`, {suggestions})
  try {
    for (const certificate of certificates) new X509Certificate(certificate)
    return createSecureContext({ca: [...rootCertificates, ...certificates]})
  } catch (error) {
    throw new UsageError(`--ca ${file} holds a certificate that cannot be read`, {suggestions, cause: error})
  }
}

/** A command line as it may be shown: what `--auth` and `--header` hold stays secret. */
export function showable(argv: readonly string[]): readonly string[] {
  const hidden = (flag: string, value: string) =>
    flag === '--header' && value.includes(':') ? `${value.split(':')[0]}: ‹redacted›` : '‹redacted›'
  return argv.map((word, index) => {
    const before = argv[index - 1]
    if (before === '--auth' || before === '--header') return hidden(before, word)
    const [, flag, value] = /^(--auth|--header)=(.*)$/s.exec(word) ?? []
    return flag === undefined || value === undefined ? word : `${flag}=${hidden(flag, value)}`
  })
}
