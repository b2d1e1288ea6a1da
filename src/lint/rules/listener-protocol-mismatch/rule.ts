import {ALL_CHAT} from '../../cascades.ts'
import type {Listener, Site} from '../../../proxies/site.ts'
import type {Rule, RuleDraft} from '../../rule.ts'

const PLAIN_PORTS: readonly (number | undefined)[] = [80]
const TLS_PORTS: readonly (number | undefined)[] = [443]

export const rule: Rule = {
  meta: {
    id: 'listener-protocol-mismatch',
    title: 'The port speaks TLS where clients speak plain text, or the other way round',
    concern: 'listener',
    severity: 'error',
    requirement: 'The port of https and wss speaks TLS, the port of http and ws speaks plain text.',
    remediation: {
      nginx: 'Write ssl on the listen of port 443 and on no other: listen 443 ssl; listen 80;',
      apache: 'SSLEngine on in the <VirtualHost *:443>, and in no <VirtualHost *:80>',
      haproxy: 'Write ssl on the bind of port 443 and on no other (bind :443 ssl crt FILE): a crt without ssl is taken and not used',
    },
    references: [
      'RFC 9110, 4.2.1 and 4.2.2: default ports 80 and 443',
      'Measured: nginx answers plain text on a TLS port with 400 "The plain HTTP request was sent to HTTPS port"',
    ],
    breaks: ['tls-terminates'],
    mayBreak: [...ALL_CHAT, 'tls-redirect-spares-chat'],
    provenBy: {
      by: 'evidence',
      because: 'a client that is told the scheme by the file itself finds TLS on port 80; a browser that is told http:// does not',
      on: ['fires.plain-port.nginx.conf', 'fires.plain-port.apache.conf', 'fires.plain-port.haproxy.cfg'],
    },
  },
  inspect: ({site}) => site.listeners.filter(({chat}) => chat).flatMap(listener => mismatch(site, listener)),
}

function mismatch({listeners}: Site, {address, port, span, tls, layer4}: Listener): readonly RuleDraft[] {
  if (tls && PLAIN_PORTS.includes(port))
    return [
      {
        span,
        message: `Expected plain text on port ${port}: "${address}"`,
        expected: 'http and ws, which is what clients speak to this port',
        actual: 'TLS: a plain request is answered 400, or not at all',
      },
    ]
  const encrypted = listeners.some(other => other.tls !== undefined && TLS_PORTS.includes(other.port))
  if (!tls && TLS_PORTS.includes(port) && !layer4.value && !encrypted)
    return [
      {
        span,
        message: `Missing TLS on port ${port}: "${address}"`,
        expected: 'https and wss, which is what clients speak to this port',
        actual: 'plain text: a TLS handshake is answered with nonsense',
      },
    ]
  return []
}
