import type {Oddity} from '../../../proxies/site.ts'
import type {Inspection, Rule} from '../../rule.ts'

/** Waits that nobody wants to be shorter than a second, and those that are sometimes. */
const LEAST_MS = 1000
const LEAST_TO_NODES_MS = 100
/** How long a chat is silent: waits for it are never shorter. */
const OF_CHATS = /\b(client|server|tunnel)$/

export const rule: Rule = {
  meta: {
    id: 'polling-duration-without-unit',
    title: 'A duration without a unit means milliseconds',
    concern: 'polling',
    severity: 'error',
    requirement: 'HAProxy counts a bare number in milliseconds and says nothing: 605 for a garbled 60s is 0.6 s.',
    remediation: {haproxy: 'Write the unit: timeout server {pollSeconds}s, timeout tunnel {idleSeconds}s, timeout tarpit 60s'},
    references: [
      'HAProxy configuration manual, 2.5 Time format: milliseconds when no unit is given',
      'Measured: timeout tarpit 605, the garbled 60s of the published sample, is accepted without a warning',
    ],
    breaks: [],
    mayBreak: ['polling-hold-survives', 'polling-delivers-promptly', 'upgrade-idle-survives', 'upload-late-answer', 'upload-slow-client'],
    provenBy: {
      by: 'binary',
      because: 'haproxy -c takes the number as milliseconds; what breaks depends on the wait: a poll after server, a socket after tunnel',
    },
  },
  inspect: inspection =>
    inspection.site.oddities
      .filter(oddity => oddity.kind === 'duration-without-unit')
      .flatMap(oddity => {
        const ms = numberOf(oddity, inspection)
        if (ms === undefined || !isMeantInSeconds(oddity.name, ms, inspection.promises.holdMs)) return []
        return [
          {
            span: oddity.span,
            message: `Expected a unit: ${oddity.name} ${ms} is ${ms} milliseconds`,
            expected: `${ms}s, or ${ms}ms if that is meant`,
            actual: `${oddity.name} ${ms}`,
            edits: [{span: oddity.span, text: `${ms}s`, why: `${oddity.name} ${ms}s`}],
          },
        ]
      }),
}

function numberOf({span}: Oddity, {site}: Inspection): number | undefined {
  const text = site.config.bundle.files.find(({path}) => path === span.file)?.text.slice(span.start, span.end)
  const [, digits] = /(\d+)\s*$/.exec(text ?? '') ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** 5000 is a usual way to write 5 s; 45, 605 and 3600 are seconds, or nothing that anybody wants. */
function isMeantInSeconds(name: string, ms: number, holdMs: number): boolean {
  if (ms === 0) return false
  if (/\b(connect|check|inter|fastinter|downinter|slowstart)$/.test(name)) return ms < LEAST_TO_NODES_MS
  if (ms < LEAST_MS) return true
  return OF_CHATS.test(name) && ms < holdMs && ms % 60 === 0 && ms % 1000 !== 0
}
