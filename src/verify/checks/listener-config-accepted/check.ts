import type {Check} from '../../check.ts'

export const check: Check = {
  meta: {
    id: 'listener-config-accepted',
    title: "The proxy's own test accepts the configuration",
    concern: 'listener',
    severity: 'error',
    requirement: 'The configuration passes `nginx -t`, `httpd -t` or `haproxy -c` of the version that runs it.',
    remediation: {
      nginx: 'Correct the line that `nginx -t` names',
      apache: 'Correct the line that `httpd -t` names, or load the module that brings the directive',
      haproxy: 'Correct the line that `haproxy -c` names',
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
    if (configuration?.accepted)
      return {
        status: 'passed',
        ...(warnings.length > 0
          ? {detail: `${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}: ${warnings[0]?.text}`}
          : {}),
      }
    return {
      status: 'failed',
      findings: errors.map(({text, location}) => ({
        message: 'Expected the proxy to accept its configuration',
        expected: 'accepted',
        actual: text,
        ...(location ? {location} : {}),
        evidence: {client: ['nothing was sent: the proxy did not start'], upstream: ['nothing arrived']},
      })),
    }
  },
}
