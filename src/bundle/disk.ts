import {access, constants, mkdir, readFile, readdir, realpath, stat, writeFile} from 'node:fs/promises'
import {basename, dirname, join, posix, relative, resolve, sep} from 'node:path'
import {createTwoFilesPatch} from 'diff'
import {UsageError} from '../errors.ts'
import type {ConfigBundle, ConfigFile} from '../model/bundle.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {Proxy} from '../proxies/proxy.ts'
import type {Directive} from '../proxies/syntax.ts'
import {matchingFiles} from './glob.ts'
import {headerDifference, writtenFor} from './header.ts'

const LIMITS = {files: 500, bytes: 10 * 1_048_576}
/** Names under which the three proxies are configured, in the folder or in its `conf`. */
const ENTRY_NAMES: Readonly<Record<ProxyName, readonly string[]>> = {
  nginx: ['nginx.conf', 'conf/nginx.conf'],
  apache: ['httpd.conf', 'apache2.conf', 'conf/httpd.conf'],
  haproxy: ['haproxy.cfg'],
}
/** Below this nothing was recognised; two dialects closer than `margin` are a draw. */
const RECOGNISED = {least: 0.2, margin: 0.1}
/** Where packages keep files that the configuration folder links to (Debian's `modules-enabled`). */
const PACKAGE_FOLDERS = ['/usr/share/', '/usr/lib/', '/usr/lib64/']

interface ReadOptions {
  /** Dialect that was asked for; else it is recognised. */
  proxy?: ProxyName
  proxies: readonly Proxy[]
}

/**
 * Reads a configuration file, or a folder with one, and what it includes from the same folder. Text is kept as it is on disk, CRLF and byte
 * order mark too: the proxy has to judge them. Absolute includes below a folder of the packages (`/etc/nginx`) mean the
 * folder that is read; others that lead out of it are not followed.
 * @throws UsageError naming the file and the next step: missing, unreadable, not text, too large, several or no entries, dialect unclear.
 */
export async function readBundle(path: string, {proxy: asked, proxies}: ReadOptions): Promise<{bundle: ConfigBundle; proxy: Proxy}> {
  const subject = resolve(path)
  const found = await stat(subject).catch((error: unknown) => refuse(error, path))
  if (!found.isFile() && !found.isDirectory())
    throw new UsageError(`${path} is neither a file nor a folder`, {suggestions: ['name a configuration file or a folder with one']})
  const folder = found.isDirectory() ? subject : dirname(subject)
  const root = await realpath(folder)
  const entry = found.isDirectory() ? await findEntry(folder, path, asked) : basename(subject)
  const name = (file: string) => (file === entry && found.isFile() ? path : join(found.isDirectory() ? path : dirname(path), file))
  if (found.isDirectory()) await assertInside(root, join(root, entry), name(entry))
  else await assertNear(root, join(root, entry), path)

  const reader = new Reader()
  const first: ConfigFile = {path: entry, text: await reader.read(join(root, entry), name(entry))}
  const proxy = asked === undefined ? recognise(first, path, proxies) : named(asked, proxies)

  const files = new Map([[entry, first]])
  const base = found.isDirectory() ? ['', posix.dirname(entry)] : ['']
  const folders = [folder, root, ...(proxy.configurationFolders ?? [])]
  const open = [first]
  for (let file = open.shift(); file; file = open.shift()) {
    for (const {pattern, data, optional} of includesOf(proxy, file, root)) {
      for (const included of await matchingFiles(root, withinRoot(pattern, folders), base)) {
        if (files.has(included)) continue
        if (optional === true && !(await isReadable(root, included))) continue
        if (/(?:^|\/)\./.test(included))
          throw new UsageError(`${name(included)} is hidden, and ${name(file.path)} wants to read it`, {
            suggestions: ['give it another name when it belongs to the configuration'],
          })
        await assertInside(root, join(root, included), name(included))
        const next = {path: included, text: await reader.read(join(root, included), name(included))}
        files.set(included, next)
        if (data !== true) open.push(next)
      }
    }
  }
  return {proxy, bundle: {proxy: proxy.name, entry, files: [...files.values()], origin: 'read', root}}
}

/** Name of a configuration that came over a stream. */
export const STDIN = '-'

/**
 * A configuration that came over a stream: one file, named `-`; its includes are not followed, because nobody knows where they lie.
 * @throws UsageError when it is empty, too large, or its dialect is unclear.
 */
export function bundleOfText(text: string, {proxy: asked, proxies}: ReadOptions): {bundle: ConfigBundle; proxy: Proxy} {
  if (text.trim() === '') throw new UsageError('stdin is empty', {suggestions: ['send a configuration: … < nginx.conf']})
  if (text.length > LIMITS.bytes) throw new UsageError(`stdin is larger than ${LIMITS.bytes / 1_048_576} MiB`)
  if (text.includes('\0')) throw new UsageError('stdin is not text: it holds a NUL byte')
  const file: ConfigFile = {path: STDIN, text}
  const proxy = asked === undefined ? recognise(file, 'stdin', proxies) : named(asked, proxies)
  return {proxy, bundle: {proxy: proxy.name, entry: STDIN, files: [file], origin: 'read'}}
}

async function findEntry(folder: string, path: string, asked: ProxyName | undefined): Promise<string> {
  const exists = async (file: string) => (await stat(join(folder, file)).catch(() => undefined))?.isFile() === true
  const wanted = asked === undefined ? Object.values(ENTRY_NAMES).flat() : ENTRY_NAMES[asked]
  const usual: string[] = []
  for (const file of wanted) if (await exists(file)) usual.push(file)
  const only = usual[0]
  if (usual.length === 1 && only !== undefined) return only
  if (usual.length > 1)
    throw new UsageError(`${path} holds several configurations: ${usual.join(', ')}`, {
      suggestions: [`name one of them: ${join(path, only ?? '')}`],
    })
  const candidates = (await readdir(folder).catch((error: unknown) => refuse(error, path)))
    .filter(file => /\.(conf|cfg)$/.test(file))
    .sort()
  const files: string[] = []
  for (const file of candidates) if (await exists(file)) files.push(file)
  const single = files[0]
  if (single === undefined)
    throw new UsageError(`${path} holds no configuration: neither ${wanted.join(', ')} nor a *.conf or *.cfg file`, {
      suggestions: ['name the file itself'],
    })
  if (files.length > 1)
    throw new UsageError(`${path} holds several configurations: ${files.slice(0, 5).join(', ')}${files.length > 5 ? ', …' : ''}`, {
      suggestions: [`name the one that the proxy is started with: ${join(path, single)}`],
    })
  return single
}

function recognise(file: ConfigFile, path: string, proxies: readonly Proxy[]): Proxy {
  const text = file.text.replace(/^\uFEFF/, '')
  const ranked = proxies.map(proxy => ({proxy, score: proxy.recognise(file.path, text)})).sort((a, b) => b.score - a.score)
  const [best, second] = ranked
  const suggestions = [`say which it is: --proxy ${proxies.map(({name}) => name).join('|')}`]
  if (!best || best.score < RECOGNISED.least)
    throw new UsageError(`${path} reads like none of ${proxies.map(({title}) => title).join(', ')}`, {suggestions})
  if (second && second.score > best.score - RECOGNISED.margin)
    throw new UsageError(`${path} could be ${best.proxy.title} or ${second.proxy.title}`, {suggestions})
  return best.proxy
}

function named(name: ProxyName, proxies: readonly Proxy[]): Proxy {
  const proxy = proxies.find(candidate => candidate.name === name)
  if (!proxy) throw new UsageError(`${name} is not one of ${proxies.map(candidate => candidate.name).join(', ')}`)
  return proxy
}

/** Says of a file that may be missing whether it can be taken: shown, below the folder, text of a sane size. */
async function isReadable(root: string, file: string): Promise<boolean> {
  if (/(?:^|\/)\./.test(file)) return false
  try {
    await assertInside(root, join(root, file), file)
    await new Reader().read(join(root, file), file)
    return true
  } catch {
    return false
  }
}

function includesOf(proxy: Proxy, file: ConfigFile, root: string): readonly {pattern: string; data?: boolean; optional?: boolean}[] {
  const alone: ConfigBundle = {proxy: proxy.name, entry: file.path, files: [file], origin: 'read', root}
  const directives = proxy.parse(alone).files.find(({path}) => path === file.path)?.directives ?? []
  return proxy.includes ? proxy.includes(directives) : includeDirectives(directives)
}

function includeDirectives(directives: readonly Directive[]): readonly {pattern: string}[] {
  return directives.flatMap(({name, args, block}) => {
    const pattern = /^include(optional)?$/i.test(name) ? args[0]?.value : undefined
    return [...(pattern === undefined ? [] : [{pattern}]), ...includeDirectives(block ?? [])]
  })
}

/** An absolute pattern below the folder, or below one that it is a copy of, becomes relative to it. */
function withinRoot(pattern: string, folders: readonly string[]): string {
  const folder = folders.find(candidate => pattern.startsWith(`${candidate}/`))
  return folder === undefined ? pattern : pattern.slice(folder.length + 1)
}

async function assertInside(root: string, file: string, shown: string): Promise<void> {
  const target = await realpath(file).catch((error: unknown) => refuse(error, shown))
  if (target === root || target.startsWith(root + sep) || PACKAGE_FOLDERS.some(folder => target.startsWith(folder))) return
  throw new UsageError(`${shown} is a link that leads out of the folder, to ${target}`, {
    suggestions: ['put a copy in its place, or name the folder that holds both'],
  })
}

/** A file that was named itself may be a link to the next folder (Debian's `sites-enabled`), not to anywhere: whoever sends it could choose what is read. */
async function assertNear(root: string, file: string, shown: string): Promise<void> {
  const target = await realpath(file).catch((error: unknown) => refuse(error, shown))
  const near = dirname(root)
  if (target.startsWith(root + sep) || (near !== sep && target.startsWith(near + sep))) return
  if ([...PACKAGE_FOLDERS, '/nix/store/'].some(folder => target.startsWith(folder))) return
  throw new UsageError(`${shown} is a link to ${target}`, {suggestions: [`name the file itself: ${target}`]})
}

/** Reads text files and keeps count. */
class Reader {
  private files = 0
  private bytes = 0

  async read(file: string, shown: string): Promise<string> {
    const found = await stat(file).catch((error: unknown) => refuse(error, shown))
    if (!found.isFile()) throw new UsageError(`${shown} is not a file`, {suggestions: ['name a configuration file or a folder with one']})
    this.files++
    this.bytes += found.size
    if (this.files > LIMITS.files)
      throw new UsageError(`the configuration has more than ${LIMITS.files} files`, {
        suggestions: ['name a folder, or a file, that includes less'],
      })
    if (this.bytes > LIMITS.bytes)
      throw new UsageError(`the configuration is larger than ${LIMITS.bytes / 1_048_576} MiB (${shown})`, {
        suggestions: ['name the configuration, not its data'],
      })
    const bytes = await readFile(file).catch((error: unknown) => refuse(error, shown))
    if (bytes.includes(0)) throw new UsageError(`${shown} is not text: it holds a NUL byte`, {suggestions: ['save it as UTF-8 text']})
    try {
      return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes)
    } catch (cause) {
      throw new UsageError(`${shown} is not UTF-8`, {suggestions: [`convert it: iconv -f latin1 -t utf-8 ${shown}`], cause})
    }
  }
}

/** What the system said about a path, as a mistake of usage. */
function refuse(error: unknown, path: string): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const said: Readonly<Record<string, [string, string]>> = {
    ENOENT: ['does not exist', 'check the path'],
    ENOTDIR: ['does not exist: a part of the path is a file', 'check the path'],
    EACCES: ['may not be read or written', 'check its permissions'],
    EPERM: ['may not be read or written', 'check its permissions'],
    EISDIR: ['is a folder', 'name a file, or remove the folder'],
    EEXIST: ['is a file', 'name a folder'],
    ELOOP: ['is a link that leads to itself', 'mend the link'],
    EROFS: ['lies on a disk that cannot be written', 'name another folder'],
    ENOSPC: ['cannot be written: the disk is full', 'make room'],
    ENAMETOOLONG: ['is too long a name', 'check the path'],
  }
  const [what, next] = said[code] ?? [`cannot be used (${code || String(error)})`, 'check the path']
  throw new UsageError(`${path} ${what}`, {suggestions: [next], cause: error})
}

/**
 * Makes the folders that the files of a bundle go to, so that nothing is written while anything stands in the way.
 * @throws UsageError when one cannot be made, a folder stands where a file shall be, or, unless it is forced, a file that was not written
 * for the same proxy by this tool.
 */
export async function prepareFolder(files: readonly ConfigFile[], folder: string, {force = false} = {}): Promise<void> {
  for (const file of files) {
    const target = join(folder, file.path)
    await makeFolder(dirname(target)).catch((error: unknown) => refuse(error, dirname(target)))
    const there = await stat(target).catch((error: unknown) => (isMissing(error) ? undefined : refuse(error, target)))
    if (there?.isDirectory() === true) throw new UsageError(`${target} is a folder`, {suggestions: ['name another folder, or remove it']})
    if (!there) continue
    await access(target, constants.W_OK).catch((error: unknown) => refuse(error, target))
    if (!force) await assertOurs(target, file)
  }
}

/** The file of another proxy has the same name (`conf.d/gms-chat.conf`, `compose.yaml`), and so may one that a person wrote. */
async function assertOurs(target: string, {text}: ConfigFile): Promise<void> {
  const present = await readFile(target, 'utf8').catch((error: unknown) => refuse(error, target))
  const [before, now] = [writtenFor(present), writtenFor(text)]
  if (present === text || present.trim() === '' || (before && before.title === now?.title)) return
  throw new UsageError(
    before ? `${target} is there already, for ${before.title}` : `${target} is there already, and not written by gms-proxy`,
    {
      suggestions: ['name another folder with --out', 'write over it with --force'],
    },
  )
}

/**
 * Writes the files of a bundle into `folder`, which is made when it is missing. Other files there are left alone.
 * @throws UsageError when the folder cannot be written.
 */
export async function writeBundle({files}: Pick<ConfigBundle, 'files'>, folder: string): Promise<void> {
  for (const file of files) {
    const target = join(folder, file.path)
    await makeFolder(dirname(target)).catch((error: unknown) => refuse(error, dirname(target)))
    await writeFile(target, file.text).catch((error: unknown) => refuse(error, target))
  }
}

/** Makes a folder and those above it. Not `recursive`: below /proc, where nothing can be made, that never returns (Node 20). */
async function makeFolder(folder: string): Promise<void> {
  const there = await stat(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return undefined
  })
  if (there?.isDirectory() === true) return
  if (!there && dirname(folder) !== folder) await makeFolder(dirname(folder))
  await mkdir(folder).catch(async (error: unknown) => {
    // Another process may have made it meanwhile.
    if ((await stat(folder).catch(() => undefined))?.isDirectory() !== true) throw error
  })
}

/** One file of a folder that is not what would be written. */
export interface BundleDifference {
  file: string
  state: 'missing' | 'differs'
  /** Why the files differ in their headers, when they do so in nothing else. */
  headerOnly?: string
  /** Unified diff from what is there to what would be written. */
  diff: string
}

/**
 * Compares a bundle with the folder it would be written to; nothing when they are equal. Other files in the folder do not matter.
 * @throws UsageError when a file is there but cannot be read.
 */
export async function compareBundle({files}: Pick<ConfigBundle, 'files'>, folder: string): Promise<readonly BundleDifference[]> {
  const differences: BundleDifference[] = []
  for (const {path, text} of files) {
    const file = join(folder, path)
    const present = await readFile(file, 'utf8').catch((error: unknown) => (isMissing(error) ? undefined : refuse(error, file)))
    if (present === text) continue
    const shown = relative('', file).split(sep).join(posix.sep)
    const label = shown.startsWith('../') ? file : shown
    const diff = createTwoFilesPatch(present === undefined ? '/dev/null' : `a/${label}`, `b/${label}`, present ?? '', text, '', '', {
      context: 3,
    })
    const headerOnly = present === undefined ? undefined : headerDifference(present, text)
    differences.push({
      file,
      state: present === undefined ? 'missing' : 'differs',
      ...(headerOnly === undefined ? {} : {headerOnly}),
      diff: diff.replace(/^=+\n/, ''),
    })
  }
  return differences
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
