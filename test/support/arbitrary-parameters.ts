import fc from 'fast-check'
import type {ParametersInput} from '../../src/parameters/schema.ts'

/** Deployments of every kind that the schema allows, the unlikely ones too. What contradicts itself is mended or left out. */

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const DIGITS = '0123456789'

const characters = (allowed: string, size: {minLength: number; maxLength: number}) =>
  fc.array(fc.constantFrom(...allowed), size).map(all => all.join(''))

const label = fc
  .tuple(
    fc.constantFrom(...LETTERS, ...DIGITS),
    characters(`${LETTERS}${DIGITS}_-`, {minLength: 0, maxLength: 20}),
    fc.constantFrom(...LETTERS),
  )
  .map(parts => parts.join(''))

/** Words that mean something to one of the proxies, in a place where they must not. */
const words = fc.constantFrom(
  ...[
    'unix.local',
    'default',
    'server',
    'if',
    'unless',
    'on',
    'off',
    'any',
    'none',
    'all',
    'http',
    'localhost',
    'stdout',
    'fd',
    'abns',
    'backup',
    'down',
    'or',
  ],
)
const host = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(label, {minLength: 1, maxLength: 4})
      .map(labels => labels.join('.'))
      .filter(name => !/(?:^|\.)0x|^unix$/i.test(name)),
  },
  {weight: 2, arbitrary: words},
  {weight: 1, arbitrary: fc.ipV4().filter(address => address !== '0.0.0.0')},
)
const port = fc.oneof(fc.integer({min: 1, max: 65_535}), fc.constantFrom(80, 443, 8080))
const ipv6 = fc.ipV6().filter(address => /[1-9a-f]/i.test(address))
const bracketed = ipv6.map(address => `[${address}]`)
const nodeHost = fc.oneof({weight: 8, arbitrary: host}, {weight: 1, arbitrary: bracketed})
const token = fc
  .tuple(fc.constantFrom(...LETTERS), characters(`${LETTERS}${DIGITS}_-`, {minLength: 0, maxLength: 63}))
  .map(parts => parts.join(''))
const urlPath = characters(`${LETTERS}${DIGITS}._~/-`, {minLength: 1, maxLength: 40}).map(text => `/${text}`)
/** One that a request can have. */
const servedPath = urlPath.filter(path => !/\/\/|\/\.{1,2}(?:\/|$)/.test(path.replace(/\/+$/, '')))
const filePath = characters(`${LETTERS}${DIGITS}._/@+-`, {minLength: 1, maxLength: 60})
  .map(text => `/${text}`)
  .filter(text => !text.endsWith('/'))
const network = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({min: 1, max: 32})).map(([address, bits]) => `${address}/${bits}`),
  fc.ipV4(),
  fc.tuple(ipv6, fc.integer({min: 1, max: 128})).map(([address, bits]) => `${address}/${bits}`),
  ipv6,
)
/** In whole seconds where the number of ms would have more digits than one takes. */
const duration = (min: number, max: number) =>
  fc.integer({min, max}).map(ms => (ms % 1000 === 0 || ms > 999_999_999 ? `${Math.floor(ms / 1000)}s` : `${ms}ms`))
const origin = fc
  .tuple(fc.constantFrom('http', 'https'), host, fc.option(port))
  .map(([scheme, name, number]) => `${scheme}://${name.replaceAll('_', '-')}${number === null ? '' : `:${number}`}`)
const names = fc.uniqueArray(host, {maxLength: 6, selector: name => name.toLowerCase()})

const some = <T>(model: {[K in keyof T]: fc.Arbitrary<T[K]>}, requiredKeys: (keyof T)[] = []) => fc.record(model, {requiredKeys})

const listener = some({
  address: fc.oneof(fc.constant('*'), fc.constant('[::]'), host, bracketed),
  port,
  serverNames: names,
  proxyProtocol: fc.boolean(),
})
const tls = some({
  address: fc.oneof(fc.constant('*'), fc.constant('[::]'), host, bracketed),
  port,
  serverNames: names,
  certificate: filePath,
  key: filePath,
  profile: fc.constantFrom('modern' as const, 'intermediate' as const, 'old' as const),
  redirect: fc.boolean(),
  hsts: fc.oneof(
    duration(0, 999_999_999),
    fc.integer({min: 0, max: 63_072_000}).map(seconds => `${seconds}s`),
  ),
  ocspStapling: fc.boolean(),
  clientCertificates: some({authority: filePath, required: fc.boolean()}, ['authority']),
  http2: fc.boolean(),
  proxyProtocol: fc.boolean(),
})
const node = some(
  {
    host: nodeHost,
    port,
    name: token,
    weight: fc.integer({min: 1, max: 100}),
    backup: fc.boolean(),
    maxConnections: fc.integer({min: 1, max: 1_000_000}),
    drain: fc.boolean(),
  },
  ['host', 'port'],
)

const anything = some(
  {
    listener: fc.oneof(listener, fc.array(listener, {maxLength: 4})),
    tls: fc.oneof(tls, fc.array(tls, {minLength: 1, maxLength: 4})),
    upstream: some(
      {
        nodes: fc.uniqueArray(node, {minLength: 1, maxLength: 12, selector: own => `${own.host}:${own.port}`.toLowerCase()}),
        tls: some({verify: fc.boolean(), authority: filePath, serverName: host, certificate: filePath, key: filePath}),
        resolvers: fc.array(
          fc.oneof(
            fc.tuple(fc.ipV4(), port).map(([address, number]) => `${address}:${number}`),
            fc.ipV4(),
            fc.tuple(ipv6, port).map(([address, number]) => `[${address}]:${number}`),
          ),
          {minLength: 1, maxLength: 4},
        ),
        dnsTtl: duration(1000, 86_400_000),
        keepAlive: duration(0, 600_000),
        drainTimeout: duration(1000, 604_800_000),
      },
      ['nodes'],
    ),
    affinity: some({
      mode: fc.constantFrom(
        'cookie' as const,
        'cookie' as const,
        'application-cookie' as const,
        'source-address' as const,
        'none' as const,
      ),
      cookie: token,
      httpOnly: fc.boolean(),
      sameSite: fc.constantFrom('lax' as const, 'strict' as const, 'none' as const),
      partitioned: fc.boolean(),
    }),
    upgrade: some({idleTimeout: duration(610_000, 604_800_000)}),
    polling: some({hold: duration(1000, 600_000)}),
    upload: some({
      maxFileSize: fc.oneof(fc.integer({min: 1024, max: 10_737_418_240}), fc.constantFrom('10MiB', '1GiB', '500KB')),
      answerWithin: duration(1000, 3_600_000),
      stallTimeout: duration(1000, 3_600_000),
    }),
    health: some({
      mode: fc.constantFrom('tcp' as const, 'http' as const, 'passive' as const, 'none' as const),
      path: urlPath,
      expect: characters(`${LETTERS}${DIGITS} `, {minLength: 1, maxLength: 40}).filter(
        text => text.startsWith('A') || /^[A-Za-z0-9]/.test(text),
      ),
      auth: characters('ABCDEFGHIJKLMNOPQRSTUVWXYZ', {minLength: 1, maxLength: 20}),
      interval: duration(500, 3_600_000),
      rise: fc.integer({min: 1, max: 100}),
      fall: fc.integer({min: 1, max: 100}),
    }),
    forwarding: some({trustedProxies: fc.array(network, {maxLength: 6}), rfc7239: fc.boolean()}),
    access: some({
      paths: fc.oneof(
        fc.uniqueArray(servedPath, {minLength: 1, maxLength: 20, selector: path => path.replace(/\/+$/, '')}),
        fc.constantFrom(['/'], ['/genesys'], ['/genesys/cometd/', '/genesys/2/chat-ntf', '/genesys/1/admin']),
      ),
      allow: fc.array(network, {maxLength: 6}),
      adminAllow: fc.array(network, {maxLength: 4}),
      origins: fc.array(origin, {maxLength: 6}),
      cors: fc.constantFrom('gms' as const, 'proxy' as const),
      headerTimeout: duration(1000, 600_000),
    }),
    limits: some({
      chats: fc.oneof(fc.integer({min: 1, max: 5000}), fc.integer({min: 1, max: 200_000})),
      openFiles: fc.oneof(fc.constantFrom(20_000, 65_536, 1_048_576), fc.integer({min: 256, max: 10_000_000})),
      connectionsPerClient: fc.integer({min: 10, max: 1_000_000}),
      requestsPerSecond: fc.integer({min: 5, max: 1_000_000}),
    }),
    logging: some({format: fc.constantFrom('text' as const, 'json' as const), requestId: fc.boolean(), metricsPort: port}),
  },
  ['upstream'],
)

/** Random parameters that the schema takes and that do not contradict themselves. */
export const arbitraryParameters: fc.Arbitrary<ParametersInput> = fc
  .tuple(anything, fc.boolean())
  .map(([input, routes]) => agreeing(structuredClone(input), routes))

/** Takes out what contradicts the rest: the later one goes. */
function agreeing(input: (typeof anything extends fc.Arbitrary<infer T> ? T : never) & object, routes: boolean): ParametersInput {
  const parameters = input as Record<string, unknown> & ParametersInput
  const {affinity = {}, health = {}, forwarding = {}, access = {}, logging = {}} = parameters
  const trusted = (forwarding.trustedProxies ?? []).length > 0
  const plain = list(parameters.listener ?? {})
  const encrypted = parameters.tls === undefined ? [] : list(parameters.tls)
  const taken = new Map<string, boolean>()
  const place = (own: {address?: string | undefined; port?: number | undefined; proxyProtocol?: boolean | undefined}, standard: number) => {
    if (!trusted) delete own.proxyProtocol
    const key = `${own.address ?? '*'}:${own.port ?? standard}`
    const free = !taken.has(key)
    taken.set(key, true)
    return free
  }
  const listeners = plain.filter(own => place(own, 80))
  const secure = encrypted.filter(own => place(own, 443))
  for (const own of secure) {
    if (own.certificate === undefined) delete own.key
    if (listeners.length === 0) delete own.redirect
  }
  parameters.listener = listeners.length === 0 && secure.length === 0 ? {} : listeners
  if (secure.length > 0) parameters.tls = secure
  else delete parameters.tls
  const {nodes, tls: toNodes} = parameters.upstream
  const objects = nodes.flatMap(own => (typeof own === 'string' ? [] : [own]))
  const used = new Set<string>()
  for (const own of objects) {
    if (own.name !== undefined && used.has(own.name.toLowerCase())) delete own.name
    if (own.name !== undefined) used.add(own.name.toLowerCase())
  }
  if (objects.every(own => own.backup === true || own.drain === true))
    for (const own of objects) Object.assign(own, {backup: false, drain: false})
  if (affinity.mode === 'application-cookie' && routes)
    objects.forEach((own, index) => Object.assign(own, {route: `node.${index}`.replace('.', '-')}))
  if (toNodes && toNodes.certificate === undefined) delete toNodes.key
  if (toNodes?.verify === false) delete toNodes.authority
  if (affinity.sameSite === 'none' && parameters.tls === undefined) delete affinity.sameSite
  if (affinity.sameSite !== 'none') delete affinity.partitioned
  if (health.mode !== 'http') for (const key of ['path', 'expect', 'auth'] as const) delete health[key]
  // the two defaults: what takes a listener's port out puts one in its place
  const ports = [...listeners.map(own => own.port ?? 80), ...secure.map(own => own.port ?? 443), 80, 443]
  if (logging.metricsPort !== undefined && ports.includes(logging.metricsPort)) delete logging.metricsPort
  if ((access.origins ?? []).length === 0) delete access.cors
  return parameters
}

function list<T>(one: T | T[]): T[] {
  return Array.isArray(one) ? one : [one]
}
