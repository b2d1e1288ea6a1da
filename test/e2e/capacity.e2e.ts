import {describe, expect, it} from 'vitest'
import {verifyJson} from '../support/cli.ts'

/** More than any of the published samples holds. `GMS_PROXY_CHATS=9500` is the whole promise of the fixture; it takes minutes. */
const CHATS = Number(process.env['GMS_PROXY_CHATS'] ?? 2500)

// A container has limits of its own, and its published port stands for all clients.
describe.runIf(process.env['GMS_PROXY_RUNTIME'] !== 'docker')(`${CHATS} idle chats`, () => {
  it.each(['nginx', 'apache', 'haproxy'])(
    'through %s, and a poll beside them is answered at once',
    async proxy => {
      const {report, stderr} = await verifyJson([
        proxy,
        '--params',
        'fixtures/parameters/many-chats.yaml',
        '--set',
        `limits.chats=${CHATS}`,
        '--only',
        'limits-hold-idle-chats',
      ])
      const [outcome] = report.subjects.flatMap(({outcomes}) => outcomes)
      expect(outcome, stderr).toMatchObject({
        id: 'limits-hold-idle-chats',
        status: 'passed',
        detail: expect.stringMatching(
          new RegExp(`^${CHATS} held, opened in .*; \\d+ MB of memory more than without, [\\d.]+ kB each$`),
        ) as string,
      })
    },
    120_000 + CHATS * 40,
  )
})
