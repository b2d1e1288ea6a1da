/** Files of rules that no edit of the file mends, and why. */
export const UNMENDED: Readonly<Record<string, string>> = {
  'forwarding-layer4/fires.nginx.conf':
    'a server of stream {} becomes one of http {} with lines of its own for every header and timeout: that is rendered, not edited',
  'tls-certificate-unusable/fires.apache.conf': 'the certificate has to be made or bought first',
  'tls-certificate-unusable/fires.haproxy.cfg': 'the certificate has to be made or bought first',
  'tls-certificate-unusable/fires.nginx.conf': 'where the key of the certificate lies only the operator knows',
  'tls-certificate-unusable/fires.container.apache.conf': 'the container has to be converted first (openssl pkcs12)',
  'tls-certificate-unusable/fires.container.haproxy.cfg': 'the container has to be converted first (openssl pkcs12)',
  'tls-certificate-unusable/fires.container.nginx.conf': 'the container has to be converted first (openssl pkcs12)',
  'tls-upstream-name-mismatch/fires.nginx.conf': 'which name the certificates of both nodes share only they say',
  'tls-upstream-not-verified/fires.haproxy.cfg': 'which authority is to be trusted only the operator knows',
  'tls-upstream-not-verified/fires.no-authority.haproxy.cfg': 'which authority is to be trusted only the operator knows',
  'upstream-dns-pinned/fires.nginx.conf':
    'nginx before 1.27.3 follows a name in a variable alone, which knows no affinity: another release, or one node',
  'upstream-name-unresolved/fires.apache.conf': 'the real name of the node only the operator knows',
  'upstream-name-unresolved/fires.haproxy.cfg': 'the real name of the node only the operator knows',
  'upstream-name-unresolved/fires.nginx.conf': 'the real name of the node only the operator knows',
}
