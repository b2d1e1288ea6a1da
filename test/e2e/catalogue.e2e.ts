import {once} from 'node:events'
import type {IncomingMessage} from 'node:http'
import {request} from 'node:http'
import {join} from 'node:path'
import {json} from 'node:stream/consumers'
import pLimit from 'p-limit'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {readBundle} from '../../src/bundle/disk.ts'
import {explain} from '../../src/diagnose/diagnose.ts'
import type {FileSubject} from '../../src/diagnose/fix.ts'
import type {Target} from '../../src/flows/flow.ts'
import {RULES} from '../../src/lint/rules/index.ts'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import type {Cause, SubjectReport} from '../../src/model/report.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {CHECKS} from '../../src/verify/checks/index.ts'
import {verify} from '../../src/verify/verify.ts'
import {COMETD_PATH} from '../../src/wire/bayeux.ts'
import type {CatalogueCase} from '../support/catalogue-cases.ts'
import {catalogueCases, readCase} from '../support/catalogue-cases.ts'
import {projectRoot} from '../support/cli.ts'
import {proxiedSimulator} from '../support/proxied-simulator.ts'
import {suiteOptions} from '../support/runtime.ts'

// Known misconfigurations are run with the checks that feel them, and the right cause is named first, as certain. One entry for each cause;
// all of them: GMS_PROXY_EVERY_ENTRY=1 npx vitest run --project e2e test/e2e/catalogue.e2e.ts
// What diagnose and fix make of them when every check runs is measured: npm run bench -- catalogue

const every = process.env['GMS_PROXY_EVERY_ENTRY'] === '1'
/** Runs at once: two cores are not starved. */
const AT_ONCE = 3
const PATIENCE_MS = 240_000

/** Checks that wait for nothing. */
const brisk: ReadonlySet<string> = new Set(CHECKS.flatMap(check => (check.longestWaitMs || check.heavy ? [] : [check.meta.id])))

interface Felt extends CatalogueCase {
  checks: readonly string[]
}

const felt = catalogueCases().flatMap((each): readonly Felt[] => {
  const rule = RULES.find(({meta}) => meta.id === each.cause)
  const {breaks = [], breaksOneOf = [], provenBy} = rule?.meta ?? {}
  const checks = [...breaks, ...breaksOneOf]
  const felt = !provenBy || (provenBy.on !== undefined && !provenBy.on.some(file => each.path.endsWith(`/${file}`)))
  return felt && each.entry.onlyRead === undefined && checks.length > 0 && checks.every(id => brisk.has(id)) ? [{...each, checks}] : []
})
const cases = every ? felt : felt.filter(({cause}, index) => felt.findIndex(other => other.cause === cause) === index)

const interrupted = new AbortController()
const runs = new Map<string, Promise<readonly Cause[]>>()

beforeAll(() => {
  const lane = pLimit(AT_ONCE)
  for (const each of cases) {
    const run = lane(() => causesOf(each))
    run.catch(() => undefined)
    runs.set(each.name, run)
  }
})
afterAll(() => interrupted.abort(new Error('the tests are over')))

describe('the right cause of a known misconfiguration is named first', () => {
  it.each(cases)(
    '$name',
    async ({name, cause}) => {
      const [first] = (await runs.get(name)) ?? []
      expect(first && `${first.confidence} ${first.id}`).toBe(`certain ${cause}`)
    },
    PATIENCE_MS,
  )
})

describe('what no file shows', () => {
  it('nginx-h2-no-rfc8441: a WebSocket takes a connection of its own', async () => {
    const {bundle} = await readBundle(join(projectRoot, 'fixtures/foreign/nginx/tls/nginx.conf'), {proxies: Object.values(PROXIES)})
    const {outcomes = []} = (await run({kind: 'file', name: 'nginx.conf', proxy: PROXIES.nginx, bundle}, ['tls-http2-front'])) ?? {}
    expect(outcomes).toMatchObject([{id: 'tls-http2-front', status: 'passed', detail: 'a chat, a WebSocket beside it'}])
  })

  it.each(PROXY_NAMES)('sticky-cookie-client-without-jar: %s is right, and a client that keeps no cookies has no session', async name => {
    await using set = await proxiedSimulator(PROXIES[name])
    const say = (message: object) => answerWithoutJar(set.target, message)
    const handshake = {channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['long-polling']}
    const {clientId} = await say(handshake)
    expect(clientId).toEqual(expect.any(String))
    const answers = []
    for (let attempt = 0; attempt < 4; attempt += 1)
      answers.push(await say({channel: '/meta/connect', clientId, connectionType: 'long-polling', advice: {timeout: 0}}))
    expect(answers.map(({error}) => error)).toEqual(answers.map(() => expect.stringMatching(/^40[23]:/) as string))
  })
})

/** One Bayeux message over long-polling, from a client that forgets every cookie. */
async function answerWithoutJar({url, hostHeader}: Target, message: object): Promise<{clientId?: string; error?: string}> {
  const asked = request(new URL(COMETD_PATH, url), {
    method: 'POST',
    headers: {Host: hostHeader, 'Content-Type': 'application/json'},
    agent: false,
  })
  asked.end(JSON.stringify([{id: '1', ...message}]))
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const [first] = (await json(answer)) as readonly {clientId?: string; error?: string}[]
  if (!first) throw new Error('no message in the answer')
  return first
}

async function causesOf(each: Felt): Promise<readonly Cause[]> {
  const {subject} = await readCase(each)
  const judged = await run(subject, each.checks)
  return judged ? explain(judged, subject, RULES).causes : []
}

async function run(subject: FileSubject, only: readonly string[]): Promise<SubjectReport | undefined> {
  const {subjects} = await verify(
    [subject],
    suiteOptions({
      only,
      signal: interrupted.signal,
      reproduce: `gms-proxy diagnose ${subject.name}`,
    }),
  )
  return subjects[0]
}
