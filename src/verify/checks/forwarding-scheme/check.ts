import type {CapturedRequest} from '../../../simulator/recorder.ts'
import type {ListenerStage} from '../../chat-listeners.ts'
import {chatListeners} from '../../chat-listeners.ts'
import type {Draft} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import type {WayIn} from '../../ways-in.ts'
import {judgeWays, waysIn} from '../../ways-in.ts'

/** Headers by which Jetty, under GMS, learns the scheme of a client (ForwardedRequestCustomizer). */
const BELIEVED = ['x-forwarded-proto', 'forwarded'] as const
type Scheme = 'http' | 'https'

const forgedFor = (scheme: Scheme) =>
  [
    ['X-Forwarded-Proto', scheme],
    ['Forwarded', `for=203.0.113.68;proto=${scheme}`],
  ] as const

export const check = withWitnesses({
  meta: {
    id: 'forwarding-scheme',
    title: 'GMS learns whether the client came over http or https',
    concern: 'forwarding',
    severity: 'warning',
    requirement:
      'X-Forwarded-Proto says https for clients of an encrypted listener, never the wrong scheme, and what a client wrote about its scheme itself does not reach GMS.',
    remediation: {
      nginx: 'proxy_set_header X-Forwarded-Proto $scheme; and proxy_set_header Forwarded "";',
      apache: 'RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}, and RequestHeader unset Forwarded',
      haproxy: 'http-request set-header X-Forwarded-Proto https if { ssl_fc }, and http if !{ ssl_fc };\nhttp-request del-header Forwarded',
    },
    directives: {
      nginx: ['proxy_set_header x-forwarded-proto', 'proxy_pass'],
      apache: ['RequestHeader set x-forwarded-proto', 'RequestHeader', 'ProxyPass'],
      haproxy: ['http-request set-header x-forwarded-proto', 'http-request', 'option forwardfor', 'backend'],
    },
    references: ['RFC 7239, 5.4 Forwarded Proto and 8.1 Header Validity and Integrity', 'Jetty: ForwardedRequestCustomizer'],
  },
  presupposes: ['upstream-path-intact', 'listener-reaches-gms'],
  isolation: 'shared',
  budgetMs: () => 90_000,
  async run(stage) {
    const chats = await chatListeners(stage)
    if (chats.length === 0) return {status: 'skipped', because: 'no request for the chat reaches GMS (see listener-reaches-gms)'}
    const judged = await Promise.all(chats.map(judge))
    const findings = judged.flatMap(({findings: own}) => own)
    if (findings.length > 0) return {status: 'failed', findings}
    return judged.every(({seen}) => seen)
      ? {status: 'passed', detail: [...new Set(judged.map(({detail}) => detail))].join('; ')}
      : {status: 'skipped', because: 'not every kind of request reached GMS: a second one of the same kind said nothing'}
  },
})

/** What one listener makes of its clients' scheme. */
async function judge({address, meansTls, stage}: ListenerStage): Promise<{findings: readonly Draft[]; seen: boolean; detail: string}> {
  const scheme: Scheme = stage.target.url.protocol === 'https:' ? 'https' : 'http'
  const other: Scheme = scheme === 'https' ? 'http' : 'https'
  const [honest, forged] = await Promise.all([waysIn(stage), waysIn(stage, forgedFor(other))])
  const told = (name: string, ways: readonly WayIn[]) => ways.find(way => way.name === name)?.arrived
  const where = address === '' ? '' : ` at ${address}`
  const ofScheme = judgeWays(honest, stage, {
    flawOf: arrived => {
      const said = schemeIn(arrived)
      if (scheme === 'https')
        return said === 'https' ? undefined : said === undefined ? 'no X-Forwarded-Proto' : `X-Forwarded-Proto: ${said}`
      // A constant https on a plain listener: another proxy in front of this one ends TLS. Only what varies is wrong here.
      return said === undefined || said === 'http' || meansTls || said === 'https' ? undefined : `X-Forwarded-Proto: ${said}`
    },
    message: `Expected GMS to learn that clients${where} come over ${scheme}`,
    expected: `X-Forwarded-Proto: ${scheme}`,
    show: ['x-forwarded-proto', 'forwarded'],
  })
  const ofForgery = judgeWays(forged, stage, {
    flawOf: (arrived, {name}) => {
      const plain = told(name, honest)
      const believed = BELIEVED.flatMap(header =>
        (arrived.headers[header] ?? [])
          .filter(value => isForged(header, value, other) && !(plain?.headers[header] ?? []).includes(value))
          .map(value => `${header}: ${value}`),
      )
      return believed.length === 0 ? undefined : believed.join('; ')
    },
    message: `Expected what a client writes about its scheme to be dropped${where}`,
    expected: 'only the scheme that the proxy saw',
    show: BELIEVED,
  })
  const seen =
    honest.some(({arrived}) => arrived !== undefined) &&
    honest.every(({name, arrived}) => (arrived !== undefined) === (told(name, forged) !== undefined))
  const values = [...new Set(honest.flatMap(({arrived}) => (arrived ? [schemeIn(arrived) ?? 'none'] : [])))]
  return {findings: [...ofScheme, ...ofForgery], seen, detail: `X-Forwarded-Proto: ${values.join(', ')}`}
}

/** The scheme that a request names, in the words of the field or of RFC 7239; several lines are one list, its last entry the nearest proxy's. */
function schemeIn({headers}: CapturedRequest): string | undefined {
  const fields = (headers['x-forwarded-proto'] ?? []).flatMap(line => line.split(','))
  const proto = /proto="?([a-z]+)/i.exec((headers['forwarded'] ?? []).join(','))?.[1]
  return (fields.at(-1)?.trim() ?? proto)?.toLowerCase()
}

function isForged(header: (typeof BELIEVED)[number], value: string, scheme: Scheme): boolean {
  if (header === 'forwarded') return value.includes('203.0.113.68')
  return value
    .toLowerCase()
    .split(',')
    .some(item => item.trim() === scheme)
}
