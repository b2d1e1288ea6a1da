import type {Edit, Span} from '../../../model/bundle.ts'
import type {Listener, Site} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {POLL} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'
import {blocksAround, insertedBelow} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'forwarding-layer4',
    title: 'The proxy works on TCP: no forwarding headers, no cookie affinity, no path rules',
    concern: 'forwarding',
    severity: 'warning',
    requirement:
      'The proxy reads HTTP: it tells GMS who the client is, keeps a session on its node and passes on the paths of the chat only.',
    remediation: {
      nginx: 'Move the server from stream {} into http {}, with proxy_pass http://… and proxy_set_header lines',
      haproxy: 'mode http in the frontend and the backend of the chat',
    },
    references: [
      'https://docs.haproxy.org/2.6/configuration.html#4.2-mode',
      'https://nginx.org/en/docs/stream/ngx_stream_core_module.html',
      'Measured: haproxy -c says "\'option forwardfor\' ignored … as it requires HTTP mode"',
    ],
    breaks: ['forwarding-client-address', 'forwarding-client-not-forgeable'],
    mayBreak: [
      ...ALL_CHAT,
      'access-websocket-upgrades-only',
      'access-admin-closed',
      'access-paths-only',
      'access-not-a-forward-proxy',
      'affinity-cookie-attributes',
      'forwarding-scheme',
      'logging-keeps-secrets-out',
    ],
    provenBy: {by: 'binary', because: 'stream {} is a module that many builds of nginx load, or lack', on: ['fires.nginx.conf']},
  },
  inspect({site}) {
    const chats = site.listeners.filter(({chat}) => chat)
    const nodesOf = (listener: Listener) => site.trace(listener, POLL).end
    const hosts = (listeners: readonly Listener[]) =>
      listeners.map(nodesOf).flatMap(end => (end.kind === 'upstream' ? end.upstream.nodes.map(({host}) => host) : []))
    const read = chats.filter(({layer4}) => !layer4.value)
    // Where HTTP is read for GMS elsewhere, bytes that go to other machines are no chats.
    const ofGms = new Set(hosts(read))
    return chats
      .filter(listener => listener.layer4.value && (read.length === 0 || hosts([listener]).some(host => ofGms.has(host))))
      .map(({address, layer4, span}) => ({
        span: placeOf(layer4),
        message: `Expected HTTP to be read at ${address}: bytes are passed on as they come`,
        expected: site.proxy === 'haproxy' ? 'mode http' : 'a server in http {}',
        actual: inForce(layer4),
        edits: site.proxy === 'haproxy' ? [...layer4.put('http'), ...said(site, span)] : [],
      }))
  },
}

/** Whoever reads HTTP says who asks, and lets nobody else say it. */
const HEADERS = [
  'http-request del-header Upgrade unless { req.hdr(Upgrade) -m str -i websocket }',
  'http-request del-header X-Real-IP',
  'http-request del-header Forwarded',
  'http-request set-header X-Forwarded-For %[src]',
  'http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]',
]

function said({config}: Site, listener: Span): readonly Edit[] {
  const [section] = blocksAround(config, listener)
  const last = section?.block?.findLast(({name}) => name === 'bind')
  return last ? insertedBelow(config, last.span, HEADERS, 'GMS learns who asks') : []
}
