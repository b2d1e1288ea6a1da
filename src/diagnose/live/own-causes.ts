import type {Severity} from '../../model/catalogue.ts'

/** What lies outside every configuration file, so that no rule can read it. */
interface OwnCause {
  title: string
  severity: Severity
  remediation: string
}

/** Defects that only show from outside, by id. Each is named when it was seen, never because nothing else was found. */
export const OWN_CAUSES = {
  'listener-name-unresolved': {
    title: 'The host name has no address',
    severity: 'error',
    remediation: 'Check the spelling of the host name, and its A and AAAA records in the DNS that clients ask',
  },
  'listener-unreachable': {
    title: 'No TCP connection to the listener',
    severity: 'error',
    remediation: 'Check the port, that the proxy runs and listens on this address, and that no firewall is in the way',
  },
  'listener-redirects-clients': {
    title: 'The chat paths are redirected',
    severity: 'error',
    remediation: 'Give clients the address that the redirect names, or spare /genesys/ from the redirect: a Bayeux POST does not follow it',
  },
  'tls-certificate-expired': {
    title: 'A certificate of the listener is not valid today',
    severity: 'error',
    remediation: 'Renew the certificate, put its whole chain into the file that the listener names, and reload the proxy',
  },
  'tls-certificate-name': {
    title: 'The certificate of the listener is for another name',
    severity: 'error',
    remediation: 'Let the certificate name the host that clients use (subjectAltName), or give clients the name that is in it',
  },
  'tls-certificate-untrusted': {
    title: 'The chain of the listener leads to no authority that is trusted here',
    severity: 'error',
    remediation:
      'Append the intermediate certificates to the certificate file of the listener; for an authority of your own name its file: --ca FILE',
  },
  'access-refused': {
    title: 'The proxy forbids the chat paths to this client',
    severity: 'error',
    remediation:
      'Look for what denies: deny / allow in nginx, Require in Apache, http-request deny in HAProxy; and whether this address is meant',
  },
  'upstream-down': {
    title: 'The proxy gets no answer from its nodes',
    severity: 'error',
    remediation:
      'Check that GMS runs, that the addresses of the nodes in the proxy are right, and that the proxy may connect to them; its error log says why',
  },
  'upstream-gms-itself': {
    title: 'GMS itself answers so, without the proxy',
    severity: 'error',
    remediation:
      'Mend it in GMS (or in what stands between here and GMS): the same was seen at --direct, so no directive of the proxy mends it',
  },
} as const satisfies Readonly<Record<string, OwnCause>>
