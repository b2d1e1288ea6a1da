import type {ChatEvent} from '../wire/chat-messages.ts'
import type {ChatLog} from './chat-log.ts'

/**
 * Every event that a customer was ever told, by its index: also one that a page ignores because a later one overtook it on another connection,
 * which over HTTP is nobody's fault.
 */
export function everTold({notifications}: Pick<ChatLog, 'notifications'>): readonly ChatEvent[] {
  const byIndex = new Map<number, ChatEvent>()
  for (const {messages = []} of notifications) for (const event of messages) if (!byIndex.has(event.index)) byIndex.set(event.index, event)
  return [...byIndex.values()].sort((a, b) => a.index - b.index)
}
