import type {Edit} from '../../../model/bundle.ts'
import type {Setting, Site} from '../../../proxies/site.ts'
import {POLL} from '../../requests.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import type {Shared} from '../../settings.ts'
import {placeOf, settingsOf, waysToGms} from '../../settings.ts'
import {directiveAt, siblingsAt, withoutArgument, withoutLine} from '../../source.ts'

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
      ...slow.map(each =>
        draft(each, {site, expected: `an answer of ${ANSWER_BYTES / 1024} KiB within ${PROMPT_S} s`, does: 'slows them down', right: '0'}),
      ),
      ...held.map(each => draft(each, {site, expected: 'answers passed on as they come', does: 'collects them first'})),
      ...compressed.map(each =>
        draft(each, {site, expected: 'answers of type application/json left as they are', does: 'compresses them', right: 'off'}),
      ),
    ]
  },
}

function draft(
  {setting}: Shared<Setting<unknown>>,
  {site, expected, does, right}: {site: Site; expected: string; does: string; right?: string},
): RuleDraft {
  return {
    span: placeOf(setting),
    message: `Expected answers to polls to pass at once, ${setting.text} ${does}`,
    expected,
    actual: setting.text,
    edits: right !== undefined && OF_NGINX.test(setting.directive) ? setting.put(right) : untyped(site, setting),
  }
}

/** A filter by type leaves JSON out; one that is for chat alone goes. */
function untyped({config}: Site, {span}: Setting<unknown>): readonly Edit[] {
  const line = span && directiveAt(config, span)
  if (!line) return []
  const why = 'answers to polls pass as they come'
  const typed =
    line.name === 'compression'
      ? siblingsAt(config, line.span).filter(({name, args}) => name === line.name && args[0]?.value === 'type')
      : [line]
  const json = typed.flatMap(each => {
    const at = each.args.findIndex(({value}) => value.toLowerCase() === 'application/json')
    return at === -1 || each.args.length < 3 ? [] : withoutArgument(each, at, why)
  })
  if (json.length > 0) return json
  return line.name === 'compression' || /^AddOutputFilterByType$/i.test(line.name)
    ? [line, ...typed.filter(each => each !== line)].flatMap(each => withoutLine(config, each, why))
    : []
}
