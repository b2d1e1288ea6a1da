import type {Rule} from '../../rule.ts'
import {placeOf} from '../../settings.ts'

/** Chats last for minutes; what ends none of them within an hour is a safety net. ms. */
const LONG_MS = 3_600_000

export const rule: Rule = {
  meta: {
    id: 'upstream-reload-cuts-tunnels',
    title: 'A reload cuts open WebSocket connections',
    concern: 'upstream',
    severity: 'warning',
    requirement:
      'Certificates are renewed and nodes are added while customers chat: the old process keeps its connections until the chats have ended.',
    remediation: {
      nginx: 'Remove worker_shutdown_timeout, or make it hours: it cuts every connection of the old workers',
      haproxy: 'Remove hard-stop-after, or make it hours: it ends the old process with all of its chats',
    },
    references: [
      'nginx: worker_shutdown_timeout; HAProxy: hard-stop-after, management guide, 4',
      'Measured: 1006 after 3.1 s with worker_shutdown_timeout 3s; without it, and after a graceful reload of Apache, still open',
    ],
    breaks: ['upstream-reload-keeps-chat'],
    mayBreak: [],
  },
  inspect: ({site: {drain}, promises: {drainMs = LONG_MS}}) =>
    drain.value === undefined || drain.value >= drainMs
      ? []
      : [
          {
            span: placeOf(drain),
            message: `Too short: "${drain.text}"`,
            expected: `chats that are open at a reload go on for ${drainMs / 1000}s at least`,
            actual: `they are cut after ${drain.value / 1000}s`,
            edits: drain.put(`${Math.ceil(drainMs / 1000)}s`),
          },
        ],
}
