import type {Check} from '../../check.ts'

export const check: Check = {
  meta: {
    id: 'listener-stays-up',
    title: 'The proxy runs through all traffic without a crash or an alert',
    concern: 'listener',
    severity: 'error',
    requirement: 'No worker ends on a signal and nothing is logged at [alert] or [emerg] while chats run.',
    remediation: {
      nginx: 'Follow the logged [alert] or [emerg]; a module that crashes belongs to the nginx it was built for',
      apache: 'Follow the logged [alert] or [emerg]; a module that crashes belongs to the httpd it was built for',
      haproxy: 'Follow the logged alert; report a crash with `show errors` and the core to the HAProxy project',
    },
    directives: {nginx: ['worker_connections', 'events'], apache: ['MaxRequestWorkers'], haproxy: ['maxconn']},
    references: ['nginx: error_log levels', 'Apache httpd: LogLevel', 'HAProxy management guide: logging'],
  },
  needs: ['configuration'],
  isolation: 'after',
  budgetMs: () => 10_000,
  async run({configuration}) {
    if (configuration && !configuration.accepted) return {status: 'skipped', because: 'the proxy did not accept the configuration'}
    const complaints = (await configuration?.complaints()) ?? []
    if (complaints.length === 0) return {status: 'passed'}
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected no crash and no alert while chats run',
          expected: 'a quiet error log, and the process alive',
          actual: complaints.slice(0, 5).join(' | '),
          evidence: {client: complaints.slice(0, 5), upstream: ['not concerned']},
        },
      ],
    }
  },
}
