import {randomBytes} from 'node:crypto'
import {chmodSync, chownSync, existsSync, lstatSync, mkdirSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {lstat, mkdir, mkdtemp, readFile, readdir, realpath, rename, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {getuid, pid} from 'node:process'
import type {Logger} from '../log.ts'
import type {Account} from './account.ts'
import {onExit} from './cleanup.ts'
import type {Child, Owner} from './owner.ts'
import {currentOwner, isChild, isDead, killOrphans, parseOwner} from './owner.ts'

const NAME = /^gms-proxy-\d+-[0-9a-f]{12}$/
/** Before it gets its name. */
const UNNAMED = '.gms-proxy-'
/** A folder without a name or a note is nobody's after this time, ms: a live run needs microseconds between the two. */
const ABANDONED = 600_000
const NOTE = 'owner.json'

/** The temporary folder of one proxy. Only `path` is given away; the note about its owner lies where the proxy cannot write. */
export interface SandboxFolder {
  /** Outer folder: owner's note, output of the proxy. */
  outer: string
  /** What the proxy may write to. */
  path: string
  /** Records the process group that runs on this folder. */
  adopt(child: Child): void
  /** Removes all of it, unless it is to be kept. */
  remove(): Promise<void>
}

interface Note extends Owner {
  keep: boolean
  children: readonly Child[]
}

/**
 * Makes the folder, private to this user (and to `account`, when the proxy runs as another one).
 * @throws Error of the file system when the temporary folder cannot be written.
 */
export async function makeFolder({account, keep}: {account?: Account | undefined; keep: boolean}): Promise<SandboxFolder> {
  const base = await temporaryBase(account)
  const outer = join(base, `gms-proxy-${pid}-${randomBytes(6).toString('hex')}`)
  const path = join(outer, 'sandbox')
  const children: Child[] = []
  const write = (folder: string) => {
    const note: Note = {...currentOwner(), keep, children}
    writeFileSync(join(folder, NOTE), JSON.stringify(note), {mode: 0o600})
  }
  // It gets its recognisable name together with the note: no other run ever sees one without the other.
  const unnamed = await mkdtemp(join(base, UNNAMED))
  try {
    write(unnamed)
    mkdirSync(join(unnamed, 'sandbox'), {mode: 0o700})
    if (account) {
      chownSync(join(unnamed, 'sandbox'), account.uid, account.gid)
      chmodSync(unnamed, 0o711)
    }
    await rename(unnamed, outer)
  } catch (error) {
    rmSync(unnamed, {recursive: true, force: true})
    throw error
  }
  const removeNow = () => {
    if (!keep) rmSync(outer, {recursive: true, force: true, maxRetries: 3})
  }
  const forget = onExit(removeNow)
  return {
    outer,
    path,
    adopt(child) {
      children.push(child)
      write(outer)
    },
    async remove() {
      if (!keep) await rm(outer, {recursive: true, force: true, maxRetries: 5, retryDelay: 50})
      forget()
    },
  }
}

/** Writes a file below the folder, owned by the account the proxy runs as. */
export async function writeInto(folder: string, file: {path: string; text: string}, account: Account | undefined): Promise<void> {
  const target = join(folder, file.path)
  const made = await mkdir(dirname(target), {recursive: true, mode: 0o700})
  writeFileSync(target, file.text, {mode: 0o600})
  if (!account) return
  chownSync(target, account.uid, account.gid)
  if (made === undefined) return
  for (let parent = dirname(target); parent.length >= made.length; parent = dirname(parent)) chownSync(parent, account.uid, account.gid)
}

/** Removes what runs that were killed left behind: their processes and their folders. Live runs, and folders that were to be kept, stay. */
export async function reapFolders(logger: Logger, account?: Account): Promise<void> {
  const base = await temporaryBase(account).catch(() => '')
  if (base === '') return
  for (const name of await readdir(base).catch(() => [])) {
    if (!NAME.test(name) && !name.startsWith(UNNAMED)) continue
    const outer = join(base, name)
    try {
      const found = await lstat(outer)
      // Anyone may write to a temporary folder: only a note that is ours is believed.
      if (!found.isDirectory() || found.uid !== getuid?.()) continue
      if (!existsSync(join(outer, NOTE))) {
        if (Date.now() - found.mtimeMs < ABANDONED) continue
        logger.debug(`removing ${outer}, which belongs to nobody`)
        await removeFolder(outer)
        continue
      }
      if (lstatSync(join(outer, NOTE)).uid !== found.uid) continue
      const text = await readFile(join(outer, NOTE), 'utf8')
      const owner = parseOwner(text)
      if (!owner || !isDead(owner)) continue
      const {keep, children} = readNote(text)
      for (const child of children) killOrphans(child, outer)
      if (keep) continue
      logger.debug(`removing ${outer}, left behind by process ${owner.pid}`)
      await removeFolder(outer)
    } catch (error) {
      logger.debug(`left ${outer} alone: ${String(error)}`)
    }
  }
}

function removeFolder(folder: string): Promise<void> {
  return rm(folder, {recursive: true, force: true, maxRetries: 3, retryDelay: 50})
}

function readNote(text: string): Pick<Note, 'keep' | 'children'> {
  const note = JSON.parse(text) as Partial<Record<keyof Note, unknown>>
  return {keep: note.keep === true, children: Array.isArray(note.children) ? note.children.filter(isChild) : []}
}

/** The system's temporary folder, or `/tmp` when the account of the proxy could not reach into the former. */
async function temporaryBase(account: Account | undefined): Promise<string> {
  const base = await realpath(tmpdir())
  return account && !isReachable(base) ? '/tmp' : base
}

function isReachable(folder: string): boolean {
  const open = (statSync(folder).mode & 0o001) !== 0
  return open && (dirname(folder) === folder || isReachable(dirname(folder)))
}
