import {expect, test} from 'vitest'
import {runtimeRequest} from '../../test/support/runtime.ts'
import {silentLogger} from '../log.ts'
import {PROXIES} from '../proxies/index.ts'
import {verify} from './verify.ts'

// Configurations that are well must not fail because all users of a check come from one machine.

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
    default_backend gms

backend gms
    balance roundrobin
    stick-table type ip size 10k expire 1h
    stick on src
    server gms1 gms1.network.local:8080 check
    server gms2 gms2.network.local:8080 check
`

test('source addresses decide the node, and loopback is left out of X-Forwarded-For', async () => {
  const files = [{path: 'haproxy.cfg', text: HAPROXY}]
  const report = await verify(
    [{kind: 'file', name: 'haproxy.cfg', proxy: PROXIES.haproxy, bundle: {proxy: 'haproxy', entry: 'haproxy.cfg', files, origin: 'read'}}],
    {
      runtimeFor: proxy => runtimeRequest(proxy.name),
      only: [
        'listener',
        'affinity',
        'polling-chat',
        'polling-callback-chat',
        'polling-delivers-promptly',
        'upload',
        'upgrade-chat',
        'forwarding',
      ],
      skip: [],
      allowExec: false,
      intrusive: true,
      keep: false,
      signal: new AbortController().signal,
      logger: silentLogger,
      toolVersion: '0.0.0',
      reproduce: '',
    },
  )
  expect(report.subjects[0]?.outcomes.filter(({status}) => status !== 'passed')).toEqual([])
}, 60_000)
