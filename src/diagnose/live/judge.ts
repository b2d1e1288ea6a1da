import type {ProxyName} from '../../model/catalogue.ts'
import type {AnsweredBy, IdleCutOff} from '../../model/live.ts'
import {writer} from '../../model/live.ts'
import type {Confidence, Promises} from '../../model/report.ts'
import {COMETD_PATH} from '../../wire/bayeux.ts'
import {FILES_PATH} from '../../wire/chat.ts'
import type {LiveAnswer, Seen} from './live.ts'

/** What an outcome of a look from outside is about, in the order of the report. Ids are those of the checks that promise the same. */
export const FELT = {
  'listener-name-resolves': {concern: 'listener', title: 'The host name has an address'},
  'listener-accepts-connections': {concern: 'listener', title: 'The listener accepts connections'},
  'tls-terminates': {concern: 'tls', title: 'The listener speaks TLS, with a certificate that clients trust'},
  'listener-reaches-gms': {concern: 'listener', title: 'Requests for GMS reach GMS'},
  'affinity-same-node': {concern: 'affinity', title: 'Sessions stay on their node'},
  'upgrade-handshake': {concern: 'upgrade', title: 'A WebSocket handshake reaches GMS, however it is spelt'},
  'upgrade-chat': {concern: 'upgrade', title: 'A session over WebSocket, forced'},
  'upgrade-idle-survives': {concern: 'upgrade', title: 'A silent WebSocket stays open'},
  'polling-chat': {concern: 'polling', title: 'A session over long-polling, forced'},
  'polling-callback-chat': {concern: 'polling', title: 'A session over callback-polling, forced'},
  'polling-hold-survives': {concern: 'polling', title: 'A held poll is answered by GMS, not by the proxy'},
  'upload-largest-file': {concern: 'upload', title: 'The largest file is not refused by its announced length'},
} as const
export type FeltId = keyof typeof FELT

/** How one of them ended. */
export interface Felt {
  id: FeltId
  status: 'passed' | 'failed' | 'skipped'
  severity?: 'error' | 'warning'
  tookMs: number
  detail?: string
  because?: string
  expected?: string
  actual?: string
  /** What was sent and what came, one line each. */
  client?: readonly string[]
}

/** A cause that something seen speaks for. */
export interface Suspected {
  id: string
  confidence: Confidence
  because: readonly string[]
  explains: readonly FeltId[]
  /** The change for exactly this, instead of what the catalogue says. */
  remediation?: string
}

export interface Judgement {
  felt: readonly Felt[]
  suspected: readonly Suspected[]
  idle?: IdleCutOff
}

const HEARTBEAT_MS = 30_000
/** A poll that ended sooner before the end of its hold was ended by somebody; clocks and a busy machine take less. */
const EARLY_MS = 1000
/** A socket that is cut so long after the silence began did not end in its opening. */
const SILENT_MS = 400

/** What was seen, held against what a chat needs. Pure: touches no socket. */
export function judge(seen: Seen, promises: Pick<Promises, 'holdMs' | 'upgradeIdleMs' | 'maxFileSize'>): Judgement {
  const verdicts = new Verdicts(seen, promises)
  verdicts.phases()
  if (seen.asks.handshake?.status !== undefined && seen.otherScheme === undefined) {
    verdicts.reaching()
    verdicts.upgrading()
    verdicts.uploading()
    verdicts.sessions()
    verdicts.holding()
    verdicts.silence()
  }
  return verdicts.judgement()
}

/** The page, or the answer, is that of one of the three proxies, for sure or nearly so. */
function writtenByProxy({who, confidence}: AnsweredBy): ProxyName | undefined {
  return (who === 'nginx' || who === 'apache' || who === 'haproxy') && confidence !== 'possible' ? who : undefined
}

/** `504 by nginx 1.22.1 after 3.0 s`. */
export function shown({status, failure, by, tookMs}: Pick<LiveAnswer, 'status' | 'failure' | 'by' | 'tookMs'>): string {
  const what = status === undefined ? (failure?.reason ?? 'no answer') : String(status)
  return `${what}${status === undefined ? '' : ` ${writer(by)}`} after ${tookMs < 1000 ? `${tookMs} ms` : `${(tookMs / 1000).toFixed(1)} s`}`
}

const line = (answer: LiveAnswer) => `${answer.what} → ${shown(answer)}${answer.body === '' ? '' : `: ${excerpt(answer.body)}`}`
const excerpt = (body: string) => {
  const text = body
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return text.length > 160 ? `${text.slice(0, 159)}…` : text
}

class Verdicts {
  private readonly felt: Felt[] = []
  private readonly suspected: Suspected[] = []
  private idle: IdleCutOff | undefined
  private readonly seen: Seen
  private readonly promises: Pick<Promises, 'holdMs' | 'upgradeIdleMs' | 'maxFileSize'>

  constructor(seen: Seen, promises: Pick<Promises, 'holdMs' | 'upgradeIdleMs' | 'maxFileSize'>) {
    this.seen = seen
    this.promises = promises
  }

  judgement(): Judgement {
    const first = this.felt.find(({status}) => status === 'failed')
    const said = new Set(this.felt.map(({id}) => id))
    for (const id of Object.keys(FELT) as FeltId[]) {
      if (said.has(id) || (id === 'tls-terminates' && !this.seen.url.startsWith('https:'))) continue
      this.felt.push({
        id,
        status: 'skipped',
        tookMs: 0,
        because: first ? `${first.id} failed: nothing could come of it` : 'it was not tried',
      })
    }
    const order = Object.keys(FELT)
    return {
      felt: [...this.felt].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id)),
      suspected: this.suspected,
      ...(this.idle ? {idle: this.idle} : {}),
    }
  }

  private pass(id: FeltId, tookMs: number, detail?: string): void {
    this.felt.push({id, status: 'passed', tookMs: Math.round(tookMs), ...(detail === undefined ? {} : {detail})})
  }

  private fail(id: FeltId, tookMs: number, told: Pick<Felt, 'expected' | 'actual' | 'client' | 'severity'>): void {
    this.felt.push({id, status: 'failed', tookMs: Math.round(tookMs), ...told})
  }

  private suspect(id: string, confidence: Confidence, because: readonly string[], explains: readonly FeltId[], remediation?: string): void {
    this.suspected.push({id, confidence, because, explains, ...(remediation === undefined ? {} : {remediation})})
  }

  phases(): void {
    const {resolved, connected, greeted, otherScheme, afterProxyHeader, asks, url} = this.seen
    if (resolved.failure) {
      const {reason} = resolved.failure
      this.fail('listener-name-resolves', resolved.tookMs, {expected: 'an address', actual: reason})
      return this.suspect('listener-name-unresolved', 'certain', [`the resolver of this machine: ${reason}`], ['listener-name-resolves'])
    }
    this.pass('listener-name-resolves', resolved.tookMs, resolved.addresses.join(', '))
    if (connected?.failure) {
      const {reason, ended} = connected.failure
      this.fail('listener-accepts-connections', connected.tookMs, {expected: 'a TCP connection', actual: reason})
      const why =
        ended === 'timed-out'
          ? 'silence: a firewall drops it, or the address is wrong'
          : 'refused: nothing listens there, or a firewall says so'
      return this.suspect('listener-unreachable', 'certain', [reason, why], ['listener-accepts-connections'])
    }
    this.pass('listener-accepts-connections', connected?.tookMs ?? 0, connected?.address)
    const {handshake} = asks
    const blamed: FeltId = url.startsWith('https:') ? 'tls-terminates' : 'listener-reaches-gms'
    if (greeted) this.certificate(greeted)
    if (otherScheme !== undefined) {
      const told =
        otherScheme === 'tls'
          ? 'TLS was spoken to the same port, and it was answered'
          : 'plain HTTP was spoken to the same port, and it was answered'
      if (blamed === 'listener-reaches-gms')
        this.fail(blamed, handshake?.tookMs ?? 0, {
          expected: 'an answer of GMS',
          actual: handshake ? shown(handshake) : 'no answer',
          client: handshake ? [line(handshake)] : [],
        })
      const own = new URL(url)
      own.protocol = otherScheme === 'tls' ? 'https:' : 'http:'
      this.suspect('listener-protocol-mismatch', 'certain', [told, `so ${own.origin} is what clients would have to use as it is`], [blamed])
    } else if (afterProxyHeader) {
      if (blamed === 'listener-reaches-gms')
        this.fail(blamed, handshake?.tookMs ?? 0, {
          expected: 'an answer',
          actual: handshake ? shown(handshake) : 'no answer',
          client: handshake ? [line(handshake)] : [],
        })
      this.suspect(
        'listener-expects-proxy-protocol',
        'certain',
        [`without a PROXY protocol header: ${handshake ? shown(handshake) : 'no answer'}`, `with one: ${shown(afterProxyHeader)}`],
        [blamed],
      )
    } else if (handshake && handshake.status === undefined)
      this.fail('listener-reaches-gms', handshake.tookMs, {expected: 'an answer', actual: shown(handshake), client: [line(handshake)]})
  }

  private certificate({greeting, chain}: NonNullable<Seen['greeted']>): void {
    const {failure, distrust, otherName, version, tookMs} = greeting
    const expected = 'TLS, a certificate for this name, and a chain to an authority that is trusted'
    if (failure) return this.fail('tls-terminates', tookMs, {expected, actual: failure.reason})
    if (distrust === undefined && otherName === undefined)
      return this.pass('tls-terminates', tookMs, `${version ?? 'TLS'}, certificate until ${chain[0]?.validTo ?? 'unknown'}`)
    const certificates = chain.map(
      ({subject, issuer, validFrom, validTo}) => `certificate ${subject}, by ${issuer}, valid ${validFrom} to ${validTo}`,
    )
    this.fail('tls-terminates', tookMs, {
      expected,
      actual: [distrust, otherName].filter(text => text !== undefined).join('; '),
      client: certificates,
    })
    const now = Date.now()
    const stale = chain.filter(({validFrom, validTo}) => Date.parse(validTo) < now || Date.parse(validFrom) > now)
    if (stale.length > 0 || /EXPIRED|NOT_YET_VALID/i.test(distrust ?? ''))
      this.suspect(
        'tls-certificate-expired',
        'certain',
        [
          ...(distrust === undefined ? [] : [distrust]),
          ...stale.map(({subject, validFrom, validTo}) => `${subject}: valid ${validFrom} to ${validTo}`),
        ],
        ['tls-terminates'],
      )
    else if (distrust !== undefined)
      this.suspect(
        'tls-certificate-untrusted',
        'certain',
        [
          distrust,
          `${chain.length} ${chain.length === 1 ? 'certificate was' : 'certificates were'} sent, the last one by ${chain.at(-1)?.issuer ?? 'nobody'}`,
        ],
        ['tls-terminates'],
      )
    if (otherName !== undefined) this.suspect('tls-certificate-name', 'certain', [otherName], ['tls-terminates'])
  }

  reaching(): void {
    const {handshake, files} = this.seen.asks
    if (!handshake) return
    const bad = [handshake, ...(files ? [files] : [])].filter(({by, status}) => by.who !== 'gms' || (status ?? 500) >= 400)
    if (bad.length === 0) return this.pass('listener-reaches-gms', handshake.tookMs, `answered ${writer(handshake.by)}`)
    this.fail('listener-reaches-gms', handshake.tookMs, {
      expected: `answers of GMS on ${COMETD_PATH} and ${FILES_PATH}`,
      actual: bad.map(answer => `${answer.what}: ${shown(answer)}`).join('; '),
      client: bad.map(line),
    })
    if (bad.includes(handshake)) this.unreached(handshake)
    else if (files) this.unrouted(files)
  }

  /** Why a handshake was not answered by GMS. */
  private unreached(handshake: LiveAnswer): void {
    const {asks, underOtherHost} = this.seen
    const explains: readonly FeltId[] = ['listener-reaches-gms']
    const {status = 0, headers, by} = handshake
    const proxy = writtenByProxy(by)
    const fact = `${handshake.what} was answered ${shown(handshake)}`
    const sure: Confidence = proxy ? 'certain' : 'likely'
    if (underOtherHost) {
      const under = `under Host ${underOtherHost.host} GMS answered`
      return this.suspect('listener-host-not-matched', 'certain', [fact, under], explains)
    }
    if (status >= 300 && status < 400) {
      const to = headers['location']?.[0] ?? 'nowhere'
      return this.suspect('listener-redirects-clients', 'certain', [`${fact}, Location: ${to}`], explains)
    }
    if (status === 401 && by.who !== 'gms') {
      const realm = headers['www-authenticate']?.[0]
      return this.suspect(
        'upstream-credentials-required',
        sure,
        [fact, ...(realm === undefined ? [] : [`WWW-Authenticate: ${realm}`])],
        explains,
      )
    }
    if ((status === 403 || status === 405) && by.who !== 'gms') {
      const read = asks.callback
      if (read?.by.who === 'gms')
        return this.suspect('upstream-method-blocked', 'certain', [fact, `a GET of the same path reached GMS: ${shown(read)}`], explains)
      if (status === 405)
        return this.suspect(
          'listener-swallows-route',
          'likely',
          [fact, 'whoever serves files refuses a POST so, and GMS never does'],
          explains,
        )
      return this.suspect('access-refused', sure, [fact], explains)
    }
    if (asks.exactPath?.by.who === 'gms' && asks.exactPath.status === 200 && by.who !== 'gms')
      return this.suspect(
        'upstream-location-too-narrow',
        'certain',
        [fact, `${asks.exactPath.what} without the suffix reached GMS`],
        explains,
      )
    if (status === 404 && by.who === 'gms')
      return this.suspect('upstream-path-rewritten', 'likely', [fact, 'GMS does not know the path that reached it'], explains)
    if (status === 404) {
      const others = asks.files?.by.who === 'gms'
      return this.suspect('upstream-route-missing', sure, [fact, ...(others ? [`${FILES_PATH} does reach GMS`] : [])], explains)
    }
    if (status >= 200 && status < 300)
      return this.suspect(
        'listener-swallows-route',
        'certain',
        [fact, `what came is no Bayeux answer: ${headers['content-type']?.[0] ?? 'no content type'}, "${excerpt(handshake.body)}"`],
        explains,
      )
    if (status === 429) return this.suspect('limits-rate-too-low', sure, [fact], explains)
    if ((status === 502 || status === 503 || status === 504) && by.who !== 'gms') {
      const how: Readonly<Record<number, string>> = {
        502: 'the proxy reached nobody, or what it heard was no HTTP',
        503: 'the proxy has no node that it takes for alive, or none could be connected to',
        504: 'a node took the request, or the connection, and did not answer',
      }
      this.suspect('upstream-down', proxy ? 'likely' : 'possible', [fact, how[status] ?? ''], explains)
      if (status !== 504)
        this.suspect(
          'tls-upstream-scheme-mismatch',
          'possible',
          [`${status} is also what TLS to a plain node, or plain text to a TLS node, looks like`],
          explains,
        )
      if (status === 503 && proxy !== 'nginx')
        this.suspect('health-check-wrong-path', 'possible', ['a health check that GMS does not answer well takes out every node'], explains)
    }
  }

  /** One of the two paths reaches GMS, the file operations do not. */
  private unrouted(files: LiveAnswer): void {
    const {status = 0, by} = files
    const fact = `${files.what} was answered ${shown(files)}, ${COMETD_PATH} reached GMS`
    const explains: readonly FeltId[] = ['listener-reaches-gms']
    if (status === 401 && by.who !== 'gms') return this.suspect('upstream-credentials-required', 'likely', [fact], explains)
    if (by.who === 'gms' && status === 404) return this.suspect('upstream-path-rewritten', 'likely', [fact], explains)
    if (by.who !== 'gms' && (status === 404 || status < 300))
      this.suspect('upstream-route-missing', writtenByProxy(by) ? 'certain' : 'likely', [fact], explains)
  }

  upgrading(): void {
    const {upgrade, upgradeFirefox, upgradeCapitals, upgradeWithoutOrigin, handshake} = this.seen.asks
    if (!upgrade) return
    const spellings = [upgrade, upgradeFirefox, upgradeCapitals].flatMap(answer => (answer ? [answer] : []))
    const refused = spellings.filter(({status}) => status !== 101)
    if (refused.length === 0) return this.pass('upgrade-handshake', upgrade.tookMs, `${spellings.length} spellings, 101`)
    const [first = upgrade] = refused
    this.fail('upgrade-handshake', first.tookMs, {
      expected: '101, however it is spelt',
      actual: refused.map(shown).join('; '),
      client: refused.map(line),
    })
    const explains: readonly FeltId[] = ['upgrade-handshake', 'upgrade-chat']
    // Nothing of it reaches GMS: what explains the handshake explains this too.
    if (handshake?.by.who !== 'gms' || handshake.status !== 200) {
      for (const [index, suspected] of this.suspected.entries())
        if (suspected.explains.includes('listener-reaches-gms') && refused.length === spellings.length)
          this.suspected[index] = {...suspected, explains: [...suspected.explains, ...explains]}
      return
    }
    const fact = `the handshake of a WebSocket was answered ${shown(first)}, a POST to the same path reached GMS`
    const {status = 0, by, headers} = first
    if (refused.length < spellings.length)
      return this.suspect(
        'upgrade-match-too-strict',
        'certain',
        [`${spellings.length - refused.length} of ${spellings.length} spellings were answered 101, the others ${shown(first)}`],
        explains,
      )
    if (upgradeWithoutOrigin?.status === 101)
      return this.suspect(
        'forwarding-host-lost',
        'likely',
        [fact, 'without Origin it was answered 101: GMS compares Origin with the Host that reaches it'],
        explains,
      )
    if (status >= 300 && status < 400)
      return this.suspect('upgrade-redirected', 'certain', [`${fact}, Location: ${headers['location']?.[0] ?? 'nowhere'}`], explains)
    if (by.who === 'gms') {
      if (status === 400) {
        this.suspect(
          'upgrade-headers-missing',
          'likely',
          [fact, 'GMS took it for a plain GET: Upgrade or Connection did not reach it, or not over HTTP/1.1'],
          explains,
        )
        return this.suspect('upgrade-http-1.0', 'possible', ['GMS answers an upgrade over HTTP/1.0 in the same way'], explains)
      }
      return
    }
    if (status === 401) return this.suspect('upstream-credentials-required', 'likely', [fact], explains)
    if (writtenByProxy(by) && (status === 403 || status === 404 || status === 405 || status === 200))
      return this.suspect('upgrade-shadowed', 'likely', [fact, 'so the proxy treats an upgrade unlike a POST'], explains)
    if (status === 502 || status === 503 || status === 504)
      this.suspect(
        'tls-upstream-scheme-mismatch',
        'possible',
        [fact, 'the way to the node that is taken by upgrades alone does not work'],
        explains,
      )
  }

  uploading(): void {
    const {largeFile, handshake} = this.seen.asks
    if (!largeFile || handshake?.by.who !== 'gms') return
    const size = `${this.promises.maxFileSize} bytes`
    if (largeFile.status !== 413) return this.pass('upload-largest-file', largeFile.tookMs, `${size} announced, not refused`)
    this.fail('upload-largest-file', largeFile.tookMs, {expected: `${size} are taken`, actual: shown(largeFile), client: [line(largeFile)]})
    const fact = `a body of ${size} was announced, and answered ${shown(largeFile)}`
    const proxy = writtenByProxy(largeFile.by)
    if (largeFile.by.who !== 'gms')
      this.suspect('upload-body-limit-too-small', proxy ? 'certain' : 'likely', [fact], ['upload-largest-file'])
  }

  sessions(): void {
    const {transports, affinity} = this.seen
    const ids = {'long-polling': 'polling-chat', 'callback-polling': 'polling-callback-chat', websocket: 'upgrade-chat'} as const
    const broken: FeltId[] = []
    for (const [transport, id] of Object.entries(ids) as ['long-polling' | 'callback-polling' | 'websocket', FeltId][]) {
      const seen = transports[transport]
      if (!seen) continue
      if (seen.works) this.pass(id, seen.tookMs)
      else {
        broken.push(id)
        this.fail(id, seen.tookMs, {expected: 'handshake and connect', actual: seen.stoppedAt ?? 'it did not come about'})
      }
    }
    const reached = this.felt.find(({id}) => id === 'listener-reaches-gms')
    if (reached?.status === 'failed')
      for (const [index, suspected] of this.suspected.entries())
        if (suspected.explains.includes('listener-reaches-gms'))
          this.suspected[index] = {...suspected, explains: [...new Set([...suspected.explains, ...broken])]}
    if (transports.websocket?.works === true && transports['long-polling']?.works === false && this.seen.asks.handshake?.by.who !== 'gms')
      this.suspect(
        'upgrade-without-fallback',
        'likely',
        ['a session over WebSocket works, one over long-polling does not'],
        ['polling-chat', 'listener-reaches-gms'],
      )
    if (!affinity || affinity.users === 0) return
    if (affinity.strangers === 0) return this.pass('affinity-same-node', 0, `${affinity.users} new users, none met a stranger`)
    this.fail('affinity-same-node', 0, {
      expected: 'every request reaches the node that knows its session',
      actual: `402 for ${affinity.strangers} of ${affinity.users} new users`,
    })
    const cookies = Object.values(this.seen.asks).flatMap(({headers}) => headers['set-cookie'] ?? [])
    const keys = [...new Set(cookies.map(cookie => cookie.split('=', 1)[0] ?? ''))].filter(name => name !== 'BAYEUX_BROWSER' && name !== '')
    const fact = `${affinity.strangers} of ${affinity.users} new users were told 402 (session unknown) by the node they met next`
    const explains: readonly FeltId[] = ['affinity-same-node', ...broken]
    if (keys.length === 0) this.suspect('affinity-missing', 'likely', [fact, 'no answer set a cookie that could name a node'], explains)
    else {
      this.suspect('affinity-cookie-lost', 'possible', [fact, `cookies were set: ${keys.join(', ')}`], explains)
      this.suspect('affinity-key-not-routable', 'possible', [fact, `cookies were set: ${keys.join(', ')}`], explains)
    }
  }

  holding(): void {
    const {hold} = this.seen
    if (hold?.heldMs === undefined) return
    const {heldMs, successful, status, by} = hold
    const took = `${(heldMs / 1000).toFixed(1)} s`
    const {holdMs} = this.promises
    if (successful) return this.pass('polling-hold-survives', heldMs, `held ${took}`)
    const actual = `${status ?? hold.stoppedAt ?? 'no answer'}${by ? ` ${writer(by)}` : ''} after ${took}`
    this.fail('polling-hold-survives', heldMs, {
      expected: `an answer of GMS once its hold is over (${holdMs / 1000} s)`,
      actual,
      client: [`POST ${COMETD_PATH}/connect → ${actual}`],
    })
    if (heldMs > holdMs - EARLY_MS && status === undefined) return
    const proxy = by && writtenByProxy(by)
    const fact = `a quiet poll was answered ${actual}; GMS holds it ${holdMs / 1000} s`
    const explains: readonly FeltId[] = ['polling-hold-survives']
    if (heldMs >= EARLY_MS && status === 504)
      return this.suspect(
        'polling-timeout-below-hold',
        proxy ? 'certain' : 'likely',
        [fact, '504 is what a proxy says that has waited long enough'],
        explains,
      )
    if (heldMs >= EARLY_MS && (status === 502 || status === undefined))
      this.suspect(
        'polling-timeout-below-hold',
        'likely',
        [
          fact,
          proxy === 'apache' ? 'Apache says 502 when it has waited long enough' : 'it may also be that the node ended it: its log tells',
        ],
        explains,
      )
  }

  silence(): void {
    const {silent} = this.seen
    const tried = (silent ?? []).filter(({trouble}) => trouble === undefined)
    if (tried.length === 0) return
    const triedMs = Math.max(...tried.map(({silenceMs}) => silenceMs))
    const survivedMs = Math.max(0, ...tried.filter(({alive}) => alive).map(({silenceMs}) => silenceMs))
    const cuts = tried.flatMap(({cut}) => (cut && cut.afterMs >= SILENT_MS ? [cut] : []))
    const cut = cuts.sort((a, b) => a.afterMs - b.afterMs)[0]
    const deaf = tried.filter(({alive, cut: closed}) => !alive && !closed).map(({silenceMs}) => silenceMs)
    this.idle = {
      triedMs,
      survivedMs,
      ...(cut ? {cutMs: cut.afterMs, code: cut.code} : {}),
      ...(deaf.length > 0 ? {deafAfterMs: Math.min(...deaf)} : {}),
    }
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
    if (!cut && deaf.length === 0) return this.pass('upgrade-idle-survives', triedMs, `silent for ${seconds(triedMs)}`)
    const limitMs = cut?.afterMs ?? Math.min(...deaf)
    const actual = cut
      ? `cut after ${seconds(cut.afterMs)} of silence, close ${cut.code}; alive after ${seconds(survivedMs)}`
      : `no answer after ${seconds(limitMs)} of silence; alive after ${seconds(survivedMs)}`
    const below = limitMs < HEARTBEAT_MS
    this.fail('upgrade-idle-survives', limitMs, {
      severity: below ? 'error' : 'warning',
      expected: `open after ${seconds(Math.min(triedMs, this.promises.upgradeIdleMs))} of silence`,
      actual,
      client: tried.map(
        ({silenceMs, alive, cut: closed}) =>
          `silent ${seconds(silenceMs)} → ${alive ? 'alive' : closed ? `cut after ${seconds(closed.afterMs)}, close ${closed.code}` : 'no answer'}`,
      ),
    })
    const id = below ? 'upgrade-cut-below-heartbeat' : 'upgrade-idle-cut'
    const explains: readonly FeltId[] = ['upgrade-idle-survives']
    // A close frame comes from an end of the WebSocket; a proxy in between passes bytes and makes none.
    if (cut && cut.code !== NO_FRAME)
      return this.suspect(
        'upstream-gms-itself',
        'likely',
        [actual, `it came with a close frame (${cut.code}), which a proxy does not send`],
        explains,
      )
    this.suspect(
      id,
      cut ? 'likely' : 'possible',
      [
        actual,
        cut
          ? 'it came without a close frame: a proxy, a load balancer or a firewall on the way cut it'
          : 'nobody was seen closing it: so does a firewall that forgets idle connections',
      ],
      explains,
    )
  }
}

const NO_FRAME = 1006
