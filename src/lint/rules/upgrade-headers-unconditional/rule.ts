import {POLL, PUBLISH, UPLOAD} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'
import {carries} from '../../upgrades.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-headers-unconditional',
    title: 'Connection: upgrade is sent with every request, polls and files included',
    concern: 'upgrade',
    severity: 'warning',
    requirement:
      'Connection: upgrade belongs to requests with an Upgrade header (RFC 9110, 7.8); with all others it ends the reuse of connections, and some servers refuse it.',
    remediation: {
      nginx:
        'map $http_upgrade $gms_connection { default ""; ~*^websocket$ upgrade; } at http level, and proxy_set_header Connection $gms_connection;',
    },
    references: [
      'RFC 9110, 7.6.1 and 7.8',
      'https://nginx.org/en/docs/http/websocket.html: the map in the second example',
      'Measured: every poll and upload reached GMS with Connection: upgrade and no Upgrade header; no keep-alive to the node',
    ],
    breaks: [],
    mayBreak: [],
    provenBy: {by: 'none', because: 'GMS takes such requests; the header costs a new connection to the node with each of them'},
  },
  inspect: ({site}) =>
    settingsOf(waysToGms(site, POLL, PUBLISH, UPLOAD), way => {
      const connection = way.sent('connection')
      return connection.value !== 'client' && carries(connection, 'upgrade') === true ? connection : undefined
    }).map(({setting, ways}) => ({
      span: placeOf(setting),
      message: `Expected Connection: upgrade with upgrades only, ${setting.text} sends it with ${titlesOf(ways)} too`,
      expected: 'Connection: upgrade only beside an Upgrade header',
      actual: setting.text,
      edits: setting.put('$gms_connection'),
    })),
}
