import type {Edit} from '../../../model/bundle.ts'
import type {Setting, Site} from '../../../proxies/site.ts'
import {BROWSER_COOKIE} from '../../../wire/bayeux.ts'
import {ALL_CHAT} from '../../cascades.ts'
import type {Inspection, Rule, RuleDraft} from '../../rule.ts'
import {balanced, OVER_HTTP} from '../../sessions.ts'
import {placeOf, settingsOf, waysToGms} from '../../settings.ts'
import {directiveAt, directivesOf, replacedIn, withoutArgument, withoutLine} from '../../source.ts'
import {flawsOf} from './attributes.ts'
import type {Flaw} from './attributes.ts'

export const rule: Rule = {
  meta: {
    id: 'affinity-cookie-lost',
    title: 'A cookie that sessions need does not survive the round trip',
    concern: 'affinity',
    severity: 'error',
    requirement:
      'CometD binds a session over HTTP to the cookie BAYEUX_BROWSER: Set-Cookie reaches the browser and Cookie reaches GMS, unchanged; a cookie of the proxy is one that browsers take and send back with every request of a chat.',
    remediation: {
      nginx:
        'Remove proxy_hide_header Set-Cookie and proxy_set_header Cookie; the cookie of the proxy needs Path=/, no short Max-Age, Secure only over TLS and SameSite=None only with Secure',
      apache:
        'Remove Header unset Set-Cookie and RequestHeader unset Cookie; the cookie of the proxy needs Path=/, no short Max-Age, Secure only over TLS and SameSite=None only with Secure',
      haproxy:
        'Remove http-response del-header Set-Cookie and http-request del-header Cookie; cookie … secure only over TLS, attr "SameSite=None" only beside it',
    },
    references: [
      'CometD reference: BAYEUX_BROWSER; issues 881 and 1133',
      'RFC 6265, 5.3 and RFC 6265bis, 5.7',
      'Measured: proxy_hide_header Set-Cookie: 402 on every connect, on one node too',
    ],
    breaks: [],
    breaksOneOf: ['polling-chat', 'affinity-cookie-attributes'],
    mayBreak: ALL_CHAT,
  },
  inspect: inspection => [...removed(inspection), ...refusedByBrowsers(inspection)],
}

function removed({site}: Inspection): readonly RuleDraft[] {
  const ways = waysToGms(site, ...OVER_HTTP.map(request => ({...request, headers: {...request.headers, cookie: `${BROWSER_COOKIE}=0`}})))
  const toGms = settingsOf(ways, way => {
    const sent = way.sent('cookie')
    return sent.value === 'nothing' || sent.value === 'text' ? sent : undefined
  })
  const toBrowser = settingsOf(ways, way => way.hiddenAnswers.find(({value}) => value.toLowerCase() === 'set-cookie'))
  return [
    ...toGms.map(({setting}) => ({
      span: placeOf(setting),
      message: `Expected the cookies of the browser to reach GMS, ${setting.text} takes them away`,
      expected: 'Cookie as the browser sent it',
      actual: setting.text,
      edits: site.proxy === 'nginx' ? setting.put('$http_cookie') : unwritten(site, setting),
    })),
    ...toBrowser.map(({setting}) => ({
      span: placeOf(setting),
      message: `Expected the cookies of GMS to reach the browser, ${setting.text} takes them away`,
      expected: `Set-Cookie: ${BROWSER_COOKIE}=… as GMS sent it`,
      actual: setting.text,
      edits: site.proxy === 'nginx' ? setting.put('') : unwritten(site, setting),
    })),
  ]
}

/** The cookie by which affinity finds the node, as the first answer sets it. */
function refusedByBrowsers({site, promises}: Inspection): readonly RuleDraft[] {
  return balanced({site, promises}, ...OVER_HTTP).flatMap(({upstream: {affinity}, ways}) => {
    const {cookie, kind, setting} = affinity
    if (kind !== 'inserted-cookie' || cookie === undefined) return []
    return ways.flatMap(way => {
      const added = way.addedAnswers.find(({name, value}) => name === 'set-cookie' && value.includes(`${cookie}=`))
      const source = added ?? setting
      const encrypted =
        way.listener.tls !== undefined || way.listener.proxyProtocol.value || way.sent('x-forwarded-proto').sends === 'https'
      return flawsOf(added?.value ?? setting.text, {
        encrypted,
        host: way.listener.serverNames[0],
        ...(promises.cookie ? {promised: promises.cookie} : {}),
      }).map(({flaw, expected, pattern, right}) => ({
        span: placeOf(source),
        message: `Expected a cookie that browsers keep for the whole chat: ${flaw}`,
        expected,
        actual: source.text,
        edits: site.proxy === 'haproxy' ? rewordedLine(site, source, {flaw, right}) : reworded(site, cookie, pattern, right),
      }))
    })
  })
}

/** A line that does nothing but take cookies away. */
function unwritten({config}: Site, {span}: Pick<Setting<unknown>, 'span'>): readonly Edit[] {
  const line = span && directiveAt(config, span)
  return line ? withoutLine(config, line, 'cookies pass as they are') : []
}

/** The attribute goes wherever the text of the cookie is written: in the header line, or in a table that it reads. */
function reworded({config}: Site, cookie: string, pattern: RegExp, right: string): readonly Edit[] {
  return directivesOf(config)
    .flatMap(({args}) => args)
    .filter(({value}) => value.startsWith(`${cookie}=`))
    .flatMap(({span}) =>
      replacedIn(config, span, pattern, right, right === '' ? 'browsers drop the cookie with it' : right.replace(/^; /, '')),
    )
}

/** A word of the `cookie` line of HAProxy. */
function rewordedLine(
  {config}: Site,
  {span}: Pick<Setting<unknown>, 'span'>,
  {flaw, right}: Pick<Flaw, 'flaw' | 'right'>,
): readonly Edit[] {
  const line = span && directiveAt(config, span)
  if (!line) return []
  const at = line.args.findIndex(({value}) => value === 'secure')
  if (flaw.startsWith('Secure')) return at > 0 ? withoutArgument(line, at, 'browsers drop the cookie with it') : []
  const limit = /^(maxidle|maxlife) /.exec(flaw)?.[1]
  const named = limit === undefined ? -1 : line.args.findIndex(({value}) => value === limit)
  if (named > 0)
    return [
      ...withoutArgument(line, named, 'the cookie holds as long as the chat'),
      ...withoutArgument(line, named + 1, 'the cookie holds as long as the chat'),
    ]
  const words = right
    .split(';')
    .map(word => word.trim())
    .filter(word => word !== '')
  const attribute = words.find(word => /^(?:SameSite=None|Partitioned)$/.test(word))
  if (attribute === undefined) return []
  const old = line.args.find(({value}) => value.startsWith('SameSite='))
  const why = 'pages of other sites keep the cookie with it'
  if (old && attribute.startsWith('SameSite')) return replacedIn(config, old.span, /SameSite=\w+/g, attribute, why)
  const last = line.args.at(-1)
  const added = `${words.includes('Secure') ? ' secure' : ''} attr "${attribute}"`
  return last ? [{span: {...last.span, start: last.span.end}, text: added, why}] : []
}
