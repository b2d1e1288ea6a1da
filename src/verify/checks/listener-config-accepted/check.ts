import type {Check} from '../../check.ts'

export const check: Check = {
  meta: {
    id: 'listener-config-accepted',
    title: "The proxy's own test accepts the configuration",
    concern: 'listener',
    severity: 'error',
    requirement: 'The configuration passes `nginx -t`, `httpd -t` or `haproxy -c` of the version that runs it.',
    remediation: {
      nginx:
        'Correct the line that `nginx -t` names. A listener with `ssl` needs its certificate and key: ssl_certificate /etc/ssl/chat.pem;\nssl_certificate_key /etc/ssl/chat.key; both readable for the user that starts nginx',
      apache:
        'Correct the line that `httpd -t` names, or load the module that brings the directive.\n`SSLEngine on` needs a certificate and its key: SSLCertificateFile /etc/ssl/chat.pem, SSLCertificateKeyFile /etc/ssl/chat.key',
      haproxy:
        'Correct the line that `haproxy -c` names. `bind … ssl` needs a certificate: crt /etc/ssl/chat.pem,\nthe chain and the key in that one file (or the key beside it, as chat.pem.key)',
    },
    directives: {nginx: [], apache: [], haproxy: []},
    references: ['nginx: command-line parameters, -t', 'Apache httpd: -t', 'HAProxy management guide: -c'],
  },
  needs: ['configuration'],
  isolation: 'shared',
  budgetMs: () => 5000,
  async run({configuration}) {
    const errors = configuration?.messages.filter(({level}) => level === 'error') ?? []
    const warnings = configuration?.messages.filter(({level}) => level === 'warning') ?? []
    const {writtenForAnother} = configuration ?? {}
    if (configuration?.accepted) {
      const details = [
        ...(warnings.length > 0 ? [`${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}: ${warnings[0]?.text}`] : []),
        ...(writtenForAnother === undefined ? [] : [writtenForAnother]),
      ]
      return {status: 'passed', ...(details.length > 0 ? {detail: details.join('; ')} : {})}
    }
    return {
      status: 'failed',
      findings: errors.map(({text, location}) => ({
        message: 'Expected the proxy to accept its configuration',
        expected: writtenForAnother === undefined ? 'accepted' : `accepted, though ${writtenForAnother}`,
        actual: text,
        ...(location ? {location} : {}),
        evidence: {client: ['nothing was sent: the proxy did not start'], upstream: ['nothing arrived']},
      })),
    }
  },
}
