import type {Logger} from '../log.ts'
import type {Outcome} from '../model/report.ts'
import type {Proxy} from '../proxies/proxy.ts'
import type {Runtime} from '../runtime/runtime.ts'
import {testConfiguration} from '../runtime/start.ts'
import {ANYBODY} from './gms.ts'
import type {Stage} from './check.ts'
import {check} from './checks/listener-config-accepted/check.ts'
import {encryptionOf} from './encryption.ts'
import {runCheck} from './run-check.ts'
import {addressesOf, budgetsFor, targetOf} from './stage.ts'
import type {SetStage} from './stage.ts'
import type {Prepared} from './subject.ts'

interface TestOptions {
  proxy: Proxy
  prepared: Prepared
  runtime: Runtime
  allowExec: boolean
  /** What the command line named, and a file of the configuration as it would name it. */
  name: string
  pathOf(file: string): string
  signal: AbortSignal
  logger: Logger
}

/** The discard port: nothing is sent there. */
const NOWHERE = '127.0.0.1:9'

/**
 * The check listener-config-accepted alone, in the sandbox; the proxy tests the configuration and is not started.
 * @throws UsageError when the configuration would run its author's code or leave the sandbox (unless `allowExec`).
 * @throws EnvironmentError when this machine, not the file, is why it cannot be tested.
 */
export async function testedConfiguration({
  proxy,
  prepared,
  runtime,
  allowExec,
  name,
  pathOf,
  signal,
  logger,
}: TestOptions): Promise<Outcome> {
  const {bundle, config, promises, environment} = prepared
  const encryption = await encryptionOf(proxy, prepared)
  const messages = await testConfiguration({
    proxy,
    bundle,
    runtime,
    nodes: Array.from({length: Math.max(1, addressesOf(proxy, prepared).length)}, () => NOWHERE),
    ...(encryption ? {certificates: encryption} : {}),
    ...(environment ? {environment} : {}),
    allowExec,
    keep: false,
    signal,
    logger,
  })
  const nothing = async () => undefined
  const budgets = budgetsFor(promises)
  const stage: Stage = {
    target: targetOf(new URL(`http://${NOWHERE}`), promises, ANYBODY),
    promises,
    budgets,
    signal,
    mostChats: 0,
    configuration: {
      accepted: !messages.some(({level}) => level === 'error'),
      listeners: [],
      messages,
      complaints: async () => [],
      log: async () => '',
      memory: nothing,
      reload: nothing,
      findInLog: async () => [],
    },
    flow: (flow, input, against) => flow.run(against ?? stage.target, input, {budgets, signal}),
  }
  const set: SetStage = {stage, sandbox: {diff: '', nodes: []}, [Symbol.asyncDispose]: nothing}
  return runCheck(check, set, {name, proxy, config, pathOf, signal, logger})
}
