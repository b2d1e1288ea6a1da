import {writer} from '../model/live.ts'
import type {Answer, Live, Look} from '../model/live.ts'
import type {SubjectReport} from '../model/report.ts'
import {phasesOf} from './live-phases.ts'
import {duration} from './plain.ts'

const TITLES = {nginx: 'nginx', apache: 'Apache httpd', haproxy: 'HAProxy'} as const

/** `nginx 1.22.1`, `probably HAProxy`: who stands in front; what tells so behind it. */
export function inFront({proxy}: Look): string {
  if (!proxy) return 'the proxy was not recognised'
  const {confidence, version, because} = proxy
  const sure = confidence === 'certain' ? '' : confidence === 'likely' ? 'probably ' : 'perhaps '
  return `${sure}${TITLES[proxy.proxy]}${version === undefined ? '' : ` ${version}`}${because.length === 0 ? '' : ` (${because.join(', ')})`}`
}

/** How long a silent WebSocket lived, in a sentence; none where no silence was tried. */
export function idleSentence({idle}: Live): string | undefined {
  if (!idle) return undefined
  const {triedMs, survivedMs, cutMs, deafAfterMs, code} = idle
  const alive = survivedMs > 0 ? `, alive after ${duration(survivedMs)}` : ''
  if (cutMs !== undefined) return `cut after ${duration(cutMs)} of silence${code === undefined ? '' : ` (close ${code})`}${alive}`
  if (deafAfterMs !== undefined) return `deaf after ${duration(deafAfterMs)} of silence: no answer came${alive}`
  return `open after ${duration(triedMs)} of silence, the longest that was tried`
}

/** Answers that GMS did not give, or that say no: those worth reading. */
export function tellingAnswers({asks, underOtherHost}: Look): readonly Answer[] {
  const all = [...Object.values(asks).flatMap(answer => answer ?? []), ...(underOtherHost ? [underOtherHost.answer] : [])]
  return all.filter(({status, by, failure}) => (status === undefined ? failure !== undefined : by.who !== 'gms' || status >= 400))
}

/** `HTTP/1.1 404 Not Found, by nginx 1.22.1 (its page)`. */
export function answerWords({statusLine, failure, by}: Answer): string {
  return `${statusLine ?? failure?.reason ?? 'no answer'}, ${writer(by)}${by.because.length > 0 ? ` (${by.because.join(', ')})` : ''}`
}

/** One line of a small table: how it went, what it was, how long it took, what came of it. */
export interface Fared {
  mark: 'passed' | 'failed' | 'skipped' | 'errored'
  name: string
  tookMs?: number
  text: string
}

/** Phases, forced transports, affinity, hold and silence, in the order in which a chat meets them. */
export function faredOf(live: Live): readonly Fared[] {
  const {seen} = live
  const idle = idleSentence(live)
  const {affinity, hold} = seen
  return [
    ...phasesOf(seen),
    ...Object.entries(seen.transports).flatMap(([name, transport]): readonly Fared[] =>
      transport
        ? [
            {
              mark: transport.works ? 'passed' : 'failed',
              name,
              tookMs: transport.tookMs,
              text: transport.works ? 'a session, forced' : (transport.stoppedAt ?? 'no session came about'),
            },
          ]
        : [],
    ),
    ...(affinity && affinity.users > 0
      ? [
          {
            mark: affinity.strangers === 0 ? ('passed' as const) : ('failed' as const),
            name: 'affinity',
            text: `${affinity.strangers} of ${affinity.users} new users met a node that did not know their session`,
          },
        ]
      : []),
    ...(hold?.heldMs === undefined
      ? []
      : [
          {
            mark: hold.successful ? ('passed' as const) : ('failed' as const),
            name: 'held poll',
            tookMs: hold.heldMs,
            text: hold.successful ? 'answered by GMS' : `${hold.status ?? 'no answer'}${hold.by ? ` ${writer(hold.by)}` : ''}`,
          },
        ]),
    ...(idle === undefined
      ? []
      : [
          {
            mark: live.idle?.cutMs === undefined && live.idle?.deafAfterMs === undefined ? ('passed' as const) : ('failed' as const),
            name: 'silence',
            text: `a WebSocket is ${idle}`,
          },
        ]),
  ]
}

/** What was seen of a proxy that runs, in plain lines; none for a file. */
export function liveLines({live}: SubjectReport): readonly string[] {
  if (!live) return []
  const lines = (fared: readonly Fared[]) =>
    fared.map(
      ({mark, name, tookMs, text}) =>
        `${mark} ${[name, ...(tookMs === undefined ? [] : [duration(tookMs)]), text].filter(word => word !== '').join(': ')}`,
    )
  return [
    `In front: ${inFront(live.seen)}`,
    ...lines(faredOf(live)),
    ...tellingAnswers(live.seen).map(answer => `${answer.what}: ${answerWords(answer)}`),
    ...(live.direct ? [`GMS itself at ${live.direct.seen.url}:`, ...lines(faredOf(live.direct))] : []),
  ]
}
