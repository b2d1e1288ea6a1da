import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {EnvironmentError, UsageError} from '../errors.ts'
import {nginx} from '../proxies/nginx/index.ts'
import {resolveRuntime, versionMatches} from './resolve.ts'
import {surveyRuntimes} from './survey.ts'

const never = new AbortController().signal

describe('a version that was asked for', () => {
  it.each([
    [undefined, '1.22.1', true],
    ['1.22', '1.22.1', true],
    ['1.22.1', '1.22.1', true],
    ['1.2', '1.22.1', false],
    ['1.22.10', '1.22.1', false],
  ])('%s is met by %s: %s', (asked, actual, expected) => {
    expect(versionMatches(asked, actual)).toBe(expected)
  })
})

describe('the runtime of a proxy', () => {
  it('is the local binary when there is one', async () => {
    const runtime = await resolveRuntime(nginx, {prefer: 'auto'}, never)
    expect(runtime.kind).toBe('binary')
    expect(runtime.reason).toMatch(/^nginx 1\.\d+\.\d+ found (on the PATH|in \/)/)
    expect(await resolveRuntime(nginx, {prefer: 'auto', version: runtime.version}, never)).toEqual(runtime)
    expect(await resolveRuntime(nginx, {prefer: 'binary', binary: runtime.reference}, never)).toMatchObject({
      kind: 'binary',
      version: runtime.version,
    })
  })

  it('is an error that lists what was looked at when no version fits', async () => {
    const resolving = resolveRuntime(nginx, {prefer: 'binary', version: '0.9'}, never)
    await expect(resolving).rejects.toThrow(EnvironmentError)
    await expect(resolving).rejects.toThrow(/nothing here can run nginx 0\.9:\n {2}\/.*nginx is 1\./)
    await expect(resolving).rejects.toMatchObject({suggestions: expect.arrayContaining([expect.stringContaining('gms-proxy doctor')])})
  })

  it('is a usage error when --binary names no such file, another program, or contradicts', async () => {
    await expect(resolveRuntime(nginx, {prefer: 'auto', binary: '/nowhere/nginx'}, never)).rejects.toThrow(/there is no such file/)
    const folder = await mkdtemp(join(tmpdir(), 'resolve-'))
    const other = join(folder, 'nginx')
    await writeFile(other, '#!/bin/sh\necho Apache/2.4.1\n', {mode: 0o755})
    await expect(resolveRuntime(nginx, {prefer: 'auto', binary: other}, never)).rejects.toThrow(/is not nginx/)
    await rm(folder, {recursive: true})
    await expect(resolveRuntime(nginx, {prefer: 'docker', binary: '/usr/sbin/nginx'}, never)).rejects.toThrow(UsageError)
    await expect(resolveRuntime(nginx, {prefer: 'auto', binary: '/usr/sbin/nginx', image: 'nginx'}, never)).rejects.toThrow(UsageError)
  })

  it('is surveyed without starting anything', async () => {
    const {proxies, docker} = await surveyRuntimes([nginx])
    expect(proxies[0]).toMatchObject({
      proxy: 'nginx',
      chosen: {kind: 'binary'},
      because: expect.stringContaining('a local binary is taken first'),
    })
    expect(docker.answers || docker.because !== undefined).toBe(true)
  })
})
