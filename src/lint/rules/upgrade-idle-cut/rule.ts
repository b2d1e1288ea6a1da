import type {Inspection, Rule, RuleDraft} from '../../rule.ts'
import {WEBSOCKET} from '../../requests.ts'
import {inForce, placeOf, secondsIn, settingsOf, waysToGms} from '../../settings.ts'
import {heartbeat} from '../../margins.ts'
import {works} from '../../upgrades.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-idle-cut',
    title: 'An idle WebSocket is cut before it should be',
    concern: 'upgrade',
    severity: 'warning',
    requirement:
      'A WebSocket on which nothing is said stays open as long as was promised: the /meta/connect of every 30 s is all that keeps it, and a phone that sleeps sends none.',
    remediation: {
      nginx: 'proxy_read_timeout {idleSeconds}s; in the location of /genesys/cometd',
      apache:
        'ProxyTimeout {idleSeconds} (the idle limit of a WebSocket is the larger of Timeout and ProxyTimeout), or timeout={idleSeconds} on the BalancerMember',
      haproxy: 'timeout tunnel {idleSeconds}s',
    },
    references: [
      'CometD reference: ws.idleTimeout 300 s',
      'https://nginx.org/en/docs/http/websocket.html: closed when the proxied server sends nothing within 60 s',
      'Measured: nginx cuts at 59.98 s, Apache at 60.06 s, close code 1006, no log line',
    ],
    breaks: [],
    mayBreak: ['upgrade-idle-survives'],
    provenBy: {
      by: 'none',
      because: 'upgrade-idle-survives listens for the hold and 5 s, not for an hour; cuts at 59.98 s and 60.06 s were measured',
    },
  },
  inspect: inspection =>
    idleLimits(inspection)
      .filter(({ms}) => ms > heartbeat(inspection.promises))
      .map(({draft}) => draft),
}

/** Limits below what was promised. */
function idleLimits({site, promises}: Inspection): readonly {ms: number; draft: RuleDraft}[] {
  const wanted = secondsIn(site.proxy, promises.upgradeIdleMs)
  return settingsOf(
    waysToGms(site, WEBSOCKET).filter(way => works(way) !== false),
    ({idleTimeout}) => (idleTimeout.value !== undefined && idleTimeout.value < promises.upgradeIdleMs ? idleTimeout : undefined),
  ).map(({setting}) => ({
    ms: setting.value ?? Number.POSITIVE_INFINITY,
    draft: {
      span: placeOf(setting),
      message: `Too short for an idle WebSocket: ${inForce(setting)}, ${promises.upgradeIdleMs / 1000} s are promised`,
      expected: wanted,
      actual: inForce(setting),
      edits: setting.put(wanted),
    },
  }))
}
