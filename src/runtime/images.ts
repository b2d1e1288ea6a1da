import type {Proxy} from '../proxies/proxy.ts'
import {runContainer} from './containers.ts'
import {engine, hasImage, pullImage} from './docker-engine.ts'
import type {Runtime, RuntimeRequest} from './runtime.ts'

/** The image that is asked for: the named one, the official one of the asked version, or the pinned official one. */
export function imageFor(proxy: Proxy, {image, version}: Pick<RuntimeRequest, 'image' | 'version'>): string {
  if (image !== undefined) return image
  return version === undefined ? proxy.image.reference : `${proxy.image.reference.replace(/:[^/:]+$/, '')}:${version}`
}

/** A Docker runtime, or why there is none. Downloads the image when the engine does not have it. */
export async function dockerRuntime(proxy: Proxy, request: RuntimeRequest, signal: AbortSignal): Promise<Runtime | {because: string}> {
  const {answers, because = 'no Docker engine answers'} = await engine(signal)
  if (!answers) return {because}
  const reference = imageFor(proxy, request)
  let how = 'which the engine has'
  if (!(await hasImage(reference, signal))) {
    const problem = await pullImage(reference, signal)
    if (problem !== undefined) return {because: `the image ${reference} is missing and cannot be pulled: ${problem}`}
    how = 'pulled now'
  }
  const {version, problem} = await imageVersion(proxy, reference, signal)
  if (version === undefined) return {because: problem}
  return {kind: 'docker', reference, version, reason: `${proxy.title} ${version} in the image ${reference}, ${how}`}
}

/** What the proxy in the image says of itself, or why it says nothing. */
async function imageVersion(
  proxy: Proxy,
  reference: string,
  signal: AbortSignal,
): Promise<{version: string; problem?: never} | {version?: never; problem: string}> {
  const asked = proxy.versionCommand(proxy.image.command)
  const [command = proxy.image.command, ...args] = asked
  const {output, timedOut, problem} = await runContainer(['--network', 'none', '--entrypoint', command, reference, ...args], {signal})
  const version = proxy.parseVersion(output)
  if (version !== undefined) return {version}
  if (timedOut) return {problem: `a container of the image ${reference} gives ${problem}`}
  return {problem: `the image ${reference} is no ${proxy.title}: ${asked.join(' ')} names no version`}
}
