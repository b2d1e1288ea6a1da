import {basename, dirname, join} from 'node:path'
import type {ConfigBundle} from '../model/bundle.ts'
import type {Promises} from '../model/report.ts'
import {writtenFor} from '../bundle/header.ts'
import {render} from '../bundle/render.ts'
import {assertRenderable, versionToRender} from '../bundle/renderable.ts'
import {expectationsFrom, expectationsOfForeign} from '../parameters/expectations.ts'
import type {ForeignParameters, Parameters} from '../parameters/schema.ts'
import {sessionCookieOf} from '../parameters/session-cookie.ts'
import type {Proxy} from '../proxies/proxy.ts'
import type {ParsedConfig} from '../proxies/syntax.ts'
import type {Runtime} from '../runtime/runtime.ts'
import type {SessionCookie} from '../simulator/session-cookie.ts'
import {certificatesOf} from './encryption.ts'

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
  /** Variables that the configuration reads, with values that the simulated GMS takes. */
  environment?: Readonly<Record<string, string>>
  /** The cookie by which the proxy is said to find the node of a session: a simulated GMS sets it. */
  sessionCookie?: SessionCookie
}

/** What the simulated GMS takes for an operator: whom it belongs to, it does not ask. */
const SOME_CREDENTIALS = `Basic ${Buffer.from('gms-proxy:verify').toString('base64')}`

/** Renders or reads the subject for the version that will run (or is meant), and says what it is held to. */
export function prepare(subject: Exclude<Subject, {kind: 'url'}>, runtime: Pick<Runtime, 'version'>): Prepared {
  const {proxy} = subject
  if (subject.kind === 'rendered') assertRenderable(proxy, subject.stated.parameters, versionToRender(proxy, runtime.version))
  const bundle = subject.kind === 'file' ? subject.bundle : render(proxy, subject.stated.parameters, runtime.version)
  const config = proxy.parse(bundle)
  const stated = subject.stated?.parameters
  const sessionCookie = stated && sessionCookieOf(stated, [...new Set(proxy.nodes(config).map(({address}) => address))])
  const ofGms = sessionCookie ? {sessionCookie} : {}
  if (subject.kind === 'rendered') {
    const {parameters, given} = subject.stated
    const {auth} = parameters.health
    return {
      bundle,
      config,
      promises: expectationsFrom(parameters, given),
      source: 'rendered',
      ...(auth === undefined ? {} : {environment: {[auth]: SOME_CREDENTIALS}}),
      ...ofGms,
    }
  }
  const [listener] = proxy.listeners(config)
  const nodes = new Set(proxy.nodes(config).map(node => node.address)).size
  const serverName = listener?.serverName ?? (listener?.tls ? nameOfCertificate(bundle) : undefined)
  const file = {
    name: subject.name,
    nodes: Math.max(1, nodes),
    tls: listener?.tls === true || listener?.meansTls === true,
    ...(serverName === undefined ? {} : {serverName}),
  }
  return {bundle, config, promises: expectationsOfForeign(file, subject.stated), source: subject.name, ...ofGms}
}

/** The host name in a certificate beside the configuration, for a file that names none itself. */
function nameOfCertificate(bundle: ConfigBundle): string | undefined {
  const names = certificatesOf(bundle)
    .filter(({ca}) => !ca)
    .flatMap(({subjectAltName = ''}) => [...subjectAltName.matchAll(/DNS:([a-z0-9][a-z0-9.-]*)/gi)].map(([, name]) => name))
  return names[0]
}

/** The file of a bundle as the command line would name it: an editor, or CI, can open it. */
export function pathOf(subject: Exclude<Subject, {kind: 'url'}>, file: string): string {
  if (subject.kind === 'rendered') return file
  const named = basename(subject.name) === basename(subject.bundle.entry) ? dirname(subject.name) : subject.name
  return join(named, file)
}

/** Says that a file was rendered for another version than the one that runs it; `undefined` when it was not, or nobody knows. */
export function writtenForAnother({title}: Proxy, {entry, files}: ConfigBundle, {version}: Pick<Runtime, 'version'>): string | undefined {
  const written = writtenFor(files.find(({path}) => path === entry)?.text ?? '')
  // `1.22` is any release of that line.
  if (written?.title !== title || version === written.version || version.startsWith(`${written.version}.`)) return undefined
  return `its first line says it was written for ${title} ${written.version}, and ${version} runs it`
}

/** Promises that a URL is held to. */
export function promisesOfUrl(subject: Extract<Subject, {kind: 'url'}>): Promises {
  return expectationsOfForeign({name: 'unknown', nodes: 1}, subject.stated)
}
