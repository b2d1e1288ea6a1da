import {expect, test} from 'vitest'
import {PROXIES} from '../proxies/index.ts'
import {locate} from './locate.ts'

const CONF = `
http {
    server {
        location /genesys/cometd {
            proxy_read_timeout 1h;
        }
        location /genesys/2/chat-ntf {
            proxy_pass http://gms;
            proxy_read_timeout 20s;
        }
    }
}
`

test('the place of a directive, anywhere or inside a block', () => {
  const config = PROXIES.nginx.parse({proxy: 'nginx', entry: 'nginx.conf', files: [{path: 'nginx.conf', text: CONF}], origin: 'read'})
  expect(locate(config, ['proxy_read_timeout'])?.line).toBe(5)
  expect(locate(config, ['location /genesys/2/chat-ntf > proxy_read_timeout', 'proxy_read_timeout'])?.line).toBe(9)
  expect(locate(config, ['location /other > proxy_read_timeout'])).toBeUndefined()
})
