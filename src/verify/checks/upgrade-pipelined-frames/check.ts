import {upgrade} from '../../../flows/upgrade.ts'
import {withWitnesses} from '../../check.ts'
import {evidence} from '../../evidence.ts'

export const check = withWitnesses({
  meta: {
    id: 'upgrade-pipelined-frames',
    title: 'A frame that comes with the handshake is not lost',
    concern: 'upgrade',
    severity: 'note',
    requirement:
      'A client has to wait for the 101 (RFC 6455, 4.1), but one that is sure of its server sends the Bayeux handshake in the same segment as the upgrade. GMS answers it; through a proxy it is answered too, behind the 101.',
    remediation: {
      nginx: 'Nothing that nginx is told is known to cause this: look for a second proxy before or behind it',
      apache:
        'upgrade=websocket on the BalancerMember instead of a ws:// address; with ws://, take ProxyWebsocketFallbackToProxyHttp Off away\n(before 2.4.47 mod_proxy_wstunnel has no other way)',
      haproxy: 'Nothing that HAProxy is told is known to cause this: look for a second proxy before or behind it',
    },
    directives: {
      nginx: ['proxy_pass'],
      apache: ['ProxyWebsocketFallbackToProxyHttp', 'RewriteRule', 'ProxyPass'],
      haproxy: ['backend'],
    },
    references: [
      'RFC 6455, 4.1: the client MUST wait for a response before sending any further data',
      'Apache mod_proxy_wstunnel: ProxyWebsocketFallbackToProxyHttp',
      'Measured: httpd 2.4.71 with ProxyWebsocketFallbackToProxyHttp Off does not forward what came with the request',
    ],
  },
  transport: 'websocket',
  presupposes: ['upstream-path-intact', 'listener-reaches-gms', 'upgrade-handshake'],
  isolation: 'shared',
  budgetMs: () => 60_000,
  async run({flow, upstream: {recorder, direct}}) {
    const together = {connection: 'Upgrade', upgrade: 'websocket', thenHandshake: true, together: true}
    const [result, ownAnswer] = await Promise.all([flow(upgrade, together), flow(upgrade, together, direct)])
    if (ownAnswer.handshake !== true) return {status: 'skipped', because: 'GMS itself does not answer a frame that comes before its 101'}
    if (result.status === 101 && result.handshake === true) return {status: 'passed'}
    const arrived = recorder.byProbe(result.probe)?.messages.length ?? 0
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected a frame that comes with the upgrade to be answered',
          expected: '101, and behind it the Bayeux answer',
          actual:
            result.status === 101
              ? `101, but ${arrived > 0 ? 'the answer of GMS' : 'the frame'} was lost`
              : (result.statusLine ?? result.stoppedAt ?? 'no answer'),
          evidence: evidence(result, recorder),
        },
      ],
    }
  },
})
