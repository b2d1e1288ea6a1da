import {ALL_CHAT} from '../../cascades.ts'
import {UPLOAD} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {balanced, choosable, OVER_HTTP} from '../../sessions.ts'

export const rule: Rule = {
  meta: {
    id: 'affinity-duplicate-key',
    title: 'Two nodes share one name in the affinity cookie',
    concern: 'affinity',
    severity: 'error',
    requirement: 'The name in the cookie belongs to one node: with two of the same name, sessions of the second are sent to the first.',
    remediation: {
      apache: 'Give each BalancerMember a route= of its own',
      haproxy: 'Give each server line a cookie value of its own',
    },
    references: [
      'HAProxy configuration manual, "cookie" (server): the value must be unique in a backend',
      'Apache mod_proxy, BalancerMember parameter route',
    ],
    breaks: ['affinity-same-node'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    balanced({site, promises}, ...OVER_HTTP, UPLOAD).flatMap(({upstream}) => {
      const nodes = choosable(upstream)
      return nodes.flatMap(({key, address}, index) => {
        const first = key && nodes.slice(0, index).find(other => other.key?.value === key.value)
        if (!first || key === undefined) return []
        return [
          {
            span: key.span ?? key.home,
            message: `Expected a name for ${address} that no other node has, "${key.value}" is that of ${first.address}`,
            expected: 'one name for each node',
            actual: `${key.text} twice: sessions of ${address} are sent to ${first.address}`,
            edits: key.put(
              unused(
                key.value,
                nodes.flatMap(node => node.key?.value ?? []),
              ),
            ),
          },
        ]
      })
    }),
}

/** `gms1` → `gms2`, or whichever number is free. */
function unused(taken: string, all: readonly string[]): string {
  const stem = taken.replace(/\d+$/, '')
  let number = 2
  while (all.includes(`${stem}${number}`)) number += 1
  return `${stem}${number}`
}
