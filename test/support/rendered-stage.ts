import {join} from 'node:path'
import {silentLogger} from '../../src/log.ts'
import {loadParameters} from '../../src/parameters/load.ts'
import type {Proxy} from '../../src/proxies/proxy.ts'
import {resolveRuntime} from '../../src/runtime/resolve.ts'
import {setStage} from '../../src/verify/stage.ts'
import type {SetStage} from '../../src/verify/stage.ts'
import {prepare} from '../../src/verify/subject.ts'
import {projectRoot} from './cli.ts'
import {runtimeRequest} from './runtime.ts'

/**
 * A rendered proxy that runs in front of simulated nodes, as `verify` sets it up; `fixture` is a file of fixtures/parameters. With `anyHost` it serves every name: clients that
 * nobody here wrote cannot send a Host of our choice.
 */
export async function renderedStage(
  proxy: Proxy,
  {anyHost = false, fixture = 'two-nodes'}: {anyHost?: boolean; fixture?: string} = {},
): Promise<SetStage> {
  const stated = await loadParameters({
    file: join(projectRoot, `fixtures/parameters/${fixture}.yaml`),
    overrides: [],
    stdin: () => Promise.resolve(''),
  })
  const parameters = anyHost
    ? {...stated.parameters, listener: [{address: '*', port: 80, serverNames: [], proxyProtocol: false}]}
    : stated.parameters
  const {signal} = new AbortController()
  const runtime = await resolveRuntime(proxy, runtimeRequest(proxy.name), signal)
  const prepared = prepare({kind: 'rendered', name: proxy.name, proxy, stated: {...stated, parameters}}, runtime)
  return setStage({proxy, prepared, runtime, allowExec: false, keep: false, signal, logger: silentLogger})
}
