import {execFile} from 'node:child_process'
import {chmod, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {projectRoot} from '../../test/support/cli.ts'

const run = promisify(execFile)
let cache: string
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'gms-proxy-cache-test-'))
})
afterEach(async () => {
  await chmod(cache, 0o700)
  await rm(cache, {recursive: true, force: true})
})

/** The built program, with its compiled code kept in `folder`. */
async function render(folder: string): Promise<string> {
  const {stdout} = await run(
    process.execPath,
    [join(projectRoot, 'bin/run.js'), 'render', 'haproxy', '--set', 'upstream.nodes=gms1:8080'],
    {env: {...process.env, GMS_PROXY_CACHE_DIR: folder}},
  )
  return stdout
}

async function onlyFile(): Promise<string> {
  const names = await readdir(cache)
  expect(names).toHaveLength(1)
  return join(cache, names[0] ?? '')
}

describe('compiled code', () => {
  it('is kept for the next start, which says the same', async () => {
    const first = await render(cache)
    const file = await onlyFile()
    const kept = await readFile(file)
    expect(await render(cache)).toBe(first)
    expect(await readFile(file)).toEqual(kept)
  })

  it.each([
    ['damaged', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 5000), Buffer.from('damage'), bytes.subarray(5006)])],
    ['cut short', (bytes: Buffer) => bytes.subarray(0, 1000)],
    ['empty', () => Buffer.alloc(0)],
  ])('is not used when it is %s', async (_, spoil) => {
    const first = await render(cache)
    const file = await onlyFile()
    const good = await readFile(file)
    await writeFile(file, spoil(good))
    expect(await render(cache)).toBe(first)
    expect((await readFile(file)).length).toBeGreaterThan(10_000)
  })

  it('is not kept of verbs that load the CometD client: V8 crashes when it reads that back', async () => {
    await run(process.execPath, [join(projectRoot, 'bin/run.js'), 'doctor'], {env: {...process.env, GMS_PROXY_CACHE_DIR: cache}})
    await run(process.execPath, [join(projectRoot, 'bin/run.js'), 'verify', '--help'], {env: {...process.env, GMS_PROXY_CACHE_DIR: cache}})
    expect(await readdir(cache)).toEqual([])
  })

  it('says the same however often it is used', async () => {
    const answers = new Set<string>()
    for (let time = 0; time < 10; time += 1) answers.add(await render(cache))
    expect(answers.size).toBe(1)
  })

  it('is not used when others may write it', async () => {
    await render(cache)
    const file = await onlyFile()
    const bytes = await readFile(file)
    await chmod(cache, 0o777)
    await rm(file)
    await render(cache)
    expect(await readdir(cache)).toEqual([])
    await writeFile(file, bytes)
    expect(await render(cache)).toContain('backend')
  })

  it('is done without where there is no place for it', async () => {
    expect(await render('')).toContain('backend')
    expect(await render('/proc/nowhere')).toContain('backend')
    expect(await readdir(cache)).toEqual([])
  })
})
