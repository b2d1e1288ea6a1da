import type {Rule} from '../../rule.ts'

export const rule: Rule = {
  meta: {
    id: 'tls-mixed-content',
    title: 'A page that came over https is told to open ws://',
    concern: 'tls',
    severity: 'warning',
    requirement:
      'A page that was loaded over https opens its WebSocket with wss and its polls with https; browsers refuse anything else before a request is sent.',
    remediation: {
      nginx: 'Serve the chat with listen 443 ssl; and give the page a wss:// and https:// address of it',
      apache: 'Serve the chat in a <VirtualHost *:443> with SSLEngine on, and give the page a wss:// and https:// address of it',
      haproxy: 'Serve the chat with bind :443 ssl crt FILE, and give the page a wss:// and https:// address of it',
    },
    references: ['W3C Mixed Content, 5.3: a WebSocket without TLS is blocked on a page that came with it', 'RFC 6455, 3 (wss)'],
    breaks: [],
    mayBreak: [],
    provenBy: {by: 'evidence', because: 'the address stands in the page of the customer; nothing of it reaches the proxy'},
  },
}
