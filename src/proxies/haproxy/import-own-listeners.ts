import type {Span} from '../../model/bundle.ts'
import type {Draft} from '../import-draft.ts'
import {durationText} from '../import-draft.ts'
import type {Certificate, Certificates} from './import-certificates.ts'
import type {OwnText} from './import-text.ts'
import type {Statement} from './parse.ts'
import {ownDescriptors} from './view-limits.ts'

/** One entry of `listener` or `tls`; several may share a `bind` line. */
interface Entry extends Certificate {
  bind: Bind
  /** `undefined`: not known, but that there are some. */
  names?: readonly string[] | undefined
  /** Seconds. */
  hsts?: number | undefined
}

interface Bind {
  name: string
  span: Span
  address: string
  port: number
  proxyProtocol: boolean
  named: boolean
  words: readonly string[]
}

/** `listener` and `tls` of the parameters of a rendered file. */
export function ownListeners(text: OwnText, certificates: Certificates, draft: Draft): void {
  const binds = text.all(text.frontend, 'bind').map(line => bindOf(line, text))
  const publicNames = text.all(text.frontend, 'acl', 'public_name').map(({words}) => words.at(-1) ?? '')
  const isTls = ({words}: Bind) => words.includes('ssl')
  const tls = binds.filter(isTls).flatMap(bind => {
    const crts = bind.words.flatMap((word, index) => (bind.words[index - 1] === 'crt' ? [word] : []))
    return crts.map((crt): Entry => ({bind, ...certificates.listener(crt), ...strict(bind, crts.length > 1, text)}))
  })
  if (text.all(text.frontend, 'http-after-response', 'set-header', 'Strict-Transport-Security').length > 0) stricter(tls, text)
  const plain = plainEntries(
    binds.filter(bind => !isTls(bind)),
    tls.length,
    publicNames,
    text,
  )
  const inherits = plain.length > 0 && plain.every(({bind}) => bind.named)
  namesOf(tls, publicNames, inherits)
  const firstName = firstNameOf(text)
  const all = [...plain, ...tls]
  const first = all.find(({names = []}) => names.length > 0)
  if (first && firstName?.toLowerCase() === first.names?.[0]) first.names = [firstName ?? '', ...(first.names?.slice(1) ?? [])]

  draft.set('listener', [])
  plain.forEach((entry, index) => place(`listener.${index}`, entry, 80, draft))
  const redirect = redirectPort(text)
  const ordered = inOrder(tls)
  const redirecting = ordered.find(({bind}) => bind.port === redirect)
  const stapled = text.first('global', 'ocsp-update.mode') !== undefined || text.comments.some(own => own.startsWith('ocsp-update.mode on'))
  ordered.forEach((entry, index) => {
    const path = `tls.${index}`
    const {words, span} = entry.bind
    const after = (word: string) => (words.includes(word) ? words[words.indexOf(word) + 1] : undefined)
    place(path, entry, 443, draft)
    draft.set(`${path}.certificate`, entry.certificate, span)
    draft.set(`${path}.key`, entry.key, span)
    const oldest = after('ssl-min-ver')
    if (oldest === 'TLSv1.0') draft.set(`${path}.profile`, 'old', span)
    if (oldest === 'TLSv1.3') draft.set(`${path}.profile`, 'modern', span)
    if (entry === redirecting) draft.set(`${path}.redirect`, true, span)
    if (entry.hsts !== undefined) draft.set(`${path}.hsts`, durationText(entry.hsts * 1000), span)
    if (stapled) draft.set(`${path}.ocspStapling`, true, span)
    draft.set(`${path}.clientCertificates.authority`, after('ca-file'), span)
    if (after('verify') === 'optional') draft.set(`${path}.clientCertificates.required`, false, span)
    if (after('alpn') === 'http/1.1') draft.set(`${path}.http2`, false, span)
  })
}

function place(path: string, {bind, names = []}: Entry, standard: number, draft: Draft): void {
  const {address, port, proxyProtocol, span} = bind
  draft.set(path, {}, span)
  if (address !== '*') draft.set(`${path}.address`, address, span)
  if (port !== standard) draft.set(`${path}.port`, port, span)
  if (proxyProtocol) draft.set(`${path}.proxyProtocol`, true, span)
  if (names.length > 0) draft.set(`${path}.serverNames`, [...names], span)
}

function bindOf({words, directive}: Statement, text: OwnText): Bind {
  const [, address = '', port = ''] = /^(.*):(\d+)$/.exec(words[1] ?? '') ?? []
  const name = words[words.indexOf('name') + 1] ?? ''
  const strangers = text.all(text.frontend, 'http-request', 'deny').filter(own => own.words.includes('!public_name'))
  return {
    name,
    span: directive.span,
    address,
    port: Number(port),
    proxyProtocol: text.all(text.frontend, 'tcp-request', 'connection', 'expect-proxy').some(own => own.words.includes(name)),
    named: strangers.some(own => !own.words.includes('so_name') || own.words.includes(name)),
    words,
  }
}

function strictLines(text: OwnText): readonly Statement[] {
  return text.all(text.frontend, 'http-after-response', 'set-header', 'Strict-Transport-Security')
}

/** Strict-Transport-Security of a listener that shares its address with nobody, or of all. */
function strict(bind: Bind, shared: boolean, text: OwnText): {hsts?: number} {
  const line = strictLines(text).find(({words}) => words[6] === 'ssl_fc' || (!shared && words[7] === bind.name))
  return line ? {hsts: maxAge(line)} : {}
}

/** Strict-Transport-Security of those that share their address: a condition names the hosts. Which certificate is theirs is not said: in order. */
function stricter(tls: readonly Entry[], text: OwnText): void {
  const shared = [...new Set(tls.map(({bind}) => bind))].filter(bind => tls.filter(own => own.bind === bind).length > 1)
  for (const bind of shared) {
    const lines = strictLines(text).filter(({words}) => words[10] === 'ssl_fc_sni' && words[7] === bind.name)
    const entries = tls.filter(own => own.bind === bind)
    lines.forEach((line, index) => {
      const entry = entries[index]
      if (!entry) return
      const {words} = line
      entry.hsts = maxAge(line)
      entry.names = words.slice(words.indexOf('-i') + 1, words.lastIndexOf('}'))
    })
  }
}

function maxAge({words}: Statement): number {
  return Number((words[3] ?? '').replace('max-age=', ''))
}

/** Plain listeners: as many as the arithmetic of descriptors has counted, some of which share an address by their names. */
function plainEntries(binds: readonly Bind[], encrypted: number, names: readonly string[], text: OwnText): Entry[] {
  const own = text.comments.flatMap(comment => /^2 x \d+ \+ (\d+) for HAProxy itself/.exec(comment)?.[1] ?? [])[0]
  const [, maxconn, descriptors] = /maxconn (\d+) or more, and descriptors for them: `ulimit -Hn` (\d+)/.exec(text.comments.join(' ')) ?? []
  const counted = own === undefined ? Number(descriptors) - 2 * Number(maxconn) : Number(own)
  const nodes = text.all('backend gms', 'server').length
  let more = Math.max(0, counted - ownDescriptors(nodes + encrypted + binds.length) || 0)
  return binds.flatMap((bind): Entry[] => {
    if (!bind.named) return [{bind}]
    const extra = Math.min(more, names.length - 1)
    more -= extra
    const cut = names.length - extra
    return [{bind, names: names.slice(0, cut)}, ...names.slice(cut).map(name => ({bind, names: [name]}))]
  })
}

/**
 * Names of encrypted listeners: those that share an address have each their own, in the order in which the public names are listed; one that
 * has its address for itself takes those of the plain ones, or all.
 */
function namesOf(tls: readonly Entry[], publicNames: readonly string[], inherits: boolean): void {
  let seen = inherits ? publicNames.length : 0
  const position = (name: string) => publicNames.indexOf(name.toLowerCase())
  for (const bind of new Set(tls.map(own => own.bind))) {
    if (!bind.named) continue
    const entries = tls.filter(own => own.bind === bind)
    const [only] = entries
    if (entries.length === 1 && only) {
      if (!inherits) only.names = publicNames
      seen = publicNames.length
      continue
    }
    const used = new Set(entries.flatMap(({names = []}) => names.map(name => name.toLowerCase())))
    entries.forEach((entry, index) => {
      if (entry.names) {
        seen = Math.max(seen, ...entry.names.map(name => position(name) + 1))
        return
      }
      const behind = entries.slice(index + 1)
      const next = behind.find(({names}) => names !== undefined)
      const until = Math.min(publicNames.length, ...(next?.names ?? []).map(position).filter(at => at >= seen))
      const unknown = behind.slice(0, next ? behind.indexOf(next) : undefined).length
      const gap = publicNames.slice(seen, until)
      const mine = unknown > 0 ? gap.slice(0, Math.max(1, gap.length - unknown)) : gap
      const names = mine.length > 0 ? mine : publicNames.filter(name => !used.has(name)).slice(0, 1)
      for (const name of names) used.add(name)
      seen = Math.max(seen, ...names.map(name => position(name) + 1))
      entry.names = names
    })
  }
}

/** The host that http checks ask for is the first name, as it was written. */
function firstNameOf(text: OwnText): string | undefined {
  const {words = []} = text.first('backend gms', 'http-check', 'send') ?? {}
  const at = words.indexOf('Host')
  return at === -1 ? undefined : words[at + 1]
}

function redirectPort(text: OwnText): number | undefined {
  const line = text.first(text.frontend, 'http-request', 'redirect', 'location')
  if (!line) return undefined
  return Number(/:(\d+)%\[pathq\]$/.exec(line.words[3] ?? '')?.[1] ?? 443)
}

/** Entries in an order in which certificates were stored and addresses were named first. */
function inOrder(tls: readonly Entry[]): readonly Entry[] {
  const queues = [...new Set(tls.map(({bind}) => bind))].map(bind => tls.filter(own => own.bind === bind))
  const ordered: Entry[] = []
  let opened = 0
  while (ordered.length < tls.length) {
    const heads = queues.slice(0, opened + 1).filter(queue => queue.length > 0)
    const next = heads.find(([entry]) => entry?.rank === undefined) ?? [...heads].sort((a, b) => (a[0]?.rank ?? 0) - (b[0]?.rank ?? 0))[0]
    const entry = next?.shift()
    if (!next || !entry) break
    opened = Math.max(opened, queues.indexOf(next) + 1)
    ordered.push(entry)
  }
  return ordered
}
