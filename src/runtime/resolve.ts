import {existsSync} from 'node:fs'
import {EnvironmentError, UsageError} from '../errors.ts'
import type {Proxy} from '../proxies/proxy.ts'
import type {FoundBinary} from './binaries.ts'
import {findBinaries, namedBinary} from './binaries.ts'
import {dockerRuntime} from './images.ts'
import type {Runtime, RuntimeRequest} from './runtime.ts'

/**
 * Chooses how a proxy is run. `auto` takes a local binary of the asked version when there is one, else Docker.
 * @throws UsageError when `--binary` names nothing that can be this proxy, or the flags contradict each other.
 * @throws EnvironmentError when nothing here can run it: what was looked at, and what to do.
 */
export async function resolveRuntime(proxy: Proxy, request: RuntimeRequest, signal: AbortSignal): Promise<Runtime> {
  const {prefer, version, binary, image} = request
  if (binary !== undefined && image !== undefined)
    throw new UsageError(`--binary ${binary} and --image ${image}: only one of them can be run`)
  if (binary !== undefined && prefer === 'docker') throw new UsageError(`--binary ${binary} contradicts --runtime docker`)
  if (image !== undefined && prefer === 'binary') throw new UsageError(`--image ${image} contradicts --runtime binary`)

  if (image !== undefined && !IMAGE_REFERENCE.test(image))
    throw new UsageError(`--image ${image}: is no reference of an image`, {suggestions: [`name one such as ${proxy.image.reference}`]})

  const looked: string[] = []
  if (binary !== undefined) {
    const found = await namedBinary(proxy, binary, signal)
    if (versionMatches(version, found.version)) return binaryRuntime(proxy, found)
    looked.push(`${binary} is ${proxy.title} ${found.version}`)
  } else {
    if (prefer !== 'docker' && image === undefined) {
      const found = await findBinaries(proxy, signal)
      const chosen = found.find(candidate => versionMatches(version, candidate.version))
      if (chosen) return binaryRuntime(proxy, chosen)
      looked.push(
        ...(found.length === 0
          ? [`no ${proxy.binaries.join(' or ')} on the PATH or in ${proxy.binaryFolders.join(', ')}`]
          : found.map(({path, version: own}) => `${path} is ${own}`)),
      )
    }
    if (prefer !== 'binary') {
      const runtime = await dockerRuntime(proxy, request, signal)
      if ('kind' in runtime && versionMatches(version, runtime.version))
        return looked.length === 0 ? runtime : {...runtime, reason: `${runtime.reason} (${looked.join('; ')})`}
      looked.push('kind' in runtime ? `the image ${runtime.reference} is ${proxy.title} ${runtime.version}` : runtime.because)
    }
  }
  throw new EnvironmentError(
    `nothing here can run ${proxy.title}${version === undefined ? '' : ` ${version}`}:\n${looked.map(line => `  ${line}`).join('\n')}`,
    {
      suggestions: adviceFor(proxy, request),
    },
  )
}

/** Registry, path, tag and digest, by their letters; what begins with a dash would be an option of docker(1). */
const IMAGE_REFERENCE = /^[a-z0-9][\w.:/@[\]-]*$/i

/** `X.Y` is matched by every `X.Y.Z`; nothing asked is matched by all. */
export function versionMatches(asked: string | undefined, actual: string): boolean {
  const parts = actual.split('.')
  return asked === undefined || asked.split('.').every((part, index) => parts[index] === part)
}

function binaryRuntime(proxy: Proxy, {path, version, where}: FoundBinary): Runtime {
  return {
    kind: 'binary',
    reference: path,
    version,
    reason: `${proxy.title} ${version} ${/^(on|in) /.test(where) ? `found ${where}` : where}`,
  }
}

/** Package managers by the file that gives them away, and what the proxies are called there. */
const INSTALLERS: readonly {at: readonly string[]; command: string; packages: Readonly<Record<Proxy['name'], string>>}[] = [
  {
    at: ['/usr/bin/apt-get'],
    command: 'apt-get install --no-install-recommends',
    packages: {nginx: 'nginx-light', apache: 'apache2', haproxy: 'haproxy'},
  },
  {at: ['/usr/bin/dnf'], command: 'dnf install', packages: {nginx: 'nginx', apache: 'httpd', haproxy: 'haproxy'}},
  {at: ['/sbin/apk'], command: 'apk add', packages: {nginx: 'nginx', apache: 'apache2 apache2-proxy', haproxy: 'haproxy'}},
  {
    at: ['/opt/homebrew/bin/brew', '/usr/local/bin/brew'],
    command: 'brew install',
    packages: {nginx: 'nginx', apache: 'httpd', haproxy: 'haproxy'},
  },
]

/** The command that installs a proxy here; `undefined` where no known package manager is. */
export function installCommand(proxy: Proxy): string | undefined {
  const installer = INSTALLERS.find(({at}) => at.some(path => existsSync(path)))
  return installer && `${installer.command} ${installer.packages[proxy.name]}`
}

function adviceFor(proxy: Proxy, {prefer, version, binary, image}: RuntimeRequest): readonly string[] {
  const install = installCommand(proxy)
  return [
    ...(version === undefined ? [] : ['ask for another --proxy-version, or none']),
    ...(prefer === 'docker' || image !== undefined || version !== undefined
      ? []
      : [install === undefined ? `install ${proxy.title}` : `install it: ${install}`]),
    ...(binary === undefined && prefer !== 'binary'
      ? [`start a Docker engine that has, or can pull, ${image ?? 'the official image'}; --image names another`]
      : []),
    'see what this machine can run: gms-proxy doctor',
  ]
}
