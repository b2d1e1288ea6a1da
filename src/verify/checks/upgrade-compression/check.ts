import {chat} from '../../../flows/chat.ts'
import type {UpgradeResult} from '../../../flows/upgrade.ts'
import {upgrade} from '../../../flows/upgrade.ts'
import type {Draft} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {evidence, nothingArrived} from '../../evidence.ts'

const EXTENSIONS = 'sec-websocket-extensions'
/** What Chromium and Firefox offer. */
const OFFER = 'permessage-deflate; client_max_window_bits'
/** A library in many apps; before version 4.5 it offers none. */
const APP = 'okhttp/3.12.13'
/** Servers leave short messages uncompressed. With key and credentials it stays below what the stock client sends at once, 8192 characters. */
const LONG_TEXT = 'Compression is agreed in the handshake and felt in long messages. '.repeat(100)

export const check = withWitnesses({
  meta: {
    id: 'upgrade-compression',
    title: 'Compression of WebSocket messages is agreed by both ends or by none',
    concern: 'upgrade',
    severity: 'error',
    requirement:
      'Sec-WebSocket-Extensions is an agreement of client and server (RFC 6455, 9.1): GMS sees the offer that the client made, and the client the answer that GMS gave. A proxy may take the offer away, never the answer.',
    remediation: {
      nginx:
        'Take proxy_hide_header, proxy_set_header and add_header Sec-WebSocket-Extensions away; to do without compression, take the offer away instead:\nproxy_set_header Sec-WebSocket-Extensions ""',
      apache: 'Do not set Sec-WebSocket-Extensions; to do without compression: RequestHeader unset Sec-WebSocket-Extensions',
      haproxy:
        'Take http-response rules and http-request set-header on Sec-WebSocket-Extensions away; to do without compression:\nhttp-request del-header Sec-WebSocket-Extensions',
    },
    directives: {
      nginx: ['proxy_hide_header sec-websocket-extensions', 'proxy_set_header sec-websocket-extensions', 'add_header', 'proxy_pass'],
      apache: [
        'RequestHeader set sec-websocket-extensions',
        'RequestHeader setifempty sec-websocket-extensions',
        'RequestHeader edit sec-websocket-extensions',
        'ProxyPass',
      ],
      haproxy: [
        'http-response del-header sec-websocket-extensions',
        'http-request set-header sec-websocket-extensions',
        'http-response set-header sec-websocket-extensions',
        'backend',
      ],
    },
    references: ['RFC 6455, 9.1', 'RFC 7692, 5 and 7', 'Jetty accepts permessage-deflate when it is offered'],
  },
  transport: 'websocket',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake'],
  isolation: 'shared',
  budgetMs: () => 180_000,
  async run({flow, upstream}) {
    const {recorder, direct} = upstream
    const ask = {connection: 'Upgrade', upgrade: 'websocket'}
    const offering = {...ask, headers: {'Sec-WebSocket-Extensions': OFFER}}
    const [offered, silent, ownAnswer, long] = await Promise.all([
      flow(upgrade, offering),
      flow(upgrade, {...ask, headers: {'User-Agent': APP}}),
      flow(upgrade, offering, direct),
      flow(chat, {transport: 'websocket', text: LONG_TEXT}),
    ])
    if (ownAnswer.status !== 101)
      return {status: 'errored', because: `GMS itself answers an upgrade with ${ownAnswer.statusLine ?? 'nothing'}`}
    if (!recorder.byProbe(offered.probe) || !recorder.byProbe(silent.probe)) return nothingArrived([offered, silent], recorder)
    const agrees = deflates(ownAnswer.headers[EXTENSIONS])
    const verdicts = [offered, silent].map(result => {
      const asked = recorder.byProbe(result.probe)?.headers[EXTENSIONS]?.join(', ')
      return {result, asked, compresses: agrees && deflates(asked), told: deflates(result.headers[EXTENSIONS])}
    })
    const findings: Draft[] = verdicts.flatMap(({result, asked, compresses, told}) => {
      const flaw = flawOf(result, {asked, compresses, told, offers: result === offered})
      return flaw ? [{...flaw, evidence: evidence(result, recorder, [EXTENSIONS])}] : []
    })
    const broken = long.steps.find(({ok}) => !ok)
    if (findings.length === 0 && (broken || long.ended !== 'completed'))
      findings.push({
        message: 'Expected a chat with long messages over a socket that offers compression',
        expected: 'every message arrives',
        actual: broken ? `"${broken.step}" failed: ${broken.note}` : (long.stoppedAt ?? long.ended),
        evidence: evidence(long, recorder, [EXTENSIONS]),
      })
    if (findings.length > 0) return {status: 'failed', findings}
    const [first] = verdicts
    return {
      status: 'passed',
      detail: first?.told ? 'permessage-deflate end to end' : agrees ? 'the proxy takes the offer away' : 'GMS declines',
    }
  },
})

function deflates(header: string | undefined): boolean {
  return /(^|,)\s*permessage-deflate\b/i.test(header ?? '')
}

function flawOf(
  {status, statusLine, stoppedAt, headers}: UpgradeResult,
  {asked, compresses, told, offers}: {asked: string | undefined; compresses: boolean; told: boolean; offers: boolean},
): Omit<Draft, 'evidence'> | undefined {
  const client = offers ? 'a client that offers compression' : 'a client that offers no compression'
  if (status !== 101)
    return {message: `Expected ${client} to get a WebSocket`, expected: '101', actual: statusLine ?? stoppedAt ?? 'no answer'}
  if (!offers && (asked !== undefined || told))
    return {
      message: `Expected ${client} to get none`,
      expected: 'no Sec-WebSocket-Extensions on either side',
      actual: `GMS was asked for ${asked ?? 'nothing'}, the client was told ${headers[EXTENSIONS] ?? 'nothing'}`,
    }
  if (compresses && !told)
    return {
      message: `Expected ${client} to hear that GMS agreed`,
      expected: 'Sec-WebSocket-Extensions: permessage-deflate in the 101, as GMS answered',
      actual: 'no Sec-WebSocket-Extensions in the 101: GMS compresses, and the client cannot read it',
    }
  if (!compresses && told)
    return {
      message: `Expected ${client} to hear only what GMS answered`,
      expected: 'no Sec-WebSocket-Extensions in the 101',
      actual: `${headers[EXTENSIONS] ?? ''} in the 101, which GMS never agreed to`,
    }
  return undefined
}
