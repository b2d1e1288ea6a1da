import type {Setting, Way} from '../site.ts'
import {atLeast} from '../version.ts'
import {defaultOf, durationOf} from './defaults.ts'
import type {Notes} from './rules.ts'
import type {Section} from './sections.ts'
import {inForce} from './sections.ts'
import type {Settings} from './settings.ts'

type Limit = Setting<number | undefined>

/** `timeout NAME` as it holds in `section`; 0 means none to HAProxy. */
export function timeoutOf(name: string, section: Section | undefined, settings: Settings): Limit {
  const directive = `timeout ${name}`
  const line = section && inForce(section, 'timeout', name)
  if (!line) return settings.missing<number | undefined>(undefined, directive, defaultOf(directive).text, section)
  const value = line.unclear ? Number.NaN : durationOf(line.words[2] ?? '')
  return settings.written<number | undefined>(value === 0 ? undefined : value, directive, line, 2, section)
}

/** The limit that ends first; `undefined` values never end. */
function shorter(a: Limit, b: Limit): Limit {
  if (b.value === undefined) return a
  return a.value === undefined || b.value < a.value ? b : a
}

type Timeouts = Pick<Way, 'answerTimeout' | 'idleTimeout' | 'bodyTimeout' | 'wholeBodyTimeout' | 'bodyStartTimeout' | 'connectTimeout'>

/**
 * Time limits of one request, measured on 2.2.9, 2.6.12, 2.8.25, 3.0.11 and 3.4.7: while a node is silent only `timeout server` runs. A WebSocket
 * has `timeout tunnel`, else the shorter of client and server; so has everything on layer 4. A client that pauses in the middle of a body is cut
 * by `timeout client`, but up to 2.6 by `timeout server` when there is one, whatever that of the client.
 */
export function timeoutsOf(
  {
    frontend,
    backend,
    layer4,
    notes,
    version,
  }: {frontend: Section; backend: Section | undefined; layer4: boolean; notes: Notes; version: string},
  settings: Settings,
): Timeouts {
  const client = timeoutOf('client', frontend, settings)
  const server = overridden('server', timeoutOf('server', backend, settings), notes, settings)
  const silent = shorter(client, server)
  const tunnel = overridden('tunnel', timeoutOf('tunnel', backend, settings), notes, settings)
  const idle: Limit =
    tunnel.value === undefined && tunnel.span === undefined
      ? {...silent, directive: 'timeout tunnel', put: argument => tunnel.put(argument)}
      : tunnel
  return {
    answerTimeout: layer4 ? (tunnel.span ? tunnel : silent) : server,
    idleTimeout: idle,
    bodyTimeout: layer4 ? (tunnel.span ? tunnel : silent) : server.value === undefined || atLeast(version, '2.8.0') ? client : server,
    // it ends when a buffer is full, so it is none of the whole body
    wholeBodyTimeout: settings.fixed<number | undefined>(
      undefined,
      'timeout http-request',
      'no limit for the whole of a body',
      frontend.header,
    ),
    ...bodyStart(frontend, notes, settings),
    connectTimeout: timeoutOf('connect', backend, settings),
  }
}

/** Who collects a body before he passes it on waits for what fits into a buffer (measured on 2.6.12: 408, or 504, when it is late). */
function bodyStart(frontend: Section, {bodyWait}: Notes, settings: Settings): Pick<Way, 'bodyStartTimeout'> {
  if (bodyWait) {
    const {line, at} = bodyWait
    const value = durationOf(line.words[at] ?? '')
    return {bodyStartTimeout: settings.written<number | undefined>(value, 'http-request wait-for-body time', line, at, line.section, at)}
  }
  return inForce(frontend, 'option', 'http-buffer-request') ? {bodyStartTimeout: timeoutOf('http-request', frontend, settings)} : {}
}

/** `http-request set-timeout server 2m` where it applies to the request. */
function overridden(name: string, setting: Limit, {timeouts}: Notes, settings: Settings): Limit {
  const own = timeouts.get(name)
  if (!own) return setting
  const value = own.line.unclear ? Number.NaN : durationOf(own.line.words[own.at + 1] ?? '')
  return settings.written<number | undefined>(
    value === 0 ? undefined : value,
    `http-request set-timeout ${name}`,
    own.line,
    own.at + 1,
    own.line.section,
    own.at + 1,
  )
}
