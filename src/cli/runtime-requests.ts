import {UsageError} from '../errors.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {Proxy} from '../proxies/proxy.ts'
import type {RuntimeRequest} from '../runtime/runtime.ts'
import type {Subject} from '../verify/subject.ts'
import {listOf} from './flags.ts'
import {statedVersion} from '../bundle/renderable.ts'

/** Flags as oclif gives them; a repeatable one from the environment is one text. */
export interface RuntimeFlags {
  runtime: string
  image?: readonly string[] | string | undefined
  binary?: readonly string[] | string | undefined
  'proxy-version'?: string | undefined
}

/**
 * How each proxy of the command line is to be run.
 * @throws UsageError when the flags contradict each other.
 */
export function runtimeRequests(subjects: readonly Subject[], flags: RuntimeFlags): (proxy: Proxy) => RuntimeRequest {
  const started = subjects.flatMap(subject => (subject.kind === 'url' ? [] : [subject]))
  const proxies = [...new Set(started.map(({proxy}) => proxy.name))]
  const images = perProxy('image', listOf(flags.image), proxies)
  const binaries = perProxy('binary', listOf(flags.binary), proxies)
  const prefer = flags.runtime === 'binary' || flags.runtime === 'docker' ? flags.runtime : 'auto'
  const asked = flags['proxy-version']
  if (asked !== undefined && proxies.length > 1)
    throw new UsageError('--proxy-version could mean any of several proxies', {
      suggestions: ['write version: {nginx: "1.22", haproxy: "2.6"} into the parameters'],
    })
  for (const name of proxies) {
    if (images[name] !== undefined && binaries[name] !== undefined)
      throw new UsageError(`--image and --binary are both given for ${name}: it is run once`)
    if (images[name] !== undefined && prefer === 'binary') throw new UsageError('--image belongs to --runtime docker, not to binary')
    if (binaries[name] !== undefined && prefer === 'docker') throw new UsageError('--binary belongs to --runtime binary, not to docker')
  }
  return ({name}) => {
    const stated = started.find(({proxy}) => proxy.name === name)?.stated?.parameters
    const version = asked ?? (stated ? statedVersion(stated, name) : undefined)
    const [image, binary] = [images[name], binaries[name]]
    return {
      prefer: prefer !== 'auto' ? prefer : image !== undefined ? 'docker' : binary !== undefined ? 'binary' : 'auto',
      ...(version === undefined ? {} : {version}),
      ...(image === undefined ? {} : {image}),
      ...(binary === undefined ? {} : {binary}),
    }
  }
}

/** `haproxy=REF` for one proxy, a bare value where only one proxy is meant. */
function perProxy(flag: string, values: readonly string[], meant: readonly ProxyName[]): Partial<Record<ProxyName, string>> {
  const result: Partial<Record<ProxyName, string>> = {}
  for (const value of values) {
    const [, word, rest] = /^(nginx|apache|haproxy)=(.+)$/.exec(value) ?? []
    const [only, ...others] = meant
    const name = (word as ProxyName | undefined) ?? only
    if (name === undefined || (word === undefined && others.length > 0))
      throw new UsageError(`--${flag} ${value} could mean any of several proxies`, {
        suggestions: [`say which: --${flag} ${only ?? 'nginx'}=${value}`],
      })
    if (result[name] !== undefined) throw new UsageError(`--${flag} is given twice for ${name}`)
    result[name] = rest ?? value
  }
  return result
}
