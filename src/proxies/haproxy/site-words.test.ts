import {describe, expect, test} from 'vitest'
import {applyEdits} from '../../model/bundle.ts'
import type {ConfigBundle} from '../../model/bundle.ts'
import {parse} from './parse.ts'
import {site} from './site.ts'

const HEAD = `defaults
    mode http
    timeout connect 5s
    timeout client 75s
    timeout server 75s
`
const bundleOf = (text: string): ConfigBundle => ({
  proxy: 'haproxy',
  entry: 'haproxy.cfg',
  origin: 'read',
  files: [{path: 'haproxy.cfg', text}],
})
const oddities = (text: string, version: string) =>
  site(parse(bundleOf(text)), version).oddities.filter(({kind}) => kind === 'word-unknown' || kind === 'word-removed')
const said = (text: string, version = '2.6.12') => oddities(text, version).map(({kind, name}) => `${kind} ${name}`)
const listen = (lines: string) => `${HEAD}listen gms\n    bind :80\n${lines}    server a 10.0.0.1:80\n`

describe('words that nobody knows', () => {
  test.each([
    ['    timout server 30s\n', 'timout', 'timeout server 30s'],
    ['    option htpchk\n', 'option htpchk', 'option httpchk'],
    ['    timeout tunel 1h\n', 'timeout tunel', 'timeout tunnel 1h'],
    ['    http-request set-heder X y\n', 'http-request set-heder', 'http-request set-header X y'],
    ['    http-request set-vra(txn.a) src\n', 'http-request set-vra', 'http-request set-var(txn.a) src'],
    ['    tcp-request content acept\n', 'tcp-request content acept', 'tcp-request content accept'],
    ['    no option forwardfro\n', 'option forwardfro', 'no option forwardfor'],
  ])('%j', (line, name, mended) => {
    const text = listen(line)
    const [first] = oddities(text, '2.6.12')
    expect(first?.name).toBe(name)
    const after = applyEdits(bundleOf(text), first?.mend ?? []).files[0]?.text ?? ''
    expect(after).toContain(mended)
    expect(said(after)).toEqual([])
  })
  test('a word like no other, and one of another section', () => {
    expect(said(listen('    frobnicate\n'))).toEqual(['word-unknown frobnicate'])
    expect(oddities(listen('    nbthread 2\n'), '2.6.12')).toMatchObject([
      {name: 'nbthread', because: 'it stands in the global section, not here'},
    ])
    expect(said(`global\n    timeout server 5s\n${listen('')}`)).toEqual(['word-unknown timeout'])
  })
})

describe('words of other releases', () => {
  test.each([
    [listen('    guid a\n'), '2.6.12', '3.0.0'],
    [listen('    option forwarded\n'), '2.6.12', '2.7.0'],
    [listen('    timeout client-hs 5s\n'), '2.8.0', '3.0.0'],
    [listen('    http-request set-fc-mark 1\n'), '2.8.0', '3.0.11'],
    [listen('    http-request pause 1s\n'), '3.0.11', '3.2.0'],
    [`global\n    tune.h2.fe.max-total-streams 9\n${listen('')}`, '2.6.0', '2.8.25'],
    [`crt-store\n    load crt a.pem\n${listen('')}`, '2.8.25', '3.0.0'],
  ])('%j is later than %s', (text, before, since) => {
    expect(oddities(text, before)).toMatchObject([{kind: 'word-unknown', mend: []}])
    expect(said(text, since)).toEqual([])
  })
  test('nothing is said of what was not measured', () => {
    expect(said(listen('    guid a\n'), '2.9.0')).toEqual([])
    expect(said(listen('    frobnicate\n'), '3.5.0')).toEqual([])
    expect(said(`program p\n    command x\n${listen('')}`, '3.4.7')).toEqual(['word-removed program'])
  })
})

test.each([
  ['a word that a release removed is said once', listen('    reqdel X\n'), ['word-removed reqdel']],
  ['modules of HAProxy Enterprise bring words', `global\n    module-load hapee-lb-waf.so\n${listen('    waf on\n')}`, []],
  ['code brings actions', `global\n    lua-load a.lua\n${listen('    http-request lua.check\n')}`, []],
  ['parts that a binary may be built without', `global\n    tune.quic.max-frame-loss 5\n    51degrees-data-file x\n${listen('')}`, []],
  ['a section that nobody here knows', `${listen('')}udp-lb dns\n    dgram-bind :53\n    balance roundrobin\n`, []],
  ['a misspelt section', `${listen('')}fronted www\n    bind :81\n`, ['word-unknown fronted']],
  ['a fragment may belong to any section', 'nameserver a 10.0.0.1:53\nhold valid 5s\ntimout server 5s\n', ['word-unknown timout']],
  ['a branch that is not taken', listen('    .if 0\n    frobnicate\n    .endif\n'), []],
  ['a variable', listen('    option "$KIND"\n'), []],
])('%s', (_, text, expected) => expect(said(text)).toEqual(expected))
