import {UsageError} from '../errors.ts'
import type {ProxyName} from '../model/catalogue.ts'
import {notYetRendered} from '../parameters/not-yet.ts'
import type {Parameters} from '../parameters/schema.ts'
import type {Proxy} from '../proxies/proxy.ts'

/** The version that the parameters ask for, of this proxy; `undefined` when they leave it open. */
export function statedVersion(parameters: {version?: Parameters['version']}, proxy: ProxyName): string | undefined {
  return typeof parameters.version === 'string' ? parameters.version : parameters.version?.[proxy]
}

/**
 * The version to render for, `X.Y.Z`: what was asked for, else the newest stable that the tool knows. `X.Y` means its first release,
 * so that nothing is used which some release of that line does not have.
 * @throws UsageError when it is older than the oldest that can be rendered.
 */
export function versionToRender(proxy: Proxy, asked: string | undefined): string {
  const {newest, oldest} = proxy.versions
  if (asked === undefined || newest.startsWith(`${asked}.`)) return newest
  const version = asked.split('.').length === 2 ? `${asked}.0` : asked
  if (compare(version, oldest) < 0)
    throw new UsageError(`${proxy.title} ${asked} is too old: ${oldest} is the oldest that is rendered`, {
      suggestions: [`name a newer one with --proxy-version, or none for ${newest}`],
    })
  return version
}

/**
 * Refuses what this tool, or this proxy in this version, cannot honour: said aloud instead of dropped.
 * @throws UsageError that names every such parameter.
 */
export function assertRenderable(proxy: Proxy, parameters: Parameters, version: string): void {
  const unsupported = [...notYetRendered(parameters), ...proxy.unsupported(parameters, version)]
  if (unsupported.length === 0) return
  throw new UsageError(
    [
      `${proxy.title} ${version} cannot be given all of these parameters`,
      ...unsupported.map(({path, because}) => `  ${path}: ${because}`),
    ].join('\n'),
    {
      suggestions: ['leave them out of the parameters file, or override them with --set'],
    },
  )
}

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map(version => version.split('.').map(Number))
  for (let index = 0; index < 3; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
