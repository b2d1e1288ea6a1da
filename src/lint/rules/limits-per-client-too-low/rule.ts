import type {Promises} from '../../../model/report.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {HANDSHAKE, POLL, UPLOAD, WEBSOCKET} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'

/** Customers who chat from one office at the same time, where nothing else is promised. */
const OFFICE = 30
/** Beside the held poll, or the WebSocket, each sends. */
const CONNECTIONS_OF_ONE = 2

export const rule: Rule = {
  meta: {
    id: 'limits-per-client-too-low',
    title: 'A limit per address hits users behind one office address',
    concern: 'limits',
    severity: 'error',
    requirement:
      'An office full of customers behind one address, each with a held poll and a message on its way, stays below every limit of one address.',
    remediation: {
      nginx: 'Raise limit_conn to two connections for each customer of the largest office, or leave the paths of the chat out',
      haproxy: 'Raise the rule on conn_cur (two connections for each customer of the largest office), or leave the paths of the chat out',
    },
    references: [
      'https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html#limit_conn',
      'RFC 6598: carriers share one address among many customers',
      'Measured: limit_conn 2 refuses the third WebSocket of an office with 503',
    ],
    breaks: ['limits-spare-polling'],
    mayBreak: [...ALL_CHAT, 'access-paths-only', 'forwarding-scheme', 'access-origins'],
  },
  inspect({site, promises}) {
    const least = leastOf(promises)
    return settingsOf(waysToGms(site, HANDSHAKE, POLL, WEBSOCKET, UPLOAD), ({connectionsPerClient}) =>
      connectionsPerClient.value !== undefined && connectionsPerClient.value < least ? connectionsPerClient : undefined,
    ).map(({setting, ways}) => ({
      span: placeOf(setting),
      message: `Expected ${least} connections of one address to be let in, ${setting.value ?? 0} are (${titlesOf(ways)})`,
      expected: `${least} or more, or no limit`,
      actual: inForce(setting),
      edits: setting.put(String(least)),
    }))
  },
}

function leastOf({connectionsPerClient, chats}: Promises): number {
  return connectionsPerClient ?? CONNECTIONS_OF_ONE * Math.min(OFFICE, chats)
}
