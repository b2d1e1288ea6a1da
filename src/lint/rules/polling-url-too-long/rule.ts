import type {Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'

/** Method, path and a message of 8 kB in the query. */
const NEEDED = 9 * 1024
const ROOM = 16_384
/** The stock client keeps below this (cometd, maxURILength); others send what they have. */
const STOCK = 2000

export const rule: Rule = {
  meta: {
    id: 'polling-url-too-long',
    title: 'Long URLs of callback-polling are refused',
    concern: 'polling',
    severity: 'note',
    requirement:
      'Callback-polling carries its messages in the query: the stock client lets URLs grow to 2000 characters, others do not stop there.',
    remediation: {
      nginx: 'large_client_header_buffers 4 16k; in the server',
      apache: 'LimitRequestLine 16384 in the first VirtualHost of the address',
      haproxy: 'tune.bufsize 16384 (the default) or more in global',
    },
    references: [
      'Bayeux 1.0, 6 callback-polling',
      'cometd 9.0.0, Client.js: maxURILength 2000',
      'Measured with defaults: a GET of 9 kB is 414 on nginx (8.0 kB) and Apache, 400 on HAProxy above 15.3 kB',
    ],
    breaks: [],
    mayBreak: ['polling-callback-chat', 'polling-long-messages', 'polling-burst-delivered', 'polling-every-operation'],
    provenBy: {by: 'none', because: 'the stock client stays below 2000 characters, and so do the checks; a GET of 9 kB was measured'},
  },
  inspect: ({site}) =>
    site.listeners
      .filter(({chat, layer4, requestLine}) => chat && !layer4.value && requestLine.value < NEEDED)
      .map(({requestLine, address}) => ({
        span: placeOf(requestLine),
        message: `Too short for callback-polling at ${address}: ${inForce(requestLine)} lets ${requestLine.value} bytes pass${requestLine.value < STOCK ? ', less than the stock client sends' : ''}`,
        expected: `${NEEDED} bytes and more`,
        actual: inForce(requestLine),
        edits: requestLine.put(site.proxy === 'nginx' ? '4 16k' : String(ROOM)),
      })),
}
