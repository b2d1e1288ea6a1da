import type {Setting} from '../site.ts'
import {atLeast} from '../version.ts'
import {DEFAULTS} from './defaults.ts'
import type {Line, Modules} from './site-lines.ts'
import type {Server} from './site-servers.ts'
import {all, find} from './site-servers.ts'
import type {Settings} from './site-settings.ts'
import {duration} from './site-settings.ts'
import type {Surroundings} from './site-upstreams.ts'
import type {Worker} from './site-workers.ts'

/** A default of `version`. */
export function defaultOf(directive: string, version: string, module?: string): {value: number | undefined; text: string} {
  const found = DEFAULTS.find(
    row =>
      row.directive === directive &&
      (module === undefined || row.module === module) &&
      (row.since === undefined || atLeast(version, row.since)) &&
      (row.until === undefined || !atLeast(version, row.until)),
  )
  return {value: found?.value, text: found?.text ?? `no ${directive}`}
}

/** `Timeout` of a server, ms. */
export function timeoutOf(server: Server, settings: Settings, version: string): Setting<number | undefined> {
  return settings.ofServer<number | undefined>(server, 'Timeout', ([value = '']) => duration(value), defaultOf('Timeout', version), 0)
}

/**
 * How long a node may be silent before the request ends: `timeout=` of the pool, else `ProxyTimeout`, else `Timeout`. To mend it, the pool's
 * own parameter is set where one is written, else `ProxyTimeout` of the server.
 */
export function answerTimeout(worker: Worker, around: Surroundings): Setting<number | undefined> {
  const {settings, server, version} = around
  const own = worker.parameters.get('timeout')
  const said = own && duration(own.value)
  if (own && said !== undefined && !worker.shared) return settings.parameter<number | undefined>(own.line, 'timeout', said, '')
  const proxyTimeout = find(server, 'ProxyTimeout')
  const general = timeoutOf(server, settings, version)
  if (proxyTimeout) {
    const value = proxyTimeout.unknown ? undefined : duration(proxyTimeout.values[0] ?? '')
    return settings.written<number | undefined>(server, proxyTimeout, value, 0)
  }
  // a longer Timeout would also wait longer for slow clients
  return {...general, put: argument => settings.insert(server, `ProxyTimeout ${argument}`)}
}

/** Time to connect to a node: `connectiontimeout=`, else what the answer may take. */
export function connectTimeout(worker: Worker, around: Surroundings): Setting<number | undefined> {
  const own = worker.parameters.get('connectiontimeout')
  const said = own && duration(own.value)
  if (own && said !== undefined && !worker.shared)
    return around.settings.parameter<number | undefined>(own.line, 'connectiontimeout', said, '')
  const inherited = answerTimeout(worker, around)
  if (worker.shared) return inherited
  return {...inherited, put: argument => around.settings.parameter(worker.line, 'connectiontimeout', undefined, '').put(argument)}
}

/**
 * A WebSocket with no byte for so long is cut: the larger of what the client's side and the node's side allow (measured on 2.4.71:
 * `max(Timeout, ProxyTimeout)`). Before 2.4.47, mod_proxy_wstunnel waited without end.
 */
export function idleTimeout(worker: Worker, around: Surroundings): Setting<number | undefined> {
  const {server, settings, version} = around
  const ofNode = answerTimeout(worker, around)
  const ofClient = timeoutOf(server, settings, version)
  if (!atLeast(version, '2.4.47')) return {...ofNode, value: undefined}
  if (ofNode.value === undefined || ofClient.value === undefined) return {...ofNode, value: undefined}
  // to raise it, the side of the node is raised
  return ofNode.value >= ofClient.value ? ofNode : {...ofClient, put: argument => ofNode.put(argument)}
}

/** One stage of `RequestReadTimeout`: from so many ms, to so many, a second more for every `rate` bytes. */
interface Stage {
  from: number
  to?: number
  rate?: number
}

/** `header=20-40,MinRate=500`. 0 switches a stage off. */
function stageOf(text: string): Stage | undefined {
  const match = /^(\d+)(?:-(\d+))?(?:,\s*MinRate=(\d+))?$/i.exec(text)
  if (!match) return undefined
  const [, from, to, rate] = match
  return {
    from: Number(from) * 1000,
    ...(to === undefined ? {} : {to: Number(to) * 1000}),
    ...(rate === undefined ? {} : {rate: Number(rate)}),
  }
}

/** What mod_reqtimeout allows at one stage; absent without the module, or when the stage is switched off. */
function stage(server: Server, modules: Modules, version: string, name: 'header' | 'body'): {stage?: Stage; line?: Line; text: string} {
  const text = defaultOf('RequestReadTimeout', version).text
  if (modules.has('reqtimeout') === false) return {text: 'mod_reqtimeout is not loaded'}
  let found: {stage: Stage | undefined; line: Line} | undefined
  for (const line of all(server, 'RequestReadTimeout'))
    for (const word of line.values) {
      const [key = '', ...value] = word.split('=')
      if (key.toLowerCase() === name) found = {stage: line.unknown ? undefined : stageOf(value.join('=')), line}
    }
  const byDefault = stageOf(name === 'header' ? '20-40,MinRate=500' : '20,MinRate=500')
  if (!found) return {...(byDefault ? {stage: byDefault} : {}), text}
  return {...(found.stage && found.stage.from > 0 ? {stage: found.stage} : {}), line: found.line, text}
}

function stageSetting(
  server: Server,
  settings: Settings,
  name: 'header' | 'body',
  value: number | undefined,
  line: Line | undefined,
  text: string,
): Setting<number | undefined> {
  if (!line) {
    const missing = settings.missing<number | undefined>(server, 'RequestReadTimeout', value, text)
    return {...missing, put: argument => settings.insert(server, `RequestReadTimeout ${name}=${argument}`)}
  }
  const index = line.values.findIndex(word => word.toLowerCase().startsWith(`${name}=`))
  const written = settings.written<number | undefined>(server, line, value, index)
  return {...written, put: argument => written.put(`${name}=${argument}`)}
}

/** A client must have sent its header after so many ms. */
export function headerTimeout(server: Server, settings: Settings, modules: Modules, version: string): Setting<number | undefined> {
  const {stage: own, line, text} = stage(server, modules, version, 'header')
  return stageSetting(server, settings, 'header', own && (own.to ?? own.from), line, text)
}

/** The whole body has to be there after so many ms; a minimal rate without an end is no such limit. */
export function wholeBodyTimeout(server: Server, settings: Settings, modules: Modules, version: string): Setting<number | undefined> {
  const {stage: own, line, text} = stage(server, modules, version, 'body')
  const value = own && (own.rate === undefined ? (own.to ?? own.from) : own.to)
  return stageSetting(server, settings, 'body', value, line, text)
}
