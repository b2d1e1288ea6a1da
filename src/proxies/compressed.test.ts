import {describe, expect, it} from 'vitest'
import {applyEdits} from '../model/bundle.ts'
import type {ConfigBundle} from '../model/bundle.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {Timed} from './compressed.ts'
import {compress} from './compressed.ts'
import {PROXIES} from './index.ts'
import type {Proxy} from './proxy.ts'

const VERSIONS: Readonly<Record<ProxyName, string>> = {nginx: '1.22.1', apache: '2.4.71', haproxy: '2.6.12'}
const POLL: Timed = {id: 'poll', feels: ['traffic'], moments: [30_000, 40_000]}

function compressed(proxy: ProxyName, text: string, checks: readonly Timed[] = [POLL], factors: readonly number[] = [10]) {
  const bundle: ConfigBundle = {proxy, entry: 'main.cfg', files: [{path: 'main.cfg', text}], origin: 'read'}
  const column: Proxy = PROXIES[proxy]
  const durations = column.durations?.(column.parse(bundle), VERSIONS[proxy]) ?? {found: [], unclear: []}
  const {edits, realTime, factor} = compress(durations, checks, factors)
  return {text: applyEdits(bundle, edits).files[0]?.text ?? '', realTime: Object.fromEntries(realTime), factor}
}

describe('nginx', () => {
  const around = (lines: string) => `events {}\nhttp { ${lines} }\n`

  it('divides what is written, and makes defaults explicit', () => {
    const {text, realTime} = compressed(
      'nginx',
      around('upstream u { server a:1; keepalive 4; } server { location / { proxy_read_timeout 25s; } }'),
    )
    expect(text).toContain('proxy_read_timeout 2500ms;')
    expect(text).toContain('proxy_read_timeout 6000ms; ')
    expect(text).toContain('server a:1 fail_timeout=1s;')
    expect(text).toContain('keepalive_timeout 6000ms; server a:1')
    expect(text).toContain('client_body_timeout 6000ms;')
    expect(realTime).toEqual({})
  })

  it('says a default once, and not beside what is written', () => {
    const {text} = compressed('nginx', around('client_header_timeout 1m 30s; proxy_send_timeout 500ms; server { }'))
    expect(text.match(/proxy_send_timeout/g)).toHaveLength(1)
    expect(text).toContain('proxy_send_timeout 50ms;')
  })

  it('leaves 0, and what clients are told, alone', () => {
    const {text} = compressed('nginx', around('keepalive_timeout 65s 60s; proxy_next_upstream_timeout 0; server { }'))
    expect(text).toContain('keepalive_timeout 6500ms 60s;')
    expect(text).toContain('proxy_next_upstream_timeout 0;')
  })

  it('keeps a narrow distance wide enough for a busy machine', () => {
    expect(compressed('nginx', around('proxy_read_timeout 31s; proxy_send_timeout 60s; server {}')).text).toContain(
      'proxy_read_timeout 3150ms;',
    )
    expect(compressed('nginx', around('proxy_read_timeout 30s; server {}')).text).toContain('proxy_read_timeout 3000ms;')
  })
})

describe('HAProxy', () => {
  it('divides timeouts, and the interval of checks that nobody wrote', () => {
    const {text, realTime} = compressed(
      'haproxy',
      'defaults\n  timeout server 25s\n  timeout tunnel 1h\n  timeout connect 0\nbackend b\n  http-request set-timeout server 2m if { path /x }\n  server a 127.0.0.1:1 check\n  server b 127.0.0.1:2\n',
    )
    expect(text).toContain('timeout server 2500ms\n')
    expect(text).toContain('timeout tunnel 360000ms')
    expect(text).toContain('timeout connect 0\n')
    expect(text).toContain('set-timeout server 12000ms if')
    expect(text).toContain('server a 127.0.0.1:1 check inter 200ms\n')
    expect(text).toContain('server b 127.0.0.1:2\n')
    expect(realTime).toEqual({})
  })

  it('compresses nothing when a duration is not known', () => {
    const {realTime} = compressed('haproxy', 'defaults\n  timeout server "${PATIENCE}"\n')
    expect(realTime['poll']).toMatch(/^timeout server cannot be compressed: /)
  })
})

describe('Apache', () => {
  it('writes whole seconds', () => {
    const {text, realTime} = compressed('apache', 'Timeout 25\nProxyTimeout 45\nProxyPass / http://a:1/ timeout=60\nKeepAliveTimeout 5\n')
    expect(text).toContain('Timeout 2\n')
    expect(text).toContain('ProxyTimeout 5\n')
    expect(text).toContain('timeout=6 retry=6\n')
    expect(text).toContain('RequestReadTimeout header=2-4,MinRate=5000')
    expect(realTime).toEqual({})
  })

  it('runs a check in real time when rounding would change an order', () => {
    const {realTime, factor} = compressed('apache', 'Timeout 41\nProxyTimeout 43\n', [POLL], [10, 5])
    expect(realTime['poll']).toContain('in compressed time')
    expect(factor).toBe(10)
    const other: Timed = {id: 'header', feels: ['header'], moments: [15_000]}
    expect(compressed('apache', 'Timeout 41\nProxyTimeout 43\nRequestReadTimeout header=40\n', [other]).realTime).toEqual({})
  })

  it('takes the factor at which every order is kept', () => {
    expect(
      compressed('apache', 'Timeout 35\nProxyTimeout 45\n', [{id: 'p', feels: ['traffic'], moments: [30_000, 40_000]}], [10, 5]),
    ).toMatchObject({
      factor: 5,
      realTime: {},
    })
  })
})
