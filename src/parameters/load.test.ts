import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {UsageError} from '../errors.ts'
import {loadForeignParameters, loadParameters} from './load.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gms-proxy-load-test-'))
})
afterAll(() => rm(folder, {recursive: true, force: true}))

const fromText = (text: string, overrides: readonly string[] = []) =>
  loadParameters({file: '-', overrides, stdin: () => Promise.resolve(text)})
const fromFlags = (...overrides: readonly string[]) => loadParameters({overrides, stdin: () => Promise.resolve('')})
const NODES = 'upstream: {nodes: [gms1:8080]}\n'

async function complaint(loading: Promise<unknown>): Promise<string> {
  const error = await loading.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UsageError)
  return (error as UsageError).message
}

describe('what a file may hold', () => {
  it('fills in defaults, resolves units and remembers what a person wrote', async () => {
    const {parameters, given, source} = await fromText(`${NODES}polling:\n  hold: 45s\n`)
    expect(parameters.upstream.nodes).toEqual([expect.objectContaining({host: 'gms1', port: 8080})])
    expect(parameters.polling.hold).toBe(45_000)
    expect(parameters.limits.chats).toBe(1000)
    expect([given.has('polling.hold'), given.has('upstream.nodes'), given.has('limits.chats')]).toEqual([true, true, false])
    expect(source).toBe('stdin')
  })

  it('reads JSON, CRLF and a byte order mark', async () => {
    expect((await fromText('{"upstream": {"nodes": ["a:1"]}}')).parameters.upstream.nodes).toHaveLength(1)
    expect((await fromText('\uFEFFupstream:\r\n  nodes:\r\n    - a:1\r\n')).parameters.upstream.nodes).toHaveLength(1)
  })

  it('follows anchors', async () => {
    const {parameters} = await fromText(
      'upstream: {nodes: [a:1]}\nupgrade: {idleTimeout: &long 1h}\npolling: {hold: 30s}\nhealth: {interval: *long}\n',
    )
    expect([parameters.upgrade.idleTimeout, parameters.health.interval]).toEqual([3_600_000, 3_600_000])
  })

  it('lets a foreign subject leave the upstream out', async () => {
    const {parameters} = await loadForeignParameters({file: '-', overrides: [], stdin: () => Promise.resolve('limits: {chats: 5}')})
    expect(parameters.limits.chats).toBe(5)
    expect(parameters.upstream).toBeUndefined()
  })
})

describe('every problem, with its place', () => {
  it('lists all of them at once', async () => {
    const file = join(folder, 'bad.yaml')
    await writeFile(
      file,
      'proxyy: nginx\nversion: 1.30\nlistener: {prot: 80}\nupstream:\n  nodes: [a, {host: x}]\npolling: {hold: 30}\naffinity: {mode: cooki}\n',
    )
    const message = await complaint(loadParameters({file, overrides: ['polling.hol=1s'], stdin: () => Promise.resolve('')}))
    expect(message.replaceAll(file, 'bad.yaml').split('\n')).toEqual([
      '8 problems in the parameters (bad.yaml)',
      '  bad.yaml:1:1: proxyy: unknown key; did you mean "proxy"?',
      '  bad.yaml:2:1: version: expected text: write it in quotes, "1.30"',
      '      Version of the proxy, or one for each proxy; none means the newest stable',
      '  bad.yaml:3:12: listener.prot: unknown key; did you mean "port"?',
      '  bad.yaml:5:11: upstream.nodes.0: "a" is not a node: write host:port, such as gms1.network.local:8080',
      '  bad.yaml:5:14: upstream.nodes.1.port: missing, such as 8080',
      '      Port that GMS listens on',
      '  bad.yaml:6:11: polling.hold: expected text, such as 30s, not 30',
      '      How long GMS holds a quiet poll before it answers (CometD timeout)',
      '  bad.yaml:7:12: affinity.mode: expected one of cookie, application-cookie, source-address, none, not "cooki"; did you mean "cookie"?',
      '      What keeps a session on one node',
      '  --set polling.hol=1s: polling.hol: unknown key "hol"; did you mean "hold"?',
    ])
  })

  it.each([
    ['a list at the top', '- a\n', /stdin:1:1: expected keys with values/],
    ['a scalar at the top', 'hello', /expected keys with values/],
    ['nothing', '', /upstream: missing/],
    ['a tab', 'upstream:\n\tnodes: [a:1]\n', /stdin:2:1: a tab indents/],
    ['a key that stands twice', `${NODES}polling: {}\npolling: {}\n`, /stdin:3:1: this key stands twice/],
    ['two documents', `${NODES}---\n${NODES}`, /several documents/],
    ['binary data', `${NODES}\0`, /binary data/],
    ['a megabyte', `# ${'x'.repeat(1_100_000)}\n${NODES}`, /larger than 1 MiB/],
    ['an alias that is nowhere', 'upstream: *nodes\n', /stdin:1/],
    ['a tag', 'upstream: !!js/function "x"\n', /tags/],
    ['a list as key', '? [a]\n: 1\n', /a key must be a plain word/],
    ['a way into the prototype', `${NODES}__proto__: {polluted: 1}\n`, /__proto__: unknown key/],
    ['a way into an inner prototype', 'upstream: {nodes: [a:1], constructor: 1}\n', /upstream\.constructor: unknown key/],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map((name, index) => `${name}: &${name} [${`*${'abcdefg'.charAt(index)},`.repeat(10)}]`)
        .join('\n')}\n`,
      /more than 10000 values/,
    ],
    ['deep nesting', `a: ${'['.repeat(200)}${']'.repeat(200)}`, /nested deeper/],
  ])('refuses %s', async (_, text, expected) => {
    expect(await complaint(fromText(text))).toMatch(expected)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it.each([
    ['a missing file', 'nope.yaml', /does not exist/],
    ['a folder', '.', /is a folder/],
  ])('names %s', async (_, name, expected) => {
    expect(await complaint(loadParameters({file: join(folder, name), overrides: [], stdin: () => Promise.resolve('')}))).toMatch(expected)
  })

  it('says what to do when nothing was given', async () => {
    const error = await fromFlags().catch((reason: unknown) => reason)
    expect((error as UsageError).suggestions.join(' ')).toContain('--set upstream.nodes=')
  })
})

describe('--set', () => {
  it('divides lists by commas, keeps text as text and takes JSON', async () => {
    const {parameters, given} = await fromFlags(
      'upstream.nodes=a:1,[::1]:2',
      'version=1.30',
      'limits={"chats":3}',
      'listener.serverNames=x.example,y.example',
      'listener.port=8080',
    )
    expect(parameters.upstream.nodes).toEqual([
      expect.objectContaining({host: 'a', port: 1}),
      expect.objectContaining({host: '[::1]', port: 2}),
    ])
    expect(parameters.version).toBe('1.30')
    expect(parameters.limits.chats).toBe(3)
    expect(parameters.listener).toEqual([{address: '*', port: 8080, serverNames: ['x.example', 'y.example'], proxyProtocol: false}])
    expect(given.has('limits.chats')).toBe(true)
  })

  it('wins over the file, and the last one wins', async () => {
    expect((await fromText(`${NODES}polling: {hold: 30s}`, ['polling.hold=40s', 'polling.hold=50s'])).parameters.polling.hold).toBe(50_000)
  })

  it('reaches into a list by number', async () => {
    const {parameters} = await fromText(`${NODES}listener: [{port: 1}, {port: 2}]`, ['listener.1.port=3'])
    expect(parameters.listener.map(({port}) => port)).toEqual([1, 3])
  })

  it.each([
    ['nope', /--set nope: .*expected KEY=VALUE/],
    ['=1', /expected KEY=VALUE/],
    ['polling=30s', /set one of its keys \(hold\)/],
    ['limits={"chats"', /begins like JSON but is not/],
    ['limits.chats=many', /--set limits.chats=many: limits.chats: expected a whole number, not "many"/],
    ['__proto__.x=1', /unknown key "__proto__"/],
    ['listener.5.port=1', /there is no item 5|unknown key/],
  ])('explains what is wrong with %s', async (override, expected) => {
    expect(await complaint(fromText(NODES, [override]))).toMatch(expected)
  })

  it('asks which item of a list is meant', async () => {
    expect(await complaint(fromText(`${NODES}listener: [{port: 1}, {port: 2}]`, ['listener.port=3']))).toMatch(
      /list of 2: name the item, such as listener\.0\.port/,
    )
  })
})
