import type {Closing, FramesResult} from '../../../flows/frames.ts'
import {digestOf, frames} from '../../../flows/frames.ts'
import type {Recorder} from '../../../simulator/recorder.ts'
import {DEFAULT_MAX_MESSAGE_SIZE} from '../../../wire/bayeux.ts'
import type {Draft} from '../../check.ts'
import {withSimulator} from '../../check.ts'
import {about, evidence, time} from '../../evidence.ts'

/** Quick fingers and a pasted list; the order of more would not be surer. */
const BURST = 12
const LARGE = 48 * 1024

type Flaw = Pick<Draft, 'message' | 'expected' | 'actual'> & {probe?: string}

export const check = withSimulator({
  meta: {
    id: 'upgrade-frames-intact',
    title: 'Frames of every size and kind pass a WebSocket unchanged',
    concern: 'upgrade',
    severity: 'error',
    requirement:
      'After the 101 a proxy is a wire (RFC 9110, 7.8): messages arrive whole, once and in order up to the 64 KiB that GMS takes, one byte more is answered with 1009, pings get their pong, and close codes and the end of the connection (RFC 6455, 7) reach the other side.',
    remediation: {
      nginx: 'Leave Sec-WebSocket-Extensions alone: remove proxy_hide_header and proxy_set_header lines that name it',
      apache: 'Leave Sec-WebSocket-Extensions alone: remove RequestHeader rules that name it',
      haproxy: 'Leave Sec-WebSocket-Extensions alone: remove http-request and http-response rules that name it',
    },
    directives: {
      nginx: ['proxy_hide_header sec-websocket-extensions', 'proxy_set_header sec-websocket-extensions', 'proxy_pass'],
      apache: ['RequestHeader set sec-websocket-extensions', 'RequestHeader edit sec-websocket-extensions', 'ProxyPass'],
      haproxy: ['http-response del-header sec-websocket-extensions', 'http-request set-header sec-websocket-extensions', 'backend'],
    },
    references: ['RFC 6455, 5.4, 5.5 and 7.1', 'CometD reference: ws.maxMessageSize; Jetty closes with 1009'],
  },
  transport: 'websocket',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake', 'upgrade-compression'],
  isolation: 'shared',
  budgetMs: () => 180_000,
  async run({flow, budgets, upstream: {recorder}}) {
    const sizes = [LARGE, DEFAULT_MAX_MESSAGE_SIZE]
    const results = await Promise.all(
      [false, true].map(deflate => flow(frames, {deflate, burst: BURST, sizes, tooLarge: DEFAULT_MAX_MESSAGE_SIZE + 1})),
    )
    for (const {probe} of results.flatMap(({closings}) => closings))
      await recorder.waitFor(request => request.probe === probe && request.close !== undefined, budgets.answer)
    const flaws = results.map(result => flawsOf(result, recorder))
    const findings: Draft[] = results.flatMap((result, index) =>
      (flaws[index] ?? [])
        // What is wrong on both sockets is told once.
        .filter(flaw => index === 0 || flaws[0]?.every(({message}) => message !== flaw.message))
        .map(({probe, ...draft}) => ({...draft, evidence: evidenceOf(result, recorder, probe)})),
    )
    if (findings.length > 0) return {status: 'failed', findings}
    const agreed = results.find(({extensions}) => extensions !== undefined)
    return {status: 'passed', detail: `${sizes.at(-1)} bytes, ${BURST} in a row, 5 closings; ${agreed ? 'plain and compressed' : 'plain'}`}
  },
})

function flawsOf(result: FramesResult, recorder: Recorder): readonly Flaw[] {
  if (result.clientId === undefined || (result.ended !== 'completed' && result.closings.length === 0))
    return [{message: 'Expected a chat over the WebSocket', expected: 'a session', actual: result.stoppedAt ?? 'no session'}]
  const arrived = recorder.bySession(result.clientId).flatMap(({messages}) => messages.flatMap(({data}) => textOf(data)))
  const digests = new Set(arrived.map(digestOf))
  const flaws: Flaw[] = []
  const order = (message: string, seen: readonly string[]) => {
    if (seen.join('\n') !== result.burst.join('\n'))
      flaws.push({
        message,
        expected: `${result.burst.length} messages in the order in which they were sent`,
        actual: disorder(seen, result.burst),
      })
  }
  order(
    'Expected messages sent in a row to reach GMS once and in order',
    arrived.filter(text => result.burst.includes(text)),
  )
  order('Expected what GMS records to reach the client once and in order', result.ownTexts)
  order('Expected what the agent says to reach the client once and in order', result.agentTexts)
  for (const {bytes, sha256, repeatedSha256} of result.messages) {
    if (!digests.has(sha256))
      flaws.push({
        message: `Expected a message of ${bytes} bytes to reach GMS whole`,
        expected: `${bytes} bytes at GMS`,
        actual: arrived.length > result.burst.length ? 'another text arrived' : `it did not arrive${endOf(result)}`,
      })
    else if (repeatedSha256 !== sha256)
      flaws.push({
        message: `Expected an agent's message of ${bytes} bytes to reach the client whole`,
        expected: `${bytes} bytes at the client`,
        actual: repeatedSha256 === undefined ? `it did not arrive${endOf(result)}` : 'another text arrived',
      })
  }
  if (result.ping && result.ping.pong !== result.ping.payload)
    flaws.push({
      message: 'Expected a ping to be answered with its payload',
      expected: `pong ${result.ping.payload}`,
      actual: result.ping.pong === undefined ? 'no pong' : `pong ${result.ping.pong}`,
    })
  for (const closing of result.closings) {
    const wrong = wrongEnd(closing, recorder)
    // A chat that broke off in the middle of a message was told above.
    if (wrong && (closing.sent !== undefined || closing.by === 'gms' || flaws.length === 0)) flaws.push({...wrong, probe: closing.probe})
  }
  if (flaws.length === 0 && (result.ended !== 'completed' || result.ping === undefined || result.closings.length < 5))
    flaws.push({
      message: 'Expected every socket of a user to open',
      expected: '5 sockets',
      actual: result.stoppedAt ?? `${result.closings.length} sockets`,
    })
  return flaws
}

/** What is wrong with how one socket ended, seen from both sides. */
function wrongEnd({what, by, probe, sent, heard, leftOpenMs}: Closing, recorder: Recorder): Flaw | undefined {
  const gms = recorder.byProbe(probe)?.close
  const ends = `${gms === undefined ? 'GMS saw no end' : `GMS ${gms.by === 'gms' ? 'closed with' : 'saw'} ${gms.code}`}, the client ${heard ? `heard ${heard.code}` : 'nothing'}`
  if (by === 'client' && sent === undefined)
    return {message: 'Expected the chat to last until the client leaves', expected: 'close 4000', actual: ends}
  const code = sent?.code ?? (gms?.by === 'gms' ? gms.code : undefined)
  const expected = `${code ?? 'a close code of GMS'} at both ends, and then the end of the connection`
  if (code === undefined || gms?.code !== code || gms.by !== by || heard?.code !== code || heard.reason === undefined)
    return {message: `Expected the close code to reach the other side when ${what}`, expected, actual: ends}
  if (leftOpenMs !== undefined)
    return {
      message: `Expected the connection to end when ${what}`,
      expected,
      actual: `${code} at both ends, but the connection to the client was still open after ${time(leftOpenMs)}`,
    }
  return undefined
}

function endOf({closings}: FramesResult): string {
  const chat = closings.find(isChat)
  return chat?.heard && chat.sent === undefined
    ? `: ${chat.trouble ?? `the socket ended with ${chat.heard.code} ${chat.heard.reason}`.trimEnd()}`
    : ''
}

function disorder(seen: readonly string[], sent: readonly string[]): string {
  const lost = sent.filter(text => !seen.includes(text)).length
  const doubled = seen.length - new Set(seen).size
  if (lost > 0 || doubled > 0) return `${lost} lost, ${doubled} more than once`
  return `another order: ${seen.map(text => sent.indexOf(text) + 1).join(', ')}`
}

function textOf(data: unknown): readonly string[] {
  return typeof data === 'object' && data !== null && 'message' in data && typeof data.message === 'string' ? [data.message] : []
}

/** About the socket with that probe header, else the chat's; what GMS said of its own accord went well and is left out. */
function evidenceOf(result: FramesResult, recorder: Recorder, probe = result.closings.find(isChat)?.probe): Draft['evidence'] {
  const own = probe === undefined ? result : about(result, [probe])
  const asked = {...own, exchanges: own.exchanges.filter(({what}) => !what.endsWith('from GMS'))}
  const seen = evidence(asked, recorder, ['sec-websocket-extensions'])
  const closing = result.closings.find(candidate => candidate.probe === probe)
  if (!closing) return seen
  const {what, heard, trouble} = closing
  const request = recorder.byProbe(closing.probe)
  return {
    client: [
      ...seen.client,
      `${closing.sent || closing.by === 'gms' ? what : 'the chat broke off'}: ${heard ? `close ${heard.code} ${trouble ?? heard.reason}`.trimEnd() : 'no end'}`,
    ],
    upstream: [
      ...seen.upstream,
      ...(request?.close ? [`${request.node} ${request.close.by === 'gms' ? 'closed with' : 'saw close'} ${request.close.code}`] : []),
    ],
  }
}

/** The socket of the chat is the one that the client closes with a code of its own. */
function isChat({what}: Closing): boolean {
  return what.endsWith('4000')
}
