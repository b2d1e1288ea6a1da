import type {SetCookie, SetCookiesResult} from '../../../flows/set-cookies.ts'
import {setCookies} from '../../../flows/set-cookies.ts'
import type {Promises} from '../../../model/report.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {FILES_PATH} from '../../../wire/chat.ts'
import type {ListenerStage} from '../../chat-listeners.ts'
import {chatListeners} from '../../chat-listeners.ts'
import type {Draft} from '../../check.ts'
import {notPromised, withWitnesses} from '../../check.ts'
import {about, evidence} from '../../evidence.ts'

/** Chats last for hours; a cookie that ends before its chat takes the chat with it. */
const LEAST_S = 3600

interface Seen extends SetCookie {
  result: SetCookiesResult
}

export const check = withWitnesses({
  meta: {
    id: 'affinity-cookie-attributes',
    title: 'Browsers keep the cookie of the proxy, and give it to nobody else',
    concern: 'affinity',
    severity: 'error',
    requirement:
      'A cookie that the proxy sets is one that browsers take and send back with every request of a chat: Secure never over plain http, SameSite=None and Partitioned only with Secure, a Path and Domain that cover the chat, no end within a chat.',
    remediation: {
      nginx: 'add_header Set-Cookie "GMS_NODE=…; Path=/; HttpOnly"; over TLS also Secure, and SameSite=None only beside it',
      apache:
        'Header add Set-Cookie "GMS_NODE=…; Path=/; HttpOnly" env=BALANCER_ROUTE_CHANGED; over TLS also Secure, and SameSite=None only beside it',
      haproxy: 'cookie GMS_NODE insert indirect nocache httponly; over TLS also secure, and attr "SameSite=None" only beside it',
    },
    directives: {
      nginx: ['add_header set-cookie', 'sticky', 'map'],
      apache: ['Header add set-cookie', 'Header set set-cookie', 'Header'],
      haproxy: ['backend > cookie', 'cookie', 'http-response set-header set-cookie', 'http-response add-header set-cookie'],
    },
    references: [
      'RFC 6265, 5.3 Storage Model',
      'RFC 6265bis, 5.7: SameSite=None and Secure; Secure over a plain connection',
      'CHIPS: Partitioned needs Secure',
    ],
  },
  presupposes: ['upstream-path-intact', 'listener-reaches-gms'],
  isolation: 'shared',
  budgetMs: () => 90_000,
  async run(stage) {
    const {flow, promises, upstream} = stage
    const chats = await chatListeners(stage)
    if (chats.length === 0) return {status: 'skipped', because: 'no request for the chat reaches GMS (see listener-reaches-gms)'}
    const direct = await flow(setCookies, {}, upstream.direct)
    const ofGms = new Set(direct.cookies.map(({name}) => name))
    const judged = await Promise.all(
      chats.map(async ({stage: own, meansTls}) => {
        const result = await own.flow(setCookies, {})
        const cookies = result.cookies.filter(({name, removes}) => !ofGms.has(name) && !removes).map(cookie => ({...cookie, result}))
        return {cookies, listener: {stage: own, meansTls}}
      }),
    )
    const cookies = judged.flatMap(({cookies: own}) => own)
    if (cookies.length === 0) {
      if (promises.cookie === undefined || promises.affinity === 'none') return notPromised('the proxy sets no cookie of its own')
      const results = judged.map(({listener}) => listener)
      return missing(await results[0]?.stage.flow(setCookies, {}), stage.upstream.recorder)
    }
    const findings = new Map<string, Draft>()
    for (const {cookies: own, listener} of judged)
      for (const cookie of own)
        for (const flaw of flawsOf(cookie, listener, promises))
          if (!findings.has(flaw.message + flaw.actual))
            findings.set(flaw.message + flaw.actual, {
              ...flaw,
              evidence: evidence(about(cookie.result, [cookie.probe]), upstream.recorder),
            })
    if (findings.size > 0) return {status: 'failed', findings: [...findings.values()]}
    return {status: 'passed', detail: [...new Set(cookies.map(shown))].join(', ')}
  },
})

function missing(result: SetCookiesResult | undefined, recorder: Parameters<typeof evidence>[1]) {
  return {
    status: 'failed',
    findings: [
      {
        message: 'Expected a new visitor to get the cookie of the proxy',
        expected: 'a Set-Cookie that is not of GMS',
        actual: 'none',
        evidence: evidence(result ?? [], recorder),
      },
    ],
  } as const
}

type Flaw = Omit<Draft, 'evidence'>

/** What is wrong with one cookie: first what makes browsers drop it or not send it back, then what was promised and is not there. */
function flawsOf(cookie: Seen, {stage, meansTls}: Pick<ListenerStage, 'stage' | 'meansTls'>, promises: Promises): readonly Flaw[] {
  const {attributes} = cookie
  const has = (name: string) => attributes[name] !== undefined
  const tls = stage.target.url.protocol === 'https:'
  const host = (stage.target.hostHeader.replace(/:\d+$/, '') || stage.target.url.hostname).toLowerCase()
  const crossSite = attributes['samesite']?.toLowerCase() === 'none'
  const flaw = (wrong: boolean, message: string, expected: string): readonly Flaw[] =>
    wrong ? [{message, expected, actual: shown(cookie)}] : []
  const {cookie: promised} = promises
  const lasts = attributes['max-age'] ?? (attributes['expires'] === undefined ? undefined : secondsUntil(attributes['expires']))
  const domain = attributes['domain']?.toLowerCase().replace(/^\./, '')
  return [
    ...flaw(
      has('secure') && !tls && !meansTls,
      'Expected the cookie to be one that browsers take over plain http',
      'no Secure: browsers drop the cookie',
    ),
    ...flaw(
      crossSite && !has('secure'),
      'Expected SameSite=None only with Secure',
      'Secure beside SameSite=None: browsers drop the cookie',
    ),
    ...flaw(
      has('partitioned') && !has('secure'),
      'Expected Partitioned only with Secure',
      'Secure beside Partitioned: browsers drop the cookie',
    ),
    ...flaw(!coversChat(attributes['path'], promises), 'Expected the cookie to be sent with every request of a chat', 'Path=/'),
    ...flaw(
      domain !== undefined && domain !== '' && host !== domain && !host.endsWith(`.${domain}`),
      'Expected a Domain that the host of the chat belongs to',
      `no Domain, or one that ${host} belongs to`,
    ),
    ...flaw(
      lasts !== undefined && Number(lasts) < LEAST_S,
      'Expected the cookie to outlast a chat',
      `no Max-Age, or ${LEAST_S} and more: without its cookie the rest of a chat goes to another node`,
    ),
    ...flaw(promised?.httpOnly === true && !has('httponly'), 'Expected scripts not to read the cookie', 'HttpOnly, as promised'),
    ...flaw(promised !== undefined && tls && !has('secure'), 'Expected a cookie of https to stay there', 'Secure'),
    ...flaw(
      // Without TLS there is no Secure, and without that neither of the two.
      promised?.sameSite !== undefined &&
        (tls || promised.sameSite !== 'none') &&
        (attributes['samesite'] ?? '').toLowerCase() !== promised.sameSite,
      'Expected the SameSite that was promised',
      `SameSite=${promised?.sameSite ?? ''}`,
    ),
    ...flaw(
      promised?.partitioned === true && tls && !has('partitioned'),
      'Expected one cookie for each embedding site',
      'Partitioned, as promised',
    ),
  ]
}

/** Without a Path it is the folder of the request (RFC 6265, 5.1.4): that of the polls is not that of the files. */
function coversChat(path: string | undefined, {paths}: Promises): boolean {
  const prefix = path === undefined || !path.startsWith('/') ? undefined : path
  return [COMETD_PATH, FILES_PATH]
    .filter(wanted => paths.some(own => wanted === own || wanted.startsWith(own.replace(/\/?$/, '/'))))
    .every(wanted => prefix !== undefined && (wanted === prefix || wanted.startsWith(prefix.replace(/\/?$/, '/'))))
}

function secondsUntil(date: string): string | undefined {
  const at = Date.parse(date)
  return Number.isNaN(at) ? undefined : String((at - Date.now()) / 1000)
}

/** `GMS_NODE; Path=/; HttpOnly`, without the value. */
function shown({name, attributes}: SetCookie): string {
  return [name, ...Object.entries(attributes).map(([key, value]) => (value === '' ? key : `${key}=${value}`))].join('; ')
}
