import type {Proxy} from '../proxies/proxy.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {FoundBinary} from './binaries.ts'
import {findBinaries} from './binaries.ts'
import type {Engine} from './docker-engine.ts'
import {engine, hasImage} from './docker-engine.ts'
import {imageFor} from './images.ts'
import {installCommand} from './resolve.ts'

/** What this machine can run. Nothing was downloaded or started to find out. */
export interface Survey {
  docker: Engine
  proxies: readonly SurveyedProxy[]
}

export interface SurveyedProxy {
  proxy: ProxyName
  title: string
  binaries: readonly FoundBinary[]
  image: {reference: string; present: boolean}
  /** What `--runtime auto` would take; absent when there is nothing. */
  chosen?: {kind: 'binary' | 'docker'; reference: string; version?: string}
  /** Why that one, or what to do when there is none. */
  because: string
}

/** Looks at every way to run the proxies, for `doctor`. */
export async function surveyRuntimes(proxies: readonly Proxy[]): Promise<Survey> {
  const docker = await engine()
  return {docker, proxies: await Promise.all(proxies.map(proxy => survey(proxy, docker)))}
}

async function survey(proxy: Proxy, docker: Engine): Promise<SurveyedProxy> {
  const reference = imageFor(proxy, {})
  const [binaries, present] = await Promise.all([findBinaries(proxy), docker.answers ? hasImage(reference) : Promise.resolve(false)])
  const facts = {proxy: proxy.name, title: proxy.title, binaries, image: {reference, present}}
  const [first] = binaries
  if (first)
    return {
      ...facts,
      chosen: {kind: 'binary', reference: first.path, version: first.version},
      because: `a local binary is taken first: found ${first.where}`,
    }
  const none = `no ${proxy.binaries.join(' or ')} on the PATH or in ${proxy.binaryFolders.join(', ')}`
  if (docker.answers)
    return {
      ...facts,
      chosen: {kind: 'docker', reference},
      because: `${none}; the Docker engine ${present ? 'has' : 'would have to pull'} the image`,
    }
  const install = installCommand(proxy)
  return {
    ...facts,
    because: `${none}; ${docker.because ?? 'no Docker engine answers'}${install === undefined ? '' : `; install it: ${install}`}`,
  }
}
