import {execFileSync} from 'node:child_process'
import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {UsageError} from '../errors.ts'
import type {ConfigBundle} from '../model/bundle.ts'
import {PROXIES} from '../proxies/index.ts'
import {compareBundle, readBundle, writeBundle} from './disk.ts'

const proxies = Object.values(PROXIES)
const NGINX =
  'events {}\nhttp {\n  server {\n    listen 80;\n    location / {\n      proxy_pass http://gms;\n    }\n  }\n  include conf.d/*.conf;\n}\n'
const HAPROXY = 'defaults\n  mode http\nlisten chat\n  bind :80\n  server a gms1:8080\n'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-disk-'))
})
afterEach(() => rm(folder, {recursive: true}))

async function put(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), {recursive: true})
    await writeFile(join(folder, path), text)
  }
}
const paths = async (path = '') => (await readBundle(join(folder, path), {proxies})).bundle.files.map(file => file.path)
const usage = (path: string, options: Partial<Parameters<typeof readBundle>[1]> = {}) =>
  readBundle(join(folder, path), {proxies, ...options}).then(
    () => expect.unreachable(),
    (error: unknown) => {
      expect(error).toBeInstanceOf(UsageError)
      const {message, suggestions} = error as UsageError
      expect(suggestions).not.toHaveLength(0)
      return message.replaceAll(folder, 'DIR')
    },
  )

describe('reads', () => {
  test('a file, with its dialect recognised, text untouched', async () => {
    await put({'a.cfg': HAPROXY.replaceAll('\n', '\r\n')})
    const {proxy, bundle} = await readBundle(join(folder, 'a.cfg'), {proxies})
    expect(proxy.name).toBe('haproxy')
    expect(bundle).toMatchObject({entry: 'a.cfg', origin: 'read', files: [{path: 'a.cfg', text: HAPROXY.replaceAll('\n', '\r\n')}]})
  })

  test('a folder by the usual name, with what it includes, in order', async () => {
    await put({
      'nginx.conf': NGINX,
      'conf.d/b.conf': 'gzip off;\n',
      'conf.d/a.conf': 'include ../more/x.conf;\ninclude more/x.conf;',
      'conf.d/.hidden.conf': '',
      'conf.d/c.txt': '',
      'more/x.conf': '',
    })
    expect(await paths()).toEqual(['nginx.conf', 'conf.d/a.conf', 'conf.d/b.conf', 'more/x.conf'])
  })

  test('absolute includes below the folder; none above it', async () => {
    await put({
      'sub/nginx.conf': `events {}\nhttp {\n  include ${folder}/sub/in.conf;\n  include ${folder}/out.conf;\n  include ../out.conf;\n}\n`,
      'sub/in.conf': '',
      'out.conf': '',
    })
    expect(await paths('sub/nginx.conf')).toEqual(['sub/nginx.conf', 'sub/in.conf'].map(path => path.slice(4)))
  })

  test('files that include each other, once', async () => {
    await put({'nginx.conf': 'events {}\nhttp {\n  include nginx.conf;\n  include b.conf;\n}\n', 'b.conf': 'include nginx.conf;\n'})
    expect(await paths()).toEqual(['nginx.conf', 'b.conf'])
  })

  test('the data files of HAProxy, without reading directives in them', async () => {
    await put({'haproxy.cfg': `${HAPROXY}  acl a path -f lists/a.lst\n`, 'lists/a.lst': 'acl b path -f other.lst\n', 'other.lst': ''})
    expect(await paths()).toEqual(['haproxy.cfg', 'lists/a.lst'])
  })

  test('a single configuration of any name, and a link inside the folder', async () => {
    await put({'available/chat.cfg': HAPROXY})
    await symlink('available/chat.cfg', join(folder, 'chat.cfg'))
    expect(await paths()).toEqual(['chat.cfg'])
  })
})

describe('refuses, naming the file and the next step', () => {
  test.each([
    ['missing.conf', {}, 'DIR/missing.conf does not exist'],
    [
      '',
      {'readme.txt': ''},
      'DIR/ holds no configuration: neither nginx.conf, conf/nginx.conf, httpd.conf, apache2.conf, conf/httpd.conf, haproxy.cfg nor a *.conf or *.cfg file',
    ],
    ['', {'nginx.conf': NGINX, 'haproxy.cfg': HAPROXY}, 'DIR/ holds several configurations: nginx.conf, haproxy.cfg'],
    ['', {'a.conf': NGINX, 'b.conf': NGINX}, 'DIR/ holds several configurations: a.conf, b.conf'],
    ['a.cfg', {'a.cfg': new Uint8Array([0x67, 0, 1])}, 'DIR/a.cfg is not text: it holds a NUL byte'],
    ['a.cfg', {'a.cfg': Buffer.from('# caf\xe9\n', 'latin1')}, 'DIR/a.cfg is not UTF-8'],
    ['a.cfg', {'a.cfg': 'hello world\n'}, 'DIR/a.cfg reads like none of nginx, Apache httpd, HAProxy'],
    ['a.cfg', {'a.cfg': `${'#'.repeat(11 * 1_048_576)}\n`}, 'the configuration is larger than 10 MiB (DIR/a.cfg)'],
    ['a.cfg/b', {'a.cfg': ''}, 'DIR/a.cfg/b does not exist: a part of the path is a file'],
  ])('%s %#', async (path, files, message) => {
    await put(files)
    expect((await usage(path)).replace('DIR holds', 'DIR/ holds')).toBe(message)
  })

  test('a link that leads out of the folder', async () => {
    await put({'sub/nginx.conf': NGINX, 'secret.conf': 'x'})
    await mkdir(join(folder, 'sub/conf.d'))
    await symlink('../../secret.conf', join(folder, 'sub/conf.d/x.conf'))
    expect(await usage('sub')).toBe('DIR/sub/conf.d/x.conf is a link that leads out of the folder, to DIR/secret.conf')
  })

  test('a link in the place of the file that is named, unless it leads next door', async () => {
    await put({'far/away/secret.conf': NGINX, 'etc/sites-available/chat.conf': NGINX, 'etc/sites-enabled/x': ''})
    await symlink('../../far/away/secret.conf', join(folder, 'etc/sites-enabled/secret.conf'))
    await symlink('../sites-available/chat.conf', join(folder, 'etc/sites-enabled/chat.conf'))
    expect(await usage('etc/sites-enabled/secret.conf')).toBe('DIR/etc/sites-enabled/secret.conf is a link to DIR/far/away/secret.conf')
    expect(await paths('etc/sites-enabled/chat.conf')).toEqual(['chat.conf'])
  })

  test('a hidden file: tokens lie in them', async () => {
    await put({'haproxy.cfg': `${HAPROXY}  http-request return status 200 content-type a/b file .git/config\n`, '.git/config': 'x'})
    expect(await usage('haproxy.cfg')).toBe('DIR/.git/config is hidden, and DIR/haproxy.cfg wants to read it')
  })

  test('a pipe', async () => {
    execFileSync('mkfifo', [join(folder, 'nginx.conf')])
    expect(await usage('nginx.conf')).toBe('DIR/nginx.conf is neither a file nor a folder')
  })

  test('more than 500 files', async () => {
    await put({'nginx.conf': NGINX, ...Object.fromEntries(Array.from({length: 501}, (_, i) => [`conf.d/${i}.conf`, '']))})
    expect(await usage('')).toBe('the configuration has more than 500 files')
  })
})

describe('writes and compares', () => {
  const bundle: ConfigBundle = {
    proxy: 'nginx',
    entry: 'nginx.conf',
    origin: 'rendered',
    files: [
      {path: 'nginx.conf', text: 'a;\nb;\n'},
      {path: 'conf.d/gms.conf', text: 'c;\n'},
    ],
  }

  test('what was written is equal; a change and a missing file give a diff', async () => {
    const target = join(folder, 'new/deep')
    await writeBundle(bundle, target)
    expect(await compareBundle(bundle, target)).toEqual([])
    await writeFile(join(target, 'nginx.conf'), 'a;\nB;\n')
    await rm(join(target, 'conf.d'), {recursive: true})
    const [changed, missing] = await compareBundle(bundle, target)
    expect(changed).toMatchObject({file: join(target, 'nginx.conf'), state: 'differs'})
    expect(changed?.diff).toContain('@@ -1,2 +1,2 @@\n a;\n-B;\n+b;\n')
    expect(missing).toMatchObject({state: 'missing'})
    expect(missing?.diff).toMatch(/^--- \/dev\/null\n\+\+\+ .*conf\.d\/gms\.conf\n@@ -0,0 \+1,1 @@\n\+c;\n$/)
  })

  test('a file where the folder should be is a mistake of usage', async () => {
    await put({out: ''})
    await expect(writeBundle(bundle, join(folder, 'out'))).rejects.toBeInstanceOf(UsageError)
    await expect(writeBundle(bundle, join(folder, 'out/x'))).rejects.toBeInstanceOf(UsageError)
  })
})
