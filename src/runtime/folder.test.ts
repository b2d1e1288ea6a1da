import {existsSync} from 'node:fs'
import {chmod, mkdir, mkdtemp, rm, utimes} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {env} from 'node:process'
import {afterEach, beforeEach, expect, it} from 'vitest'
import {EnvironmentError} from '../errors.ts'
import {silentLogger} from '../log.ts'
import {makeFolder, reapFolders} from './folder.ts'
import {troubleOfThisMachine} from './trouble.ts'

let base: string
const before = env['TMPDIR']
const anHourAgo = new Date(Date.now() - 3_600_000)

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'folder-test-'))
  await chmod(base, 0o755)
  env['TMPDIR'] = base
})
afterEach(async () => {
  if (before === undefined) delete env['TMPDIR']
  else env['TMPDIR'] = before
  await rm(base, {recursive: true, force: true})
})

it('reaps what has no note or no name and is old; what is new may just be made', async () => {
  const names = ['gms-proxy-1-0123456789ab', '.gms-proxy-AbCdEf', 'gms-proxy-1-somebody-elses']
  for (const name of names) {
    await mkdir(join(base, name))
    await utimes(join(base, name), anHourAgo, anHourAgo)
  }
  await mkdir(join(base, '.gms-proxy-GhIjKl'))
  const live = await makeFolder({keep: false})
  await utimes(live.outer, anHourAgo, anHourAgo)
  await reapFolders(silentLogger)
  expect(names.map(name => existsSync(join(base, name)))).toEqual([false, false, true])
  expect(existsSync(join(base, '.gms-proxy-GhIjKl'))).toBe(true)
  expect(existsSync(live.path)).toBe(true)
  await live.remove()
})

it('has nothing to reap where there is no temporary folder', async () => {
  env['TMPDIR'] = join(base, 'gone')
  await reapFolders(silentLogger)
})

it('is this machine’s trouble when it cannot be made', async () => {
  env['TMPDIR'] = join(base, 'gone')
  const error = await makeFolder({keep: false}).catch(troubleOfThisMachine)
  expect(error).toBeInstanceOf(EnvironmentError)
  expect(error).toMatchObject({suggestions: ['set TMPDIR to a folder that exists and that you may write']})
  const bug = new TypeError('x is not a function')
  expect(troubleOfThisMachine(bug)).toBe(bug)
})
