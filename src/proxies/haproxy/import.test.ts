import {expect, it} from 'vitest'
import {render} from '../../bundle/render.ts'
import {loadParameters} from '../../parameters/load.ts'
import type {Imported} from '../proxy.ts'
import {haproxy} from './index.ts'

function imported(text: string): Imported {
  const bundle = {proxy: 'haproxy', entry: 'haproxy.cfg', origin: 'read', files: [{path: 'haproxy.cfg', text}]} as const
  return haproxy.importFrom?.(haproxy.parse(bundle), '2.6.12') ?? {parameters: {}, left: []}
}

const FOREIGN = `global
    maxconn 5000
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 90s
    timeout tunnel 2h
frontend www
    bind :80
    bind 10.0.0.1:8443 ssl crt site.pem alpn http/1.1 ca-file clients.pem verify optional
    acl ours src 10.0.0.0/8
    acl balancer src 192.0.2.7
    acl gms path_beg -i /genesys/
    tcp-request connection expect-proxy layer4 if balancer
    http-request deny if !ours
    http-request deny deny_status 413 if { req.body_size gt 53477376 }
    http-request set-header X-Shop 1
    use_backend nodes if gms
    default_backend shop
backend nodes
    cookie NODE insert indirect httponly
    option httpchk
    http-check send meth GET uri /up
    http-check expect string FINE
    server a gms1:8080 cookie a check inter 5s fall 4 weight 200
    server b gms2:8080 cookie b check inter 5s fall 4 weight 100 backup
backend shop
    server shop 10.1.1.1:80
`

it('reads a site of others: what chats need is carried over, the rest is named', () => {
  const {parameters, left} = imported(FOREIGN)
  expect(parameters).toEqual({
    tls: {
      address: '10.0.0.1',
      port: 8443,
      certificate: '/etc/haproxy/site.pem',
      clientCertificates: {authority: '/etc/haproxy/clients.pem', required: false},
      http2: false,
    },
    upstream: {
      nodes: [
        {host: 'gms1', port: 8080, name: 'a', weight: 100},
        {host: 'gms2', port: 8080, name: 'b', weight: 50, backup: true},
      ],
    },
    affinity: {cookie: 'NODE'},
    upgrade: {idleTimeout: '2h'},
    upload: {maxFileSize: '50MiB', stallTimeout: '90s'},
    health: {mode: 'http', path: '/up', expect: 'FINE', interval: '5s', fall: 4},
    forwarding: {trustedProxies: ['192.0.2.7']},
    access: {paths: ['/genesys'], allow: ['10.0.0.0/8']},
    limits: {chats: 4854},
  })
  const lines = left.map(({span, because}) => `${span.line} ${because}`).join('\n')
  expect(lines).toMatch(/^7 timeout server 90s: a poll is answered within 45s/m)
  expect(lines).toMatch(/^18 http-request set-header X-Shop 1: no parameter says it/m)
  expect(lines).toMatch(/backend shop serves something else than the chat/)
})

it('names lines that were added to a rendered file', async () => {
  const text = JSON.stringify({upstream: {nodes: ['gms1:8080', 'gms2:8080']}})
  const {parameters} = await loadParameters({file: '-', stdin: () => Promise.resolve(text), overrides: []})
  const file = render(haproxy, parameters, '2.6.12').files[0]?.text ?? ''
  expect(imported(file)).toEqual({parameters: {upstream: {nodes: ['gms1:8080', 'gms2:8080']}}, left: []})
  const {left} = imported(file.replace('    default_backend gms', '    http-request replace-path /a /b\n    default_backend gms'))
  expect(left.map(({because}) => because)).toEqual(['http-request replace-path /a: this was added by hand: a snippet keeps it'])
})

it('gives nothing for nothing', () => {
  expect(imported('').parameters).not.toHaveProperty('upstream')
  expect(() => imported('server\nbind\nfrontend\n  bind\n  acl\nbackend\n server x')).not.toThrow()
})
