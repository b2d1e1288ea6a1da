import type {Concern, Severity} from '../../model/catalogue.ts'

/** What lies outside every configuration file, so that no rule can read it. */
export interface OwnCause {
  concern: Concern
  title: string
  severity: Severity
  /** What has to hold, and who says so. */
  requirement: string
  remediation: string
  references: readonly string[]
}

/**
 * Defects that only show from outside, by id: each is named when it was seen, never because nothing else was found. The page of each lies in
 * `causes/`; `npm run catalogue` writes its head.
 */
export const OWN_CAUSES = {
  'listener-name-unresolved': {
    concern: 'listener',
    title: 'The host name has no address',
    severity: 'error',
    requirement: 'The host name of the chat has an address wherever its clients are (RFC 1034): all transports begin with it.',
    remediation: 'Check the spelling of the host name, and its A and AAAA records in the DNS that clients ask',
    references: ['RFC 1034, section 3.6', 'RFC 8305 (Happy Eyeballs): addresses of both families are tried'],
  },
  'listener-unreachable': {
    concern: 'listener',
    title: 'No TCP connection to the listener',
    severity: 'error',
    requirement: 'The listener accepts TCP connections on the address and port that clients ask.',
    remediation: 'Check the port, that the proxy runs and listens on this address, and that no firewall is in the way',
    references: [
      'RFC 9293, section 3.10.7: a port at which nobody listens answers with a reset',
      'https://nginx.org/en/docs/http/ngx_http_core_module.html#listen',
      'https://httpd.apache.org/docs/2.4/bind.html',
      'https://docs.haproxy.org/2.6/configuration.html#4.2-bind',
    ],
  },
  'listener-redirects-clients': {
    concern: 'listener',
    title: 'The chat paths are redirected',
    severity: 'error',
    requirement:
      'Requests of a chat are answered by GMS at the address that clients have: neither a Bayeux POST nor a WebSocket handshake follows a redirect.',
    remediation: 'Give clients the address that the redirect names, or spare /genesys/ from the redirect: a Bayeux POST does not follow it',
    references: [
      'WHATWG Fetch, HTTP-redirect fetch: a WebSocket handshake that is redirected is a network error',
      'RFC 9110, sections 15.4.2 and 15.4.3: clients change POST to GET',
      'RFC 6455, section 4.1',
    ],
  },
  'tls-certificate-expired': {
    concern: 'tls',
    title: 'A certificate of the listener is not valid today',
    severity: 'error',
    requirement: 'Every certificate of the chain is valid today (RFC 5280, 4.1.2.5).',
    remediation: 'Renew the certificate, put its whole chain into the file that the listener names, and reload the proxy',
    references: [
      'RFC 5280, section 4.1.2.5',
      'https://nginx.org/en/docs/http/configuring_https_servers.html',
      'https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslcertificatefile',
      'https://docs.haproxy.org/2.6/configuration.html#5.1-crt',
    ],
  },
  'tls-certificate-name': {
    concern: 'tls',
    title: 'The certificate of the listener is for another name',
    severity: 'error',
    requirement: 'The certificate names the host that clients ask for in subjectAltName (RFC 9525).',
    remediation: 'Let the certificate name the host that clients use (subjectAltName), or give clients the name that is in it',
    references: ['RFC 9525, section 6', 'RFC 9110, section 4.3.4', 'https://nginx.org/en/docs/http/configuring_https_servers.html#sni'],
  },
  'tls-certificate-untrusted': {
    concern: 'tls',
    title: 'The chain of the listener leads to no authority that is trusted here',
    severity: 'error',
    requirement:
      'The listener sends its certificate with the intermediate ones, so that the chain leads to an authority that clients trust (RFC 8446, 4.4.2).',
    remediation:
      'Append the intermediate certificates to the certificate file of the listener; for an authority of your own name its file: --ca FILE',
    references: [
      'RFC 8446, section 4.4.2',
      'https://nginx.org/en/docs/http/configuring_https_servers.html#chains',
      'https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslcertificatefile',
    ],
  },
  'access-refused': {
    concern: 'access',
    title: 'The proxy forbids the chat paths to this client',
    severity: 'error',
    requirement: 'Clients of the chat may GET, POST and upgrade on the chat paths.',
    remediation:
      'Look for what denies: deny / allow in nginx, Require in Apache, http-request deny in HAProxy; and whether this address is meant',
    references: [
      'RFC 9110, section 15.5.4',
      'https://nginx.org/en/docs/http/ngx_http_access_module.html',
      'https://httpd.apache.org/docs/2.4/howto/access.html',
      'https://docs.haproxy.org/2.6/configuration.html#4.2-http-request',
    ],
  },
  'upstream-down': {
    concern: 'upstream',
    title: 'The proxy gets no answer from its nodes',
    severity: 'error',
    requirement: 'At least one GMS node takes the requests that the proxy sends it.',
    remediation:
      'Check that GMS runs, that the addresses of the nodes in the proxy are right, and that the proxy may connect to them; its error log says why',
    references: [
      'RFC 9110, sections 15.6.3 to 15.6.5',
      'https://docs.haproxy.org/2.6/configuration.html#8.5',
      'https://nginx.org/en/docs/http/ngx_http_upstream_module.html',
    ],
  },
  'upstream-gms-itself': {
    concern: 'upstream',
    title: 'GMS itself answers so, without the proxy',
    severity: 'error',
    requirement: 'GMS serves the chat without the proxy: what it does itself, no proxy mends.',
    remediation:
      'Mend it in GMS (or in what stands between here and GMS): the same was seen at --direct, so no directive of the proxy mends it',
    references: [
      'RFC 6455, section 5.5.1: a close frame comes from an endpoint',
      'CometD reference: server configuration, maxInterval and timeout',
    ],
  },
} as const satisfies Readonly<Record<string, OwnCause>>
