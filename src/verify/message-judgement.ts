import type {MessageBurstResult} from '../flows/message-burst.ts'
import type {Recorder} from '../simulator/recorder.ts'
import type {Draft} from './check.ts'

/**
 * Holds what a customer said against what GMS received and what came back: all of it, each once, at GMS in order. `what` names the messages.
 * `undefined` when all is well.
 */
export function flawOfMessages(
  result: MessageBurstResult,
  {what, texts, transport}: {what: string; texts: readonly string[]; transport: string},
  recorder: Recorder,
): Omit<Draft, 'evidence'> | undefined {
  const {clientId, sent, ownTexts, agentTexts, pollTrouble, stoppedAt} = result
  if (clientId === undefined || sent.length < texts.length)
    return {
      message: `Expected a chat over ${transport}`,
      expected: `${texts.length} sent`,
      actual: stoppedAt ?? pollTrouble ?? 'no session',
    }
  const refused = sent.filter(({trouble}) => trouble !== undefined)
  if (refused.length > 0)
    return {
      message: `Expected GMS to take ${what} over ${transport}`,
      expected: `${texts.length} of ${texts.length} taken`,
      actual: `${refused.length} of ${texts.length} refused: ${refused[0]?.trouble ?? ''}`,
    }
  if (pollTrouble !== undefined)
    return {message: `Expected the polls beside ${what} to go on over ${transport}`, expected: 'polls to the end', actual: pollTrouble}
  const atGms = recorder.bySession(clientId).flatMap(({messages}) => messages.flatMap(({data}) => said(data, texts)))
  if (atGms.join('\n') !== texts.join('\n'))
    return {
      message: `Expected ${what} to reach GMS once and in order over ${transport}`,
      expected: texts.map((_, index) => index + 1).join(', '),
      actual: atGms.map(text => texts.indexOf(text) + 1).join(', ') || 'none',
    }
  for (const [who, seen] of [
    ['GMS records them', ownTexts],
    ['the agent repeats them', agentTexts],
  ] as const) {
    // Two answers on two connections may overtake each other: a client sorts by index, so order is not asked for here.
    const lost = texts.filter(text => !seen.includes(text)).length
    const doubled = seen.length - new Set(seen).size
    if (lost > 0 || doubled > 0)
      return {
        message: `Expected ${what} to reach the client once, as ${who}, over ${transport}`,
        expected: `${texts.length} of ${texts.length}, each once`,
        actual: `${lost} lost, ${doubled} more than once`,
      }
  }
  return stoppedAt === undefined
    ? undefined
    : {message: `Expected a whole chat over ${transport}`, expected: 'the end of the chat', actual: stoppedAt}
}

function said(data: unknown, texts: readonly string[]): readonly string[] {
  const text = typeof data === 'object' && data !== null && 'message' in data ? data.message : undefined
  return typeof text === 'string' && texts.includes(text) ? [text] : []
}
