import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {expect, it} from 'vitest'
import {readBundle} from '../bundle/disk.ts'
import {PROXIES} from '../proxies/index.ts'
import {CHECKS} from './checks/index.ts'
import {locate} from './locate.ts'

// What an operator is shown as the place has to be the line that breaks it, not the first rule that resembles it.

const folder = join(dirname(fileURLToPath(import.meta.url)), 'checks')

const PLACES: Readonly<Record<string, string>> = {
  'polling-callback-chat/broken.cached.nginx.conf': 'proxy_cache ',
  'polling-callback-chat/broken.haproxy.cfg': 'url_param(jsonp)',
  'polling-callback-chat/broken.nginx.conf': 'if ($arg_jsonp)',
  'polling-delivers-promptly/broken.nginx.conf': 'limit_rate 100',
  'upgrade-chat/broken.haproxy.cfg': 'http-request del-header Upgrade',
  'upgrade-handshake/broken.haproxy.cfg': 'http-request del-header Upgrade',
  'upgrade-negotiated/broken.haproxy.cfg': 'http-request deny deny_status 403 if { req.hdr(Upgrade)',
  'upload-concurrent/broken.haproxy.cfg': 'be_conn(files)',
  'upload-concurrent/broken.httpd.conf': 'ProxyPass "/genesys/2/chat-ntf"',
  'upload-largest-file/broken.haproxy.cfg': 'req.body_size gt 1048576',
  'upload-largest-file/broken.httpd.conf': '<If "%{HTTP:Content-Length}',
  'upload-largest-file/broken.nginx.conf': 'location /genesys/2/chat-ntf',
  'upload-oversize-refused-by-gms/broken.haproxy.cfg': 'req.body_size gt 10500000',
}

it.each(Object.entries(PLACES))('%s: %s', async (file, text) => {
  const {bundle, proxy} = await readBundle(join(folder, file), {proxies: Object.values(PROXIES)})
  const check = CHECKS.find(({meta}) => meta.id === dirname(file))
  expect(locate(proxy.parse(bundle), check?.meta.directives[proxy.name] ?? [])?.text).toContain(text)
})
