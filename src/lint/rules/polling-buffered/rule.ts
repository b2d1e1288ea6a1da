import {POLL} from '../../requests.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import type {Shared} from '../../settings.ts'
import {placeOf, settingsOf, waysToGms} from '../../settings.ts'
import type {Setting} from '../../../proxies/site.ts'

/** A poll that hands over a chat's history, bytes, and how long that may take. */
const ANSWER_BYTES = 64 * 1024
const PROMPT_S = 5
/** Directives that are switched off by another argument. */
const OF_NGINX = /^(limit_rate|proxy_limit_rate|gzip)$/
const NEEDED = Math.ceil(ANSWER_BYTES / PROMPT_S)

export const rule: Rule = {
  meta: {
    id: 'polling-buffered',
    title: 'Answers to polls are held back in the proxy',
    concern: 'polling',
    severity: 'warning',
    requirement:
      'What an agent says ends the hold at once (Bayeux 1.0, 2.2.2): an answer is not collected, compressed or slowed down on its way.',
    remediation: {
      nginx: 'No limit_rate, no proxy_limit_rate and no gzip of application/json for /genesys/cometd; proxy_buffering off',
      apache:
        'No DEFLATE, BUFFER, SUBSTITUTE or RATE_LIMIT filter on /genesys/cometd: SetOutputFilter and AddOutputFilterByType elsewhere only',
      haproxy: 'No compression of application/json, no http-response wait-for-body and no bwlim-out filter in front of GMS',
    },
    references: [
      'Bayeux 1.0, 2.2.2',
      'Measured: nginx buffering does not delay a finished answer, gzip delays chunks, limit_rate everything',
      'BREACH: answers with secrets in them are not to be compressed over TLS',
    ],
    breaks: [],
    mayBreak: ['polling-delivers-promptly', 'polling-burst-delivered', 'polling-chat', 'polling-callback-chat', 'polling-long-messages'],
    provenBy: {
      by: 'none',
      because: 'GMS sends each answer whole, and a whole one is not kept back by compression; one in chunks is, measured',
    },
  },
  inspect({site}) {
    const ways = waysToGms(site, POLL)
    const slow = settingsOf(ways, ({throttled}) =>
      throttled?.value !== undefined && throttled.value > 0 && throttled.value < NEEDED ? throttled : undefined,
    )
    // A finished answer passes the buffers of nginx at once.
    const held = settingsOf(ways, ({buffered}) => (buffered.value && buffered.directive !== 'proxy_buffering' ? buffered : undefined))
    const compressed = settingsOf(ways, way => (way.compressed.value ? way.compressed : undefined))
    return [
      ...slow.map(each => draft(each, `an answer of ${ANSWER_BYTES / 1024} KiB within ${PROMPT_S} s`, 'slows them down', '0')),
      ...held.map(each => draft(each, 'answers passed on as they come', 'collects them first')),
      ...compressed.map(each => draft(each, 'answers of type application/json left as they are', 'compresses them', 'off')),
    ]
  },
}

function draft({setting}: Shared<Setting<unknown>>, expected: string, does: string, right?: string): RuleDraft {
  return {
    span: placeOf(setting),
    message: `Expected answers to polls to pass at once, ${setting.text} ${does}`,
    expected,
    actual: setting.text,
    edits: right !== undefined && OF_NGINX.test(setting.directive) ? setting.put(right) : [],
  }
}
