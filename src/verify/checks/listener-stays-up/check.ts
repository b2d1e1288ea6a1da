import {handshake} from '../../../flows/handshake.ts'
import type {Check} from '../../check.ts'
import {evidence, time} from '../../evidence.ts'

export const check: Check = {
  meta: {
    id: 'listener-stays-up',
    title: 'No crash, no alert, and GMS is reached to the end',
    concern: 'listener',
    severity: 'error',
    requirement:
      'No worker ends on a signal, nothing is logged at [alert] or [emerg] while chats run, and after the longest wait a new chat still finds GMS.',
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
  budgetMs: () => 60_000,
  async run({configuration, flow, upstream}) {
    if (configuration && !configuration.accepted) return {status: 'skipped', because: 'the proxy did not accept the configuration'}
    const last = await flow(handshake, {transport: 'long-polling'})
    const well = upstream?.recorder.requests.find(({transport, status}) => transport === 'long-polling' && status === 200)
    const complaints = (await configuration?.complaints()) ?? []
    if (complaints.length > 0)
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
    if (!well) return {status: 'skipped', because: 'no handshake reached GMS from the start (see listener-reaches-gms)'}
    if (last.clientId !== undefined) return {status: 'passed'}
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected GMS to be reached at the end as it was at the beginning',
          expected: 'a Bayeux handshake that GMS answers',
          actual: `${last.stoppedAt ?? 'an answer without a clientId'}, ${time(Date.now() - well.at)} after a request that went well`,
          evidence: evidence(last, upstream?.recorder),
        },
      ],
    }
  },
}
