import type {Edit} from '../../../model/bundle.ts'
import type {Setting, Site} from '../../../proxies/site.ts'
import {UPGRADES} from '../../cascades.ts'
import {WEBSOCKET} from '../../requests.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import type {WayToGms} from '../../settings.ts'
import {placeOf, waysToGms} from '../../settings.ts'
import {directiveAt, withoutLine} from '../../source.ts'

/** What a client says of its WebSocket; the offer of extensions may be taken away, all else is part of the handshake. */
const SENT = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-protocol']
const ANSWERED = ['sec-websocket-accept', 'sec-websocket-extensions', 'sec-websocket-protocol']

export const rule: Rule = {
  meta: {
    id: 'upgrade-extensions-stripped',
    title: 'Key, extensions or subprotocol of a WebSocket are removed on the way',
    concern: 'upgrade',
    severity: 'note',
    requirement:
      'The handshake is an agreement of client and server (RFC 6455, 4.2 and 9.1): key, version and subprotocol reach GMS, and the client hears all that GMS answers. A proxy may take the offer of extensions away, never the answer.',
    remediation: {
      nginx:
        'Remove proxy_hide_header and proxy_set_header lines that name Sec-WebSocket-…; to do without compression take the offer away: proxy_set_header Sec-WebSocket-Extensions ""',
      apache:
        'Remove RequestHeader and Header lines that name Sec-WebSocket-…; to do without compression: RequestHeader unset Sec-WebSocket-Extensions',
      haproxy:
        'Remove http-request and http-response rules that name Sec-WebSocket-…; to do without compression: http-request del-header Sec-WebSocket-Extensions',
    },
    references: [
      'RFC 6455, 4.1, 4.2.2 and 9.1',
      'Measured: HAProxy itself answers an upgrade without Sec-WebSocket-Key with 400, log PR--',
    ],
    breaks: [],
    breaksOneOf: ['upgrade-compression', 'upgrade-origin', 'upgrade-handshake'],
    mayBreak: UPGRADES,
  },
  inspect: ({site}) =>
    waysToGms(site, {
      ...WEBSOCKET,
      headers: {...WEBSOCKET.headers, 'sec-websocket-protocol': 'bayeux', 'sec-websocket-extensions': 'permessage-deflate'},
    }).flatMap(way => [...notSent(site, way), ...notAnswered(site, way)]),
}

function notSent({config}: Site, way: WayToGms): readonly RuleDraft[] {
  return SENT.flatMap(name => {
    const sent = way.sent(name)
    if (sent.value !== 'nothing' && sent.value !== 'text') return []
    return [
      {
        span: placeOf(sent),
        message: `Expected ${name} as the client sent it, ${sent.text} changes it`,
        expected: `${name} of the client at GMS`,
        actual: sent.text,
        edits: taken(config, sent),
      },
    ]
  })
}

function notAnswered({proxy, config}: Site, {hiddenAnswers}: WayToGms): readonly RuleDraft[] {
  return hiddenAnswers
    .filter(({value}) => ANSWERED.includes(value.toLowerCase()))
    .map(hidden => ({
      span: placeOf(hidden),
      message: `Expected the client to hear the ${hidden.value} of GMS, ${hidden.text} takes it away`,
      expected: `${hidden.value} as GMS answered it`,
      actual: hidden.text,
      edits: proxy === 'nginx' ? hidden.put('') : taken(config, hidden),
    }))
}

/** A line that only takes a header away, or writes another over it. */
function taken(config: Site['config'], {span}: Pick<Setting<unknown>, 'span'>): readonly Edit[] {
  const line = span && directiveAt(config, span)
  return line ? withoutLine(config, line, 'headers of WebSocket pass as they are') : []
}
