import {WEBSOCKET} from '../../requests.ts'
import type {Inspection, Rule, RuleDraft} from '../../rule.ts'
import {inForce, placeOf, waysToGms} from '../../settings.ts'

/** For polls, uploads and newcomers beside the open chats. */
const ROOM = 1.1

export const rule: Rule = {
  meta: {
    id: 'limits-below-chats',
    title: 'The proxy cannot hold the promised number of open chats',
    concern: 'limits',
    severity: 'error',
    requirement: 'As many WebSockets, or held polls, as chats are promised stay open together, and a plain request is still answered.',
    remediation: {
      nginx: 'worker_connections: two for each of {chats} chats, over all workers, plus room; worker_rlimit_nofile above it',
      apache: 'MaxRequestWorkers above {chats} (an open WebSocket holds a thread): ServerLimit × ThreadsPerChild',
      haproxy: 'maxconn in global and in the frontend above {chats} (the smaller one counts), and no smaller maxconn at the servers',
    },
    references: [
      'https://nginx.org/en/docs/ngx_core_module.html#worker_connections',
      'https://httpd.apache.org/docs/2.4/mod/mpm_common.html#maxrequestworkers',
      'https://docs.haproxy.org/2.6/configuration.html#maxconn',
      'Measured: the published samples hold 241 to 722, 150 to 397 and 2000',
    ],
    breaks: ['limits-hold-idle-chats'],
    mayBreak: [],
  },
  inspect(inspection) {
    return [...ofProxy(inspection), ...ofNodes(inspection)]
  },
}

function ofProxy({site: {capacity}, promises}: Inspection): readonly RuleDraft[] {
  const {chats, arithmetic, setting} = capacity
  if (chats === undefined || chats >= promises.chats) return []
  const needed = Math.ceil((setting.value * promises.chats * ROOM) / Math.max(1, chats))
  return [
    {
      span: placeOf(setting),
      message: `Expected room for ${promises.chats} chats, there is room for ${chats}: ${arithmetic}`,
      expected: `${setting.directive} ${needed} or more`,
      actual: inForce(setting),
      edits: setting.put(String(needed)),
    },
  ]
}

/** Nodes that take fewer connections together than there are chats. */
function ofNodes({site, promises}: Inspection): readonly RuleDraft[] {
  const drafts = new Map<string, RuleDraft>()
  for (const {end} of waysToGms(site, WEBSOCKET)) {
    const limits = end.upstream.nodes.filter(({down, backup}) => !down && !backup).map(({maxConnections}) => maxConnections)
    const total = limits.reduce((sum, {value}) => sum + (value ?? Number.POSITIVE_INFINITY), 0)
    const [first] = limits
    if (!first || total >= promises.chats) continue
    const needed = Math.ceil((promises.chats * ROOM) / limits.length)
    for (const setting of limits) {
      const span = placeOf(setting)
      drafts.set(`${span.file}:${span.start}`, {
        span,
        message: `Expected room for ${promises.chats} chats, the nodes of ${end.upstream.name} take ${total} connections together`,
        expected: `${needed} or more for each node`,
        actual: inForce(setting),
        edits: setting.put(String(needed)),
      })
    }
  }
  return [...drafts.values()]
}
