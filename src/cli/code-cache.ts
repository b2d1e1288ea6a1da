import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {constants, Script} from 'node:vm'
import {crc32} from 'node:zlib'

/*
 * V8 can keep what it compiled. Node does it by itself from 22.8 on (module.enableCompileCache), for whole modules and any verb; this
 * does it on every Node we support, for exactly the functions that a verb has used. Compiled code is trusted by V8, so it is
 * taken only from a folder and a file that belong to us and that nobody else can write. Whatever goes wrong here, the program is
 * compiled as always.
 */

const OLD_MS = 30 * 86_400_000
/** CRC-32 of the rest: V8 does not notice a damaged cache, it crashes. */
const HEADER_BYTES = 4

type Wrapper = (exports: unknown, require: NodeJS.Require, module: {exports: unknown}, filename: string, folder: string) => void

/** Loads a CommonJS bundle (ASCII only). With a `key`, compiled code is read from, and at exit written to, the user's cache folder. */
export function loadCached(file: string, key: string | undefined): unknown {
  const source = readFileSync(file, 'latin1')
  const folder = cacheFolder()
  const cache = folder === undefined || key === undefined ? undefined : join(folder, `${key}-${process.version}-${process.arch}.bin`)
  const cachedData = cache === undefined ? undefined : readTrusted(cache)
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
    ...(cachedData ? {cachedData} : {}),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  // At exit, because only then V8 knows which functions were needed.
  if (folder !== undefined && cache !== undefined && (!cachedData || script.cachedDataRejected === true))
    process.once('exit', () => store(folder, cache, script))
  const module: {exports: unknown} = {exports: {}}
  ;(script.runInThisContext() as Wrapper)(module.exports, createRequire(file), module, file, dirname(file))
  return module.exports
}

/** `undefined` where there is no place for it, or where the user does not want one (GMS_PROXY_CACHE_DIR is empty). */
function cacheFolder(): string | undefined {
  const {env, platform} = process
  const own = env['GMS_PROXY_CACHE_DIR']
  if (own !== undefined) return own === '' ? undefined : own
  const home = env['HOME'] ?? env['USERPROFILE']
  if (env['XDG_CACHE_HOME'] !== undefined && env['XDG_CACHE_HOME'] !== '') return join(env['XDG_CACHE_HOME'], 'gms-proxy')
  if (platform === 'win32') return env['LOCALAPPDATA'] === undefined ? undefined : join(env['LOCALAPPDATA'], 'gms-proxy', 'cache')
  if (home === undefined || home === '') return undefined
  return platform === 'darwin' ? join(home, 'Library', 'Caches', 'gms-proxy') : join(home, '.cache', 'gms-proxy')
}

function readTrusted(cache: string): Buffer | undefined {
  let descriptor: number | undefined
  try {
    if (!isOurs(statSync(dirname(cache)))) return undefined
    descriptor = openSync(cache, 'r')
    if (!isOurs(fstatSync(descriptor))) return undefined
    const bytes = readFileSync(descriptor)
    const data = bytes.subarray(HEADER_BYTES)
    return bytes.length > HEADER_BYTES && crc32(data) === bytes.readUInt32LE(0) ? data : undefined
  } catch {
    return undefined
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** Owned by us, writable by nobody else. Windows keeps a user's folder to the user. */
function isOurs({uid, mode}: {uid: number; mode: number}): boolean {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & 0o022) === 0)
}

function remove(file: string): void {
  try {
    rmSync(file, {force: true})
  } catch {
    // Where nothing could be written, nothing has to go (`/dev/null/…`).
  }
}

function store(folder: string, cache: string, script: Script): void {
  const temporary = `${cache}.${process.pid}`
  try {
    // Not `recursive`: below /proc that never returns (Node 20).
    for (const path of [dirname(folder), folder]) if (!existsSync(path)) mkdirSync(path, {mode: 0o700})
    if (!isOurs(statSync(folder))) return
    const data = script.createCachedData()
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt32LE(crc32(data))
    writeFileSync(temporary, Buffer.concat([header, data]), {mode: 0o600, flag: 'wx'})
    renameSync(temporary, cache)
    for (const name of readdirSync(folder))
      if (/\.bin(\.\d+)?$/.test(name) && Date.now() - statSync(join(folder, name)).mtimeMs > OLD_MS) unlinkSync(join(folder, name))
  } catch {
    // A read-only home, a full disk: the next start is as slow as this one was.
    remove(temporary)
  }
}
