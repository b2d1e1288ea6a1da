// Configurations of other people's sites by the thousand lines, one of which is a site for chat. Each is {path: text}; the first is the entry.

const SITES_IN_A_FILE = 5
const pad = number => String(number).padStart(4, '0')

/** Files until there are `lines` of them; `made` gives those of one file. */
function filled(lines, first, made) {
  const files = {...first}
  let count = Object.values(first).join('').split('\n').length
  for (let file = 0; count < lines; file++) {
    const [path, text] = made(file)
    files[path] = text
    count += text.split('\n').length - 1
  }
  return files
}

const sites = (file, site) => Array.from({length: SITES_IN_A_FILE}, (_, index) => site(pad(file * SITES_IN_A_FILE + index))).join('\n')

const NGINX_MAIN = `worker_processes auto;
events { worker_connections 4096; }
http {
    log_format chat '$remote_addr [$time_local] "$request" $status $upstream_addr';
    access_log logs/access.log chat;
    include maps/*.conf;
    include sites/*.conf;
}
`
const NGINX_CHAT = `map $http_upgrade $gms_connection { default upgrade; "" ""; }
upstream gms { ip_hash; server 127.0.0.1:9001; server 127.0.0.1:9002; }
server {
    listen 127.0.0.1:8000;
    server_name chat.example.com;
    client_max_body_size 11m;
    location /genesys/ {
        proxy_pass http://gms;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $gms_connection;
        proxy_read_timeout 75s;
        proxy_buffering off;
    }
}
`
const nginxSite = id => `# site ${id}
upstream app${id} {
    least_conn;
    server 127.0.0.1:9101 max_fails=2 fail_timeout=5s;
    server 127.0.0.1:9102 max_fails=2 fail_timeout=5s;
    keepalive 16;
}
server {
    listen 127.0.0.1:8000;
    server_name www${id}.example.com site${id}.example.org;
    access_log logs/site${id}.log chat;
    location = /health { return 204; }
    location /static/ {
        root html;
        expires 1h;
        add_header Cache-Control public;
    }
    location ~ ^/api/v[0-9]+/ {
        proxy_pass http://app${id};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_read_timeout 30s;
    }
    location /old/ {
        if ($args ~ ^id=([0-9]+)$) { return 301 /new/$1; }
        rewrite ^/old/(.*)$ /new/$1 last;
    }
    location / {
        proxy_pass http://app${id};
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Tenant $tenant${id};
    }
}
`
const nginxMap = id => `map $http_host $tenant${id} {
    default none;
${Array.from({length: 8}, (_, at) => `    t${at}-${id}.example.com tenant-${at};`).join('\n')}
}
`

/** nginx: servers on one address told apart by name, each with an upstream and a map of its own. */
export function nginxTree(lines) {
  return filled(lines, {'nginx.conf': NGINX_MAIN, 'sites/chat.conf': NGINX_CHAT}, file => [
    `sites/${pad(file)}.conf`,
    sites(file, nginxMap) + sites(file, nginxSite),
  ])
}

const APACHE_MAIN = `ServerName main.example.com
Listen 127.0.0.1:8000
${'mpm_event authz_core unixd log_config proxy proxy_http proxy_balancer slotmem_shm lbmethod_byrequests headers rewrite alias dir mime'
  .split(' ')
  .map(name => `LoadModule ${name}_module modules/mod_${name}.so`)
  .join('\n')}
LogFormat "%h %t \\"%r\\" %>s" chat
IncludeOptional sites/*.conf
`
const APACHE_CHAT = `<VirtualHost 127.0.0.1:8000>
    ServerName chat.example.com
    ProxyTimeout 75
    <Proxy balancer://gms>
        BalancerMember http://127.0.0.1:9001 route=a
        BalancerMember http://127.0.0.1:9002 route=b
        ProxySet stickysession=ROUTE
    </Proxy>
    Header add Set-Cookie "ROUTE=.%{BALANCER_WORKER_ROUTE}e; path=/" env=BALANCER_ROUTE_CHANGED
    ProxyPass /genesys/ balancer://gms/genesys/ upgrade=websocket
    RequestHeader set X-Forwarded-Proto http
</VirtualHost>
`
const apacheSite = id => `# site ${id}
<Proxy balancer://app${id}>
    BalancerMember http://127.0.0.1:9101 retry=5
    BalancerMember http://127.0.0.1:9102 retry=5
</Proxy>
<VirtualHost 127.0.0.1:8000>
    ServerName www${id}.example.com
    ServerAlias site${id}.example.org
    CustomLog logs/site${id}.log chat
    DocumentRoot htdocs
    <Directory htdocs>
        Require all granted
        DirectoryIndex index.html
    </Directory>
    RewriteEngine on
    RewriteCond %{QUERY_STRING} ^id=([0-9]+)$
    RewriteRule ^/old/(.*)$ /new/%1 [R=301,L]
    Alias /static htdocs/static
    <Location /api/>
        Header set Cache-Control no-store
        RequestHeader set X-Site site${id}
    </Location>
    ProxyPass /static !
    ProxyPass /api/ balancer://app${id}/api/
    ProxyPassReverse /api/ balancer://app${id}/api/
    ProxyPass / http://127.0.0.1:9103/ timeout=30
</VirtualHost>
`

/** Apache: virtual hosts told apart by name, each with a balancer of its own. */
export function apacheTree(lines) {
  return filled(lines, {'httpd.conf': APACHE_MAIN, 'sites/chat.conf': APACHE_CHAT}, file => [
    `sites/${pad(file)}.conf`,
    sites(file, apacheSite),
  ])
}

const HAPROXY_MAIN = `global
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 75s
    timeout server 75s
    timeout tunnel 1h
`
const HAPROXY_CHAT = `backend gms
    balance roundrobin
    cookie GMS insert indirect nocache
    option httpchk GET /genesys/cometd
    server a 127.0.0.1:9001 cookie a check
    server b 127.0.0.1:9002 cookie b check
`
const haproxySite = id => `# site ${id}
backend app${id}
    balance leastconn
    option httpchk
    http-check send meth GET uri /health
    http-check expect status 200
    http-request set-header X-Site site${id}
    http-request set-header X-Real-IP %[src]
    acl old path_beg /old/
    http-request redirect location /new/ if old
    http-response set-header Cache-Control no-store if { path_beg /api/ }
    timeout server 30s
    server a 127.0.0.1:9101 check inter 5s
    server b 127.0.0.1:9102 check inter 5s
`

/** HAProxy: one frontend that chooses a backend by Host; all of it in one file, as HAProxy wants it. */
export function haproxyTree(lines) {
  const each = haproxySite(pad(0)).split('\n').length + 1
  const count = Math.max(1, Math.round((lines - 30) / each))
  const ids = Array.from({length: count}, (_, index) => pad(index))
  const frontend = `frontend www
    bind 127.0.0.1:8000
    option forwardfor
    http-request set-header X-Forwarded-Proto http
    acl chat hdr(host) -i chat.example.com
    use_backend gms if chat
${ids.map(id => `    acl host${id} hdr(host) -i www${id}.example.com site${id}.example.org\n    use_backend app${id} if host${id}`).join('\n')}
    default_backend gms
`
  return {'haproxy.cfg': [HAPROXY_MAIN, frontend, HAPROXY_CHAT, ...ids.map(haproxySite)].join('\n')}
}
