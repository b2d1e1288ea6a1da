import * as Flags from '@oclif/core/flags'
import {PROXY_NAMES} from '../model/catalogue.ts'

/*
 * The shared flags: each means the same in every verb, and has an environment variable GMS_PROXY_<FLAG>. Values are judged after
 * parsing, so that every problem can be named at once. A repeatable flag takes a comma-separated list from its variable.
 */

export const parameterFlags = {
  params: Flags.string({
    char: 'p',
    env: 'GMS_PROXY_PARAMS',
    helpValue: 'FILE',
    summary: 'Parameters file, YAML or JSON; gms-proxy.yaml when it exists; - reads stdin',
  }),
  set: Flags.string({
    env: 'GMS_PROXY_SET',
    helpValue: 'KEY=VALUE',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'Override one parameter: polling.hold=45s, upstream.nodes=gms1:8080,gms2:8080 (repeatable)',
  }),
  'proxy-version': Flags.string({
    env: 'GMS_PROXY_PROXY_VERSION',
    helpValue: 'X.Y[.Z]',
    summary: 'Render and judge for this version of the proxy',
  }),
}

export const runtimeFlags = {
  runtime: Flags.string({
    env: 'GMS_PROXY_RUNTIME',
    options: ['auto', 'binary', 'docker'],
    default: 'auto',
    helpGroup: 'RUNTIME',
    summary: 'How a proxy is run; auto takes a local binary when there is one, else Docker',
  }),
  image: Flags.string({
    env: 'GMS_PROXY_IMAGE',
    helpValue: '[PROXY=]REF',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'RUNTIME',
    summary: 'Docker image to run (repeatable, one for each proxy)',
  }),
  binary: Flags.string({
    env: 'GMS_PROXY_BINARY',
    helpValue: '[PROXY=]PATH',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'RUNTIME',
    summary: 'Proxy binary to run (repeatable, one for each proxy)',
  }),
}

export const dialectFlag = {
  proxy: Flags.string({
    env: 'GMS_PROXY_PROXY',
    options: [...PROXY_NAMES],
    helpValue: 'PROXY',
    summary: 'Dialect of a configuration file, when it is not recognised rightly',
  }),
}

export const selectionFlags = {
  only: Flags.string({
    env: 'GMS_PROXY_ONLY',
    helpValue: 'ID',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'CHECKS',
    summary: 'Run these checks only: an id or a prefix such as upgrade (repeatable)',
  }),
  skip: Flags.string({
    env: 'GMS_PROXY_SKIP',
    helpValue: 'ID',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'CHECKS',
    summary: 'Leave these checks out (repeatable)',
  }),
  'allow-exec': Flags.boolean({
    env: 'GMS_PROXY_ALLOW_EXEC',
    helpGroup: 'CHECKS',
    summary: 'Let a foreign configuration load code and start programs',
  }),
  intrusive: Flags.boolean({
    env: 'GMS_PROXY_INTRUSIVE',
    helpGroup: 'CHECKS',
    summary: 'Run checks that a production system would notice against a URL or a real GMS too',
  }),
  'fail-on': Flags.string({
    env: 'GMS_PROXY_FAIL_ON',
    options: ['error', 'warning', 'note'],
    default: 'error',
    helpGroup: 'CHECKS',
    summary: 'Findings from this severity up make the exit code 1',
  }),
  'fail-on-skip': Flags.boolean({
    env: 'GMS_PROXY_FAIL_ON_SKIP',
    helpGroup: 'CHECKS',
    summary: 'A skipped check makes the exit code 1 as well',
  }),
}

export const outputFlags = {
  verbose: Flags.boolean({
    char: 'v',
    env: 'GMS_PROXY_VERBOSE',
    exclusive: ['quiet'],
    helpGroup: 'OUTPUT',
    summary: 'Say more: what is being done, the sandbox diff',
  }),
  quiet: Flags.boolean({env: 'GMS_PROXY_QUIET', helpGroup: 'OUTPUT', summary: 'Nothing on stderr but errors'}),
  'no-color': Flags.boolean({env: 'GMS_PROXY_NO_COLOR', helpGroup: 'OUTPUT', summary: 'No colour (NO_COLOR is heeded too)'}),
}

/** What only a person knows of a GMS that is not simulated, or of a proxy that already runs. */
export const gmsFlags = {
  upstream: Flags.string({
    env: 'GMS_PROXY_UPSTREAM',
    helpValue: 'simulator|URL',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'GMS',
    summary: 'The simulator (default), or a real GMS: one URL a node, or one that stands for all (repeatable)',
  }),
  'chat-service': Flags.string({
    env: 'GMS_PROXY_CHAT_SERVICE',
    helpValue: 'NAME',
    helpGroup: 'GMS',
    summary: 'Chat service to ask for; default customer-support',
  }),
  auth: Flags.string({
    env: 'GMS_PROXY_AUTH',
    helpValue: 'USER:PASSWORD',
    helpGroup: 'GMS',
    summary: 'Credentials of the chat service; rather in GMS_PROXY_AUTH, where no process list shows them',
  }),
  header: Flags.string({
    env: 'GMS_PROXY_HEADER',
    helpValue: "'NAME: VALUE'",
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'GMS',
    summary: 'Send this header with every request, such as the key of a gateway (repeatable)',
  }),
  ca: Flags.string({
    env: 'GMS_PROXY_CA',
    helpValue: 'FILE',
    helpGroup: 'GMS',
    summary: 'Also trust the certificates in this PEM file',
  }),
}

/** `--format` with the formats that this verb can print. */
export function formatFlag<Format extends string>(formats: readonly [Format, ...Format[]]) {
  return {
    format: Flags.string({
      env: 'GMS_PROXY_FORMAT',
      options: [...formats],
      default: formats[0],
      helpGroup: 'OUTPUT',
      summary: 'What stdout gets',
    }),
  }
}

/** `--timing`: how long waits take. */
export const timingFlag = {
  timing: Flags.string({
    env: 'GMS_PROXY_TIMING',
    options: ['real', 'compressed'],
    default: 'real',
    helpGroup: 'CHECKS',
    summary: 'compressed: divide the durations of proxy, GMS and clients by one factor, so that long waits take seconds',
  }),
}

/** `--timeout`: a bound on the whole run. */
export const timeoutFlag = {
  timeout: Flags.string({
    env: 'GMS_PROXY_TIMEOUT',
    helpValue: 'DURATION',
    summary: 'Bound on the whole run (10m); past it everything is stopped and the exit code is 3',
  }),
}

/**
 * Values of a repeatable flag. From the command line they arrive as a list, from the environment as one text with commas;
 * `separator` is what divides that text.
 */
export function listOf(value: string | readonly string[] | undefined, separator: RegExp = /,/): readonly string[] {
  if (value === undefined) return []
  return (typeof value === 'string' ? value.split(separator) : value).map(item => item.trim()).filter(item => item !== '')
}

/** A comma that ends one `KEY=VALUE` and begins the next; commas inside a value stay. */
export const BETWEEN_OVERRIDES = /,(?=[A-Za-z_][\w.]*=)/
