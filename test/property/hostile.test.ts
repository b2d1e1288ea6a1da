import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {PLAIN, render} from '../../src/bundle/render.ts'
import {UsageError} from '../../src/errors.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import {parametersSchema} from '../../src/parameters/schema.ts'
import {alternatives, jsonSchemaOf} from '../../src/parameters/shape.ts'
import type {Shape} from '../../src/parameters/shape.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import type {Proxy} from '../../src/proxies/proxy.ts'
import type {Directive} from '../../src/proxies/syntax.ts'
import {load} from '../support/accepted.ts'

// Parameters are untrusted: whatever could end a directive does not pass, and what passes is one word of a directive that was there anyway.

/** Anything that ends, continues or opens something in one of the three dialects, YAML or a terminal. */
const BREAKS = [
  ';',
  '{',
  '}',
  '"',
  "'",
  '#',
  '\n',
  '\r',
  '\r\n',
  '\\',
  '$',
  '${x}',
  '%',
  '%[env(x)]',
  '<',
  '>',
  ' ',
  '\t',
  '\0',
  '\u001b[2J',
  '\u0085',
  '\u00a0',
  '\u2028',
  '`',
  '|',
  '&',
  '(',
  ')',
  '*',
  '^',
  '=',
  ',',
  '@',
  '!',
  'é',
  '\ud800',
]
const nodes = ['gms1:8080', 'gms2:8080']
const tls = (own: object) => ({tls: {certificate: '/a', ...own}})
const object = (own: object) => ({upstream: {nodes: [{host: 'gms1', port: 8080, ...own}, 'gms2:8080']}})

/** Every text of the parameters, with a value that is valid there. Numbers, choices and snippets are not texts. */
const TEXTS: readonly {path: string; valid: string; build(text: string): object}[] = [
  {path: 'version', valid: '1.22', build: version => ({version})},
  {path: 'version.nginx', valid: '1.22', build: text => ({version: {nginx: text}})},
  {path: 'listener.address', valid: 'a.b', build: address => ({listener: {address}})},
  {path: 'listener.serverNames', valid: 'a.b', build: text => ({listener: {serverNames: [text]}})},
  {path: 'tls.address', valid: 'a.b', build: address => tls({address})},
  {path: 'tls.serverNames', valid: 'a.b', build: text => tls({serverNames: [text]})},
  {path: 'tls.certificate', valid: '/a', build: certificate => ({tls: {certificate}})},
  // not the path of the certificate, which would be one file with both
  {path: 'tls.key', valid: '/k', build: key => tls({key})},
  {path: 'tls.hsts', valid: '1y', build: hsts => tls({hsts})},
  {path: 'tls.clientCertificates.authority', valid: '/a', build: authority => tls({clientCertificates: {authority}})},
  {path: 'upstream.nodes', valid: 'gms1:8080', build: text => ({upstream: {nodes: [text]}})},
  {path: 'upstream.nodes.host', valid: 'gms1', build: host => object({host})},
  {path: 'upstream.nodes.name', valid: 'n1', build: name => object({name})},
  {
    path: 'upstream.nodes.route',
    valid: 'r1',
    build: route => ({
      affinity: {mode: 'application-cookie'},
      upstream: {
        nodes: [
          {host: 'gms1', port: 1, route},
          {host: 'gms2', port: 1, route: 'other'},
        ],
      },
    }),
  },
  {path: 'upstream.tls.authority', valid: '/a', build: authority => ({upstream: {nodes, tls: {authority}}})},
  {path: 'upstream.tls.serverName', valid: 'a.b', build: serverName => ({upstream: {nodes, tls: {serverName}}})},
  {path: 'upstream.tls.certificate', valid: '/a', build: certificate => ({upstream: {nodes, tls: {certificate, key: '/k'}}})},
  {path: 'upstream.tls.key', valid: '/a', build: key => ({upstream: {nodes, tls: {certificate: '/c', key}}})},
  {path: 'upstream.resolvers', valid: '1.1.1.1:53', build: text => ({upstream: {nodes, resolvers: [text]}})},
  {path: 'upstream.dnsTtl', valid: '10s', build: dnsTtl => ({upstream: {nodes, resolvers: ['1.1.1.1'], dnsTtl}})},
  {path: 'upstream.keepAlive', valid: '10s', build: keepAlive => ({upstream: {nodes, keepAlive}})},
  {path: 'upstream.drainTimeout', valid: '10m', build: drainTimeout => ({upstream: {nodes, drainTimeout}})},
  {path: 'affinity.cookie', valid: 'A', build: cookie => ({affinity: {cookie}})},
  {path: 'upgrade.idleTimeout', valid: '300s', build: idleTimeout => ({upgrade: {idleTimeout}})},
  {path: 'polling.hold', valid: '30s', build: hold => ({polling: {hold}})},
  {path: 'upload.maxFileSize', valid: '10MiB', build: maxFileSize => ({upload: {maxFileSize}})},
  {path: 'upload.answerWithin', valid: '2m', build: answerWithin => ({upload: {answerWithin}})},
  {path: 'upload.stallTimeout', valid: '1m', build: stallTimeout => ({upload: {stallTimeout}})},
  {path: 'health.path', valid: '/a', build: path => ({health: {mode: 'http', path}})},
  // not ONLINE: next to it stands OFFLINE, which no other text has
  {path: 'health.expect', valid: 'READY', build: expected => ({health: {mode: 'http', expect: expected}})},
  {path: 'health.auth', valid: 'GMS_AUTH', build: auth => ({health: {mode: 'http', auth}})},
  {path: 'health.interval', valid: '3s', build: interval => ({health: {interval}})},
  {path: 'forwarding.trustedProxies', valid: '10.0.0.0/8', build: text => ({forwarding: {trustedProxies: [text]}})},
  {path: 'access.paths', valid: '/a', build: text => ({access: {paths: [text]}})},
  {path: 'access.allow', valid: '10.0.0.0/8', build: text => ({access: {allow: [text]}})},
  {path: 'access.adminAllow', valid: '10.0.0.0/8', build: text => ({access: {paths: ['/genesys'], adminAllow: [text]}})},
  {path: 'access.origins', valid: 'https://a', build: text => ({access: {origins: [text]}})},
  {path: 'access.headerTimeout', valid: '10s', build: headerTimeout => ({access: {headerTimeout}})},
]

/** What the tools of an editor read, and no template. */
const NOT_RENDERED = ['$schema', 'version.apache', 'version.haproxy']

test('every text of the schema is in this list', () => {
  const texts = textsOf(jsonSchemaOf(parametersSchema)).filter(path => !path.startsWith('snippets.') && !NOT_RENDERED.includes(path))
  expect([...new Set(texts)].sort()).toEqual([...new Set(TEXTS.map(({path}) => path))].sort())
})

/** Dotted paths of all that is written as free text, lists left out of the path. */
function textsOf(shape: Shape, path: readonly string[] = []): readonly string[] {
  return alternatives(shape).flatMap(({type, properties, items, enum: choices, const: only, additionalProperties}) => [
    ...(type === 'string' && !choices && only === undefined ? [path.join('.')] : []),
    ...Object.entries(properties ?? {}).flatMap(([key, inner]) => textsOf(inner, [...path, key])),
    ...(items ? textsOf(items, path) : []),
    ...(typeof additionalProperties === 'object' ? PROXY_NAMES.flatMap(name => textsOf(additionalProperties, [...path, name])) : []),
  ])
}

test.each(TEXTS)('nothing that could end a directive passes in $path', async ({valid, build}) => {
  const whole = (text: string) => ({upstream: {nodes}, ...build(text)})
  await expect(load(whole(valid))).resolves.toBeDefined()
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...BREAKS), fc.nat({max: valid.length}), fc.string({maxLength: 5}), async (mark, at, tail) => {
      const text = valid.slice(0, at) + mark + tail + valid.slice(at)
      const result = await load(whole(text)).catch((error: unknown) => error)
      if (result instanceof UsageError) expect(result.exitCode).toBe(2)
      else {
        // a blank between number and unit, or the address that means every address: what was taken is printed in every dialect as one word
        const [hostile, harmless] = [await load(whole(text)), await load(whole(valid))]
        for (const proxy of Object.values(PROXIES)) expect(skeleton(proxy, hostile), text).toEqual(skeleton(proxy, harmless))
      }
    }),
    {numRuns: 60},
  )
})

test.each(['unix:80', '0.0.0.0:80', '[::]:80', '[0:0:0:0:0:0:0:0]:80', '0:80', '1.2.3:80', '0x7f000001:80', '999.1.1.1:80', '[12:]:80'])(
  'a node that a proxy would take for something else: %s',
  async text => {
    await expect(load({upstream: {nodes: [text]}})).rejects.toThrow(UsageError)
    const [, host = '', number = ''] = /^(.*):(\d+)$/.exec(text) ?? []
    await expect(load({upstream: {nodes: [{host, port: Number(number)}]}})).rejects.toThrow(UsageError)
  },
)

/** Names of all directives in order: hostile text may change words, never add or end a directive. */
function skeleton(proxy: Proxy, read: Awaited<ReturnType<typeof load>>): unknown {
  const version = proxy.versions.newest
  if (proxy.unsupported(read, {...PLAIN, version}).length > 0) return 'declared'
  const names = (directives: readonly Directive[]): unknown =>
    directives.map(({name, args, block}) => [name, args.length, block && names(block)])
  return names(proxy.parse(render(proxy, read, version)).files.flatMap(({directives}) => directives))
}

/** Snippets that would leave their place, for each proxy. */
const ESCAPES: readonly {proxy: ProxyName; place: string; text: string}[] = [
  ...['}', '} server { listen 81;', 'a b', 'if ($x) {', '"', "'", 'a "b;', 'a b; }{', 'a {b}', 'include /etc/passwd; }'].flatMap(text =>
    ['main', 'http', 'upstream', 'server', 'location'].map(place => ({proxy: 'nginx' as const, place, text})),
  ),
  ...[
    '</VirtualHost>',
    '<VirtualHost *:81>',
    '<Location /x>',
    '</Proxy>',
    'Header set A b \\',
    '<IfModule x>\nA b',
    '</IfModule>',
    'A "b\\',
  ].flatMap(text => ['main', 'virtualHost', 'balancer'].map(place => ({proxy: 'apache' as const, place, text}))),
  ...[
    'frontend x',
    'backend y',
    'option a\nlisten b',
    'global',
    'defaults',
    'option "a',
    'option a \\',
    "option 'a",
    '.if defined(X)',
    '.endif',
    'peers p',
    'a\n  resolvers r',
  ].flatMap(text => ['global', 'defaults', 'frontend', 'backend'].map(place => ({proxy: 'haproxy' as const, place, text}))),
]

describe('a snippet stays at its place', () => {
  test.each(ESCAPES)('$proxy $place: $text', async ({proxy, place, text}) => {
    const read = await load({upstream: {nodes}, snippets: {[proxy]: {[place]: text}}})
    const column = PROXIES[proxy]
    const declared = column.unsupported(read, {...PLAIN, version: column.versions.newest})
    expect(declared.map(({path}) => path)).toEqual([`snippets.${proxy}.${place}`])
  })

  test.each(['a\0b;', 'a\rb;', '\u001b[2J', 'a\u2028b', '\ud800', '\u0085'])('control characters do not pass: %j', async text => {
    await expect(load({upstream: {nodes}, snippets: {nginx: {http: text}}})).rejects.toThrow(UsageError)
  })
})
