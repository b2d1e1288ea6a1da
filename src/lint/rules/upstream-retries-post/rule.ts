import type {ProxyName} from '../../../model/catalogue.ts'
import {PUBLISH, UPLOAD} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {placeOf, settingsOf, titlesOf, waysToGms} from '../../settings.ts'

/** Retries of what no node has read yet. */
const HARMLESS: Readonly<Partial<Record<ProxyName, string>>> = {nginx: 'error timeout', haproxy: 'conn-failure'}

export const rule: Rule = {
  meta: {
    id: 'upstream-retries-post',
    title: 'A POST that failed is sent again to another node',
    concern: 'upstream',
    severity: 'error',
    requirement: 'A proxy does not repeat a POST that a node may have read (RFC 9110, 9.2.2): the message, or the file, is stored twice.',
    remediation: {
      nginx: 'Remove non_idempotent from proxy_next_upstream: proxy_next_upstream error timeout;',
      haproxy:
        'retry-on conn-failure (the default) instead of all-retryable-errors, empty-response, response-timeout or a status\nor http-request disable-l7-retry if METH_POST',
    },
    references: [
      'RFC 9110, 9.2.2',
      'nginx: proxy_next_upstream, non_idempotent; HAProxy: retry-on',
      'Measured: one upload stored on both nodes, and the client still sees 504',
    ],
    breaks: ['upstream-post-sent-once'],
    mayBreak: ['upload-late-answer', 'upload-errors-unchanged', 'polling-errors-unchanged', 'upload-slow-client', 'polling-hold-survives'],
  },
  inspect: ({site}) =>
    settingsOf(waysToGms(site, PUBLISH, UPLOAD), ({retriesPost}) => retriesPost)
      .filter(({setting}) => setting.value)
      .map(({setting, ways}) => ({
        span: placeOf(setting),
        message: `Expected ${titlesOf(ways)} to be sent once: "${setting.text}"`,
        expected: 'only what no node has read is tried again',
        actual: 'a POST whose connection broke, or whose answer did not please, is sent to a node again',
        edits: setting.put(HARMLESS[site.proxy] ?? 'off'),
      })),
}
