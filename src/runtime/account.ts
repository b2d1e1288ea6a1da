import {getuid} from 'node:process'
import {execa} from 'execa'

/** A user without rights that a proxy runs as when this process is root. */
export interface Account {
  name: string
  group: string
  uid: number
  gid: number
}

let known: Promise<Account | undefined> | undefined

/** `nobody`, when this process is root; `undefined` when it is not, or where there is no such user. */
export function unprivilegedAccount(): Promise<Account | undefined> {
  known ??= getuid?.() === 0 ? lookUp('nobody') : Promise.resolve(undefined)
  return known
}

/** id(1) prints `uid=65534(nobody) gid=65534(nogroup) …` on every system this runs on. */
async function lookUp(name: string): Promise<Account | undefined> {
  const {stdout} = await execa('id', [name], {reject: false})
  const found = /^uid=(\d+)\(([^)]+)\) gid=(\d+)\(([^)]+)\)/.exec(stdout)
  if (!found?.[2] || !found[4]) return undefined
  return {name: found[2], group: found[4], uid: Number(found[1]), gid: Number(found[3])}
}
