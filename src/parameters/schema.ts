import {z} from 'zod'
import {PROXY_NAMES} from '../model/catalogue.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH, STATUS_PATH} from '../wire/chat.ts'
import {
  anyNumber,
  bindAddress,
  duration,
  filePath,
  hostName,
  nameServer,
  network,
  nodeHost,
  noNode,
  oneOrMore,
  parseNode,
  port,
  size,
  snippet,
  token,
  urlPath,
} from './grammar.ts'

const MINUTE = 60_000
const DAY = 86_400_000

const listener = z.strictObject({
  address: bindAddress.default('*').describe('Address to listen on; * means all of IPv4, [::] all of IPv6'),
  port: port.default(80).describe('TCP port'),
  serverNames: z.array(hostName).max(50).default([]).describe('Host names that clients use; none means any'),
  proxyProtocol: z
    .boolean()
    .default(false)
    .describe('A load balancer in front (forwarding.trustedProxies) begins each connection with a PROXY protocol header'),
})

const tls = z.strictObject({
  address: bindAddress.default('*').describe('Address to listen on; * means all of IPv4, [::] all of IPv6'),
  port: port.default(443).describe('TCP port'),
  serverNames: z.array(hostName).max(50).default([]).describe('Host names this certificate is for (SNI); none means those of the listener'),
  certificate: filePath
    .optional()
    .meta({description: 'PEM file with the certificate chain, or with chain and key', examples: ['/etc/ssl/chat/chat.example.com.pem']}),
  key: filePath.optional().meta({
    description: 'PEM file with the private key; none when it is in the certificate file',
    examples: ['/etc/ssl/chat/chat.example.com.key'],
  }),
  profile: z.enum(['modern', 'intermediate', 'old']).default('intermediate').describe('Mozilla TLS profile'),
  redirect: z
    .boolean()
    .default(false)
    .describe('Redirect plain HTTP to HTTPS, but the chat paths: their clients cannot follow, they are served on both'),
  hsts: duration('Strict-Transport-Security max-age', {min: 0, max: 63_072_000_000, example: '1y'}).optional(),
  ocspStapling: z.boolean().default(false).describe('Staple OCSP answers, for authorities that still have a responder'),
  clientCertificates: z
    .strictObject({
      authority: filePath.meta({
        description: 'PEM file with the authorities that sign client certificates',
        examples: ['/etc/ssl/chat/customers.pem'],
      }),
      required: z.boolean().default(true).describe('Refuse clients without a certificate'),
    })
    .optional()
    .describe('Certificates of clients'),
  http2: z.boolean().default(true).describe('Offer HTTP/2 to clients; WebSocket keeps working beside it'),
  proxyProtocol: z
    .boolean()
    .default(false)
    .describe('A load balancer in front (forwarding.trustedProxies) begins each connection with a PROXY protocol header'),
})

/** One GMS node, with defaults. */
export interface NodeParameters {
  host: string
  port: number
  name?: string | undefined
  route?: string | undefined
  weight: number
  backup: boolean
  maxConnections?: number | undefined
  drain: boolean
}

const node = z
  .union([
    z.string().meta({description: 'host:port', examples: ['gms1.network.local:8080'], pattern: '^\\S+:\\d{1,5}$'}),
    z.strictObject({
      host: nodeHost.meta({description: 'Host name or address', examples: ['gms1.network.local']}),
      port: port.meta({description: 'Port that GMS listens on', examples: [8080]}),
      name: token('a name')
        .optional()
        .meta({description: 'Name in logs and cookies; none means the first label of the host, or node1, node2, …', examples: ['gms1']}),
      route: token('a route')
        .optional()
        .meta({description: 'What the application cookie of this node ends with (jvmRoute)', examples: ['gms1']}),
      weight: z.int().min(1).max(100).default(1).describe('Share of the new chats, against the other nodes'),
      backup: z.boolean().default(false).describe('Gets chats only when no other node is up'),
      maxConnections: z
        .int()
        .min(1)
        .max(1_000_000)
        .optional()
        .meta({description: 'Connections that this node takes at once', examples: [2000]}),
      drain: z.boolean().default(false).describe('Gets no new chats, keeps its own'),
    }),
  ])
  .transform((value, context): NodeParameters => {
    const given = typeof value === 'string' ? parseNode(value) : value
    const nowhere = given && noNode(given.host)
    if (nowhere !== undefined) context.addIssue({code: 'custom', message: nowhere})
    if (!given)
      context.addIssue({
        code: 'custom',
        message: `"${typeof value === 'string' ? value : 'this'}" is not a node: write host:port, such as gms1.network.local:8080`,
      })
    return given ? {weight: 1, backup: false, drain: false, ...given} : z.NEVER
  })

const upstream = z.strictObject({
  nodes: z.array(node).min(1).max(100).describe('GMS nodes'),
  tls: z
    .strictObject({
      verify: z.boolean().default(true).describe('Refuse a node whose certificate is not signed by the authority or is for another name'),
      authority: filePath.optional().meta({
        description: 'PEM file with the authorities that sign node certificates; none means those of the system',
        examples: ['/etc/ssl/chat/company.pem'],
      }),
      serverName: hostName
        .optional()
        .meta({description: 'Name that the certificates are for (SNI); none means the host of the node', examples: ['gms.network.local']}),
      certificate: filePath
        .optional()
        .meta({description: 'PEM file with the certificate that the proxy shows to nodes', examples: ['/etc/ssl/chat/proxy.crt']}),
      key: filePath.optional().meta({description: 'Its private key', examples: ['/etc/ssl/chat/proxy.key']}),
    })
    .optional()
    .describe('TLS from the proxy to the nodes'),
  resolvers: z.array(nameServer).min(1).max(10).optional().describe('Name servers to follow node names with'),
  dnsTtl: duration('How long an answer of a name server is used; with resolvers', {min: 1000, max: DAY}).prefault('10s'),
  keepAlive: duration('How long an unused connection to a node is kept, below what GMS keeps it for (30s); 0s means not at all', {
    min: 0,
    max: MINUTE * 10,
    example: '10s',
  }).optional(),
  drainTimeout: duration('How long a reload waits for open chats of the old configuration; none means until the last one ends', {
    min: 1000,
    max: 7 * DAY,
    example: '1h',
  }).optional(),
})

const affinity = z
  .strictObject({
    mode: z.enum(['cookie', 'application-cookie', 'source-address', 'none']).default('cookie').describe('What keeps a session on one node'),
    cookie: token('a cookie name')
      .optional()
      .meta({
        description: 'Name of the affinity cookie; none means GMS_NODE, and JSESSIONID for an application cookie',
        examples: ['GMS_NODE'],
      }),
    httpOnly: z.boolean().default(true).describe('Scripts of a page cannot read the cookie'),
    sameSite: z
      .enum(['lax', 'strict', 'none'])
      .optional()
      .describe('SameSite attribute; none is what a widget on other sites needs, over TLS'),
    partitioned: z.boolean().default(false).describe('One cookie for each site that embeds the chat (CHIPS); with sameSite: none'),
  })
  .transform(({cookie, ...rest}) => ({cookie: cookie ?? (rest.mode === 'application-cookie' ? 'JSESSIONID' : 'GMS_NODE'), ...rest}))

const health = z
  .strictObject({
    mode: z.enum(['tcp', 'http', 'passive', 'none']).default('tcp').describe('How the proxy decides that a node is usable'),
    path: urlPath.optional().meta({
      description: `Path of the http health check; none means ${STATUS_PATH}, which says ONLINE or OFFLINE`,
      examples: [STATUS_PATH],
    }),
    expect: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 ]{0,62}$/, 'expected letters, digits and spaces')
      .optional()
      .meta({description: 'Text that the body of the answer must hold; ONLINE for the default path', examples: ['ONLINE']}),
    auth: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'expected the name of an environment variable, in capitals')
      .optional()
      .meta({
        description: 'Environment variable of the proxy that holds the Authorization header of the http health check',
        examples: ['GMS_HEALTH_AUTHORIZATION'],
      }),
    interval: duration('Time between two health checks', {min: 500, max: 3_600_000}).prefault('3s'),
    rise: z.int().min(1).max(100).default(2).describe('Good answers after which a node is up'),
    fall: z.int().min(1).max(100).default(3).describe('Bad answers after which a node is down'),
  })
  .transform(({path, expect, auth, ...rest}) => ({
    ...rest,
    ...(rest.mode === 'http' ? {path: path ?? STATUS_PATH} : path === undefined ? {} : {path}),
    ...(expect !== undefined ? {expect} : rest.mode === 'http' && path === undefined ? {expect: 'ONLINE'} : {}),
    ...(auth === undefined ? {} : {auth}),
  }))

const version = z.string().regex(/^\d+\.\d+(\.\d+)?$/, 'expected X.Y or X.Y.Z, in quotes')

const snippetAt = (place: string, example: string) =>
  snippet.optional().meta({description: `Directives added ${place}`, examples: [example]})

/** The parameters file (CLI contract, section 4). Durations become ms, sizes bytes, nodes objects, `listener` and `tls` lists. */
export const parametersSchema = z.strictObject({
  $schema: z.string().optional().describe('Where editors find this schema; ignored'),
  proxy: z.enum(PROXY_NAMES).optional().describe('Proxy that is meant when a command names none'),
  version: z
    .union([version, z.partialRecord(z.enum(PROXY_NAMES), version)])
    .optional()
    .meta({description: 'Version of the proxy, or one for each proxy; none means the newest stable', examples: ['1.22']}),
  listener: anyNumber(listener).prefault({}).describe('Where clients connect; an empty list beside tls for no plain listener'),
  tls: oneOrMore(tls).optional().describe('Encrypted listener'),
  upstream: upstream.describe('The GMS nodes behind the proxy'),
  affinity: affinity.prefault({}).describe('Requests of one session reach one node'),
  upgrade: z
    .strictObject({idleTimeout: duration('How long a silent WebSocket stays open', {min: 1000, max: 7 * DAY}).prefault('1h')})
    .prefault({})
    .describe('WebSocket'),
  polling: z
    .strictObject({
      hold: duration('How long GMS holds a quiet poll before it answers (CometD timeout)', {min: 1000, max: 600_000}).prefault('30s'),
    })
    .prefault({})
    .describe('Long-polling and callback-polling'),
  upload: z
    .strictObject({
      maxFileSize: size('Largest file that a chat may carry; room for the multipart form is added').prefault('10MiB'),
      answerWithin: duration('How long GMS may take to answer an upload, such as for a virus scan', {min: 1000, max: 3_600_000}).prefault(
        '2m',
      ),
      stallTimeout: duration('A client that sends nothing of its file for so long is given up', {min: 1000, max: 3_600_000}).prefault('1m'),
    })
    .prefault({})
    .describe('Files sent in a chat'),
  health: health.prefault({}).describe('Health of the nodes'),
  forwarding: z
    .strictObject({
      trustedProxies: z.array(network).max(100).default([]).describe('Load balancers in front whose forwarding headers are believed'),
      rfc7239: z.boolean().default(false).describe('Send the Forwarded header of RFC 7239 as well'),
    })
    .prefault({})
    .describe('Telling GMS the real client'),
  access: z
    .strictObject({
      paths: z.array(urlPath).min(1).max(50).default([COMETD_PATH, FILES_PATH]).describe('The only paths that reach GMS'),
      allow: z.array(network).max(500).default([]).describe('Networks that may connect; none means everybody'),
      adminAllow: z
        .array(network)
        .max(100)
        .default([])
        .describe('Networks that may reach the administration of GMS where access.paths cover it; none means nobody'),
      origins: z
        .array(
          z
            .string()
            .regex(
              /^https?:\/\/[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:\d{1,5})?$/,
              'expected an origin such as https://www.example.com',
            ),
        )
        .max(100)
        .default([])
        .describe('Web origins that may use the chat; none means all'),
      cors: z
        .enum(['gms', 'proxy'])
        .default('gms')
        .describe('Who answers browsers of other origins: never both. proxy needs access.origins'),
      headerTimeout: duration('A client that has not sent its whole header after this time is given up', {
        min: 1000,
        max: 600_000,
      }).prefault('10s'),
    })
    .prefault({})
    .describe('Who may reach what'),
  limits: z
    .strictObject({
      chats: z.int().min(1).max(1_000_000).default(1000).describe('Open chats that the proxy must hold at once'),
      openFiles: z
        .int()
        .min(256)
        .max(100_000_000)
        .default(524_288)
        .describe('File descriptors that one process may have where the proxy runs (ulimit -Hn)'),
      connectionsPerClient: z
        .int()
        .min(10)
        .max(1_000_000)
        .optional()
        .meta({description: 'Connections that one client address may have at once', examples: [500]}),
      requestsPerSecond: z
        .int()
        .min(5)
        .max(1_000_000)
        .optional()
        .meta({description: 'Requests that one client address may send, on average', examples: [50]}),
    })
    .prefault({})
    .describe('Capacity'),
  logging: z
    .strictObject({
      format: z.enum(['text', 'json']).default('text').describe('Format of the access log'),
      requestId: z.boolean().default(true).describe('Give each request an id, in the log and as X-Request-ID at GMS'),
      metricsPort: port.optional().meta({description: 'Port on 127.0.0.1 that serves the counters of the proxy', examples: [9145]}),
    })
    .prefault({})
    .describe('Access log and metrics'),
  snippets: z
    .strictObject({
      nginx: z
        .strictObject({
          main: snippetAt('outside every block (not in a fragment)', 'worker_cpu_affinity auto;'),
          http: snippetAt('to http', 'server_names_hash_max_size 1024;'),
          upstream: snippetAt('to upstream', 'keepalive_requests 10000;'),
          server: snippetAt('to each server', 'add_header X-Served-By chat;'),
          location: snippetAt('to each location of the chat', 'proxy_pass_header Server;'),
        })
        .optional()
        .describe('Directives of nginx'),
      apache: z
        .strictObject({
          main: snippetAt('outside every section (not in a fragment)', 'ServerSignature Off'),
          virtualHost: snippetAt('to each VirtualHost', 'Header set X-Served-By chat'),
          balancer: snippetAt('to each Proxy balancer section', 'ProxySet failontimeout=Off'),
        })
        .optional()
        .describe('Directives of Apache httpd'),
      haproxy: z
        .strictObject({
          global: snippetAt('to global (not in a fragment)', 'tune.bufsize 32768'),
          defaults: snippetAt('to defaults', 'option tcp-smart-accept'),
          frontend: snippetAt('to the frontend of the chat', 'http-response set-header X-Served-By chat'),
          backend: snippetAt('to the backend of the chat', 'option tcp-smart-connect'),
        })
        .optional()
        .describe('Directives of HAProxy'),
    })
    .optional()
    .describe("Directives of your own, at named places; the proxy's own test judges them"),
})

/** The same for a subject that brings its own nodes (a path or a URL): `upstream` may be missing. */
export const foreignParametersSchema = parametersSchema.extend({upstream: parametersSchema.shape.upstream.optional()})

/** What `load` gives: defaults filled in, units resolved. */
export type Parameters = z.output<typeof parametersSchema>
/** What a person writes. */
export type ParametersInput = z.input<typeof parametersSchema>
export type ForeignParameters = z.output<typeof foreignParametersSchema>
