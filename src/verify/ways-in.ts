import {networkInterfaces} from 'node:os'
import type {PlainRequestInput, PlainRequestResult} from '../flows/plain-request.ts'
import {plainRequest} from '../flows/plain-request.ts'
import type {Promises} from '../model/report.ts'
import type {CapturedRequest} from '../simulator/recorder.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'
import type {Draft, WitnessedStage} from './check.ts'
import {evidence} from './evidence.ts'

/** One kind of request that clients send, and what of it reached GMS. */
export interface WayIn {
  name: string
  transcript: PlainRequestResult
  /** Absent when it did not reach GMS: other checks say why. */
  arrived?: CapturedRequest
  /** Address that it was sent from, where that was ours to choose. */
  from?: string
}

interface Way {
  name: string
  path: string
  request: PlainRequestInput
}

const JSON_BODY = {method: 'POST', headers: [['Content-Type', 'application/json']] as const, body: '[]'}
const WAYS: readonly Way[] = [
  {name: 'a poll', path: COMETD_PATH, request: {target: `${COMETD_PATH}/handshake`, ...JSON_BODY}},
  {
    name: 'an upgrade',
    path: COMETD_PATH,
    request: {
      target: COMETD_PATH,
      headers: [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
        ['Sec-WebSocket-Version', '13'],
        // The sample nonce of RFC 6455, 1.3.
        ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ],
    },
  },
  {name: 'a file operation', path: FILES_PATH, request: {target: FILES_PATH, ...JSON_BODY}},
]

/**
 * A poll, an upgrade and a file operation, each with `headers`: a proxy may route, and therefore dress, each of them by a rule of its own
 * (nginx drops every inherited proxy_set_header where a location has one). They come from another address of this machine than 127.0.0.1,
 * which many configurations trust or leave out (HAProxy: `option forwardfor except 127.0.0.0/8`), where the proxy can see it and lets it in;
 * with `only` from that address and no other.
 */
export async function waysIn(
  stage: WitnessedStage,
  headers: readonly (readonly [name: string, value: string])[] = [],
  only?: string,
): Promise<readonly WayIn[]> {
  const {flow, promises, upstream} = stage
  const promised = WAYS.filter(way => isPromised(way.path, promises))
  const neighbour = only ?? (seesOurAddress(stage) ? neighbourAddress() : undefined)
  const send = async ({name, request}: Way, from?: string): Promise<WayIn> => {
    const transcript = await flow(plainRequest, {
      ...request,
      headers: [...(request.headers ?? []), ...headers],
      ...(from === undefined ? {} : {from}),
    })
    const arrived = upstream.recorder.byProbe(transcript.probe)
    return {name, transcript, ...(arrived ? {arrived} : {}), ...(from === undefined ? {} : {from})}
  }
  return Promise.all(
    promised.map(async way => {
      const first = await send(way, neighbour)
      return first.arrived || neighbour === undefined || only !== undefined ? first : send(way)
    }),
  )
}

/** One of the promised paths leads there. */
export function isPromised(wanted: string, {paths}: Pick<Promises, 'paths'>): boolean {
  return paths.some(path => wanted === path || wanted.startsWith(`${path.replace(/\/$/, '')}/`))
}

/** Findings over all ways, those that look alike put together. `flawOf` says what is wrong with a request that arrived. */
export function judgeWays(
  ways: readonly WayIn[],
  {upstream}: WitnessedStage,
  {
    flawOf,
    message,
    expected,
    show,
  }: {flawOf(arrived: CapturedRequest, way: WayIn): string | undefined; message: string; expected: string; show: readonly string[]},
): readonly Draft[] {
  const alike = new Map<string, WayIn[]>()
  for (const way of ways) {
    const flaw = way.arrived && flawOf(way.arrived, way)
    if (flaw !== undefined) alike.set(flaw, [...(alike.get(flaw) ?? []), way])
  }
  return [...alike].map(([actual, same]) => ({
    message,
    expected,
    actual: same.length === ways.length ? actual : `${actual} (${same.map(({name}) => name).join(' and ')})`,
    evidence: evidence(
      same.map(({transcript}) => transcript),
      upstream.recorder,
      show,
    ),
  }))
}

/** True when the proxy sees the very address that we connect from, or is told it: not through the network of a container. */
export function seesOurAddress({target, upstream: {bystander}}: Pick<WitnessedStage, 'target' | 'upstream'>): boolean {
  return target.announcedBy !== undefined || bystander.address.startsWith('127.')
}

/** An address of this machine that is not 127.0.0.1; Linux answers to all of 127.0.0.0/8. */
export function neighbourAddress(): string {
  const own = Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .find(({family, internal}) => family === 'IPv4' && !internal)
  return own?.address ?? '127.0.0.2'
}
