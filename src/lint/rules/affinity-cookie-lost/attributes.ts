import type {Promises} from '../../../model/report.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {FILES_PATH} from '../../../wire/chat.ts'

/** Chats last for hours, seconds. */
const LEAST_S = 3600

/** Why browsers drop a cookie or do not send it back. `text`: a Set-Cookie value, or the `cookie` line of HAProxy. */
export function flawsOf(
  text: string,
  {encrypted, host, promised}: {encrypted: boolean; host: string | undefined; promised?: Promises['cookie']},
): readonly Flaw[] {
  const {secure, unsure, sameSite, partitioned, path, maxAge, expired, limits, domain} = attributesOf(text)
  const found: Flaw[] = []
  const report = (wrong: boolean, flaw: string, expected: string, pattern: RegExp, right = '') => {
    if (wrong) found.push({flaw, expected, pattern, right})
  }
  report(secure && !encrypted, 'Secure over plain http is dropped', 'no Secure on a listener without TLS', /;\s*Secure(?=\s*(?:;|"?$))/gi)
  report(
    sameSite === 'none' && !secure && !unsure,
    'SameSite=None without Secure is dropped',
    'Secure beside SameSite=None',
    ...withSecure(encrypted, 'SameSite=None'),
  )
  report(
    partitioned && !secure && !unsure,
    'Partitioned without Secure is dropped',
    'Secure beside Partitioned',
    ...withSecure(encrypted, 'Partitioned'),
  )
  report(path !== undefined && !covers(path), `Path=${path ?? ''} leaves requests of a chat out`, 'Path=/', /;\s*Path=[^;"]*/gi, '; Path=/')
  report(
    maxAge !== undefined && maxAge < LEAST_S,
    `Max-Age=${maxAge ?? 0} ends within a chat`,
    `no Max-Age, or ${LEAST_S} and more`,
    /;\s*Max-Age=\d+/gi,
  )
  report(expired, 'Expires names a date that is over', 'no Expires, or Max-Age', /;\s*Expires=[^;"]*/gi)
  for (const {word, seconds} of limits)
    report(
      seconds < LEAST_S,
      `${word} ${seconds}s ends within a chat`,
      `no ${word}, or ${LEAST_S}s and more`,
      new RegExp(`\\s${word}\\s+\\S+`, 'g'),
    )
  // Only Secure cookies may be those of other sites, and only over TLS is there one.
  const elsewhere = encrypted && !unsure
  report(
    elsewhere && promised?.sameSite === 'none' && sameSite !== 'none',
    `pages of other sites were promised a chat, ${sameSite === undefined ? 'without SameSite=None' : `SameSite=${capitalised(sameSite)}`} keeps it from them`,
    'SameSite=None; Secure',
    sameSite === undefined ? AT_THE_END : /;\s*SameSite=\w+/gi,
    secure ? '; SameSite=None' : '; Secure; SameSite=None',
  )
  report(
    elsewhere && promised?.partitioned === true && !partitioned,
    'without Partitioned browsers drop it on pages of other sites',
    'Partitioned beside SameSite=None and Secure',
    AT_THE_END,
    '; Partitioned',
  )
  const foreign = domain !== undefined && host !== undefined && /^[a-z0-9.-]+$/i.test(host) && !belongs(host.toLowerCase(), domain)
  report(foreign, `Domain=${domain ?? ''} is not that of ${host ?? ''}`, 'no Domain', /;\s*Domain=[^;"]*/gi)
  return found
}

/** Behind the last attribute, quoted or not. */
const AT_THE_END = /(?="?$)(?<!"$)/g

/** Why a browser drops a cookie, and the text of it that has to be another. */
export interface Flaw {
  flaw: string
  expected: string
  pattern: RegExp
  right: string
}

/** Over TLS the attribute may stay, with Secure beside it. */
function withSecure(encrypted: boolean, attribute: string): [RegExp, string] {
  return [new RegExp(`;\\s*${attribute}(?=\\s*(?:;|"?$))`, 'gi'), encrypted ? `; Secure; ${attribute}` : '']
}

interface Attributes {
  secure: boolean
  /** A variable among the attributes may say anything. */
  unsure: boolean
  partitioned: boolean
  sameSite?: string
  path?: string
  maxAge?: number
  /** `Expires` is a date of the past, and no `Max-Age` overrules it. */
  expired: boolean
  /** How long HAProxy itself believes a cookie. */
  limits: readonly {word: string; seconds: number}[]
  domain?: string
}

function attributesOf(text: string): Attributes {
  const list = /^\s*cookie\s/.test(text) ? ofLine(text) : text.split(';').slice(1)
  const pairs = list.map(item => {
    const [name = '', ...value] = item.split('=')
    return [name.trim().toLowerCase(), value.join('=').trim()] as const
  })
  const value = (name: string) => pairs.find(([own]) => own === name)?.[1]
  const lasts = Number(value('max-age') ?? Number.NaN)
  const known = (name: string) => (/[$%]/.test(value(name) ?? '') ? undefined : value(name))
  const [path, domain, sameSite] = [known('path'), known('domain'), known('samesite')?.toLowerCase()]
  return {
    secure: value('secure') !== undefined,
    unsure: list.some(item => /[$%]/.test(item)),
    partitioned: value('partitioned') !== undefined,
    expired: Number.isNaN(lasts) && Date.parse(known('expires') ?? '') < Date.now(),
    limits: /^\s*cookie\s/.test(text) ? limitsOf(text) : [],
    ...(sameSite === undefined ? {} : {sameSite}),
    ...(path === undefined ? {} : {path}),
    ...(domain === undefined || domain === '' ? {} : {domain: domain.toLowerCase().replace(/^\./, '')}),
    ...(Number.isNaN(lasts) ? {} : {maxAge: lasts}),
  }
}

/** `cookie NAME insert secure domain .example.com attr "SameSite=None"` as the attributes it makes; HAProxy always says Path=/. */
function ofLine(text: string): readonly string[] {
  const words = text
    .trim()
    .split(/\s+/)
    .map(word => word.replaceAll('"', ''))
  return words.flatMap((word, index) => {
    if (word === 'secure' || word === 'httponly') return [word]
    if (word === 'domain') return [`domain=${words[index + 1] ?? ''}`]
    return word === 'attr' ? (words[index + 1] ?? '').split(';') : []
  })
}

/** `maxidle 30m`, `maxlife 8h`: without a unit they are seconds. */
function limitsOf(line: string): Attributes['limits'] {
  return [...line.matchAll(/\s(maxidle|maxlife)\s+(\d+)(us|ms|s|m|h|d)?(?=\s|$)/g)].map(([, word = '', number, unit = 's']) => ({
    word,
    seconds: Number(number) * (UNITS[unit] ?? 1),
  }))
}

const UNITS: Readonly<Record<string, number>> = {us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400}

function covers(path: string): boolean {
  const prefix = path.startsWith('/') ? path : ''
  return [COMETD_PATH, FILES_PATH].every(wanted => prefix !== '' && (wanted === prefix || wanted.startsWith(prefix.replace(/\/?$/, '/'))))
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function belongs(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`)
}
