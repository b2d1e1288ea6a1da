import {UsageError} from '../errors.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {LoadedParameters} from '../parameters/load.ts'
import type {Parameters} from '../parameters/schema.ts'
import {PROXIES} from '../proxies/index.ts'
import type {Proxy, RenderTarget} from '../proxies/proxy.ts'
import {atLeast, compareVersions} from '../proxies/version.ts'
import {PLAIN} from './render.ts'

/** The version that the parameters ask for, of this proxy; `undefined` when they leave it open. */
export function statedVersion(parameters: {version?: Parameters['version']}, proxy: ProxyName): string | undefined {
  return typeof parameters.version === 'string' ? parameters.version : parameters.version?.[proxy]
}

/** `X.Y.Z` of what was asked for: `X.Y` means its first release, so that nothing is used which some release of that line does not have. */
export function wholeVersion({versions: {newest}}: Proxy, asked: string): string {
  if (newest.startsWith(`${asked}.`)) return newest
  return asked.split('.').length === 2 ? `${asked}.0` : asked
}

/**
 * The version to render for, `X.Y.Z`: what was asked for, else the newest stable that the tool knows.
 * @throws UsageError when it is older than the oldest that can be rendered.
 */
export function versionToRender(proxy: Proxy, asked: string | undefined): string {
  const {newest, oldest} = proxy.versions
  if (asked === undefined) return newest
  const version = wholeVersion(proxy, asked)
  if (!atLeast(version, oldest))
    throw new UsageError(`${proxy.title} ${asked} is too old: ${oldest} is the oldest that is rendered`, {
      suggestions: [`name a newer one with --proxy-version, or none for ${newest}`, ...othersWith(proxy, asked)],
    })
  return version
}

/**
 * Refuses what this tool, or this proxy in this version, cannot honour: said aloud instead of dropped.
 * @throws UsageError that names every such parameter.
 */
export function assertRenderable(proxy: Proxy, parameters: Parameters, version: string, how: Omit<RenderTarget, 'version'> = PLAIN): void {
  const unsupported = proxy.unsupported(parameters, {...how, version})
  if (unsupported.length === 0) return
  throw new UsageError(
    [
      `${proxy.title} ${version} cannot be given all of these parameters`,
      ...unsupported.map(({path, because}) => `  ${path}: ${because}`),
    ].join('\n'),
    {
      suggestions: ['change or leave out what is named, in the parameters file or with --set'],
    },
  )
}

/**
 * What a person should know beside a configuration that can be rendered: parameters that are honoured in a weaker way, and a version that
 * nobody mends any more. A concern of which nothing was written (`given`, dotted paths) is left to the comments of the file. `today` is a day,
 * ISO 8601.
 */
export function notesOn(
  proxy: Proxy,
  {parameters, given}: Pick<LoadedParameters<Parameters>, 'parameters' | 'given'>,
  target: RenderTarget,
  today: string,
): readonly string[] {
  const life = lifeOf(proxy, target.version, today)
  return [
    ...(life === undefined ? [] : [life]),
    ...proxy
      .caveats(parameters, target)
      .filter(({path}) => given.has(path.split('.')[0] ?? ''))
      .map(({path, because}) => `${proxy.title} ${target.version}: ${path}: ${because}`),
  ]
}

/** What is to be said about the age of a version, `X.Y.Z`; `undefined` when its authors still mend it. */
export function lifeOf(proxy: Proxy, version: string, today: string): string | undefined {
  const branch = version.split('.').slice(0, 2).join('.')
  const [newest] = proxy.branches
  const known = proxy.branches.find(each => each.branch === branch)
  const alive = livingBranches(proxy, today)
  if (known?.endOfLife !== undefined && known.endOfLife < today)
    return `${proxy.title} ${branch} reached its end of life on ${known.endOfLife}: its authors mend it no more${alive.length === 0 ? '' : `, only ${alive.join(', ')}`}`
  if (!known && newest && compareVersions(branch, newest.branch) > 0)
    return [`${proxy.title} ${branch} is newer than what this gms-proxy knows (${newest.branch}): rendered as for ${newest.branch}`]
      .concat(othersWith(proxy, branch))
      .join('; ')
  return undefined
}

/** A question about each other proxy that has a version of that number. */
function othersWith(proxy: Proxy, version: string): readonly string[] {
  const branch = version.split('.').slice(0, 2).join('.')
  return Object.values(PROXIES)
    .filter(other => other.name !== proxy.name && other.branches.some(each => each.branch === branch))
    .map(({title}) => `did you mean ${title} ${branch}?`)
}

/** Branches that their authors still mend, newest first. */
export function livingBranches(proxy: Proxy, today: string): readonly string[] {
  return proxy.branches.filter(({endOfLife}) => endOfLife === undefined || endOfLife >= today).map(({branch}) => branch)
}
