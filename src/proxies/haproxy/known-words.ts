import {atLeast, compareVersions} from '../version.ts'

/** Where a word stands: in `global`, in a section that requests pass through, or behind the words named. */
export type Place =
  | 'global'
  | 'proxy'
  | 'section'
  | 'option'
  | 'timeout'
  | 'http-request'
  | 'http-response'
  | 'http-after-response'
  | 'tcp-request'
  | 'tcp-request connection'
  | 'tcp-request session'
  | 'tcp-request content'
  | 'tcp-response'
  | 'tcp-response content'
  | 'http-check'
  | 'tcp-check'

/**
 * Words as the binaries of 2.2.9, 2.6.12, 2.8.25, 3.0.11, 3.2.26 and 3.4.7 know them (each word that stands in a binary, tried in each place), those
 * that a special message refuses included. `after`: the last of these releases without the word, `before`: the first that no longer has it. Between
 * two of them nobody measured, and nothing is said. A word that some binaries were built without counts as known.
 */
const ROWS: readonly {in: Place; after?: string; before?: string; words: string}[] = [
  {
    in: 'global',
    words: `
      busy-polling ca-base chroot close-spread-time cluster-secret cpu-map crt-base daemon debug default-path description
      expose-experimental-directives external-check fd-hard-limit gid grace group h1-accept-payload-with-any-method h1-case-adjust
      h1-case-adjust-file h2-workaround-bogus-websocket-clients hard-stop-after httpclient.resolvers.id httpclient.resolvers.prefer
      httpclient.ssl.ca-file httpclient.ssl.verify insecure-fork-wanted insecure-setuid-wanted issuers-chain-path localpeer log
      log-send-hostname log-tag lua-load lua-load-per-thread lua-prepend-path master-worker max-spread-checks maxcompcpuusage
      maxcomprate maxconn maxconnrate maxpipes maxsessrate maxsslconn maxsslrate maxzlibmem mworker-max-reloads nbproc nbthread
      no-memory-trimming no-quic node noepoll noevports nogetaddrinfo nokqueue nopoll noreuseport nosplice numa-cpu-mapping pidfile
      pp2-never-send-local presetenv profiling.tasks quiet resetenv server-state-base server-state-file set-dumpable set-var set-var-fmt
      setenv spread-checks ssl-default-bind-ciphers ssl-default-bind-ciphersuites ssl-default-bind-curves ssl-default-bind-options
      ssl-default-server-ciphers ssl-default-server-ciphersuites ssl-default-server-options ssl-dh-param-file ssl-engine
      ssl-load-extra-del-ext ssl-load-extra-files ssl-mode-async ssl-propquery ssl-provider ssl-provider-path ssl-server-verify
      ssl-skip-self-issued-ca stats strict-limits thread-group thread-groups trace tune.buffers.limit tune.buffers.reserve tune.bufsize
      tune.chksize tune.comp.maxlevel tune.fail-alloc tune.fd.edge-triggered tune.h2.header-table-size tune.h2.initial-window-size
      tune.h2.max-concurrent-streams tune.h2.max-frame-size tune.http.cookielen tune.http.logurilen tune.http.maxhdr
      tune.idle-pool.shared tune.idletimer tune.listener.multi-queue tune.lua.forced-yield tune.lua.maxmem tune.lua.service-timeout
      tune.lua.session-timeout tune.lua.task-timeout tune.maxaccept tune.maxpollevents tune.maxrewrite tune.pattern.cache-size
      tune.peers.max-updates-at-once tune.pipesize tune.pool-high-fd-ratio tune.pool-low-fd-ratio tune.rcvbuf.client tune.rcvbuf.server
      tune.runqueue-depth tune.sched.low-latency tune.sndbuf.client tune.sndbuf.server tune.ssl.cachesize tune.ssl.capture-buffer-size
      tune.ssl.capture-cipherlist-size tune.ssl.certificate-compression tune.ssl.default-dh-param tune.ssl.force-private-cache
      tune.ssl.hard-maxrecord tune.ssl.keylog tune.ssl.lifetime tune.ssl.maxrecord tune.ssl.ssl-ctx-cache-size tune.vars.check-max-size
      tune.vars.global-max-size tune.vars.proc-max-size tune.vars.reqres-max-size tune.vars.sess-max-size tune.vars.txn-max-size
      tune.zlib.memlevel tune.zlib.windowsize uid ulimit-n unix-bind unsetenv user zero-warning
    `,
  },
  {
    in: 'global',
    after: '2.6.12',
    words: `
      anonkey harden.reject-privileged-ports.quic harden.reject-privileged-ports.tcp httpclient.resolvers.disabled httpclient.retries
      httpclient.timeout.connect limited-quic prealloc-fd quick-exit setcap ssl-default-bind-client-sigalgs ssl-default-bind-sigalgs
      tune.disable-fast-forward tune.h2.be.glitches-threshold tune.h2.be.initial-window-size tune.h2.be.max-concurrent-streams
      tune.h2.fe.glitches-threshold tune.h2.fe.initial-window-size tune.h2.fe.max-concurrent-streams tune.h2.fe.max-total-streams
      tune.listener.default-shards tune.lua.burst-timeout tune.lua.log.loggers tune.lua.log.stderr tune.memory.hot-size
      tune.ssl.ocsp-update.maxdelay tune.ssl.ocsp-update.mindelay tune.stick-counters
    `,
  },
  {
    in: 'global',
    after: '2.8.25',
    words: `
      expose-deprecated-directives h1-do-not-close-on-insecure-transfer-encoding http-err-codes http-fail-codes key-base
      ocsp-update.disable ocsp-update.httpproxy ocsp-update.maxdelay ocsp-update.mindelay ocsp-update.mode
      ssl-default-server-client-sigalgs ssl-default-server-curves ssl-default-server-sigalgs ssl-security-level stats-file
      thread-hard-limit tune.applet.zero-copy-forwarding tune.disable-zero-copy-forwarding tune.epoll.mask-events
      tune.events.max-events-at-once tune.h1.zero-copy-fwd-recv tune.h1.zero-copy-fwd-send tune.h2.zero-copy-fwd-send
      tune.max-checks-per-thread tune.pt.zero-copy-forwarding tune.rcvbuf.backend tune.rcvbuf.frontend tune.ring.queues
      tune.sndbuf.backend tune.sndbuf.frontend warn-blocked-traffic-after
    `,
  },
  {
    in: 'global',
    after: '3.0.11',
    words: `
      acme.scheduler cpu-policy cpu-set dns-accept-family force-cfg-parser-pause stress-level tune.bufsize.small
      tune.glitches.kill.cpu-usage tune.h2.be.max-frames-at-once tune.h2.be.rxbuf tune.h2.fe.max-frames-at-once
      tune.h2.fe.max-rst-at-once tune.h2.fe.rxbuf tune.h2.log-errors tune.lua.bool-sample-conversion tune.max-rules-at-once
      tune.notsent-lowat.client tune.notsent-lowat.server tune.renice.runtime tune.renice.startup tune.takeover-other-tg-connections
    `,
  },
  {
    in: 'global',
    after: '3.2.26',
    words: `
      cpu-affinity max-threads-per-group noktls shm-stats-file shm-stats-file-max-objects ssl-passphrase-cmd tune.bufsize.large
      tune.cli.max-payload-size tune.defaults.purge tune.h1.be.glitches-threshold tune.h1.fe.glitches-threshold tune.lua.openlibs
      tune.ssl.keyupdate-rate-limit tune.streams-elasticity
    `,
  },
  {
    in: 'proxy',
    words: `
      acl appsession backlog balance bind bind-process block capture cliexp clitcpka-cnt clitcpka-idle clitcpka-intvl clitimeout
      compression contimeout cookie declare default-server default_backend description disabled dispatch dynamic-cookie-key email-alert
      enabled error-log-format errorfile errorfiles errorloc errorloc302 errorloc303 external-check filter force-persist fullconn grace
      hash-balance-factor hash-type http-after-response http-check http-error http-request http-response http-reuse
      http-send-name-header id ignore-persist load-server-state-from-file log log-format log-format-sd log-tag max-keep-alive-queue
      max-session-srv-conns maxconn mode monitor monitor-net monitor-uri option persist rate-limit redirect redisp redispatch reqadd
      reqallow reqdel reqdeny reqiallow reqidel reqideny reqipass reqirep reqitarpit reqpass reqrep reqtarpit retries retry-on rspadd
      rspdel rspdeny rspidel rspideny rspirep rsprep server server-state-file-name server-template source srvexp srvtcpka-cnt
      srvtcpka-idle srvtcpka-intvl srvtimeout stats stick stick-table tcp-check tcp-request tcp-response timeout transparent
      unique-id-format unique-id-header use-fcgi-app use-server use_backend
    `,
  },
  {in: 'proxy', after: '2.8.25', words: 'guid'},
  {in: 'proxy', after: '3.0.11', words: 'hash-preserve-affinity log-steps quic-initial ssl-f-use'},
  {in: 'proxy', after: '3.2.26', words: 'be-unpublished force-be-switch'},
  {
    in: 'option',
    words: `
      abortonclose accept-invalid-http-request accept-invalid-http-response allbackups checkcache clitcpka contstats disable-h2-upgrade
      dontlog-normal dontlognull external-check forceclose forwardfor h1-case-adjust-bogus-client h1-case-adjust-bogus-server
      http-buffer-request http-ignore-probes http-keep-alive http-no-delay http-pretend-keepalive http-restrict-req-hdr-names
      http-server-close http-tunnel http-use-htx http-use-proxy-header http_proxy httpchk httpclose httplog httpslog
      idle-close-on-response independent-streams ldap-check log-health-checks log-separate-errors logasap
      mysql-check nolinger originalto persist pgsql-check prefer-last-server redis-check redispatch smtpchk socket-stats splice-auto
      splice-request splice-response spop-check srvtcpka ssl-hello-chk tcp-check tcp-smart-accept tcp-smart-connect tcpka tcplog
      transparent
    `,
  },
  {in: 'option', after: '2.6.12', words: 'forwarded'},
  {
    in: 'option',
    after: '3.0.11',
    words: `
      accept-unsafe-violations-in-http-request accept-unsafe-violations-in-http-response assume-rfc6587-ntf dont-parse-log
      http-drop-request-trailers http-drop-response-trailers
    `,
  },
  {in: 'option', after: '3.2.26', words: 'use-small-buffers'},
  {
    in: 'timeout',
    words: `
      check client client-fin connect http-keep-alive http-request queue server server-fin tarpit tunnel
    `,
  },
  {in: 'timeout', after: '2.8.25', words: 'client-hs'},
  {
    in: 'http-request',
    words: `
      add-acl add-header allow auth cache-use capture del-acl del-header del-map deny disable-l7-retry do-resolve early-hint
      normalize-uri ot-group redirect reject replace-header replace-path replace-pathq replace-uri replace-value return sc-inc-gpc
      sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 send-spoe-group set-dst set-dst-port set-header set-log-level set-map set-mark
      set-method set-nice set-path set-pathq set-priority-class set-priority-offset set-query set-src set-src-port set-timeout set-tos
      set-uri set-var set-var-fmt silent-drop strict-mode tarpit track-sc unset-var use-service wait-for-body wait-for-handshake
    `,
  },
  {in: 'http-request', after: '2.6.12', words: 'sc-add-gpc set-bandwidth-limit'},
  {in: 'http-request', after: '2.8.25', words: 'set-bc-mark set-bc-tos set-fc-mark set-fc-tos'},
  {in: 'http-request', after: '3.0.11', words: 'do-log pause set-retries'},
  {in: 'http-request', after: '3.2.26', words: 'add-headers-bin del-headers-bin set-headers-bin'},
  {
    in: 'http-response',
    words: `
      add-acl add-header allow cache-store capture del-acl del-header del-map deny ot-group redirect replace-header replace-value return
      sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 send-spoe-group set-header set-log-level set-map set-mark set-nice
      set-status set-tos set-var set-var-fmt silent-drop strict-mode track-sc unset-var wait-for-body
    `,
  },
  {in: 'http-response', after: '2.6.12', words: 'sc-add-gpc set-bandwidth-limit'},
  {in: 'http-response', after: '2.8.25', words: 'set-fc-mark set-fc-tos set-timeout'},
  {in: 'http-response', after: '3.0.11', words: 'do-log pause'},
  {in: 'http-response', after: '3.2.26', words: 'add-headers-bin del-headers-bin set-headers-bin'},
  {
    in: 'http-after-response',
    words: `
      add-header allow capture del-header ot-group replace-header replace-value set-header set-status set-var set-var-fmt strict-mode
      unset-var
    `,
  },
  {
    in: 'http-after-response',
    after: '2.6.12',
    words: `
      del-acl del-map sc-add-gpc sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 set-log-level set-map
    `,
  },
  {in: 'http-after-response', after: '3.0.11', words: 'do-log'},
  {in: 'http-after-response', after: '3.2.26', words: 'add-headers-bin del-headers-bin set-headers-bin'},
  {
    in: 'tcp-request connection',
    words: `
      accept capture expect-netscaler-cip expect-proxy reject sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 set-dst
      set-dst-port set-mark set-src set-src-port set-tos set-var set-var-fmt silent-drop track-sc unset-var
    `,
  },
  {in: 'tcp-request connection', after: '2.6.12', words: 'sc-add-gpc'},
  {in: 'tcp-request connection', after: '2.8.25', words: 'set-fc-mark set-fc-tos'},
  {in: 'tcp-request connection', after: '3.0.11', words: 'do-log'},
  {
    in: 'tcp-request session',
    words: `
      accept capture expect-netscaler-cip expect-proxy reject sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 set-dst
      set-dst-port set-mark set-src set-src-port set-tos set-var set-var-fmt silent-drop track-sc unset-var
    `,
  },
  {in: 'tcp-request session', after: '2.6.12', words: 'sc-add-gpc'},
  {in: 'tcp-request session', after: '2.8.25', words: 'attach-srv set-fc-mark set-fc-tos'},
  {in: 'tcp-request session', after: '3.0.11', words: 'do-log'},
  {
    in: 'tcp-request content',
    words: `
      accept capture do-resolve expect-netscaler-cip expect-proxy ot-group reject sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt
      sc-set-gpt0 send-spoe-group set-dst set-dst-port set-log-level set-mark set-nice set-priority-class set-priority-offset set-src
      set-src-port set-tos set-var set-var-fmt silent-drop switch-mode track-sc unset-var use-service
    `,
  },
  {in: 'tcp-request content', after: '2.6.12', words: 'sc-add-gpc set-bandwidth-limit'},
  {in: 'tcp-request content', after: '2.8.25', words: 'set-bc-mark set-bc-tos set-fc-mark set-fc-tos'},
  {in: 'tcp-request content', after: '3.0.11', words: 'do-log set-retries'},
  {
    in: 'tcp-response content',
    words: `
      accept close ot-group reject sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 send-spoe-group set-log-level set-mark
      set-nice set-tos set-var set-var-fmt silent-drop unset-var
    `,
  },
  {in: 'tcp-response content', after: '2.6.12', words: 'sc-add-gpc set-bandwidth-limit'},
  {in: 'tcp-response content', after: '2.8.25', words: 'set-fc-mark set-fc-tos'},
  {in: 'tcp-response content', after: '3.0.11', words: 'do-log'},
  {in: 'http-check', words: 'comment connect disable-on-404 expect send send-state set-var set-var-fmt unset-var'},
  {in: 'tcp-check', words: 'comment connect expect send send-binary set-var set-var-fmt unset-var'},
  {in: 'tcp-request', words: 'connection content inspect-delay session'},
  {in: 'tcp-response', words: 'content inspect-delay'},
  {in: 'section', after: '2.8.25', words: 'crt-store'},
  {in: 'section', after: '3.0.11', words: 'log-profile'},
  {in: 'section', after: '3.2.26', words: 'healthcheck'},
  {in: 'section', before: '3.4.7', words: 'program'},
]
/** The newest branch that was measured: later ones may have words that are not here. */
const NEWEST = '3.4'
/** Words of parts that a binary may be built without. */
const OF_BUILDS = /^(?:tune\.quic\.|51degrees-|deviceatlas-|wurfl-|lua\.)/

interface Known {
  after?: string
  before?: string
}

const TABLES = new Map<Place, Map<string, Known>>()
for (const {in: place, words, ...known} of ROWS) {
  const table = TABLES.get(place) ?? new Map<string, Known>()
  TABLES.set(place, table)
  for (const word of words.trim().split(/\s+/)) table.set(word, known)
}

/** How a release takes a word: it knows it, does not know it yet or any more, nobody knows it; `undefined`: it cannot be told. */
export type Standing = {kind: 'known'} | {kind: 'later'; after: string} | {kind: 'gone'; before: string} | {kind: 'nobody'} | undefined

export function standingOf(place: Place, word: string, version: string): Standing {
  const known = TABLES.get(place)?.get(word)
  if (known?.after !== undefined && !isBehind(version, known.after)) return {kind: 'later', after: known.after}
  if (known?.before !== undefined && atLeast(version, known.before)) return {kind: 'gone', before: known.before}
  if (known) return {kind: 'known'}
  const [major = '', minor = ''] = version.split('.')
  if (OF_BUILDS.test(word) || compareVersions(`${major}.${minor}.0`, `${NEWEST}.0`) > 0) return undefined
  return {kind: 'nobody'}
}

/** Words of a place that the release knows. */
export function wordsOf(place: Place, version: string): readonly string[] {
  return [...(TABLES.get(place)?.keys() ?? [])].filter(word => standingOf(place, word, version)?.kind === 'known')
}

/** Places in which the release knows the word. */
export function placesOf(word: string, version: string): readonly Place[] {
  return [...TABLES.keys()].filter(place => TABLES.get(place)?.has(word) === true && standingOf(place, word, version)?.kind === 'known')
}

const isBehind = (version: string, other: string) => compareVersions(version, other) > 0
