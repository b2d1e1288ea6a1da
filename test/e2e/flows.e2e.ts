import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {auth, CREDENTIALS} from '../../src/flows/auth.ts'
import {FILE_LIMITS, files} from '../../src/flows/files.ts'
import type {Flow, Target, Transcript} from '../../src/flows/flow.ts'
import {longChat} from '../../src/flows/long-chat.ts'
import {push} from '../../src/flows/push.ts'
import {typing} from '../../src/flows/typing.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import type {Simulator} from '../../src/simulator/simulator.ts'
import {BAYEUX_TRANSPORTS} from '../../src/wire/bayeux.ts'
import {proxiedSimulator} from '../support/proxied-simulator.ts'

// Whole stories of a customer through each rendered proxy, over each transport, in front of a GMS that wants credentials.
const CREDENTIAL = {username: 'user1', password: 'pass1'}
const {signal} = new AbortController()

describe.each(Object.values(PROXIES).map(proxy => [proxy.name, proxy] as const))('through rendered %s', (_, proxy) => {
  let set: {target: Target; simulator: Simulator} & AsyncDisposable
  let known: Target
  beforeAll(async () => {
    set = await proxiedSimulator(proxy, {auth: CREDENTIAL, agentTypes: true})
    known = {...set.target, auth: CREDENTIAL}
  })
  afterAll(() => set[Symbol.asyncDispose]())
  const run = <I, R extends Transcript>(flow: Flow<I, R>, input: I, target = known): Promise<R> =>
    flow.run(target, input, {budgets: {answer: 15_000, hold: 30_000, networkDelay: 10_000}, signal})

  describe.each(BAYEUX_TRANSPORTS)('over %s', transport => {
    it('types, sends, reads and says so', async () => {
      const seen = await run(typing, {transport})
      expect(seen).toMatchObject({ended: 'completed', preview: 'I need help with my acc', agentTyped: true, flaws: []})
      expect(seen.operations.every(({statusCode}) => statusCode === 0)).toBe(true)
    })

    it('gives credentials in both forms, and is refused without the right ones', async () => {
      const {ended, attempts} = await run(auth, {...CREDENTIAL, transport}, set.target)
      expect(ended).toBe('completed')
      expect(attempts.map(({credentials, opened}) => [credentials, opened])).toEqual(
        CREDENTIALS.map(credentials => [credentials, credentials === 'open' || credentials === 'encoded']),
      )
      for (const {opened, errors} of attempts) if (!opened) expect(errors.join()).toMatch(/^401 /)
    })

    it('comes back to its chat with the same device, nothing lost and nothing twice', async () => {
      const before = set.simulator.pushed.length
      const device = {
        push_notification_deviceid: `phone-${transport}`,
        push_notification_type: 'fcm',
        push_notification_language: 'de',
        push_notification_provider: 'shop',
      } as const
      const seen = await run(push, {transport, device, whileAway: key => set.simulator.agentSays('Are you still there?', key)})
      expect(seen).toMatchObject({ended: 'completed', flaws: []})
      expect(new Set(seen.clientIds).size).toBe(2)
      const indexes = seen.events.map(({index}) => index)
      expect(indexes).toEqual([...new Set(indexes)].sort((a, b) => a - b))
      expect(seen.events.filter(({text}) => text === 'Are you still there?')).toHaveLength(1)
      const pushed = set.simulator.pushed.slice(before).filter(({deviceId}) => deviceId === device.push_notification_deviceid)
      expect(pushed.some(({body, provider}) => body === 'Are you still there?' && provider === 'shop')).toBe(true)
    })

    it('sends, describes, fetches and deletes files, and runs into every limit', async () => {
      const whole = await run(files, {transport, bytes: 300_000})
      expect(whole).toMatchObject({ended: 'completed', deleted: true, flaws: [], afterDelete: {status: 500, hasReferenceId: true}})
      expect(whole.downloads.map(({status, sha256}) => [status, sha256])).toEqual(whole.downloads.map(() => [200, whole.sentSha256]))
      expect(whole.uploadedEvent?.userData).toMatchObject(whole.described)
      expect(whole.deletedEvent?.userData?.['file-id']).toBe(whole.fileId)
      for (const limit of FILE_LIMITS.filter(name => name !== 'upload-max-total-size')) {
        const {refusals} = await run(files, {transport, limits: [limit]})
        expect(refusals).toEqual([{limit, refusal: expect.stringMatching(/\S/) as string}])
      }
    })

    it('goes on for long, in order, with a new key after every answer', async () => {
      const seen = await run(longChat, {
        transport,
        messages: 8,
        agentSpeaks: (key, round) => set.simulator.agentSays(`By the way, ${round}`, key),
      })
      expect(seen).toMatchObject({ended: 'completed'})
      // Two answers on two connections may overtake each other.
      expect(seen.flaws.filter(({kind}) => transport === 'websocket' || kind !== 'index-behind')).toEqual([])
      const said = seen.said.map(({index}) => index ?? 0)
      expect(said).toEqual([...said].sort((a, b) => a - b))
      expect(seen.files.map(({gotSha256}) => gotSha256)).toEqual(seen.files.map(({sentSha256}) => sentSha256))
      expect(seen.keys).toBeGreaterThan(40)
    })
  })
})
