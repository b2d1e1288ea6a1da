import {mkdir, mkdtemp, readdir, readFile, rm, stat, chmod, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, it} from 'vitest'
import {readBundle} from '../bundle/disk.ts'
import {UsageError} from '../errors.ts'
import type {ConfigBundle} from '../model/bundle.ts'
import {PROXIES} from '../proxies/index.ts'
import {writeBack} from './write-back.ts'

const BOM_AND_CRLF = '\uFEFFevents {}\r\nhttp { include sites-enabled/*; }\r\n'
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-write-'))
  await mkdir(join(folder, 'sites-enabled'))
  await writeFile(join(folder, 'nginx.conf'), BOM_AND_CRLF)
  await writeFile(join(folder, 'sites-enabled/chat'), 'server { listen 80; }\n')
})

afterEach(() => rm(folder, {recursive: true, force: true}))

const read = async () => (await readBundle(folder, {proxy: 'nginx', proxies: Object.values(PROXIES)})).bundle
const inFile = (bundle: ConfigBundle, file: string, change: (text: string) => string): ConfigBundle => ({
  ...bundle,
  files: bundle.files.map(each => (each.path === file ? {...each, text: change(each.text)} : each)),
})

it('writes what changed, byte for byte, and keeps what was there', async () => {
  await chmod(join(folder, 'nginx.conf'), 0o640)
  const before = await read()
  const written = await writeBack(
    before,
    inFile(before, 'nginx.conf', text => text.replace('http {', 'http { gzip off;')),
    folder,
  )
  expect(written.map(({backup}) => backup)).toEqual([join(before.root ?? '', 'nginx.conf.bak')])
  expect(await readFile(join(folder, 'nginx.conf'), 'utf8')).toBe(BOM_AND_CRLF.replace('http {', 'http { gzip off;'))
  expect(await readFile(join(folder, 'nginx.conf.bak'), 'utf8')).toBe(BOM_AND_CRLF)
  expect((await stat(join(folder, 'nginx.conf'))).mode & 0o777).toBe(0o640)
  expect(await readFile(join(folder, 'sites-enabled/chat'), 'utf8')).toBe('server { listen 80; }\n')
})

it('never writes over a copy that is there', async () => {
  await writeFile(join(folder, 'nginx.conf.bak'), 'mine')
  const before = await read()
  const [written] = await writeBack(
    before,
    inFile(before, 'nginx.conf', text => `${text}# x\n`),
    folder,
  )
  expect(written?.backup).toBe(join(before.root ?? '', 'nginx.conf.bak.1'))
  expect(await readFile(join(folder, 'nginx.conf.bak'), 'utf8')).toBe('mine')
})

it('puts the copy where the configuration does not read it', async () => {
  const before = await read()
  const [written] = await writeBack(
    before,
    inFile(before, 'sites-enabled/chat', text => `${text}# x\n`),
    folder,
  )
  expect(written?.backup).toBe(join(before.root ?? '', 'chat.bak'))
  expect(await readdir(join(folder, 'sites-enabled'))).toEqual(['chat'])
})

it('writes nothing when a file was changed meanwhile', async () => {
  const before = await read()
  const after = inFile(
    inFile(before, 'nginx.conf', text => `${text}# x\n`),
    'sites-enabled/chat',
    text => `${text}# x\n`,
  )
  await writeFile(join(folder, 'sites-enabled/chat'), 'somebody else was here\n')
  await expect(writeBack(before, after, folder)).rejects.toThrow(UsageError)
  expect(await readFile(join(folder, 'nginx.conf'), 'utf8')).toBe(BOM_AND_CRLF)
  expect((await readdir(folder)).sort()).toEqual(['nginx.conf', 'sites-enabled'])
})
