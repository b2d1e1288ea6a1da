import {join} from 'node:path'
import {execa} from 'execa'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {CHAT_STYLES} from '../../src/flows/chat-session.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import type {Recorder} from '../../src/simulator/recorder.ts'
import {startSimulator} from '../../src/simulator/simulator.ts'
import {BAYEUX_TRANSPORTS} from '../../src/wire/bayeux.ts'
import type {BayeuxTransport} from '../../src/wire/bayeux.ts'
import {projectRoot} from '../support/cli.ts'
import {renderedStage} from '../support/rendered-stage.ts'

// The product isolates the official client, so that every user has cookies of his own. Here clients run as npm delivers them, one process
// a user: the official one with its own adapter, in both styles of the vendor page, and one of other authors.

interface Place extends AsyncDisposable {
  origin: string
  recorder: Recorder
}

/** What a client tells of its chat. */
interface Seen {
  clientId: string
  answer: string
  transport?: string
  sessions?: number
}

const PLACES: readonly (readonly [string, () => Promise<Place>])[] = [
  [
    'straight at GMS',
    async () => {
      const gms = await startSimulator({nodes: 1})
      return {
        origin: `http://127.0.0.1:${gms.nodes[0]?.port}`,
        recorder: gms.recorder,
        [Symbol.asyncDispose]: () => gms[Symbol.asyncDispose](),
      }
    },
  ],
  ...Object.values(PROXIES).map(proxy => {
    const set = async (): Promise<Place> => {
      const stage = await renderedStage(proxy, {anyHost: true})
      const {upstream, target} = stage.stage
      if (upstream === undefined) throw new Error('no second witness')
      return {origin: target.url.origin, recorder: upstream.recorder, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]()}
    }
    return [`through rendered ${proxy.name}`, set] as const
  }),
]

describe.each(PLACES)('%s', (_, open) => {
  let place: Place
  beforeAll(async () => {
    place = await open()
  })
  afterAll(async () => place[Symbol.asyncDispose]())

  const run = async (script: string, ...argv: readonly string[]): Promise<Seen> => {
    const {stdout} = await execa(process.execPath, [join(projectRoot, 'test/e2e', script), place.origin, ...argv])
    return JSON.parse(stdout) as Seen
  }
  /** How what was published in the session came to GMS. */
  const published = (clientId: string): readonly BayeuxTransport[] => [
    ...new Set(
      place.recorder
        .bySession(clientId)
        .filter(({messages}) => messages.some(({channel}) => channel.startsWith('/service/')))
        .flatMap(({transport}) => transport ?? []),
    ),
  ]

  describe.each(BAYEUX_TRANSPORTS)('over %s', transport => {
    it.each(CHAT_STYLES)('the official client with its own Node adapter chats, %s', {timeout: 60_000}, async style => {
      const seen = await run('stock-client.mjs', style, transport)
      expect(seen).toMatchObject({transport, answer: 'You said: Hello'})
      expect(published(seen.clientId)).toEqual([transport])
    })

    it('the client of faye chats', {timeout: 60_000}, async () => {
      const seen = await run('faye.mjs', transport)
      expect(seen).toMatchObject({answer: 'You said: Hello'})
      expect(published(seen.clientId)).toEqual([transport])
      expect(seen.sessions).toBe(1)
    })
  })

  it('the official client, left free, chats over WebSocket', {timeout: 60_000}, async () => {
    expect(await run('stock-client.mjs', 'addListener')).toMatchObject({transport: 'websocket', answer: 'You said: Hello'})
  })
})
