import {NETWORK_DELAY_MS, pollPatience} from '../../../proxies/margins.ts'
import {CALLBACK, POLL} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, secondsIn, settingsOf, waysToGms} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'polling-hold-margin-thin',
    title: 'The proxy waits for a held poll, but hardly longer than GMS holds it',
    concern: 'polling',
    severity: 'warning',
    requirement:
      'Beyond the hold of GMS the client allows the network 10 s (CometD maxNetworkDelay): a proxy that gives up earlier takes a slow answer away from it.',
    remediation: {
      nginx: 'proxy_read_timeout {pollSeconds}s; or more: {holdSeconds} s hold + 10 s network delay + 5 s margin',
      apache:
        'ProxyTimeout {pollSeconds}, or timeout={pollSeconds} on the BalancerMember, or more: {holdSeconds} s hold + 10 s network delay + 5 s margin',
      haproxy: 'timeout server {pollSeconds}s or more: {holdSeconds} s hold + 10 s network delay + 5 s margin',
    },
    references: [
      'CometD reference: maxNetworkDelay 10000 ms, maxInterval 10000 ms',
      'https://github.com/cometd/cometd/issues/703',
      'https://github.com/cometd/cometd/issues/1033',
    ],
    breaks: [],
    mayBreak: ['polling-hold-survives'],
    provenBy: {
      by: 'none',
      because: 'between proxy and GMS in the sandbox nothing is slow; it takes a busy GMS or network to meet the limit',
    },
  },
  inspect({site, promises: {holdMs}}) {
    const patience = pollPatience(holdMs)
    const enough = secondsIn(site.proxy, patience)
    return settingsOf(waysToGms(site, POLL, CALLBACK), ({answerTimeout}) =>
      answerTimeout.value !== undefined && answerTimeout.value > holdMs && answerTimeout.value < patience ? answerTimeout : undefined,
    ).map(({setting}) => ({
      span: placeOf(setting),
      message: `Too short by ${(patience - (setting.value ?? 0)) / 1000} s: ${inForce(setting)} leaves less than the ${NETWORK_DELAY_MS / 1000} s and margin that a slow answer may take`,
      expected: enough,
      actual: inForce(setting),
      edits: setting.put(enough),
    }))
  },
}
