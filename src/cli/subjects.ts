import {stat} from 'node:fs/promises'
import {text as readAll} from 'node:stream/consumers'
import {bundleOfText, readBundle, STDIN} from '../bundle/disk.ts'
import {UsageError} from '../errors.ts'
import {PROXY_NAMES} from '../model/catalogue.ts'
import type {ProxyName} from '../model/catalogue.ts'
import {loadForeignParameters, loadParameters} from '../parameters/load.ts'
import type {LoadedParameters, ParametersRequest} from '../parameters/load.ts'
import type {ForeignParameters, Parameters} from '../parameters/schema.ts'
import {nearest} from '../parameters/suggest.ts'
import {PROXIES} from '../proxies/index.ts'
import type {Subject} from '../verify/subject.ts'

/** What the words of `verify` and `--params` mean. */
export interface SubjectsRequest {
  words: readonly string[]
  /** `--proxy`: the dialect of the paths. */
  dialect?: ProxyName
  /** Absent when a person gave no parameters at all. */
  parameters?: ParametersRequest
  /** Who asks: `lint` and `import` only read, so they take `-`, and no URL. Default `verify`. */
  verb?: Verb
}

/** Verbs that take subjects. */
export type Verb = 'verify' | 'diagnose' | 'fix' | 'lint' | 'import'

const onlyReads = (verb: string) => verb === 'lint' || verb === 'import'

/**
 * The subjects of a command line, in its order, each once.
 * @throws UsageError for a word that is neither a proxy, nor a path that exists, nor a URL, and for wrong parameters.
 */
export async function resolveSubjects({words, dialect, parameters, verb = 'verify'}: SubjectsRequest): Promise<readonly Subject[]> {
  const stdin = once(() => parameters?.stdin() ?? Promise.resolve(''))
  const request: ParametersRequest | undefined = parameters && {...parameters, stdin}
  const stated = once(() => loadParameters(request ?? {overrides: [], stdin}))
  const expected = once(async () => (request ? loadForeignParameters(request) : undefined))
  const named = words.length > 0 ? words : [await proxyOf(verb, request ? expected : () => Promise.resolve(undefined))]
  if (named.includes(STDIN) && parameters?.file === STDIN)
    throw new UsageError('parameters and configuration cannot both come from stdin', {suggestions: ['name a file for one of the two']})
  const subjects: Subject[] = []
  for (const word of new Set(named.flatMap(one => (one === 'all' ? PROXY_NAMES : [one]))))
    subjects.push(await resolve(word, {dialect, stated, expected, verb}))
  return subjects
}

async function resolve(
  word: string,
  {
    dialect,
    stated,
    expected,
    verb,
  }: {
    dialect: ProxyName | undefined
    stated: () => Promise<LoadedParameters<Parameters>>
    expected: () => Promise<LoadedParameters<ForeignParameters> | undefined>
    verb: Verb
  },
): Promise<Subject> {
  const name = PROXY_NAMES.find(proxy => proxy === word)
  if (name) return {kind: 'rendered', name, proxy: PROXIES[name], stated: await stated()}
  const foreign = await expected()
  const promise = foreign ? {stated: foreign} : {}
  const read = {proxies: Object.values(PROXIES), ...(dialect ? {proxy: dialect} : {})}
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(word)) {
    if (onlyReads(verb))
      throw new UsageError(`${word.replace(/\/\/.*@/, '//')} is a URL: ${verb} reads configuration files`, {
        suggestions: ['gms-proxy verify URL judges a proxy that runs'],
      })
    return {kind: 'url', name: word, url: urlOf(word), ...promise}
  }
  if (onlyReads(verb) && word === STDIN) return {kind: 'file', name: STDIN, ...bundleOfText(await readAll(process.stdin), read), ...promise}
  if (!(await stat(word).catch(() => undefined))) throw unknownWord(word, verb)
  const {proxy, bundle} = await readBundle(word, read)
  return {kind: 'file', name: word, proxy, bundle, ...promise}
}

/** `ws:` and `wss:` name the same listener as `http:` and `https:`. */
function urlOf(word: string): URL {
  const named = word.replace(/\/\/.*@/, '//')
  const problem = (why: string) => new UsageError(`${named}: ${why}`, {suggestions: ['name a URL such as http://chat.example.com']})
  let url: URL
  try {
    url = new URL(word.replace(/^ws(s?):/i, 'http$1:'))
  } catch (error) {
    throw new UsageError(`${named} is not a URL`, {cause: error, suggestions: ['name a URL such as http://chat.example.com']})
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw problem(`${url.protocol} is not spoken here`)
  if (url.username !== '' || url.password !== '') throw problem('a user name and password in the URL are not supported')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw problem('the paths are those of GMS: give scheme, host and port only')
  return url
}

async function proxyOf(verb: string, expected: () => Promise<LoadedParameters<ForeignParameters> | undefined>): Promise<ProxyName> {
  const proxy = (await expected())?.parameters.proxy
  if (proxy) return proxy
  throw new UsageError(`nothing to ${verb} is named, neither on the command line nor in the parameters`, {
    suggestions: [`gms-proxy ${verb} all`, `gms-proxy ${verb} ./nginx.conf`, 'write proxy: nginx into the parameters'],
  })
}

function unknownWord(word: string, verb: string): UsageError {
  const meant = nearest(word, [...PROXY_NAMES, 'all'])
  return new UsageError(
    `${JSON.stringify(word)} is neither a proxy (${PROXY_NAMES.join(', ')}, all),${onlyReads(verb) ? '' : ' nor a URL,'} nor a file or folder that exists`,
    {
      suggestions: meant === undefined ? [`gms-proxy ${verb} --help`] : [`gms-proxy ${verb} ${meant}`],
    },
  )
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let promise: Promise<T> | undefined
  return () => (promise ??= load())
}
