import type {Exchange, Transcript} from '../flows/flow.ts'
import {inProduction} from '../model/pace.ts'
import type {Evidence, Moment} from '../model/report.ts'
import type {Judgement} from './check.ts'
import type {CapturedRequest, Recorder} from '../simulator/recorder.ts'

/** The last exchanges tell what broke; those before them went well. */
const MOST_LINES = 5
const LONGEST_ANSWER = 160

/** ms → `12 ms`, `25.0 s`; in compressed time, what it would be in production. */
export function time(measured: number): string {
  const ms = inProduction(measured)
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/**
 * What both ends of the proxy saw of these flows: the last exchanges of the client, and the requests that reached GMS with those headers
 * (`show`) that the check is about.
 */
export function evidence(transcripts: Transcript | readonly Transcript[], recorder?: Recorder, show: readonly string[] = []): Evidence {
  const list = listOf(transcripts)
  const exchanges = list.flatMap(({exchanges: own}) => own).slice(-MOST_LINES)
  const stops = list.flatMap(({stoppedAt}) => (stoppedAt === undefined ? [] : [stoppedAt]))
  const client = [...exchanges.map(clientLine), ...new Set(stops)]
  if (!recorder) return {client, upstream: ['not seen: the proxy was not started by us']}
  const sent = exchanges.flatMap(({probe}) => (probe === undefined ? [] : [probe]))
  const arrived = [...new Set(sent)].flatMap(probe => recorder.byProbe(probe) ?? [])
  const moments = momentsOf(list, {exchanges: new Set(exchanges), arrived, recorder, show})
  return {
    client,
    upstream: arrived.length > 0 ? arrived.map(request => upstreamLine(request, show)) : ['none of these requests reached GMS'],
    ...(moments.length > 0 ? {moments} : {}),
  }
}

/**
 * Both ends on one clock. A transcript counts from its own beginning, GMS from the epoch: the request that took the shortest time from one to
 * the other tells how they lie to each other, so what GMS saw stands early by that time, a few ms. Empty when no request of one of the
 * transcripts arrived: its place is not known then.
 */
function momentsOf(
  transcripts: readonly Transcript[],
  {
    exchanges,
    arrived,
    recorder,
    show,
  }: {exchanges: ReadonlySet<Exchange>; arrived: readonly CapturedRequest[]; recorder: Recorder; show: readonly string[]},
): readonly Moment[] {
  const client: Moment[] = []
  for (const {exchanges: own} of transcripts) {
    const told = own.filter(exchange => exchanges.has(exchange))
    if (told.length === 0) continue
    // Of a WebSocket the upgrade alone arrives as a request; its frames carry the same probe, later.
    const first = new Map(
      [...own].reverse().flatMap(exchange => (exchange.probe === undefined ? [] : [[exchange.probe, exchange] as const])),
    )
    const leads = [...first].flatMap(([probe, {at}]) => {
      const request = recorder.byProbe(probe)
      return request ? [request.at - at] : []
    })
    if (leads.length === 0) return []
    const began = Math.min(...leads)
    client.push(
      ...told.map(exchange => ({end: 'client' as const, text: clientLine(exchange), at: began + exchange.at, tookMs: exchange.tookMs})),
    )
  }
  const upstream = arrived.map(request => {
    const {at, ended, answeredAt, cutAt} = request
    const until = ended === 'answered' ? answeredAt : ended === 'open' ? undefined : cutAt
    return {end: 'upstream' as const, text: upstreamLine(request, show), at, ...(until === undefined ? {} : {tookMs: until - at})}
  })
  const all = [...client, ...upstream]
  const zero = Math.min(...all.map(({at}) => at))
  return all.map(({tookMs, ...moment}) => ({
    ...moment,
    at: inProduction(moment.at - zero),
    ...(tookMs === undefined ? {} : {tookMs: inProduction(tookMs)}),
  }))
}

function listOf(transcripts: Transcript | readonly Transcript[]): readonly Transcript[] {
  return Array.isArray(transcripts) ? (transcripts as readonly Transcript[]) : [transcripts as Transcript]
}

/** The transcript with these requests only: the others went well, and say nothing of what is judged. */
export function about<T extends Transcript>(transcript: T, probes: readonly string[]): T {
  return {...transcript, exchanges: transcript.exchanges.filter(({probe}) => probe !== undefined && probes.includes(probe))}
}

/** The verdict when a header was to be judged and no request carried it to GMS. */
export function nothingArrived(transcripts: Transcript | readonly Transcript[], recorder: Recorder): Judgement {
  const list = listOf(transcripts)
  return {
    status: 'failed',
    findings: [
      {
        message: 'Expected the request to reach GMS',
        expected: 'a request at GMS',
        actual: list.find(({stoppedAt}) => stoppedAt)?.stoppedAt ?? 'none arrived',
        evidence: evidence(transcripts, recorder),
      },
    ],
  }
}

/** `POST /genesys/cometd/connect → 504 in 25.0 s: <html>…`; what a good answer said is not repeated. */
export function clientLine({what, status, tookMs, answer}: Exchange): string {
  const well = status !== undefined ? status < 300 && !answer.includes('"error"') : answer.includes('"successful":true')
  const text = well || answer === '' ? '' : `: ${answer.length > LONGEST_ANSWER ? `${answer.slice(0, LONGEST_ANSWER - 1)}…` : answer}`
  return `${what} → ${status === undefined ? '' : `${status} `}in ${time(tookMs)}${text}`
}

/** `gms1 received POST /genesys/cometd/connect over HTTP/1.1, answered 200 after 12 ms` */
export function upstreamLine(request: CapturedRequest, show: readonly string[] = []): string {
  const {node, method, target, httpVersion, at, status, answeredAt, ended} = request
  // An upgrade lives and dies by these; on every other request they say nothing.
  const names = request.headers['upgrade'] || request.headers['sec-websocket-key'] ? [...show, 'upgrade', 'connection'] : show
  const headers = names.flatMap(name => request.headers[name]?.map(value => `${name}: ${value}`) ?? [`no ${name}`])
  const end =
    ended === 'peer-closed'
      ? 'was still holding it when the connection closed'
      : ended === 'gms-closed'
        ? 'closed the connection without an answer'
        : status === undefined
          ? 'has not answered yet'
          : `answered ${status} after ${time((answeredAt ?? at) - at)}`
  return `${node} received ${method} ${target.split('?')[0] ?? target} over HTTP/${httpVersion}${headers.length > 0 ? ` (${headers.join(', ')})` : ''}, ${end}`
}
