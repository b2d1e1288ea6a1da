// What fails besides, for `mayBreak`: ids of checks, as measured on configurations of the three proxies that accept connections and lead nowhere.

/** Checks of files. */
export const FILES: readonly string[] = [
  'affinity-upload',
  'affinity-upload-websocket',
  'logging-keeps-secrets-out',
  'polling-every-operation',
  'tls-wss-chat',
  'upload-concurrent',
  'upload-download-intact',
  'upload-errors-unchanged',
  'upload-largest-file',
  'upload-late-answer',
  'upload-oversize-refused-by-gms',
  'upload-slow-client',
  'upstream-path-intact',
  'upstream-post-sent-once',
]

/** Checks of WebSocket. */
export const WEBSOCKETS: readonly string[] = [
  'affinity-transport-fallback',
  'affinity-upload-websocket',
  'limits-hold-idle-chats',
  'tls-http2-front',
  'tls-wss-chat',
  'upgrade-chat',
  'upgrade-compression',
  'upgrade-frames-intact',
  'upgrade-handshake',
  'upgrade-idle-survives',
  'upgrade-negotiated',
  'upgrade-origin',
  'upgrade-pipelined-frames',
]

/** Everything that needs a WebSocket somewhere on its way: when no upgrade reaches GMS, any of them may fail. */
export const UPGRADES: readonly string[] = [
  ...WEBSOCKETS,
  'health-dead-node-leaves',
  'health-node-returns',
  'health-offline-drains',
  'health-recovers-from-outage',
  'polling-session-unknown-unchanged',
  'upstream-reload-keeps-chat',
]

/** Everything that needs a chat: when GMS is not reached, or its answers do not come back, any of them may fail. */
export const ALL_CHAT: readonly string[] = [
  ...new Set([
    ...FILES,
    ...WEBSOCKETS,
    'access-networks-only',
    'access-origins',
    'access-slow-headers-cut',
    'affinity-same-node',
    'forwarding-client-address',
    'forwarding-host',
    'health-dead-node-leaves',
    'health-node-returns',
    'health-offline-drains',
    'health-recovers-from-outage',
    'limits-spare-polling',
    'listener-reaches-gms',
    'listener-stays-up',
    'logging-names-the-node',
    'polling-burst-delivered',
    'polling-callback-chat',
    'polling-chat',
    'polling-delivers-promptly',
    'polling-errors-unchanged',
    'polling-hold-survives',
    'polling-long-messages',
    'polling-session-unknown-unchanged',
    'tls-upstream-verified',
    'upstream-follows-dns',
    'upstream-reload-keeps-chat',
  ]),
].sort()
