import type {OperationsResult} from '../../../flows/operations.ts'
import {operations, TOLD} from '../../../flows/operations.ts'
import {CHAT_OPERATIONS} from '../../../wire/chat-messages.ts'
import type {Check, Draft} from '../../check.ts'
import {evidence} from '../../evidence.ts'

const TRANSPORTS = ['long-polling', 'callback-polling'] as const

export const check: Check = {
  meta: {
    id: 'polling-every-operation',
    title: 'Every operation works over polling, and nothing said is changed',
    concern: 'polling',
    severity: 'error',
    requirement:
      'A chat may carry any text: an address that is pushed, a form, an accent, a key in base64. Request and notification pass as they are, in a body as in the query of callback-polling.',
    remediation: {
      nginx: 'Exempt /genesys/cometd from rules that look for words in the query, and from sub_filter',
      apache: 'Exempt /genesys/cometd from RewriteCond rules that look for words in the query, and from mod_substitute',
      haproxy: 'Exempt /genesys/cometd from http-request deny rules that look for words in query or body',
    },
    directives: {
      nginx: ['sub_filter', 'sub_filter_types', 'if', 'proxy_pass'],
      apache: ['Substitute', 'RewriteCond', 'RewriteRule', 'ProxyPass'],
      haproxy: ['http-request deny deny_status 403', 'http-request deny', 'http-request replace-pathq', 'backend'],
    },
    references: ['GMS Chat API V2 over CometD, "CometD API": eleven operations', 'RFC 9110, 7.7: a proxy does not change content'],
  },
  transport: 'long-polling',
  needs: [],
  presupposes: [
    'upstream-path-intact',
    'listener-reaches-gms',
    'affinity-same-node',
    'polling-chat',
    'polling-callback-chat',
    'polling-burst-delivered',
  ],
  isolation: 'shared',
  budgetMs: () => 300_000,
  async run({flow, upstream}) {
    const results = await Promise.all(TRANSPORTS.map(transport => flow(operations, {transport, client: 'probe'})))
    const findings: Draft[] = results.flatMap((result, index) => {
      const flaw = flawOf(result, TRANSPORTS[index] ?? '')
      return flaw ? [{...flaw, evidence: evidence(result, upstream?.recorder)}] : []
    })
    if (findings.length > 0) return {status: 'failed', findings}
    // What a real GMS does not do for this chat service says nothing of the proxy.
    const refused = [...new Set(results.flatMap(refusals))]
    return {
      status: 'passed',
      detail: `${CHAT_OPERATIONS.length} operations over ${TRANSPORTS.join(' and ')}${refused.length > 0 ? `; refused by GMS: ${refused.join(', ')}` : ''}`,
    }

    function flawOf(result: OperationsResult, transport: string): Omit<Draft, 'evidence'> | undefined {
      const {ended, stoppedAt, events, flaws} = result
      const expected = `${CHAT_OPERATIONS.length} operations, each acknowledged and answered`
      if (ended !== 'completed')
        return {message: `Expected every operation to be answered over ${transport}`, expected, actual: stoppedAt ?? ended}
      const [refused] = refusals(result)
      if (upstream?.control && refused !== undefined)
        return {message: `Expected GMS to understand every operation over ${transport}`, expected, actual: `GMS refused ${refused}`}
      const changed = TOLD.flatMap(({operation, type, text}) => {
        const told = events.find(event => event.from.type === 'Client' && event.type === type)?.text
        return told === undefined || told === text ? [] : [`${operation} said "${text}", the transcript says "${told}"`]
      })
      if (changed.length > 0)
        return {
          message: `Expected what is said over ${transport} to come back as it was said`,
          expected: 'the same text',
          actual: changed.join('; '),
        }
      // Two answers on two connections may overtake each other; the rest is the work of whoever is in between when GMS keeps to its contract.
      const [flaw] = flaws.filter(({kind}) => kind !== 'index-behind')
      if (upstream?.control && flaw)
        return {
          message: `Expected notifications over ${transport} as GMS sends them`,
          expected: 'notifications of the contract',
          actual: `${flaw.kind}: ${flaw.what}`,
        }
      return undefined
    }
  },
}

function refusals({operations: performed}: OperationsResult): string[] {
  return performed.flatMap(({operation, statusCode, errors}) => (statusCode === 0 ? [] : [`${operation} (${errors.join(', ')})`]))
}
