import type {UpgradeResult} from '../../../flows/upgrade.ts'
import {upgrade} from '../../../flows/upgrade.ts'
import type {Draft} from '../../check.ts'
import {withWitnesses} from '../../check.ts'
import {evidence, nothingArrived} from '../../evidence.ts'

const PROTOCOL = 'sec-websocket-protocol'
/** A page of the company with the chat in it, on another host than GMS. */
const ELSEWHERE = 'https://www.example.com'
const OFFERED = 'chat.example.com, v2.chat.example.com'

export const check = withWitnesses({
  meta: {
    id: 'upgrade-origin',
    title: 'GMS sees the Origin and the subprotocols of a WebSocket as the browser sent them',
    concern: 'upgrade',
    severity: 'warning',
    requirement:
      'Origin (RFC 6455, 10.2) and Sec-WebSocket-Protocol (RFC 6455, 1.9) are for the server to judge: both reach GMS unchanged, and the client is told no subprotocol that GMS did not choose.',
    remediation: {
      nginx: 'Remove proxy_set_header Origin and proxy_set_header Sec-WebSocket-Protocol, and add_header Sec-WebSocket-Protocol',
      apache: 'Remove RequestHeader rules for Origin and Sec-WebSocket-Protocol',
      haproxy: 'Remove http-request rules for Origin and Sec-WebSocket-Protocol',
    },
    directives: {
      nginx: ['proxy_set_header origin', 'proxy_set_header sec-websocket-protocol', 'add_header sec-websocket-protocol', 'proxy_pass'],
      apache: ['RequestHeader unset origin', 'RequestHeader set origin', 'RequestHeader unset sec-websocket-protocol', 'ProxyPass'],
      haproxy: [
        'http-request set-header origin',
        'http-request del-header origin',
        'http-request del-header sec-websocket-protocol',
        'backend',
      ],
    },
    references: ['RFC 6455, 1.9, 4.2.2 and 10.2', 'RFC 9110, 7.6: a proxy forwards fields that it does not know'],
  },
  transport: 'websocket',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake'],
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run({flow, target, upstream: {recorder, direct}}) {
    const own = target.origin ?? `${target.url.protocol}//${target.hostHeader}`
    const asking = (origin: string) => ({
      connection: 'Upgrade',
      upgrade: 'websocket',
      headers: {Origin: origin, 'Sec-WebSocket-Protocol': OFFERED},
    })
    const [near, far, unproxied] = await Promise.all([
      flow(upgrade, asking(own)),
      flow(upgrade, asking(ELSEWHERE)),
      flow(upgrade, asking(own), direct),
    ])
    if (!recorder.byProbe(near.probe)) return nothingArrived(near, recorder)
    const findings: Draft[] = [
      {result: near, origin: own},
      // A proxy that lets only some origins in is stricter, not wrong: then nothing arrives.
      ...(recorder.byProbe(far.probe) ? [{result: far, origin: ELSEWHERE}] : []),
    ].flatMap(({result, origin}) => {
      const received = recorder.byProbe(result.probe)?.headers ?? {}
      const flaws = [
        compared('Origin', origin, received['origin']),
        compared('Sec-WebSocket-Protocol', OFFERED, received[PROTOCOL]),
        ...(result.status === 101 && unproxied.status === 101 ? [answered(result, unproxied)] : []),
      ]
      return flaws.flatMap(flaw => (flaw ? [{...flaw, evidence: evidence(result, recorder, ['origin', PROTOCOL])}] : []))
    })
    const seen = new Set<string>()
    const distinct = findings.filter(({message}) => !seen.has(message) && seen.add(message))
    if (distinct.length > 0) return {status: 'failed', findings: distinct}
    return {status: 'passed', ...(recorder.byProbe(far.probe) ? {} : {detail: 'the proxy itself refuses other origins'})}
  },
})

function compared(name: string, sent: string, received: readonly string[] | undefined): Omit<Draft, 'evidence'> | undefined {
  // A list may be split into several fields or written without blanks (RFC 9110, 5.3).
  const items = (value: string) => value.split(',').map(item => item.trim())
  if (received !== undefined && items(received.join(',')).join() === items(sent).join()) return undefined
  return {
    message: `Expected GMS to receive the ${name} of the client`,
    expected: `${name}: ${sent}`,
    actual: received === undefined ? `no ${name}` : `${name}: ${received.join(', ')}`,
  }
}

/** The subprotocol that the client was told, against what GMS says when nobody stands between. */
function answered({headers}: UpgradeResult, direct: UpgradeResult): Omit<Draft, 'evidence'> | undefined {
  const [told, chosen] = [headers[PROTOCOL], direct.headers[PROTOCOL]]
  if (told === chosen) return undefined
  return {
    message: 'Expected the client to be told the subprotocol that GMS chose',
    expected: chosen === undefined ? 'no Sec-WebSocket-Protocol in the 101' : `Sec-WebSocket-Protocol: ${chosen}`,
    actual: told === undefined ? 'none in the 101' : `Sec-WebSocket-Protocol: ${told}`,
  }
}
