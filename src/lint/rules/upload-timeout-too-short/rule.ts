import {NETWORK_DELAY_MS, pollPatience} from '../../../proxies/margins.ts'
import {DEFAULT_HOLD_MS} from '../../../wire/bayeux.ts'
import {FILES} from '../../cascades.ts'
import {UPLOAD} from '../../requests.ts'
import type {Inspection, Rule, RuleDraft} from '../../rule.ts'
import type {WayToGms} from '../../settings.ts'
import {inForce, placeOf, secondsIn, settingsOf, waysToGms} from '../../settings.ts'

/** A mobile phone with a weak signal: 120 kbit/s up. */
const BYTES_PER_MS = 15
/** A minute of silence, as nginx and Apache grant it by default. */
const PATIENCE_MS = 60_000
/** `RequestReadTimeout`: a minute, and a second more for every 100 bytes that come. */
const WHOLE_BODY = '60,MinRate=100'

export const rule: Rule = {
  meta: {
    id: 'upload-timeout-too-short',
    title: 'Slow or late uploads are cut',
    concern: 'upload',
    severity: 'error',
    requirement:
      'A file that comes over a weak line, with silences as long as the CometD client grants to a network (10 s), arrives whole, and GMS may take as long for its answer as for a quiet poll.',
    remediation: {
      nginx: 'client_body_timeout 60s; and proxy_read_timeout {pollSeconds}s; or more in the location of /genesys/2/chat-ntf',
      apache:
        'RequestReadTimeout body=60,MinRate=100 (without MinRate, body= is a limit on the whole upload), Timeout 60,\nand ProxyTimeout {pollSeconds} with no shorter timeout= at ProxyPass or BalancerMember',
      haproxy:
        'timeout server {pollSeconds}s or more and timeout client 1m for /genesys/2/chat-ntf (timeout server runs while the client is silent, too),\nand no http-request wait-for-body',
    },
    references: [
      'GMS Chat API V2 over CometD, "File management"',
      'CometD reference: maxNetworkDelay, 10 s',
      'https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html#requestreadtimeout',
      'Measured: HAProxy 2.6 answers 504 when a client is silent for longer than timeout server in the middle of an upload',
    ],
    breaks: [],
    breaksOneOf: ['upload-slow-client', 'upload-late-answer'],
    mayBreak: [...FILES, 'polling-hold-survives', 'polling-chat', 'polling-callback-chat'],
    provenBy: {by: 'evidence', because: 'which of the two checks fails depends on the timeout: silence of the client, or of GMS'},
  },
  inspect(inspection) {
    const ways = waysToGms(inspection.site, UPLOAD)
    return [...late(ways, inspection), ...silent(ways, inspection), ...whole(ways, inspection), ...start(ways, inspection)]
  },
}

function late(ways: readonly WayToGms[], {site, promises}: Inspection): readonly RuleDraft[] {
  const least = Math.min(promises.holdMs, DEFAULT_HOLD_MS)
  const right = secondsIn(site.proxy, pollPatience(promises.holdMs))
  return settingsOf(ways, ({answerTimeout}) => (isBelow(answerTimeout.value, least + 1) ? answerTimeout : undefined)).map(({setting}) => ({
    span: placeOf(setting),
    message: `Too short: ${inForce(setting)} ends an upload that GMS takes its time for (a virus scan)`,
    expected: `${right} or more`,
    actual: inForce(setting),
    edits: setting.put(right),
  }))
}

function silent(ways: readonly WayToGms[], {site}: Inspection): readonly RuleDraft[] {
  const right = secondsIn(site.proxy, PATIENCE_MS)
  return settingsOf(ways, ({bodyTimeout}) => (isBelow(bodyTimeout.value, NETWORK_DELAY_MS) ? bodyTimeout : undefined)).map(({setting}) => ({
    span: placeOf(setting),
    message: `Too short: ${inForce(setting)} cuts an upload whose client is silent for less than ${NETWORK_DELAY_MS / 1000} s`,
    expected: `${right} of silence`,
    actual: inForce(setting),
    edits: setting.put(right),
  }))
}

function whole(ways: readonly WayToGms[], {site, promises}: Inspection): readonly RuleDraft[] {
  const least = promises.maxFileSize / BYTES_PER_MS
  return settingsOf(ways, ({wholeBodyTimeout}) => (isBelow(wholeBodyTimeout.value, least) ? wholeBodyTimeout : undefined)).map(
    ({setting}) => ({
      span: placeOf(setting),
      message: `Too short: ${inForce(setting)} ends an upload however steadily it comes`,
      expected: site.proxy === 'apache' ? `body=${WHOLE_BODY}` : 'a limit on silence, none on the whole body',
      actual: inForce(setting),
      edits: site.proxy === 'apache' ? setting.put(WHOLE_BODY) : [],
    }),
  )
}

/** The first bytes of a body that is collected before it is passed on: a silence may pass before they are there. */
function start(ways: readonly WayToGms[], {site}: Inspection): readonly RuleDraft[] {
  const right = secondsIn(site.proxy, PATIENCE_MS)
  return settingsOf(ways, ({bodyStartTimeout}) =>
    bodyStartTimeout && isBelow(bodyStartTimeout.value, NETWORK_DELAY_MS) ? bodyStartTimeout : undefined,
  ).map(({setting}) => ({
    span: placeOf(setting),
    message: `Too short: ${inForce(setting)} cuts an upload whose client is silent before the first buffer is full`,
    expected: `${right}, or a body that is passed on as it comes`,
    actual: inForce(setting),
    edits: setting.put(right),
  }))
}

function isBelow(value: number | undefined, least: number): boolean {
  return value !== undefined && value < least
}
