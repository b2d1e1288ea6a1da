import {join} from 'node:path'
import {execa} from 'execa'
import {describe, expect, it} from 'vitest'
import {silentLogger} from '../../src/log.ts'
import {loadParameters} from '../../src/parameters/load.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {resolveRuntime} from '../../src/runtime/resolve.ts'
import {setStage} from '../../src/verify/stage.ts'
import {prepare} from '../../src/verify/subject.ts'
import {projectRoot} from '../support/cli.ts'
import {runtimeRequest} from '../support/runtime.ts'

// The product isolates the official client, so that every user has cookies of his own. Here it runs as npm delivers it, one process a user.
describe('the official client with its own Node adapter, untouched', () => {
  it.each(Object.values(PROXIES).map(proxy => [proxy.name, proxy] as const))(
    'chats through rendered %s over WebSocket',
    {timeout: 60_000},
    async (_, proxy) => {
      const stated = await loadParameters({
        file: join(projectRoot, 'fixtures/parameters/two-nodes.yaml'),
        overrides: [],
        stdin: () => Promise.resolve(''),
      })
      // Its adapter cannot send a Host of our choice.
      const parameters = {...stated.parameters, listener: [{address: '*', port: 80, serverNames: []}]}
      const {signal} = new AbortController()
      const runtime = await resolveRuntime(proxy, runtimeRequest(proxy.name), signal)
      const prepared = prepare({kind: 'rendered', name: proxy.name, proxy, stated: {...stated, parameters}}, runtime)
      const set = await setStage({proxy, prepared, runtime, allowExec: false, keep: false, signal, logger: silentLogger})
      try {
        const {stdout} = await execa(process.execPath, [join(projectRoot, 'test/e2e/stock-client.mjs'), set.stage.target.url.origin])
        expect(stdout).toBe('websocket')
      } finally {
        await set[Symbol.asyncDispose]()
      }
    },
  )
})
