import {basename, dirname, join} from 'node:path'
import {EnvironmentError} from '../errors.ts'
import type {ConfigBundle} from '../model/bundle.ts'
import type {Promises} from '../model/report.ts'
import {render} from '../bundle/render.ts'
import {assertRenderable, versionToRender} from '../bundle/renderable.ts'
import {expectationsFrom, expectationsOfForeign} from '../parameters/expectations.ts'
import type {ForeignParameters, Parameters} from '../parameters/schema.ts'
import type {ParsedConfig, Proxy} from '../proxies/proxy.ts'
import type {Runtime} from '../runtime/runtime.ts'

/** Parameters with the dotted paths that a person wrote. */
export interface Stated<P> {
  parameters: P
  given: ReadonlySet<string>
}

/** What the command line named. */
export type Subject =
  | {kind: 'rendered'; name: string; proxy: Proxy; stated: Stated<Parameters>}
  | {kind: 'file'; name: string; proxy: Proxy; bundle: ConfigBundle; stated?: Stated<ForeignParameters>}
  | {kind: 'url'; name: string; url: URL; stated?: Stated<ForeignParameters>}

/** A configuration that can be run, whichever spring it came from. */
export interface Prepared {
  bundle: ConfigBundle
  config: ParsedConfig
  promises: Promises
  source: string
}

/** Renders or reads the subject for the version that will run, and says what it is held to. */
export function prepare(subject: Exclude<Subject, {kind: 'url'}>, runtime: Runtime): Prepared {
  const {proxy} = subject
  // Asked before the version was known, the newest was meant: the one that runs may be able to do less.
  if (subject.kind === 'rendered') assertRenderable(proxy, subject.stated.parameters, versionToRender(proxy, runtime.version))
  const bundle = subject.kind === 'file' ? subject.bundle : render(proxy, subject.stated.parameters, runtime.version)
  const config = proxy.parse(bundle)
  if (subject.kind === 'rendered')
    return {bundle, config, promises: expectationsFrom(subject.stated.parameters, subject.stated.given), source: 'rendered'}
  const listeners = proxy.listeners(config)
  const [listener] = listeners
  if (listener?.tls)
    throw new EnvironmentError(
      `${subject.name}:${listener.span.line}:${listener.span.column}: the chat listener ${listener.address} speaks TLS, and this version verifies plain listeners only`,
      {
        suggestions: ['verify a copy of the configuration with a plain listener for the chat paths'],
      },
    )
  const nodes = new Set(proxy.nodes(config).map(node => node.address)).size
  const file = {
    name: subject.name,
    nodes: Math.max(1, nodes),
    ...(listener?.serverName === undefined ? {} : {serverName: listener.serverName}),
  }
  return {bundle, config, promises: expectationsOfForeign(file, subject.stated), source: subject.name}
}

/** The file of a bundle as the command line would name it: an editor, or CI, can open it. */
export function pathOf(subject: Exclude<Subject, {kind: 'url'}>, file: string): string {
  if (subject.kind === 'rendered') return file
  const named = basename(subject.name) === basename(subject.bundle.entry) ? dirname(subject.name) : subject.name
  return join(named, file)
}

/** Promises that a URL is held to. */
export function promisesOfUrl(subject: Extract<Subject, {kind: 'url'}>): Promises {
  return expectationsOfForeign({name: 'unknown', nodes: 1}, subject.stated)
}
