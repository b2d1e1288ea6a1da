import {writer} from '../model/live.ts'
import type {Look} from '../model/live.ts'
import type {Status} from '../model/report.ts'

/** One phase of a connection, for a person. */
export interface PhaseLine {
  mark: Status
  /** `DNS`, `TCP`, `TLS`, `HTTP`, `upgrade`; empty: goes with the line before. */
  name: string
  tookMs?: number
  text: string
}

/** DNS, TCP, TLS, HTTP and upgrade, each with its time and what came of it. */
export function phasesOf({url, resolved, connected, greeted, asks}: Look): readonly PhaseLine[] {
  const lines: PhaseLine[] = [
    {
      mark: resolved.failure ? 'failed' : 'passed',
      name: 'DNS',
      tookMs: resolved.tookMs,
      text: resolved.failure?.reason ?? resolved.addresses.join(', '),
    },
  ]
  if (connected)
    lines.push({
      mark: connected.failure ? 'failed' : 'passed',
      name: 'TCP',
      tookMs: connected.tookMs,
      text: connected.failure?.reason ?? connected.address ?? '',
    })
  if (greeted) {
    const {greeting, chain} = greeted
    const bad = greeting.failure?.reason ?? greeting.distrust ?? greeting.otherName
    lines.push({
      mark: bad === undefined ? 'passed' : 'failed',
      name: 'TLS',
      tookMs: greeting.tookMs,
      text: bad ?? [greeting.version, greeting.cipher, greeting.names].filter(text => text !== undefined).join(', '),
    })
    for (const {subject, issuer, validTo, names} of chain)
      lines.push({
        mark: Date.parse(validTo) < Date.now() ? 'failed' : 'passed',
        name: '',
        text: `${subject} until ${validTo}, by ${issuer}${names ? `, for ${names.join(' ')}` : ''}`,
      })
  } else if (url.startsWith('https:') && connected && !connected.failure) lines.push({mark: 'skipped', name: 'TLS', text: 'not tried'})
  for (const [name, answer] of [
    ['HTTP', asks.handshake],
    ['upgrade', asks.upgrade],
  ] as const)
    if (answer)
      lines.push({
        mark: answer.by.who === 'gms' && (answer.status === 200 || answer.status === 101) ? 'passed' : 'failed',
        name,
        tookMs: answer.tookMs,
        text: `${answer.status ?? answer.failure?.reason ?? 'no answer'}${answer.status === undefined ? '' : ` ${writer(answer.by)}`}`,
      })
  return lines
}
