/*
 * What the sandbox does to a HAProxy configuration, as data. Nothing here is about chat: it is what makes somebody else's file
 * run unprivileged in a folder of its own without running its author's code.
 */

/** A directive, by its first words (after `no` or `default`). The longest match wins. */
export interface DirectiveRow {
  /** `global` when it means this only there; absent: in every section. */
  section?: 'global'
  path: string
  /** `refuse` stops the run unless code may be executed; `comment` puts `#` in front of the line. */
  op: 'refuse' | 'comment'
  why: string
}

/** A whole section. */
export interface SectionRow {
  section: string
  op: 'refuse' | 'comment'
  why: string
}

/** A word of a `server`, `default-server` or `bind` line, with how many words that follow belong to it. */
export interface ArgumentRow {
  path: string
  values: number
  why: string
}

const CODE = 'it loads code'
const PROGRAM = 'it starts programs'
const IDENTITY = 'the sandbox runs as a user of its own'
const FOREGROUND = 'the sandbox runs in the foreground'
const NO_NAMES = 'nodes became addresses: no name is looked up'
const NO_AGENTS = 'the sandbox has no agents, and the file of the filter could send logs elsewhere'
const NO_BALANCER = 'the load balancer of the sandbox speaks PROXY protocol alone'
const OUTSIDE = 'it is a file outside the sandbox'

export const DIRECTIVES: readonly DirectiveRow[] = [
  {path: 'lua-load', op: 'refuse', why: CODE},
  {path: 'lua-load-per-thread', op: 'refuse', why: CODE},
  {path: 'lua-prepend-path', op: 'refuse', why: CODE},
  {path: 'module-load', op: 'refuse', why: CODE},
  {path: 'module-path', op: 'refuse', why: CODE},
  {path: 'ssl-engine', op: 'refuse', why: CODE},
  {path: 'ssl-provider', op: 'refuse', why: CODE},
  {path: 'ssl-provider-path', op: 'refuse', why: CODE},
  {path: 'filter opentracing', op: 'refuse', why: CODE},
  {path: 'external-check', op: 'refuse', why: PROGRAM},
  {path: 'option external-check', op: 'refuse', why: PROGRAM},
  {path: 'insecure-fork-wanted', op: 'refuse', why: PROGRAM},
  {path: 'insecure-setuid-wanted', op: 'refuse', why: 'it lets programs raise their privileges'},

  {section: 'global', path: 'user', op: 'comment', why: IDENTITY},
  {section: 'global', path: 'group', op: 'comment', why: IDENTITY},
  {section: 'global', path: 'uid', op: 'comment', why: IDENTITY},
  {section: 'global', path: 'gid', op: 'comment', why: IDENTITY},
  {section: 'global', path: 'setcap', op: 'comment', why: IDENTITY},
  {section: 'global', path: 'chroot', op: 'comment', why: 'only root may change the root folder'},
  {section: 'global', path: 'daemon', op: 'comment', why: FOREGROUND},
  {section: 'global', path: 'master-worker', op: 'comment', why: FOREGROUND},
  {section: 'global', path: 'pidfile', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'quiet', op: 'comment', why: 'the sandbox shows messages'},
  {section: 'global', path: 'zero-warning', op: 'comment', why: 'a warning about a change of the sandbox is not a fault of the file'},
  {section: 'global', path: 'set-dumpable', op: 'comment', why: 'core files would be written'},
  {section: 'global', path: 'strict-limits', op: 'comment', why: 'a limit of this machine is not a fault of the file'},
  {section: 'global', path: 'cpu-map', op: 'comment', why: 'the processors of this machine are not those of the deployment'},
  {section: 'global', path: 'cpu-set', op: 'comment', why: 'the processors of this machine are not those of the deployment'},
  {section: 'global', path: 'server-state-file', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'server-state-base', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'stats-file', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'shm-stats-file', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'unix-bind', op: 'comment', why: 'listeners of the sandbox are TCP ports'},
  {section: 'global', path: 'default-path', op: 'comment', why: 'the sandbox writes absolute paths'},
  {section: 'global', path: 'ssl-dh-param-file', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'ssl-load-extra-files', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'ca-base', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'crt-base', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'key-base', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'ocsp-update.mode', op: 'comment', why: 'the sandbox asks no responder of an authority'},
  {section: 'global', path: 'h1-case-adjust-file', op: 'comment', why: OUTSIDE},
  {section: 'global', path: '51degrees-data-file', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'deviceatlas-json-file', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'wurfl-data-file', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'issuers-chain-path', op: 'comment', why: OUTSIDE},
  {section: 'global', path: 'httpclient.ssl.ca-file', op: 'comment', why: OUTSIDE},
  {path: 'load-server-state-from-file', op: 'comment', why: OUTSIDE},
  {path: 'server-state-file-name', op: 'comment', why: OUTSIDE},
  {path: 'filter spoe', op: 'comment', why: NO_AGENTS},
  {path: 'http-request send-spoe-group', op: 'comment', why: NO_AGENTS},
  {path: 'http-response send-spoe-group', op: 'comment', why: NO_AGENTS},
  {path: 'http-after-response send-spoe-group', op: 'comment', why: NO_AGENTS},
  {path: 'tcp-request content send-spoe-group', op: 'comment', why: NO_AGENTS},
  {path: 'tcp-response content send-spoe-group', op: 'comment', why: NO_AGENTS},
  {path: 'tcp-request connection expect-netscaler-cip', op: 'comment', why: NO_BALANCER},
  {path: 'log-stderr', op: 'comment', why: 'logs go to standard output'},
  {path: 'email-alert', op: 'comment', why: 'the sandbox sends no mail'},
  {path: 'source', op: 'comment', why: 'connections to the simulated nodes leave from loopback'},
  {path: 'http-request do-resolve', op: 'comment', why: NO_NAMES},
  {path: 'tcp-request content do-resolve', op: 'comment', why: NO_NAMES},
]

export const SECTION_ROWS: readonly SectionRow[] = [
  {section: 'program', op: 'refuse', why: PROGRAM},
  {section: 'resolvers', op: 'comment', why: NO_NAMES},
  {section: 'peers', op: 'comment', why: 'the sandbox has no other HAProxy to talk to'},
  {section: 'mailers', op: 'comment', why: 'the sandbox sends no mail'},
  {section: 'ring', op: 'comment', why: 'logs go to standard output'},
  {section: 'log-forward', op: 'comment', why: 'the sandbox takes in no logs of others'},
  {section: 'crt-store', op: 'comment', why: 'listeners get a throw-away certificate of this run'},
  {section: 'acme', op: 'comment', why: 'the sandbox asks for no certificates'},
  {section: 'traces', op: 'comment', why: 'traces would be written'},
  {section: 'dynamic-update', op: 'comment', why: 'the sandbox fetches nothing'},
]

const PLAIN = 'nothing is said over TLS here'
const SAME_PORT = 'the simulated node has one port'

/** Words of `server`, `server-template` and `default-server` lines that are taken away. */
export const SERVER_ARGUMENTS: readonly ArgumentRow[] = [
  {path: 'resolvers', values: 1, why: NO_NAMES},
  {path: 'resolve-prefer', values: 1, why: NO_NAMES},
  {path: 'resolve-net', values: 1, why: NO_NAMES},
  {path: 'resolve-opts', values: 1, why: NO_NAMES},
  {path: 'init-addr', values: 1, why: NO_NAMES},
  {path: 'init-state', values: 1, why: 'the simulated nodes are up'},
  {path: 'source', values: 1, why: 'connections to the simulated nodes leave from loopback'},
  {path: 'usesrc', values: 1, why: 'connections to the simulated nodes leave from loopback'},
  {path: 'interface', values: 1, why: 'connections to the simulated nodes leave from loopback'},
  {path: 'namespace', values: 1, why: 'the sandbox has one network namespace'},
  {path: 'socks4', values: 1, why: 'connections to the simulated nodes are direct'},
  {path: 'check-via-socks4', values: 0, why: 'connections to the simulated nodes are direct'},
  {path: 'port', values: 1, why: SAME_PORT},
  {path: 'addr', values: 1, why: SAME_PORT},
  {path: 'agent-check', values: 0, why: 'the simulated nodes have no agent'},
  {path: 'agent-addr', values: 1, why: 'the simulated nodes have no agent'},
  {path: 'agent-port', values: 1, why: 'the simulated nodes have no agent'},
  {path: 'agent-inter', values: 1, why: 'the simulated nodes have no agent'},
  {path: 'agent-send', values: 1, why: 'the simulated nodes have no agent'},
  {path: 'crl-file', values: 1, why: 'the throw-away authority has revoked nothing'},
]

/** Further words that are taken away where the proxy speaks plain text to its nodes. */
export const SERVER_TLS_ARGUMENTS: readonly ArgumentRow[] = [
  {path: 'ssl', values: 0, why: PLAIN},
  {path: 'check-ssl', values: 0, why: PLAIN},
  {path: 'verify', values: 1, why: PLAIN},
  {path: 'verifyhost', values: 1, why: PLAIN},
  {path: 'sni', values: 1, why: PLAIN},
  {path: 'check-sni', values: 1, why: PLAIN},
  {path: 'alpn', values: 1, why: PLAIN},
  {path: 'check-alpn', values: 1, why: PLAIN},
  {path: 'npn', values: 1, why: PLAIN},
  {path: 'ca-file', values: 1, why: PLAIN},
  {path: 'crt', values: 1, why: PLAIN},
  {path: 'ciphers', values: 1, why: PLAIN},
  {path: 'ciphersuites', values: 1, why: PLAIN},
  {path: 'curves', values: 1, why: PLAIN},
  {path: 'sigalgs', values: 1, why: PLAIN},
  {path: 'client-sigalgs', values: 1, why: PLAIN},
  {path: 'ssl-min-ver', values: 1, why: PLAIN},
  {path: 'ssl-max-ver', values: 1, why: PLAIN},
]

const NO_RESPONDER = 'the sandbox asks no responder of an authority'
const NO_SIGNING = 'certificates of the sandbox are made before it starts'
const TCP_PORT = 'the listener became a TCP port'

/** Words of `bind` lines that are taken away. */
export const BIND_ARGUMENTS: readonly ArgumentRow[] = [
  {path: 'interface', values: 1, why: 'the sandbox listens on one address'},
  {path: 'namespace', values: 1, why: 'the sandbox has one network namespace'},
  {path: 'transparent', values: 0, why: 'only root may bind foreign addresses'},
  {path: 'v4v6', values: 0, why: 'the sandbox listens on one address'},
  {path: 'v6only', values: 0, why: 'the sandbox listens on one address'},
  {path: 'user', values: 1, why: TCP_PORT},
  {path: 'group', values: 1, why: TCP_PORT},
  {path: 'uid', values: 1, why: TCP_PORT},
  {path: 'gid', values: 1, why: TCP_PORT},
  {path: 'mode', values: 1, why: TCP_PORT},
  {path: 'accept-netscaler-cip', values: 1, why: NO_BALANCER},
  {path: 'thread', values: 1, why: 'the processors of this machine are not those of the deployment'},
  {path: 'crl-file', values: 1, why: 'the throw-away authority has revoked nothing'},
  {path: 'tls-ticket-keys', values: 1, why: OUTSIDE},
  {path: 'ocsp-update', values: 1, why: NO_RESPONDER},
  {path: 'ca-sign-file', values: 1, why: NO_SIGNING},
  {path: 'ca-sign-pass', values: 1, why: NO_SIGNING},
  {path: 'generate-certificates', values: 0, why: NO_SIGNING},
]

/** Words whose own value may look like one of the above: it is skipped. */
export const VALUED: ReadonlySet<string> = new Set(['cookie', 'id', 'name', 'redir', 'track', 'description'])

/** Words that take the name of a `peers` section (`stick-table … peers NAME`). */
export const PEERS_ARGUMENT: ArgumentRow = {path: 'peers', values: 1, why: 'the sandbox has no other HAProxy to talk to'}
