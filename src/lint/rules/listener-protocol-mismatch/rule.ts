import type {Edit} from '../../../model/bundle.ts'
import type {Listener, Site} from '../../../proxies/site.ts'
import {ALL_CHAT} from '../../cascades.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import {allOf, blocksAround, directiveAt, insertedInto, siblingsAt, withoutArgument} from '../../source.ts'

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

function mismatch(site: Site, listener: Listener): readonly RuleDraft[] {
  const {listeners} = site
  const {address, port, span, tls, layer4} = listener
  if (tls && PLAIN_PORTS.includes(port))
    return [
      {
        span,
        message: `Expected plain text on port ${port}: "${address}"`,
        expected: 'http and ws, which is what clients speak to this port',
        actual: 'TLS: a plain request is answered 400, or not at all',
        edits: unencrypted(site, listener),
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
        edits: encrypting(site, listener),
      },
    ]
  return []
}

/** TLS where a certificate is named already. */
function encrypting({proxy, config}: Site, {span}: Listener): readonly Edit[] {
  const why = 'TLS on the port of TLS'
  const line = lineOf(config, span)
  if (!line) return []
  const has = (name: RegExp) =>
    (line.block ?? blocksAround(config, span).flatMap(({block = []}) => block)).some(each => name.test(each.name))
  if (proxy === 'apache') {
    const engine = line.block?.find(({name}) => /^SSLEngine$/i.test(name))?.args[0]
    if (engine) return [{span: engine.span, text: 'on', why}]
    return has(/^SSLCertificateFile$/i) ? insertedInto(config, span, 'SSLEngine on') : []
  }
  const [address] = line.args
  const named = proxy === 'nginx' ? has(/^ssl_certificate$/) : line.args.some(({value}) => value === 'crt')
  return named && address ? [{span: {...address.span, start: address.span.end}, text: ' ssl', why}] : []
}

/** Where another listener speaks TLS this one does not; else it is the port that is wrong, and the certificate stays. */
function unencrypted({proxy, config, listeners}: Site, {span, port}: Listener): readonly Edit[] {
  const line = lineOf(config, span)
  const elsewhere = listeners.some(other => other.tls !== undefined && TLS_PORTS.includes(other.port))
  if (!line) return []
  if (elsewhere && proxy !== 'apache') {
    const at = line.args.findIndex(({value}) => value === 'ssl')
    return proxy === 'nginx' && at > 0 ? withoutArgument(line, at, 'plain text on the port of plain text') : []
  }
  if (elsewhere || listeners.filter(other => other.port === port).length > 1) return []
  const listens =
    proxy === 'apache' ? allOf(config, /^Listen$/i).filter(({args}) => new RegExp(`(?:^|:)${port ?? ''}$`).test(args[0]?.value ?? '')) : []
  return [line, ...listens].flatMap(({args: [address]}) => {
    const digits = /:?(\d+)$/.exec(address?.raw.replace(/"$/, '') ?? '')?.[1]
    if (!address || digits === undefined) return []
    const end = address.span.end - (address.raw.endsWith('"') ? 1 : 0)
    return [{span: {...address.span, start: end - digits.length, end}, text: '443', why: 'the port of TLS'}]
  })
}

/** The `listen`, the `bind` or the `<VirtualHost>` whose address this is. */
function lineOf(config: Site['config'], span: Listener['span']) {
  return directiveAt(config, span) ?? siblingsAt(config, span).find(({span: own}) => own.start <= span.start && span.end <= own.end)
}
