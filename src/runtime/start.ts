import {join} from 'node:path'
import {EnvironmentError} from '../errors.ts'
import type {Logger} from '../log.ts'
import {redact, REDACTED} from '../model/redact.ts'
import type {ListenerAddress, Proxy, SandboxCertificates} from '../proxies/proxy.ts'
import {unprivilegedAccount} from './account.ts'
import {binaryHost} from './binary-host.ts'
import {Cleanup} from './cleanup.ts'
import {reapContainers} from './containers.ts'
import {dockerHost} from './docker-host.ts'
import {reapFolders} from './folder.ts'
import type {Exit, Host, Launched} from './host.ts'
import {describeExit, isCrash} from './host.ts'
import {hostLimit, isPortTaken} from './host-limits.ts'
import {readTail} from './output.ts'
import {descriptorLimit} from './descriptors.ts'
import {askUntil, PATIENCE} from './patience.ts'
import {waitUntilAccepting} from './ready.ts'
import {relayAddress, startRelay} from './relay.ts'
import type {ConfigMessage, ReachedListener, RunningProxy, StartCertificates, StartOptions, StartResult} from './runtime.ts'
import type {RunnableConfig} from './sandbox.ts'
import {sandbox} from './sandbox.ts'
import {troubleOfThisMachine} from './trouble.ts'

/** A port is chosen, then used: somebody else may take it between. */
const PORT_ATTEMPTS = 3
const QUOTED_LINES = 8
/** Below this, checks fail because we ourselves run out: measured with all of them at once. */
const LEAST_DESCRIPTORS = 256

/**
 * Makes a configuration runnable, lets the proxy test it, starts it and waits until every listener answers.
 * @throws UsageError when the configuration would run its author's code or leave the sandbox (unless `allowExec`).
 * @throws EnvironmentError when this machine, not the file, is why it does not run.
 */
export async function start(options: StartOptions): Promise<StartResult> {
  await reapOnce(options.runtime.kind, options.logger)
  for (let attempt = 1; attempt <= PORT_ATTEMPTS; attempt += 1) {
    options.signal.throwIfAborted()
    const result = await tryOnce(options)
    if (result !== 'port taken') return result
    options.logger.debug(`${options.proxy.title}: a port was taken before it could be used, attempt ${attempt} of ${PORT_ATTEMPTS}`)
  }
  throw new EnvironmentError(`${options.proxy.title} found a port in use ${PORT_ATTEMPTS} times in a row`, {
    suggestions: [
      'run it again',
      'look for a listener of the configuration that the sandbox does not move: gms-proxy verify --verbose shows what it changed',
    ],
  })
}

/**
 * What the proxy's own test says of a configuration, errors first; nothing is started.
 * @throws UsageError when the configuration would run its author's code or leave the sandbox (unless `allowExec`).
 * @throws EnvironmentError when this machine, not the file, is why it cannot be tested.
 */
export async function testConfiguration(options: StartOptions): Promise<readonly ConfigMessage[]> {
  await reapOnce(options.runtime.kind, options.logger)
  const cleanup = new Cleanup()
  try {
    const {messages} = await test(options, cleanup)
    if (messages === 'port taken')
      throw new EnvironmentError(`${options.proxy.title} found a port in use while it tested the configuration`, {
        suggestions: ['run it again'],
      })
    return messages
  } catch (error) {
    throw troubleOfThisMachine(error)
  } finally {
    await cleanup[Symbol.asyncDispose]()
  }
}

async function tryOnce(options: StartOptions): Promise<StartResult | 'port taken'> {
  const {proxy, runtime, environment, signal, logger} = options
  const cleanup = new Cleanup()
  try {
    const {host, ports, listeners, balancer, runnable, messages} = await test(options, cleanup)
    const [listener] = listeners
    if (messages === 'port taken' || messages.some(({level}) => level === 'error')) {
      await cleanup[Symbol.asyncDispose]()
      return messages === 'port taken' ? messages : {started: false, messages, sandbox: runnable.sandboxed}
    }

    const invocation = proxy.start(host.command, runnable.entry, host.plan.folder, runtime.version)
    const launched = await host.launch(invocation.argv, {...environment, ...invocation.env}, ports)
    cleanup.defer(() => launched.stop(proxy.stopSignal, {hurry: signal.aborted}))
    const hasEnded = () => launched.exit() !== undefined
    const published = (await askUntil(() => (hasEnded() ? [] : launched.ports()), {budgetMs: PATIENCE.ready, signal})) ?? []
    const accepting = (port: number, index: number) =>
      waitUntilAccepting(port, {
        host: listener?.serverName ?? 'localhost',
        tls: listeners[index]?.tls ?? false,
        announcedFrom: isAnnounced(options, listeners[index]) ? balancer : undefined,
        acceptMeansListening: host.acceptMeansListening,
        listensOn: launched.listensOn.bind(launched),
        hasEnded,
        signal,
      })
    const answers = await Promise.all(published.map(accepting))
    const [port] = published
    if (port === undefined || answers.includes(false) || hasEnded()) {
      const early = await whyNotStarted(proxy, runnable, host, launched)
      await cleanup[Symbol.asyncDispose]()
      return early === 'port taken' ? early : {started: false, messages: early, sandbox: runnable.sandboxed}
    }
    const reached = await Promise.all(
      published.map(async (number, index): Promise<ReachedListener> => {
        const listener = listeners[index]
        const reachedAt = (port: number): ReachedListener => ({
          url: new URL(`${listener?.tls ? 'https' : 'http'}://127.0.0.1:${port}`),
          meansTls: listener?.meansTls ?? false,
          address: listener?.address ?? '',
        })
        if (balancer === undefined || !isAnnounced(options, listener)) return reachedAt(number)
        const relay = await startRelay({port: number, from: balancer})
        cleanup.defer(() => relay.close())
        return {...reachedAt(relay.port), announcedBy: balancer}
      }),
    )
    const url = reached[0]?.url ?? new URL(`http://127.0.0.1:${port}`)
    logger.debug(`${proxy.title} ${runtime.version} answers on ${url.href}`)
    const accept = async () => {
      await Promise.all(published.map(accepting))
    }
    const running = runningProxy({options, host, launched, cleanup, url, listeners: reached, accept, messages})
    return {started: true, proxy: running, sandbox: runnable.sandboxed}
  } catch (error) {
    await cleanup[Symbol.asyncDispose]()
    throw troubleOfThisMachine(error)
  }
}

/** What the proxy's own test said of the configuration, and where it was run. */
interface Tested {
  host: Host
  ports: readonly number[]
  listeners: readonly ListenerAddress[]
  /** Address of the relays before listeners whose clients come with a PROXY protocol header; absent: there are none. */
  balancer?: string
  runnable: RunnableConfig
  messages: readonly ConfigMessage[] | 'port taken'
}

/** Makes a configuration runnable and lets the proxy test it; `cleanup` takes away what was made for that. */
async function test(options: StartOptions, cleanup: Cleanup): Promise<Tested> {
  const {proxy, bundle, runtime, nodes, allowExec, environment, keep, signal, logger} = options
  const config = proxy.parse(bundle)
  const listeners = proxy.listeners(config)
  const host =
    runtime.kind === 'binary' ? await binaryHost(proxy, runtime, {keep, signal}) : await dockerHost(proxy, runtime, {keep, nodes, signal})
  cleanup.defer(() => host.dispose())
  if (keep) logger.info(`the sandbox is kept in ${host.folder}`)
  const ports = await host.planPorts(Math.max(1, listeners.length))
  const installation = await host.installation()
  // A container has limits of its own, which its engine sets.
  const openFiles = runtime.kind === 'binary' ? {openFiles: await enoughDescriptors(proxy)} : {}
  const balancer = listeners.some(listener => isAnnounced(options, listener)) ? await relayAddress() : undefined
  const certificates = options.certificates ? await writeCertificates(host, options.certificates) : undefined
  const plan = {
    ...host.plan,
    ...openFiles,
    version: runtime.version,
    ports,
    nodes,
    ...(certificates ? {certificates} : {}),
    ...(balancer === undefined ? {} : {balancer}),
    ...(options.nameServer === undefined ? {} : {nameServer: options.nameServer}),
    installation,
    allowExec,
  }
  const runnable = sandbox(proxy, config, plan, options.edits)
  for (const file of runnable.files) await host.write(file)

  const command = proxy.configTest(host.command, runnable.entry, host.plan.folder, runtime.version)
  // Both are over before one's failure is told: nothing may still use the folder when it is removed.
  const [outcome, reach] = await Promise.allSettled([host.run(command.argv, {...environment, ...command.env}), host.reachesNodes()])
  if (outcome.status === 'rejected') throw outcome.reason
  if (reach.status === 'rejected') throw reach.reason
  const tested = outcome.value
  const relayed = balancer === undefined ? {} : {balancer}
  return {host, ports, listeners, ...relayed, runnable, messages: judge(proxy, runnable, tested.exit, tested.output)}
}

function isAnnounced({announces}: StartOptions, listener: ListenerAddress | undefined): boolean {
  if (listener === undefined) return false
  return announces ? announces(listener) : listener.proxyProtocol === true
}

/** @throws EnvironmentError when so few files may be open that every proxy, and we, would fail for that. */
async function enoughDescriptors({title}: Proxy): Promise<number> {
  const limit = await descriptorLimit()
  if (limit >= LEAST_DESCRIPTORS) return limit
  throw new EnvironmentError(`${title} cannot be judged here: only ${limit} files may be open, ${LEAST_DESCRIPTORS} are the least`, {
    suggestions: ['raise the limit: ulimit -n 4096'],
  })
}

interface RunningParts {
  options: StartOptions
  host: Host
  launched: Launched
  cleanup: Cleanup
  url: URL
  listeners: readonly ReachedListener[]
  /** Waits until all of them answer. */
  accept(): Promise<void>
  messages: readonly ConfigMessage[]
}

/** Below the sandbox folder, where only the proxy and we can read them. */
const CERTIFICATES = 'gms-proxy-certificates'

async function writeCertificates(host: Host, {authority, names}: StartCertificates): Promise<SandboxCertificates> {
  const {certificate, key} = await authority.issue([...names, 'localhost', '127.0.0.1'])
  const texts: Readonly<Record<keyof SandboxCertificates, {name: string; text: string}>> = {
    authority: {name: 'authority.pem', text: authority.certificate},
    certificate: {name: 'listener.pem', text: certificate},
    key: {name: 'listener.key', text: key},
    bundle: {name: 'listener-with-key.pem', text: `${certificate.trimEnd()}\n${key}`},
  }
  const place = async ({name, text}: {name: string; text: string}) => {
    await host.write({path: `${CERTIFICATES}/${name}`, text})
    return `${host.plan.folder}/${CERTIFICATES}/${name}`
  }
  return {
    authority: await place(texts.authority),
    certificate: await place(texts.certificate),
    key: await place(texts.key),
    bundle: await place(texts.bundle),
  }
}

function runningProxy({options: {proxy, runtime}, host, launched, cleanup, url, listeners, accept, messages}: RunningParts): RunningProxy {
  let disposing: Promise<void> | undefined
  /** What it was when we stopped it ourselves: that end is no complaint. */
  let exitBefore: Exit | undefined
  const read = () => readLogs(proxy, host)
  return {
    url,
    listeners,
    ports: listeners.map(({url: {port}}) => Number(port)),
    runtime,
    folder: host.folder,
    messages,
    async logs() {
      const {access, error} = await read()
      return {access: redact(access), error: redact(error)}
    },
    async findInLogs(texts) {
      const {access, error} = await read()
      const lines = `${error}\n${access}`.split('\n')
      const hide = (line: string) => redact(texts.reduce((safe, text) => safe.replaceAll(text, REDACTED), line))
      return texts.flatMap(text => {
        const line = lines.find(each => each.includes(text))
        return line === undefined ? [] : [{text, line: hide(line)}]
      })
    },
    async complaints() {
      const exit = disposing ? exitBefore : launched.exit()
      const {error} = await read()
      const fatal = error.split('\n').filter(line => proxy.isFatalLogLine(line))
      return [
        ...(exit ? [`${proxy.title} ended on its own: ${describeExit(exit)}`] : []),
        ...new Set(fatal.map(line => redact(line.trim()))),
      ].slice(0, QUOTED_LINES)
    },
    memory: () => launched.memory(),
    async reload() {
      await launched.signal(proxy.reloadSignal)
      await accept()
    },
    [Symbol.asyncDispose]() {
      exitBefore ??= launched.exit()
      disposing ??= cleanup[Symbol.asyncDispose]()
      return disposing
    },
  }
}

async function readLogs({logs}: Proxy, host: Host): Promise<{access: string; error: string}> {
  const file = (name: string | undefined) => (name === undefined ? Promise.resolve('') : readTail(join(host.folder, name)))
  const [access, error, {stdout, stderr}] = await Promise.all([file(logs.access), file(logs.error), host.output()])
  const rest = logs.access === undefined ? '' : stdout
  return {access: logs.access === undefined ? stdout : access, error: [error, stderr, rest].filter(text => text !== '').join('\n')}
}

/**
 * Messages of a configuration test; an error among them means that the file is refused for its own content.
 * @throws EnvironmentError when this machine is why the test failed.
 */
function judge(proxy: Proxy, runnable: RunnableConfig, exit: Exit, output: string): readonly ConfigMessage[] | 'port taken' {
  if (isCrash(exit))
    throw new EnvironmentError(`the configuration test of ${proxy.title} crashed: ${describeExit(exit)}\n${lastLines(output)}`.trim(), {
      suggestions: ['run another build of it with --binary or --image', 'keep the sandbox with --keep and run the test by hand'],
    })
  const messages = proxy.parseConfigTest(output).map(message => runnable.explain(message))
  if (exit.code === 0) return messages.map(message => ({...message, level: 'warning' as const}))
  return blame(proxy, messages, output, `${proxy.title} refused the configuration: ${describeExit(exit)}`)
}

/** The proxy accepted the file but ended before it answered, or never answered. */
async function whyNotStarted(
  proxy: Proxy,
  runnable: RunnableConfig,
  host: Host,
  launched: Launched,
): Promise<readonly ConfigMessage[] | 'port taken'> {
  const {error} = await readLogs(proxy, host)
  const exit = launched.exit()
  if (exit === undefined) {
    throw new EnvironmentError(`${proxy.title} was started but did not answer within ${PATIENCE.ready / 1000} s\n${lastLines(error)}`, {
      suggestions: ['run it again on a less busy machine', 'keep the sandbox with --keep and read its logs'],
    })
  }
  // docker-run(1): 125 the engine failed, 126 and 127 the command cannot be started.
  if (exit.because !== undefined || (!host.acceptMeansListening && [125, 126, 127].includes(exit.code ?? 0))) {
    throw new EnvironmentError(`${proxy.title} cannot be started: ${exit.because ?? lastLines(error)}`, {
      suggestions: ['see what this machine can run: gms-proxy doctor', 'run it with --verbose, or keep the sandbox with --keep'],
    })
  }
  const messages = proxy.parseConfigTest(error).map(message => runnable.explain(message))
  return blame(proxy, messages, error, `${proxy.title} accepted the configuration, then ended at once: ${describeExit(exit)}`)
}

function blame(proxy: Proxy, messages: readonly ConfigMessage[], output: string, summary: string): readonly ConfigMessage[] | 'port taken' {
  const said = messages.filter(({level}) => level === 'error')
  const errors: readonly ConfigMessage[] = said.length > 0 ? said : [{level: 'error', text: `${summary}\n${lastLines(output)}`.trim()}]
  if (errors.some(({text}) => isPortTaken(text))) return 'port taken'
  const limits = errors.flatMap(({text}) => hostLimit(text) ?? [])
  const ofTheFile = errors.filter(({text, location}) => location !== undefined && hostLimit(text) === undefined)
  const [limit] = limits
  if (limit && ofTheFile.length === 0) {
    throw new EnvironmentError(
      `${proxy.title} cannot run this configuration here, ${limit.because}: ${errors.map(({text}) => text).join('; ')}`,
      {suggestions: [...new Set(limits.map(({advice}) => advice))]},
    )
  }
  return [...errors, ...messages.filter(({level}) => level === 'warning')]
}

function lastLines(text: string): string {
  return redact(text.trim().split('\n').slice(-QUOTED_LINES).join('\n'))
}

const reaped = new Map<string, Promise<void>>()

/** Once in a process: what killed runs left behind goes first. */
function reapOnce(kind: 'binary' | 'docker', logger: Logger): Promise<void> {
  const running = reaped.get(kind) ?? reap(kind, logger)
  reaped.set(kind, running)
  return running
}

async function reap(kind: 'binary' | 'docker', logger: Logger): Promise<void> {
  if (kind === 'docker') await reapContainers(logger)
  await reapFolders(logger, await unprivilegedAccount())
}
