import type {ProxyName} from '../../src/model/catalogue.ts'

/** A mistake that was made somewhere: what breaks a right configuration, and how that is known. */
export type CatalogueEntry = {
  id: string
  /** The rule that names it. */
  cause: string
  /** False: nobody has seen it on the versions that were measured. */
  reproduced?: false
} & (
  | {
      /** For each proxy that can have it a right configuration with this one mistake: a file beside a rule, or of `fixtures/catalogue`. */
      files: Readonly<Partial<Record<ProxyName, string>>>
      /** Read as for this version, where the one that runs does not have it. */
      version?: string
      /** Why running it shows nothing. */
      onlyRead?: string
      /** What it is a consequence of: that is the cause to mend. */
      behind?: string
    }
  | {
      proxies: readonly ProxyName[]
      /** Why no file shows it. */
      evidence: string
    }
)

/** Misconfigurations from manuals, issue trackers and measurements, each once. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {id: 'nginx-ws-no-upgrade-header', cause: 'upgrade-headers-missing', files: {nginx: 'upgrade-headers-missing/fires.nginx.conf'}},
  {
    id: 'nginx-ws-no-connection-header',
    cause: 'upgrade-headers-missing',
    files: {nginx: 'upgrade-headers-missing/fires.no-connection.nginx.conf'},
  },
  {id: 'nginx-ws-http10-to-backend', cause: 'upgrade-http-1.0', files: {nginx: 'upgrade-http-1.0/fires.nginx.conf'}},
  {
    id: 'nginx-ws-connection-upgrade-hardcoded',
    cause: 'upgrade-headers-unconditional',
    files: {nginx: 'upgrade-headers-unconditional/fires.nginx.conf'},
  },
  {id: 'nginx-map-missing', cause: 'listener-refuses-to-start', files: {nginx: 'listener-refuses-to-start/fires.nginx.conf'}},
  {id: 'nginx-spa-fallback-swallows-cometd', cause: 'listener-swallows-route', files: {nginx: 'listener-swallows-route/fires.nginx.conf'}},
  {id: 'apache-plain-proxypass-no-upgrade', cause: 'upgrade-headers-missing', files: {apache: 'upgrade-headers-missing/fires.apache.conf'}},
  {id: 'apache-rewritecond-no-NC', cause: 'upgrade-match-too-strict', files: {apache: 'upgrade-match-too-strict/fires.apache.conf'}},
  {id: 'apache-rewrite-without-P', cause: 'upgrade-redirected', files: {apache: 'upgrade-redirected/fires.apache.conf'}},
  {
    id: 'apache-proxypass-ws-only-no-fallback',
    cause: 'upgrade-without-fallback',
    files: {apache: 'upgrade-without-fallback/fires.apache.conf'},
  },
  {id: 'apache-missing-proxy_http', cause: 'upstream-handler-missing', files: {apache: 'upstream-handler-missing/fires.apache.conf'}},
  {
    id: 'apache-missing-proxy_wstunnel-old',
    cause: 'upstream-handler-missing',
    files: {apache: 'fixtures/catalogue/apache-missing-proxy_wstunnel-old.apache.conf'},
    reproduced: false,
    version: '2.4.46',
    onlyRead: 'httpd from 2.4.47 on speaks ws:// without mod_proxy_wstunnel (measured on 2.4.71): nothing fails there',
  },
  {id: 'apache-missing-mod_headers', cause: 'listener-refuses-to-start', files: {apache: 'listener-refuses-to-start/fires.apache.conf'}},
  {
    id: 'apache-missing-mod_rewrite',
    cause: 'listener-refuses-to-start',
    files: {apache: 'listener-refuses-to-start/fires.no-rewrite.apache.conf'},
  },
  {
    id: 'haproxy-ws-missing-key-rejected-by-proxy',
    cause: 'upgrade-extensions-stripped',
    files: {haproxy: 'upgrade-extensions-stripped/fires.haproxy.cfg'},
  },
  {
    id: 'nginx-h2-no-rfc8441',
    cause: 'upgrade-http2-unsupported',
    proxies: ['nginx'],
    evidence:
      'the SETTINGS of a live HTTP/2 connection say it; nginx offers WebSocket over HTTP/2 in no version, and browsers take a second connection',
  },
  {
    id: 'haproxy-h2-extended-connect-broken',
    cause: 'upgrade-http2-unsupported',
    proxies: ['haproxy'],
    evidence: 'a mistake of some builds, with the same line as in those without it; HAProxy 2.6.12 answers 200',
    reproduced: false,
  },
  {
    id: 'haproxy-h2-to-backend-websocket',
    cause: 'upstream-http2-to-node',
    files: {haproxy: 'upstream-http2-to-node/fires.haproxy.cfg'},
    reproduced: false,
  },
  {id: 'nginx-ws-idle-60s', cause: 'upgrade-idle-cut', files: {nginx: 'upgrade-idle-cut/fires.nginx.conf'}},
  {id: 'apache-ws-idle-60s', cause: 'upgrade-idle-cut', files: {apache: 'upgrade-idle-cut/fires.apache.conf'}},
  {
    id: 'haproxy-no-timeout-tunnel',
    cause: 'upgrade-cut-below-heartbeat',
    files: {haproxy: 'upgrade-cut-below-heartbeat/fires.haproxy.cfg'},
  },
  {id: 'nginx-reload-drops-ws', cause: 'upstream-reload-cuts-tunnels', files: {nginx: 'upstream-reload-cuts-tunnels/fires.nginx.conf'}},
  {
    id: 'haproxy-long-poll-25s-server-timeout',
    cause: 'polling-timeout-below-hold',
    files: {haproxy: 'polling-timeout-below-hold/fires.haproxy.cfg'},
  },
  {
    id: 'nginx-long-poll-read-timeout',
    cause: 'polling-timeout-below-hold',
    files: {nginx: 'fixtures/catalogue/nginx-long-poll-read-timeout.nginx.conf'},
  },
  {
    id: 'haproxy-missing-timeouts',
    cause: 'polling-timeouts-missing',
    files: {haproxy: 'polling-timeouts-missing/fires.haproxy.cfg'},
    reproduced: false,
  },
  {
    id: 'cometd-maxInterval-vs-proxy-retry',
    cause: 'polling-hold-margin-thin',
    files: {
      nginx: 'polling-hold-margin-thin/fires.nginx.conf',
      apache: 'polling-hold-margin-thin/fires.apache.conf',
      haproxy: 'polling-hold-margin-thin/fires.haproxy.cfg',
    },
    reproduced: false,
  },
  {
    id: 'long-poll-on-http2-browser-queue',
    cause: 'polling-queued-behind-hold',
    proxies: ['nginx', 'apache', 'haproxy'],
    evidence: 'browsers open few HTTP/1.1 connections to a host and queue the rest: nothing of it is written in a proxy',
    reproduced: false,
  },
  {id: 'nginx-roundrobin-no-sticky', cause: 'affinity-missing', files: {nginx: 'affinity-missing/fires.nginx.conf'}},
  {
    id: 'unsticky-402-storm',
    cause: 'affinity-missing',
    files: {
      nginx: 'affinity-missing/fires.least-conn.nginx.conf',
      apache: 'affinity-missing/fires.apache.conf',
      haproxy: 'affinity-missing/fires.haproxy.cfg',
    },
  },
  {id: 'nginx-ip_hash-behind-nat', cause: 'affinity-key-shared-by-all', files: {nginx: 'affinity-key-shared-by-all/fires.nginx.conf'}},
  {
    id: 'haproxy-server-cookie-without-cookie-directive',
    cause: 'affinity-cookie-not-inserted',
    files: {haproxy: 'affinity-cookie-not-inserted/fires.haproxy.cfg'},
  },
  {
    id: 'haproxy-cookie-prefix-without-app-cookie',
    cause: 'affinity-key-not-routable',
    files: {haproxy: 'affinity-key-not-routable/fires.haproxy.cfg'},
  },
  {
    id: 'sticky-cookie-client-without-jar',
    cause: 'affinity-cookie-lost',
    proxies: ['nginx', 'apache', 'haproxy'],
    evidence: 'the configuration is right, the client keeps no cookies',
  },
  {
    id: 'cross-site-cookie-not-partitioned',
    cause: 'affinity-cookie-lost',
    files: {
      nginx: 'fixtures/catalogue/cross-site-cookie-not-partitioned.nginx.conf',
      apache: 'fixtures/catalogue/cross-site-cookie-not-partitioned.apache.conf',
      haproxy: 'fixtures/catalogue/cross-site-cookie-not-partitioned.haproxy.cfg',
    },
    reproduced: false,
  },
  {id: 'bayeux-cookie-dropped', cause: 'affinity-cookie-lost', files: {nginx: 'affinity-cookie-lost/fires.nginx.conf'}},
  {
    id: 'secure-cookie-over-tls-originating-proxy',
    cause: 'affinity-cookie-lost',
    files: {
      nginx: 'fixtures/catalogue/secure-cookie-over-tls-originating-proxy.nginx.conf',
      apache: 'fixtures/catalogue/secure-cookie-over-tls-originating-proxy.apache.conf',
      haproxy: 'fixtures/catalogue/secure-cookie-over-tls-originating-proxy.haproxy.cfg',
    },
    reproduced: false,
  },
  {id: 'apache-balancer-no-stickysession', cause: 'affinity-missing', files: {apache: 'affinity-missing/fires.apache.conf'}},
  {id: 'apache-balancer-route-missing', cause: 'affinity-node-without-key', files: {apache: 'affinity-node-without-key/fires.apache.conf'}},
  {
    id: 'apache-jetty-workername-unset',
    cause: 'affinity-key-not-routable',
    files: {apache: 'fixtures/catalogue/apache-jetty-workername-unset.apache.conf'},
    reproduced: false,
  },
  {
    id: 'apache-balancer-missing-modules',
    cause: 'listener-refuses-to-start',
    files: {apache: 'listener-refuses-to-start/fires.no-balancer-method.apache.conf'},
  },
  {id: 'haproxy-redispatch-breaks-session', cause: 'affinity-not-restored', files: {haproxy: 'affinity-not-restored/fires.haproxy.cfg'}},
  {
    id: 'haproxy-balance-source-one-node',
    cause: 'affinity-key-shared-by-all',
    files: {haproxy: 'affinity-key-shared-by-all/fires.haproxy.cfg'},
  },
  {
    id: 'nginx-proxy_pass-slash-strips-prefix',
    cause: 'upstream-path-rewritten',
    files: {nginx: 'upstream-path-rewritten/fires.nginx.conf'},
  },
  {
    id: 'nginx-location-double-slash',
    cause: 'upstream-path-rewritten',
    files: {nginx: 'upstream-path-rewritten/fires.double-slash.nginx.conf'},
  },
  {
    id: 'upload-path-not-routed',
    cause: 'upstream-route-missing',
    files: {nginx: 'upstream-route-missing/fires.nginx.conf', haproxy: 'upstream-route-missing/fires.haproxy.cfg'},
  },
  {
    id: 'nginx-regex-location-proxy_pass-uri',
    cause: 'listener-refuses-to-start',
    files: {nginx: 'listener-refuses-to-start/fires.regex-location.nginx.conf'},
  },
  {
    id: 'apache-proxypass-no-trailing-slash',
    cause: 'upstream-path-rewritten',
    files: {apache: 'upstream-path-rewritten/fires.no-slash.apache.conf'},
  },
  {
    id: 'apache-encoded-slash-404',
    cause: 'upstream-path-rewritten',
    files: {apache: 'upstream-path-rewritten/fires.encoded-slash.apache.conf'},
  },
  {id: 'haproxy-removed-directives', cause: 'listener-refuses-to-start', files: {haproxy: 'listener-refuses-to-start/fires.haproxy.cfg'}},
  {
    id: 'genesys-base-path-renamed',
    cause: 'upstream-path-rewritten',
    files: {
      nginx: 'upstream-path-rewritten/fires.renamed.nginx.conf',
      apache: 'upstream-path-rewritten/fires.apache.conf',
      haproxy: 'upstream-path-rewritten/fires.haproxy.cfg',
    },
    reproduced: false,
  },
  {id: 'nginx-host-drops-port', cause: 'forwarding-host-lost', files: {nginx: 'forwarding-host-lost/fires.nginx.conf'}},
  {id: 'apache-preservehost-off', cause: 'forwarding-host-lost', files: {apache: 'forwarding-host-lost/fires.apache.conf'}},
  {id: 'nginx-no-xff-client-spoof', cause: 'forwarding-client-spoofable', files: {nginx: 'forwarding-client-spoofable/fires.nginx.conf'}},
  {
    id: 'haproxy-xff-appended-spoof',
    cause: 'forwarding-client-spoofable',
    files: {haproxy: 'forwarding-client-spoofable/fires.haproxy.cfg'},
  },
  {id: 'haproxy-mode-tcp', cause: 'forwarding-layer4', files: {haproxy: 'forwarding-layer4/fires.haproxy.cfg'}},
  {
    id: 'nginx-redirect-leaks-backend',
    cause: 'upstream-redirect-leaks-node',
    files: {nginx: 'upstream-redirect-leaks-node/fires.nginx.conf'},
    behind: 'forwarding-host-lost',
  },
  {
    id: 'nginx-client_max_body_size-1m',
    cause: 'upload-body-limit-too-small',
    files: {nginx: 'upload-body-limit-too-small/fires.nginx.conf'},
  },
  {
    id: 'nginx-proxy_temp-unwritable-download',
    cause: 'upload-temp-unwritable',
    proxies: ['nginx'],
    evidence: 'the owner of a folder stands in no configuration; the log says (13: Permission denied)',
  },
  {id: 'nginx-client_body_timeout-stall', cause: 'upload-timeout-too-short', files: {nginx: 'upload-timeout-too-short/fires.nginx.conf'}},
  {
    id: 'upload-processing-longer-than-timeout',
    cause: 'upload-timeout-too-short',
    files: {
      nginx: 'upload-timeout-too-short/fires.late.nginx.conf',
      apache: 'upload-timeout-too-short/fires.late.apache.conf',
      haproxy: 'upload-timeout-too-short/fires.late.haproxy.cfg',
    },
  },
  {
    id: 'haproxy-stalled-upload-blamed-on-server',
    cause: 'upload-timeout-too-short',
    files: {haproxy: 'upload-timeout-too-short/fires.silence.haproxy.cfg'},
  },
  {id: 'haproxy-deny-body_size', cause: 'upload-body-limit-too-small', files: {haproxy: 'upload-body-limit-too-small/fires.haproxy.cfg'}},
  {id: 'apache-reqtimeout-body-fixed', cause: 'upload-timeout-too-short', files: {apache: 'upload-timeout-too-short/fires.apache.conf'}},
  {
    id: 'apache-LimitRequestBody-not-enforced-on-proxy',
    cause: 'upload-limit-not-enforced',
    files: {apache: 'upload-limit-not-enforced/fires.apache.conf'},
  },
  {
    id: 'apache-modsecurity-body-limit',
    cause: 'upload-body-limit-too-small',
    files: {apache: 'fixtures/catalogue/apache-modsecurity-body-limit.apache.conf'},
    reproduced: false,
    onlyRead: 'mod_security is no part of httpd: where it is not installed the file does not start',
  },
  {
    id: 'nginx-non_idempotent-retry-duplicates-upload',
    cause: 'upstream-retries-post',
    files: {nginx: 'upstream-retries-post/fires.nginx.conf'},
  },
  {id: 'nginx-intercept-errors', cause: 'upstream-errors-replaced', files: {nginx: 'upstream-errors-replaced/fires.nginx.conf'}},
  {
    id: 'jsonp-url-too-long',
    cause: 'polling-url-too-long',
    files: {
      nginx: 'polling-url-too-long/fires.nginx.conf',
      apache: 'polling-url-too-long/fires.apache.conf',
      haproxy: 'polling-url-too-long/fires.haproxy.cfg',
    },
  },
  {
    id: 'jsonp-secrets-in-access-log',
    cause: 'access-secrets-logged',
    files: {
      nginx: 'access-secrets-logged/fires.nginx.conf',
      apache: 'access-secrets-logged/fires.apache.conf',
      haproxy: 'access-secrets-logged/fires.haproxy.cfg',
    },
  },
  {id: 'nginx-worker_connections', cause: 'limits-below-chats', files: {nginx: 'limits-below-chats/fires.nginx.conf'}},
  {id: 'apache-wstunnel-worker-exhaustion', cause: 'limits-below-chats', files: {apache: 'limits-below-chats/fires.apache.conf'}},
  {
    id: 'apache-long-poll-worker-exhaustion',
    cause: 'limits-below-chats',
    files: {apache: 'limits-below-chats/fires.long-poll.apache.conf'},
  },
  {id: 'haproxy-global-maxconn', cause: 'limits-below-chats', files: {haproxy: 'limits-below-chats/fires.haproxy.cfg'}},
  {id: 'nginx-limit_conn', cause: 'limits-per-client-too-low', files: {nginx: 'limits-per-client-too-low/fires.nginx.conf'}},
  {
    id: 'haproxy-resolvers-outside-docker',
    cause: 'upstream-resolver-unreachable',
    files: {haproxy: 'upstream-resolver-unreachable/fires.haproxy.cfg'},
  },
  {
    id: 'nginx-upstream-dns-pinned-at-start',
    cause: 'upstream-dns-pinned',
    files: {nginx: 'upstream-dns-pinned/fires.nginx.conf'},
    reproduced: false,
  },
  {id: 'nginx-upstream-host-not-found', cause: 'upstream-name-unresolved', files: {nginx: 'upstream-name-unresolved/fires.nginx.conf'}},
  {id: 'nginx-no-live-upstreams', cause: 'health-all-nodes-out', files: {nginx: 'health-all-nodes-out/fires.nginx.conf'}},
  {
    id: 'apache-worker-error-state',
    cause: 'health-all-nodes-out',
    files: {apache: 'health-all-nodes-out/fires.apache.conf'},
    reproduced: false,
  },
  {
    id: 'apache-keepalive-race',
    cause: 'upstream-keepalive-race',
    files: {apache: 'upstream-keepalive-race/fires.apache.conf'},
    reproduced: false,
  },
  {
    id: 'nginx-https-scheme-to-http-backend',
    cause: 'tls-upstream-scheme-mismatch',
    files: {nginx: 'tls-upstream-scheme-mismatch/fires.nginx.conf'},
  },
  {
    id: 'nginx-plain-http-on-tls-port',
    cause: 'listener-protocol-mismatch',
    files: {nginx: 'listener-protocol-mismatch/fires.plain-port.nginx.conf'},
  },
  {id: 'apache-wss-no-SSLProxyEngine', cause: 'tls-upstream-not-enabled', files: {apache: 'tls-upstream-not-enabled/fires.apache.conf'}},
  {
    id: 'haproxy-ssl-no-verify',
    cause: 'tls-upstream-not-verified',
    files: {haproxy: 'tls-upstream-not-verified/fires.no-authority.haproxy.cfg'},
  },
  {
    id: 'haproxy-ssl-to-plain-backend',
    cause: 'tls-upstream-scheme-mismatch',
    files: {haproxy: 'tls-upstream-scheme-mismatch/fires.haproxy.cfg'},
  },
  {id: 'haproxy-bind-crt-missing', cause: 'tls-certificate-unusable', files: {haproxy: 'tls-certificate-unusable/fires.haproxy.cfg'}},
  {
    id: 'proxy-protocol-mismatch',
    cause: 'listener-expects-proxy-protocol',
    files: {nginx: 'listener-expects-proxy-protocol/fires.nginx.conf', haproxy: 'listener-expects-proxy-protocol/fires.haproxy.cfg'},
  },
  {
    id: 'mixed-content-ws-on-https-page',
    cause: 'tls-mixed-content',
    proxies: ['nginx', 'apache', 'haproxy'],
    evidence: 'the address stands in the page of the customer, and browsers send nothing',
    reproduced: false,
  },
  {id: 'apache-open-forward-proxy', cause: 'access-open-forward-proxy', files: {apache: 'access-open-forward-proxy/fires.apache.conf'}},
  {id: 'haproxy-stats-socket-777', cause: 'access-admin-exposed', files: {haproxy: 'access-admin-exposed/fires.haproxy.cfg'}},
  {id: 'haproxy-stats-socket-777-admin', cause: 'access-admin-exposed', files: {haproxy: 'access-admin-exposed/fires.admin.haproxy.cfg'}},
  {id: 'nginx-h2c-upgrade-forwarded', cause: 'access-upgrade-smuggling', files: {nginx: 'access-upgrade-smuggling/fires.nginx.conf'}},
  {id: 'haproxy-h2c-upgrade-forwarded', cause: 'access-upgrade-smuggling', files: {haproxy: 'access-upgrade-smuggling/fires.haproxy.cfg'}},
  {
    id: 'ws-smuggling-bad-version',
    cause: 'access-upgrade-smuggling',
    proxies: ['nginx', 'apache', 'haproxy'],
    evidence:
      'no configuration of a current version does it: nginx 1.22.1 and httpd 2.4.71 answer 400, and what is pipelined does not reach GMS',
    reproduced: false,
  },
  {
    id: 'cl-te-desync',
    cause: 'access-request-smuggling',
    files: {
      nginx: 'access-request-smuggling/fires.nginx.conf',
      apache: 'access-request-smuggling/fires.apache.conf',
      haproxy: 'access-request-smuggling/fires.haproxy.cfg',
    },
    reproduced: false,
  },
  {id: 'apache-no-reqtimeout-slowloris', cause: 'access-slow-headers', files: {apache: 'access-slow-headers/fires.apache.conf'}},
  {id: 'log-injection', cause: 'access-log-injection', files: {nginx: 'access-log-injection/fires.nginx.conf'}, reproduced: false},
  {
    id: 'apache-text-after-section-bracket-ignored',
    cause: 'listener-text-ignored',
    files: {apache: 'listener-text-ignored/fires.apache.conf'},
  },
  {
    id: 'haproxy-garbled-timeout-ms',
    cause: 'polling-duration-without-unit',
    files: {haproxy: 'polling-duration-without-unit/fires.haproxy.cfg'},
  },
  {
    id: 'transport-fallback-hides-ws-failure',
    cause: 'upgrade-fallback-hides-failure',
    files: {
      nginx: 'upgrade-headers-missing/fires.nginx.conf',
      apache: 'upgrade-headers-missing/fires.apache.conf',
      haproxy: 'upgrade-headers-missing/fires.haproxy.cfg',
    },
    behind: 'upgrade-headers-missing',
  },
]
