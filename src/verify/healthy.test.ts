import {expect, test} from 'vitest'
import {runtimeRequest} from '../../test/support/runtime.ts'
import {silentLogger} from '../log.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {Outcome} from '../model/report.ts'
import {PROXIES} from '../proxies/index.ts'
import {verify} from './verify.ts'

// Configurations that are well must not fail because all users of a check come from one machine, or because they are strict.

const HAPROXY = `
global
    maxconn 2000

defaults
    mode http
    option forwardfor except 127.0.0.0/8
    timeout connect 5s
    timeout client  45s
    timeout server  45s
    timeout tunnel  1h

frontend chat
    bind *:80
    http-request del-header X-Forwarded-For
    http-request del-header X-Real-IP
    http-request del-header Forwarded
    http-request set-header X-Forwarded-Proto http
    default_backend gms

backend gms
    balance roundrobin
    stick-table type ip size 10k expire 1h
    stick on src
    server gms1 gms1.network.local:8080 check
    server gms2 gms2.network.local:8080 check
`

/** Refuses what no client of GMS sends, and limits each address. */
const NGINX = `
events {
    worker_connections 1024;
}

http {
    limit_conn_zone $binary_remote_addr zone=uploads:1m;

    upstream gms {
        ip_hash;
        server gms1.network.local:8080;
        server gms2.network.local:8080;
    }

    server {
        listen 80;
        client_max_body_size 11m;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_read_timeout 1m;

        location /genesys/cometd {
            if ($query_string = "") {
                set $plain_get $request_method;
            }
            if ($plain_get = GET) {
                return 405;
            }
            proxy_pass http://gms;
        }
        location /genesys/2/chat-ntf {
            limit_except POST {
                deny all;
            }
            limit_conn uploads 2;
            proxy_pass http://gms;
        }
    }
}
`

/** What the outcomes of these checks are that did not pass. */
async function notPassed(
  proxy: ProxyName,
  path: string,
  text: string,
  {only, skip = []}: {only: readonly string[]; skip?: readonly string[]},
): Promise<readonly Outcome[]> {
  const bundle = {proxy, entry: path, files: [{path, text}], origin: 'read'} as const
  const report = await verify([{kind: 'file', name: path, proxy: PROXIES[proxy], bundle}], {
    runtimeFor: column => runtimeRequest(column.name),
    only,
    skip,
    allowExec: false,
    intrusive: true,
    keep: false,
    signal: new AbortController().signal,
    logger: silentLogger,
    toolVersion: '0.0.0',
    reproduce: '',
  })
  const outcomes = report.subjects.flatMap(subject => subject.outcomes)
  expect(outcomes.length).toBeGreaterThan(0)
  return outcomes.filter(({status}) => status !== 'passed')
}

test('source addresses decide the node, and loopback is left out of X-Forwarded-For', async () => {
  const only = [
    'listener',
    'affinity',
    'polling-chat',
    'polling-callback-chat',
    'polling-delivers-promptly',
    'polling-errors-unchanged',
    'polling-session-unknown-unchanged',
    'upload',
    'polling-burst-delivered',
    'polling-long-messages',
    'upgrade-chat',
    'upgrade-compression',
    'upgrade-frames-intact',
    'upgrade-origin',
    'upgrade-pipelined-frames',
    'upstream-post-sent-once',
    'forwarding',
  ]
  // Two wait for half a minute, and addresses do not matter to them; the third has no cookie to look at.
  const skip = ['upload-slow-client', 'upload-late-answer', 'affinity-cookie-attributes']
  expect(await notPassed('haproxy', 'haproxy.cfg', HAPROXY, {only, skip})).toEqual([])
}, 120_000)

test('a strict proxy refuses by itself what no client sends, and limits what comes from one address', async () => {
  const only = ['polling-errors-unchanged', 'upload-concurrent', 'upload-errors-unchanged', 'upstream-post-sent-once']
  expect(await notPassed('nginx', 'nginx.conf', NGINX, {only})).toEqual([])
}, 120_000)

/** Does without compression, lets in the pages of its own host, and limits each address to what a crowd behind it may need. */
const CAUTIOUS = `
events {
    worker_connections 1024;
}

http {
    limit_req_zone $binary_remote_addr zone=chat:1m rate=100r/s;
    map $http_upgrade $connection_upgrade {
        default upgrade;
        ""      "";
    }
    map $http_origin $stranger {
        default                          1;
        ""                               0;
        "~^http://127\\.0\\.0\\.1(:\\d+)?$"  0;
    }

    upstream gms {
        ip_hash;
        server gms1.network.local:8080;
        server gms2.network.local:8080;
    }

    server {
        listen 80;
        client_max_body_size 11m;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header Sec-WebSocket-Extensions "";
        proxy_read_timeout 1m;
        proxy_buffering off;

        location /genesys/ {
            if ($stranger) {
                return 403;
            }
            limit_req zone=chat burst=300 nodelay;
            proxy_pass http://gms;
        }
    }
}
`

test('a cautious proxy takes the offer of compression away, knows its origins, and limits crowds only', async () => {
  const only = [
    'polling-burst-delivered',
    'polling-long-messages',
    'upgrade-compression',
    'upgrade-frames-intact',
    'upgrade-origin',
    'upgrade-pipelined-frames',
  ]
  expect(await notPassed('nginx', 'nginx.conf', CAUTIOUS, {only})).toEqual([])
}, 120_000)

test('limits that one customer never reaches are not reached by checks that run side by side', async () => {
  const limits = CAUTIOUS.replace('rate=100r/s', 'rate=20r/s')
    .replace('burst=300', 'burst=60')
    .replace('limit_req_zone', 'limit_conn_zone $binary_remote_addr zone=open:1m;\n    limit_req_zone')
    .replace('limit_req zone', 'limit_conn open 20;\n            limit_req zone')
  // Each opens chats for a crowd from one address.
  const skip = [
    'limits',
    'affinity',
    'health',
    'upgrade-idle',
    'polling-hold',
    'upload-slow-client',
    'upload-late-answer',
    'access',
    'forwarding',
    // nginx's own format, in which the query stands and no node.
    'logging',
  ]
  expect((await notPassed('nginx', 'nginx.conf', limits, {only: [], skip})).filter(({status}) => status === 'failed')).toEqual([])
}, 120_000)

test('where the address decides the node, chats outlive a node, and the node gets new ones when it is back', async () => {
  const only = ['affinity-transport-fallback', 'affinity-upload-websocket', 'health-dead', 'health-node', 'health-recovers']
  const outcomes = await Promise.all([
    notPassed('haproxy', 'haproxy.cfg', HAPROXY, {only}),
    notPassed('nginx', 'nginx.conf', CAUTIOUS, {only}),
  ])
  expect(outcomes.flat()).toEqual([])
}, 180_000)

/** Passes on what belongs to the chat, in the spellings of those who know Jetty, and shows its own pages to this machine alone. */
const CLOSED = `
events {
    worker_connections 1024;
}

http {
    log_format nodes '$remote_addr "$request_method $uri" $status $upstream_addr';
    access_log /var/log/nginx/access.log nodes;

    upstream gms {
        ip_hash;
        server gms1.network.local:8080;
        server gms2.network.local:8080;
    }

    server {
        listen 80;
        client_header_timeout 5s;
        proxy_http_version 1.1;
        proxy_set_header Connection        "";
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Forwarded         "";

        location ~ "^/genesys/(cometd|2/chat-ntf)(/[^;]*)?$" {
            proxy_pass http://gms;
        }
        location = /nginx_status {
            allow 127.0.0.0/8;
            deny all;
            stub_status;
        }
        location / {
            return 404;
        }
    }
}
`

test('a proxy that passes on the chat alone is closed, however a path is spelt, and its own pages are for its machine', async () => {
  const only = ['access-paths-only', 'access-admin-closed', 'access-slow-headers-cut', 'forwarding-scheme', 'logging-names-the-node']
  expect(await notPassed('nginx', 'nginx.conf', CLOSED, {only})).toEqual([])
}, 120_000)
