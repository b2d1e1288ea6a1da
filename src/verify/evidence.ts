import type {Exchange, Transcript} from '../flows/flow.ts'
import {inProduction} from '../model/pace.ts'
import type {Evidence} from '../model/report.ts'
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
  return {
    client,
    upstream: arrived.length > 0 ? arrived.map(request => upstreamLine(request, show)) : ['none of these requests reached GMS'],
  }
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
