import {cookieAffinity} from '../../affinity-edits.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {UPLOAD} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {balanced, isHashed, isSetByGms, OVER_HTTP} from '../../sessions.ts'
import {placeOf} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'affinity-key-not-stable',
    title: 'The affinity key changes within a session',
    concern: 'affinity',
    severity: 'error',
    requirement:
      'What the node is chosen by is the same in every request of a session, the first one included: not the path, the query, a port, a time or an id of the request.',
    remediation: {
      nginx:
        'Hash a key that stays: map $cookie_GMS_NODE $gms_node { default $cookie_GMS_NODE; "" $request_id; }, hash $gms_node consistent;\nand add_header Set-Cookie with the same $request_id for clients without the cookie',
      haproxy: 'cookie GMS_NODE insert indirect nocache httponly instead of balance uri, url_param, random or a stick on what changes',
    },
    references: [
      'GMS Chat API V2 over CometD, prerequisites: sticky sessions',
      'CometD appends the message type to the path: /genesys/cometd/handshake, /connect',
      'nginx: hash; HAProxy: balance, stick on',
    ],
    breaks: ['affinity-same-node'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    balanced({site, promises}, ...OVER_HTTP, UPLOAD).flatMap(each => {
      const {affinity} = each.upstream
      const {unstable, kind, cookie, setting} = affinity
      // The handshake comes without the cookie that GMS sets in its answer: it is hashed to another node than what follows.
      const late = kind === 'application-cookie' && cookie !== undefined && isSetByGms(cookie) && isHashed(affinity)
      // A cookie that nobody sets is a rule of its own.
      const unset = kind === 'application-cookie' && cookie !== undefined && !isSetByGms(cookie)
      if (unset || (!unstable && !late)) return []
      return [
        {
          span: placeOf(setting),
          message: `Expected a key that stays the same within a session, ${setting.text} ${late ? `has none before GMS has set ${cookie}` : 'changes from request to request'}`,
          expected: 'one key for all requests of a session',
          actual: setting.text,
          edits: cookieAffinity(site, each),
        },
      ]
    }),
}
