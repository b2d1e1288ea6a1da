import {Document, isScalar, Scalar, visit} from 'yaml'
import {UsageError} from '../errors.ts'
import type {ConfigFile} from '../model/bundle.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {Parameters} from '../parameters/schema.ts'
import {MARGIN_MS, pollPatience} from '../proxies/margins.ts'
import type {Proxy} from '../proxies/proxy.ts'

/**
 * What the official images are made of: where the configuration lies, which signal ends the proxy after its open requests, and whether
 * it starts as root (the images' own Dockerfiles; the signals: nginx "Controlling nginx", httpd "Stopping and Restarting", HAProxy
 * management guide 4).
 */
const IMAGES = {
  nginx: {configuration: '/etc/nginx/nginx.conf', gracefulStop: 'SIGQUIT', root: true},
  apache: {configuration: '/usr/local/apache2/conf/httpd.conf', gracefulStop: 'SIGWINCH', root: true},
  haproxy: {configuration: '/usr/local/etc/haproxy/haproxy.cfg', gracefulStop: 'SIGUSR1', root: false},
} as const satisfies Record<ProxyName, {configuration: string; gracefulStop: NodeJS.Signals; root: boolean}>

/** Name of the file, beside the configuration. */
export const COMPOSE_FILE = 'compose.yaml'
const ANY = new Set(['*', '0.0.0.0', '[::]'])

/**
 * A Compose file that runs the rendered configuration `file` in the official image: of `asked` when a version was asked for, else the
 * pinned one. `header` are the lines of its comment.
 * @throws UsageError for parameters that do not fit a container.
 */
export function composeFile(
  proxy: Proxy,
  parameters: Parameters,
  {file, asked, header}: {file: string; asked?: string; header: readonly string[]},
): ConfigFile {
  assertFits(parameters)
  const image = IMAGES[proxy.name]
  const ports = publishedPorts(parameters)
  const {openFiles} = parameters.limits
  const {auth} = parameters.health
  const service = {
    image: literal(imageOf(proxy, asked)),
    restart: 'unless-stopped',
    ports: ports.map(port => quoted(`${port}:${port}`)),
    ...(image.root || ports.every(port => port >= 1024) ? {} : {sysctls: {'net.ipv4.ip_unprivileged_port_start': 0}}),
    volumes: [mount(`./${file}`, image.configuration), ...certificateFiles(parameters).map(path => mount(path, path))],
    ...(auth === undefined ? {} : {environment: {[auth]: `\${${auth}:?the Authorization header of the health check}`}}),
    ulimits: {nofile: {soft: openFiles, hard: openFiles}},
    stop_signal: image.gracefulStop,
    stop_grace_period: `${Math.ceil(gracePeriod(parameters) / 1000)}s`,
    healthcheck: {
      test: ['CMD', 'bash', '-c', literal(healthCommand(parameters))],
      interval: '30s',
      timeout: '5s',
      retries: 3,
      start_period: '10s',
    },
  }
  const document = new Document({services: {[proxy.name]: service}})
  document.commentBefore = header.map(line => ` ${line}`.trimEnd()).join('\n')
  comment(document, proxy, {
    image: 'the official image; name a mirror of yours here if there is one',
    sysctls: 'the image does not run as root, and the ports below 1024 belong to root elsewhere',
    volumes: image.root
      ? 'certificates and keys: from this machine, never written'
      : 'certificates and keys must be readable for the user of the image (uid 99)',
    environment: 'from the environment of docker compose, or from .env beside this file',
    ulimits: 'limits.openFiles: what the arithmetic in the configuration counts on',
    stop_grace_period:
      parameters.upstream.drainTimeout === undefined
        ? `polling.hold and the network: polls are answered. A stop ends open chats; a reload keeps them: docker compose kill -s ${proxy.reloadSignal} ${proxy.name}`
        : `upstream.drainTimeout and a margin. A reload waits for open chats as well: docker compose kill -s ${proxy.reloadSignal} ${proxy.name}`,
    healthcheck: 'does the proxy answer? Whether GMS does is its own health check',
  })
  return {path: COMPOSE_FILE, text: document.toString({lineWidth: 0})}
}

/** The image of a version that was asked for, as far as it was named: `1.22` follows the mends of its branch. */
function imageOf(proxy: Proxy, asked: string | undefined): string {
  const {reference} = proxy.image
  return asked === undefined || proxy.versions.newest === asked || proxy.versions.newest.startsWith(`${asked}.`)
    ? reference
    : `${reference.replace(/:[^/:]+$/, '')}:${asked}`
}

/** @throws UsageError that names every parameter which a container could not honour. */
function assertFits({listener, tls = []}: Parameters): void {
  const all = [
    ...listener.map((own, index) => ({...own, path: `listener.${index}`})),
    ...tls.map((own, index) => ({...own, path: `tls.${index}`})),
  ]
  const problems = [
    ...all.flatMap(({address, port, path}) => {
      if (!ANY.has(address))
        return [`  ${path}.address: a container has no address ${address} of its own: use *, and bind the port in compose.yaml`]
      const alsoIpv4 = all.some(other => other.port === port && other.address !== '[::]' && ANY.has(other.address))
      return address === '[::]' && !alsoIpv4 ? [`  ${path}.address: Docker hands connections on over IPv4: listen on * as well`] : []
    }),
    ...tls.flatMap(({certificate}, index) =>
      certificate === undefined ? [`  tls.${index}.certificate: name the file that is to be mounted`] : [],
    ),
  ]
  if (problems.length > 0)
    throw new UsageError(['--compose does not fit these parameters', ...problems].join('\n'), {
      suggestions: ['mend them, or leave --compose out'],
    })
}

/** Every port that clients come to, once. */
function publishedPorts({listener, tls = []}: Parameters): readonly number[] {
  return [...new Set([...listener, ...tls].map(({port}) => port))].sort((a, b) => a - b)
}

/** Every file that the configuration names, at the same place inside. */
function certificateFiles({tls = [], upstream}: Parameters): readonly string[] {
  const files = [
    ...tls.flatMap(({certificate, key, clientCertificates}) => [certificate, key, clientCertificates?.authority]),
    upstream.tls?.authority,
    upstream.tls?.certificate,
    upstream.tls?.key,
  ]
  return [...new Set(files.filter(file => file !== undefined))]
}

function mount(source: string, target: string): Record<string, unknown> {
  // Without create_host_path: false, Docker makes a folder where a file is missing.
  return {type: 'bind', source: literal(source), target: literal(target), read_only: true, bind: {create_host_path: false}}
}

/** ms. Compose stops a container before it starts the next: nobody is served meanwhile, so it must not wait for ever. */
function gracePeriod({upstream, polling}: Parameters): number {
  return upstream.drainTimeout === undefined ? pollPatience(polling.hold) : upstream.drainTimeout + MARGIN_MS
}

/**
 * Asks the proxy for anything over HTTP, with what every image has (bash). Where it speaks TLS or the PROXY protocol only, a connection is
 * all that can be asked for.
 */
function healthCommand({listener, tls = [], logging}: Parameters): string {
  const plain = listener.find(({proxyProtocol}) => !proxyProtocol)
  const port = logging.metricsPort ?? plain?.port
  if (port === undefined) return `exec 3<>/dev/tcp/127.0.0.1/${(listener[0] ?? tls[0])?.port ?? 0}`
  const host = (logging.metricsPort === undefined ? plain?.serverNames[0] : undefined) ?? '127.0.0.1'
  return String.raw`exec 3<>/dev/tcp/127.0.0.1/${port} && printf 'HEAD / HTTP/1.0\r\nHost: ${host}\r\n\r\n' >&3 && read -r -t 4 line <&3 && [[ $line == HTTP/* ]]`
}

/** Compose replaces `$NAME` in every value: `$$` is a dollar sign. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$')
}

/** In quotes: 22:22 is a number of base 60 to a reader of YAML 1.1. */
function quoted(text: string): Scalar {
  const scalar = new Scalar(text)
  scalar.type = Scalar.QUOTE_DOUBLE
  return scalar
}

function comment(document: Document, proxy: Proxy, comments: Readonly<Record<string, string>>): void {
  const service = document.getIn(['services', proxy.name])
  visit(document, {
    Pair(_, {key}, path) {
      if (!isScalar(key) || path.at(-1) !== service) return
      const text = comments[String(key.value)]
      if (text !== undefined) key.commentBefore = ` ${text}`
    },
  })
}
